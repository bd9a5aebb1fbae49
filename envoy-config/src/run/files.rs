//! The files that Envoy reads, and whether it has taken over what was last put there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::admin::Admin;
use super::dynamic::{self, Dynamic};
use super::places::{addresses, place};
use super::progress::{progress, times_refused};
use super::steps::{self, Step};
use super::watches::{self, NoRoom};
use crate::envoy::cluster::Cluster;
use crate::render::{Rendered, WriteError, replace, secrets, to_yaml};

/// How long Envoy may take for a step. DNS that does not answer takes some of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The files, and what is in them.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    current: Dynamic,
    /// Those of `current`, and those that requests may still be on their way to.
    clusters: BTreeMap<String, Cluster>,
    /// Files that nothing names any more.
    stale: BTreeSet<PathBuf>,
    /// Clusters and files that nothing led to when [`Self::mark_leftover`] last looked.
    due: (BTreeSet<String>, BTreeSet<PathBuf>),
    /// Files that a change has touched and that could not be put back: Envoy may have what `current` does not say.
    astray: Vec<Step>,
    version: u64,
}

/// A step was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// Envoy has refused it.
    #[error("Envoy has refused the new {0}")]
    Refused(String),
    /// Envoy does not get on with it.
    #[error("Envoy has not taken over the new {what} within {} seconds", PATIENCE.as_secs())]
    Late {
        /// What was new.
        what: String,
    },
    /// Envoy does not answer.
    #[error("can't ask Envoy how it gets on: {0}")]
    Admin(#[from] ureq::Error),
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The user has stopped it.
    #[error("stopped")]
    Stopped,
}

impl StepError {
    /// Whether the same step may be taken a moment later.
    pub(super) fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// Whether Envoy's log has the reason.
    pub(super) fn is_envoys(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Late { .. })
    }
}

impl Files {
    /// Writes everything for the first time; `folder` holds the modules already.
    pub(super) fn create(folder: PathBuf, rendered: &Rendered) -> Result<Self, WriteError> {
        let current = Dynamic::new(rendered, &folder);
        let files = Self {
            clusters: current.clusters.clone(),
            folder,
            current,
            stale: BTreeSet::new(),
            due: Default::default(),
            astray: Vec::new(),
            version: 1,
        };
        for name in files.current.filters.keys() {
            files.write_filter(&files.current, name)?;
        }
        for name in files.current.secrets.keys() {
            files.write_secret(&files.current, name)?;
        }
        for name in files.current.endpoints.keys() {
            files.write_endpoints(&files.current, name)?;
        }
        files.write_clusters(&files.clusters)?;
        files.write_listeners(&files.current)?;
        let bootstrap = rendered.to_dynamic_yaml(&Dynamic::sources(&files.folder))?;
        replace(&files.folder.join(dynamic::BOOTSTRAP), bootstrap.as_bytes())?;
        Ok(files)
    }

    /// What leads from here to `rendered`.
    pub(super) fn steps_to(&self, rendered: &Rendered) -> (Dynamic, Vec<Step>) {
        let new = Dynamic::new(rendered, &self.folder);
        let old = Dynamic { clusters: self.clusters.clone(), ..self.current.clone() };
        let steps = steps::between(&old, &new, &self.astray);
        (new, steps)
    }

    /// Whether Envoy can watch the files that `new` adds.
    pub(super) fn have_room_for(&self, new: &Dynamic) -> Result<(), NoRoom> {
        watches::for_change(&self.current, new)
    }

    /// Takes the steps, each when Envoy has taken the one before; takes them back if one fails. `meanwhile` is called
    /// again and again, and says whether the user has stopped it.
    pub(super) fn take(
        &mut self,
        new: Dynamic,
        steps: &[Step],
        admin: &Admin,
        meanwhile: &mut dyn FnMut() -> bool,
    ) -> Result<(), StepError> {
        self.version += 1;
        let secrets = self.new_secrets(steps);
        let before = times_refused(&secrets, admin)?;
        let mut begun = 0;
        let mut taken = Ok(());
        for step in steps {
            begun += 1;
            taken = self.step(&new, step, admin, meanwhile);
            if let Err(error) = &taken {
                // A file is replaced as a whole or not at all; endpoints are several.
                let untouched = matches!(error, StepError::Write(_)) && !matches!(step, Step::Endpoints(_));
                begun -= usize::from(untouched);
                break;
            }
        }
        // Envoy reads a secret that is new when something asks for it.
        taken = taken.and_then(|()| match times_refused(&secrets, admin)? > before {
            true => Err(StepError::Refused("certificates".to_owned())),
            false => Ok(()),
        });
        if let Err(error) = taken {
            self.version += 1;
            self.restore(steps.iter().take(begun));
            return Err(error);
        }
        self.stale.extend(names(&self.current));
        self.current = new;
        for name in names(&self.current) {
            self.stale.remove(&name);
        }
        self.astray.clear();
        Ok(())
    }

