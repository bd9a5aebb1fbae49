//! `outrigger run`

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use time::OffsetDateTime;

use super::input::{InputOptions, Paths};
use super::render_flags::{RenderFlags, check_and_render};
use super::{certs, duration};
use crate::Exit;
use crate::certs::{Keeper, Told, Wanted, Workload};
use crate::identity::{Identity, spiffe_id};
use crate::load::Inputs;
use crate::proxy_options::ProxyOptions;
use crate::render::Rendered;
use crate::run::{DrainTimes, Origin, PrivateFolder, RunOptions, Source, run};

/// How long the certificate is valid that `--ca` asks for.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

const EXAMPLES: &str = "\
Examples:
  outrigger run -f istio/ --port 80=8080
  outrigger run -f istio/ --port 443=8443 --credentials certificates/
  outrigger run -f istio/ --role sidecar --label app=reviews --app-port 9080
  outrigger run -f istio/ --port 80=8080 --image envoyproxy/envoy:v1.40.0

Exit codes:
  0  stopped by you (Ctrl-C, SIGTERM, a closed terminal)
  1  the resources have errors
  2  wrong usage, or a file can't be read
  3  no Envoy, no modules, or a port that is taken";

/// Run Envoy with the resources; a change of a file is taken over without a lost request
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    #[command(flatten)]
    paths: Paths,

    #[command(flatten)]
    input: InputOptions,

    #[command(flatten)]
    render: RenderFlags,

    /// The Envoy to run [default: $ENVOY_BIN, else `envoy` on the PATH, else the one in .outrigger here or above]
    #[arg(long, value_name = "PATH", help_heading = "Envoy", conflicts_with = "image")]
    envoy: Option<PathBuf>,

    /// Run Envoy as a container of this image
    #[arg(long, value_name = "REF", help_heading = "Envoy")]
    image: Option<String>,

    /// What Envoy logs: trace, debug, info, warning, error, critical, off [default: warning]
    #[arg(long, value_name = "LEVEL", help_heading = "Envoy",
        value_parser = ["trace", "debug", "info", "warning", "error", "critical", "off"], hide_possible_values = true)]
    envoy_log_level: Option<String>,

    /// Worker threads of Envoy [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Envoy", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,

    /// After a signal to stop, fail health checks but serve for at least so long, until load balancers know of it
    /// [default: 5s after SIGTERM, 0s after Ctrl-C]
    #[arg(long, value_name = "DURATION", help_heading = "Envoy", value_parser = duration)]
    min_drain_duration: Option<Duration>,

    /// After a signal to stop, let requests and connections go on for so long at most; a second signal ends them
    /// [default: 30s]
    #[arg(long, value_name = "DURATION", help_heading = "Envoy", value_parser = duration)]
    drain_timeout: Option<Duration>,

    /// Have the workload's certificate made by the authority in DIR (`outrigger certs init`), and renewed in time, in
    /// place of `--certs`
    #[arg(long, value_name = "DIR", help_heading = "Envoy", conflicts_with = "certs")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    proxy: ProxyOptions,
}

impl Run {
    /// Runs until the user stops it.
    pub fn execute(mut self) -> Exit {
        self.input.add(std::mem::take(&mut self.paths));
        let options = RunOptions {
            envoy: self.envoy.clone(),
            image: self.image.clone(),
            log_level: self.envoy_log_level.clone(),
            concurrency: self.concurrency,
            drain: DrainTimes { min_duration: self.min_drain_duration, timeout: self.drain_timeout },
        };
        if let (Some(least), Some(most)) = (self.min_drain_duration, self.drain_timeout)
            && least > most
        {
            super::complain(&"`--min-drain-duration` is longer than `--drain-timeout`, which ends it all");
            return Exit::Usage;
        }
        let certs = match self.own_certs() {
            Ok(certs) => certs,
            Err(exit) => return exit,
        };
        let (inputs, full, identity) = (self.input.inputs(), Mutex::default(), Mutex::default());
        run(&Files { inputs, full, certs, identity, flags: self }, &options)
    }
}

