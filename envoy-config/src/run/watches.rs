//! Whether Envoy can watch its files. It takes an inotify instance for each, of which a user has few, and ends itself when there
//! is none left.

use super::dynamic::Dynamic;

/// What Envoy takes besides: for listeners, clusters and itself.
const OTHERS: usize = 3;
/// As many are tried at most: a limit is far below, or nowhere near.
const TRIED: usize = 512;

/// There are not enough of them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Envoy has to watch {needed} more files, and there is room for {room} (inotify instances of this user)\n\
     hint: raise the limit, as by `sysctl -w fs.inotify.max_user_instances=8192`"
)]
pub(super) struct NoRoom {
    needed: usize,
    room: usize,
}

/// Whether an Envoy can be started with `new`.
///
/// # Errors
/// It would end itself.
pub(super) fn for_start(new: &Dynamic) -> Result<(), NoRoom> {
    room_for(files(new).count() + OTHERS)
}

/// Whether an Envoy with `old` can take `new` over, and one beside it can judge it first.
///
/// # Errors
/// One of them would end itself.
pub(super) fn for_change(old: &Dynamic, new: &Dynamic) -> Result<(), NoRoom> {
    let is_new = |name: &(Kind, &str)| !files(old).any(|known| known == *name);
    let added = if files(new).count() > files(old).count() { files(new).filter(is_new).count() } else { 0 };
    room_for(added.max(new.secrets.len() + OTHERS))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Endpoints,
    Filter,
    Secret,
}

fn files(of: &Dynamic) -> impl Iterator<Item = (Kind, &str)> {
    let endpoints = of.endpoints.keys().map(|name| (Kind::Endpoints, name.as_str()));
    let filters = of.filters.keys().map(|name| (Kind::Filter, name.as_str()));
    let secrets = of.secrets.keys().map(|name| (Kind::Secret, name.as_str()));
    endpoints.chain(filters).chain(secrets)
}

/// Tries it: what others of this user hold counts too.
#[cfg(target_os = "linux")]
fn room_for(needed: usize) -> Result<(), NoRoom> {
    use rustix::fs::inotify::{CreateFlags, init};
    use rustix::io::Errno;

    let mut held = Vec::new();
    while held.len() < needed.min(TRIED) {
        match init(CreateFlags::CLOEXEC) {
            Ok(instance) => held.push(instance),
            Err(Errno::MFILE) => return Err(NoRoom { needed, room: held.len() }),
            // Whatever else is wrong, it is not that.
            Err(_) => break,
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn room_for(_: usize) -> Result<(), NoRoom> {
    Ok(())
}