    /// The secrets of `steps` that Envoy does not have.
    fn new_secrets(&self, steps: &[Step]) -> BTreeSet<String> {
        let secrets = steps.iter().filter_map(|step| match step {
            Step::Secret(name) => Some(name),
            _ => None,
        });
        secrets.filter(|name| !self.current.secrets.contains_key(*name)).cloned().collect()
    }

    /// Whether Envoy has what it was last given, and nothing of a change that has failed.
    pub(super) fn is_whole(&self) -> bool {
        self.astray.is_empty()
    }

    fn step(
        &mut self,
        new: &Dynamic,
        step: &Step,
        admin: &Admin,
        meanwhile: &mut dyn FnMut() -> bool,
    ) -> Result<(), StepError> {
        let (what, filter, warming) = match step {
            Step::Clusters(clusters) => {
                let what = format!("clusters{}", new_ones(clusters, &self.clusters));
                (what, r"^cluster_manager\.".to_owned(), "cluster_manager.warming_clusters")
            }
            Step::Listeners => (
                "listeners".to_owned(),
                r"^listener_manager\.".to_owned(),
                "listener_manager.total_listeners_warming",
            ),
            Step::Endpoints(_) => {
                ("endpoints".to_owned(), r"^cluster\..*\.update_(success|rejected|failure)$".to_owned(), "")
            }
            // So with a secret that is new.
            Step::Secret(name) if !self.current.secrets.contains_key(name) => {
                return Ok(self.write_secret(new, name)?);
            }
            Step::Secret(name) => (format!("certificate `{name}`"), r"^sds\.".to_owned(), ""),
            // A filter that is new has no counters before its listener is there.
            Step::Filter(name) if !self.current.filters.contains_key(name) => {
                return Ok(self.write_filter(new, name)?);
            }
            Step::Filter(name) => {
                (format!("filter `{name}`"), r"^extension_config_discovery\.".to_owned(), "")
            }
        };
        let before = progress(&admin.stats(&filter)?, step);
        match step {
            Step::Endpoints(names) => {
                names.iter().try_for_each(|name| self.write_endpoints(new, name))?;
            }
            Step::Clusters(clusters) => self.write_clusters(clusters)?,
            Step::Filter(name) => self.write_filter(new, name)?,
            Step::Secret(name) => self.write_secret(new, name)?,
            Step::Listeners => self.write_listeners(new)?,
        }
        let expected = self.expected(step);
        if expected == 0 {
            return Ok(());
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
            if meanwhile() {
                return Err(StepError::Stopped);
            }
            let stats = admin.stats(&filter)?;
            let now = progress(&stats, step);
            if now.refused > before.refused {
                return Err(StepError::Refused(what));
            }
            if now.taken >= before.taken + expected && stats.get(warming).is_none_or(|warming| *warming == 0)
            {
                if let Step::Clusters(clusters) = step {
                    self.clusters.clone_from(clusters);
                }
                return Ok(());
            }
        }
        Err(StepError::Late { what })
    }

    /// How many times Envoy says that it has taken a step: once for each cluster that it knows the endpoints of.
    fn expected(&self, step: &Step) -> u64 {
        match step {
            Step::Endpoints(names) => {
                let known = names.iter().filter(|name| self.current.endpoints.contains_key(*name)).count();
                u64::try_from(known).unwrap_or(u64::MAX)
            }
            Step::Clusters(_) | Step::Filter(_) | Step::Secret(_) | Step::Listeners => 1,
        }
    }