impl Run {
    /// The folder with the certificate that `--ca` asks for, which a thread keeps fresh from now on.
    fn own_certs(&self) -> Result<Option<PrivateFolder>, Exit> {
        let Some(ca) = &self.ca else { return Ok(None) };
        let environment = |error: &dyn Display| {
            super::complain(error);
            Exit::Environment
        };
        let folder = PrivateFolder::create().map_err(|e| environment(&e))?;
        let mesh = self.input.mesh().ok_or(Exit::Usage)?;
        let id = spiffe_id(&self.proxy.proxy(&mesh.mesh)).map_err(|error| {
            super::complain(&error);
            Exit::Usage
        })?;
        let wanted = Wanted { id, names: Vec::new(), lifetime: LIFETIME };
        let mut keeper = Keeper::new(ca.clone(), vec![Workload { wanted, folder: folder.path().to_owned() }]);
        let told = keeper.look();
        certs::tell(&told, &keeper);
        if told.iter().any(|told| matches!(told, Told::Failed(..))) {
            return Err(Exit::Usage);
        }
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(keeper.pause());
                let told = keeper.look();
                certs::tell(&told, &keeper);
            }
        });
        Ok(Some(folder))
    }
}

/// The files of the command line, read again on each change.
struct Files {
    inputs: Inputs,
    /// Those that had something in them when they were last taken.
    full: Mutex<BTreeSet<Arc<str>>>,
    /// Where the certificate is that `--ca` asks for.
    certs: Option<PrivateFolder>,
    /// The workload's certificate when everything was last taken.
    identity: Mutex<Option<Identity>>,
    flags: Run,
}

impl Files {
    /// The workload's certificate. One that can't be used any more holds up no change of a policy: that of before, which
    /// Envoy has, is kept.
    fn identity(&self) -> Result<Option<Identity>, Exit> {
        let last = || self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.flags.render.identity(self.certs.as_ref().map(PrivateFolder::path)).or_else(|error| {
            match last() {
                Some(identity) => {
                    super::warn(&format!("{error}; the one of before is kept, {}", identity.end()));
                    Ok(Some(identity))
                }
                None => {
                    super::complain(&error);
                    Err(Exit::Usage)
                }
            }
        })
    }
}

impl Source for Files {
    fn render(&self, module_dir: &Path) -> Result<Rendered, Exit> {
        let (loaded, mesh) = self.flags.input.read_from(&self.inputs).ok_or(Exit::Usage)?;
        let proxy = self.flags.proxy.proxy(&mesh.mesh);
        let identity = self.identity()?;
        let options = self.flags.render.options(&self.flags.proxy, &mesh.mesh, module_dir, identity);
        if let Some(difference) = options.identity.as_ref().and_then(|identity| identity.differs_from(&proxy))
        {
            super::warn(&difference);
        }
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        let of_mesh = mesh.file.iter().filter(|file| file.is_blank());
        let empty = loaded.empty_files().chain(of_mesh).map(|file| Arc::clone(&file.name));
        let empty: BTreeSet<_> = empty.collect();
        if let Some(emptied) = empty.intersection(&full).next() {
            super::complain(&format_args!(
                "there is nothing in {emptied} any more, as while somebody writes it\nhint: delete the file if what it \
                 said is to go; of a mesh configuration leave a line such as `{{}}`"
            ));
            return Err(Exit::Refused);
        }
        let rendered = check_and_render(&loaded, &mesh, &proxy, &options)?;
        self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&options.identity);
        let files = loaded.files.into_iter().chain(mesh.file).map(|file| file.name);
        *full = files.filter(|name| !empty.contains(name)).collect();
        Ok(rendered)
    }

    fn notice(&self) -> Option<(Duration, String)> {
        let now = OffsetDateTime::now_utc();
        let identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, text) = identity.as_ref()?.notice(now)?;
        // The second sees to it that it is later then by any clock.
        Some(((at - now).unsigned_abs() + Duration::from_secs(1), text))
    }

    fn origins(&self) -> Vec<Origin> {
        let files = self.inputs.watched().map(Path::to_owned).map(Origin::of_resources);
        let certs = self.certs.iter().map(|folder| folder.path().to_owned());
        let flags = self.flags.input.mesh_config.clone().into_iter().chain(self.flags.render.watched());
        files.chain(flags.chain(certs).map(Origin::anything)).collect()
    }
}
