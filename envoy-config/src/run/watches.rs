//! Whether Envoy can watch its files. It takes an inotify instance for each, of which a user has few, and ends itself when there
//! is none left.

use std::collections::BTreeSet;

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
    let known: BTreeSet<_> = files(old).collect();
    // What is old goes after what is new has come.
    let added = files(new).filter(|file| !known.contains(file)).count();
    room_for(added.max(new.secrets.len() + OTHERS))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{GATEWAY, rendered};

    /// A gateway that leads to so many services with addresses.
    fn to_services(count: usize) -> Dynamic {
        let service = |number: usize| {
            format!(
                "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {{name: s{number}}}, spec: {{hosts: \
                 [s{number}.test], resolution: STATIC, ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: \
                 [{{address: 10.0.0.1}}]}}}}\n---\n{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: \
                 {{name: v{number}}}, spec: {{hosts: [v{number}.test], gateways: [gw], http: [{{route: [{{destination: \
                 {{host: s{number}.test}}}}]}}]}}}}"
            )
        };
        let services: Vec<_> = (0..count).map(service).collect();
        let all: Vec<_> = std::iter::once(GATEWAY).chain(services.iter().map(String::as_str)).collect();
        Dynamic::new(&rendered(&all).unwrap(), std::path::Path::new("/f"))
    }

    #[test]
    fn of_many_services_no_file_is_watched() {
        let watched = |count| files(&to_services(count)).count();
        assert_eq!((watched(1), watched(40), watched(41), watched(300)), (2, 41, 1, 1));
    }

    #[test]
    fn what_is_not_there_is_told_with_the_way_out() {
        let message = NoRoom { needed: 50, room: 3 }.to_string();
        assert!(message.contains("50 more files") && message.contains("max_user_instances"), "{message}");
        assert_eq!(room_for(0), Ok(()));
    }
}