    /// Puts the files of these steps back as they were, each whatever becomes of the others.
    fn restore<'s>(&mut self, steps: impl DoubleEndedIterator<Item = &'s Step>) {
        // In reverse: nothing may lead to what is taken away.
        for step in steps.rev() {
            let restored = match step {
                Step::Clusters(_) => self.write_clusters(&self.clusters),
                Step::Endpoints(names) => {
                    names.iter().try_for_each(|name| self.write_endpoints(&self.current, name))
                }
                // What was not there before has nothing to be put back.
                Step::Filter(name) => self.write_filter(&self.current, name),
                Step::Secret(name) => self.write_secret(&self.current, name),
                Step::Listeners => self.write_listeners(&self.current),
            };
            if restored.is_err() && !self.astray.contains(step) {
                self.astray.push(step.clone());
            }
        }
    }

    /// Notes the clusters and files that nothing leads to any more, for [`Self::drop_leftover`]. `false`: there are none.
    pub(super) fn mark_leftover(&mut self) -> bool {
        let clusters = steps::leftover(&self.clusters, &self.current).cloned().collect();
        self.due = (clusters, self.stale.clone());
        !self.due.0.is_empty() || !self.due.1.is_empty()
    }

    /// Takes away those of them that nothing leads to still. One of the files may hold a key.
    pub(super) fn drop_leftover(&mut self) -> Result<(), WriteError> {
        let (mut clusters, files) = std::mem::take(&mut self.due);
        for name in files.into_iter().filter(|name| self.stale.remove(name)) {
            // Whoever has taken it away has done what was to be done.
            let _ = std::fs::remove_file(self.folder.join(name));
        }
        clusters.retain(|name| !self.current.clusters.contains_key(name));
        if clusters.is_empty() {
            return Ok(());
        }
        self.version += 1;
        self.clusters.retain(|name, _| !clusters.contains(name));
        self.write_clusters(&self.clusters)
    }

    /// The addresses of the listeners.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        addresses(&self.current)
    }

    /// The same as URLs, with those that are no ports: for people.
    pub(super) fn places(&self) -> Vec<String> {
        self.current.listeners.iter().map(place).collect()
    }

    fn write_clusters(&self, clusters: &BTreeMap<String, Cluster>) -> Result<(), WriteError> {
        let file = dynamic::clusters_file(clusters, self.version);
        replace(&self.folder.join(dynamic::CLUSTERS), to_yaml(&file)?.as_bytes())
    }

    fn write_endpoints(&self, of: &Dynamic, cluster: &str) -> Result<(), WriteError> {
        let Some(assignment) = of.endpoints.get(cluster) else { return Ok(()) };
        let file = Dynamic::endpoints_file(assignment, self.version);
        replace(&self.folder.join(dynamic::endpoints_name(cluster)), to_yaml(&file)?.as_bytes())
    }

    fn write_listeners(&self, of: &Dynamic) -> Result<(), WriteError> {
        let file = of.listeners_file(self.version);
        replace(&self.folder.join(dynamic::LISTENERS), to_yaml(&file)?.as_bytes())
    }

    fn write_filter(&self, of: &Dynamic, name: &str) -> Result<(), WriteError> {
        let Some(config) = of.filters.get(name) else { return Ok(()) };
        let file = Dynamic::filter_file(name, config, self.version);
        replace(&self.folder.join(dynamic::file_name(name)), to_yaml(&file)?.as_bytes())
    }

    fn write_secret(&self, of: &Dynamic, name: &str) -> Result<(), WriteError> {
        let Some(secret) = of.secrets.get(name) else { return Ok(()) };
        secrets::write(&self.folder, secret, self.version)
    }
}

/// The names of those of `clusters` that are not the same in `old`, for people.
fn new_ones(clusters: &BTreeMap<String, Cluster>, old: &BTreeMap<String, Cluster>) -> String {
    const TOLD: usize = 3;
    let new: Vec<_> = clusters.iter().filter(|(name, cluster)| old.get(*name) != Some(cluster)).collect();
    let named: Vec<_> = new.iter().take(TOLD).map(|(name, _)| format!("`{name}`")).collect();
    match new.len() {
        0 => String::new(),
        1..=TOLD => format!(" {}", named.join(", ")),
        more => format!(" {} and {} more", named.join(", "), more - TOLD),
    }
}

/// The names of the files of secrets, endpoints and filters.
fn names(of: &Dynamic) -> impl Iterator<Item = PathBuf> {
    let secrets = of.secrets.keys().map(|name| PathBuf::from(secrets::file_name(name)));
    let endpoints = of.endpoints.keys().map(|name| dynamic::endpoints_name(name));
    secrets.chain(endpoints).chain(of.filters.keys().map(|name| dynamic::file_name(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{GATEWAY, rendered};

    /// A gateway that leads to this host.
    fn to(host: &str) -> Rendered {
        let text = format!(
            "{{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {{name: vs}}, spec: {{hosts: ['*'], \
             gateways: [gw], http: [{{route: [{{destination: {{host: {host}}}}}]}}]}}}}"
        );
        rendered(&[GATEWAY, &text]).unwrap()
    }

    #[test]
    fn what_was_left_over_when_it_was_looked_for_goes_and_what_came_since_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::create(folder.path().to_owned(), &to("one.test")).unwrap();
        let change = |files: &mut Files, host: &str| {
            files.current = Dynamic::new(&to(host), &files.folder);
            files.clusters.extend(files.current.clusters.clone());
        };
        let hosts = |files: &Files| -> Vec<String> {
            files.clusters.keys().map(|name| name.rsplit('|').next().unwrap_or_default().to_owned()).collect()
        };
        assert!(!files.mark_leftover());
        change(&mut files, "two.test");
        assert!(files.mark_leftover());
        change(&mut files, "three.test");
        files.drop_leftover().unwrap();
        assert_eq!(hosts(&files), ["three.test", "two.test"]);
        assert!(files.mark_leftover());
        change(&mut files, "two.test");
        files.drop_leftover().unwrap();
        assert_eq!(hosts(&files), ["three.test", "two.test"], "it is led to again");
        assert!(files.mark_leftover());
        files.drop_leftover().unwrap();
        assert_eq!(hosts(&files), ["two.test"]);
        assert!(!files.mark_leftover());
    }
}
