//! How far Envoy is with a step, by its own counters.

use std::collections::BTreeSet;

use super::admin::{Admin, Stats};
use super::steps::Step;

/// How often Envoy has taken, and refused, what a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) taken: u64,
    pub(super) refused: u64,
}

/// Of `step`, in `stats`.
pub(super) fn progress(stats: &Stats, step: &Step) -> Progress {
    let sum = |ends: &[&str]| {
        let counts = stats.iter().filter(|(name, _)| ends.iter().any(|end| name.ends_with(end)));
        counts.filter(|(name, _)| concerns(name, step)).map(|(_, count)| count).sum()
    };
    Progress {
        taken: sum(&[".update_success"]),
        refused: sum(&[".update_rejected", ".update_failure", ".config_fail", ".config_conflict"]),
    }
}

fn concerns(stat: &str, step: &Step) -> bool {
    match step {
        Step::Endpoints(clusters) => {
            let name = stat.strip_prefix("cluster.").and_then(|rest| rest.rsplit_once('.'));
            name.is_some_and(|(name, _)| {
                let other = || clusters.iter().any(|one| one.contains(':') && in_statistics(one) == name);
                clusters.contains(name) || other()
            })
        }
        Step::Clusters(_) => stat.starts_with("cluster_manager.cds."),
        Step::Listeners => stat.starts_with("listener_manager.lds."),
        Step::Filter(name) => stat.contains(&format!(".{}.", in_statistics(name))),
        Step::Secret(name) => stat.starts_with(&format!("sds.{}.", in_statistics(name))),
    }
}

/// How often Envoy has refused what the files of these secrets hold.
///
/// # Errors
/// It does not answer.
pub(super) fn times_refused(secrets: &BTreeSet<String>, admin: &Admin) -> Result<u64, ureq::Error> {
    if secrets.is_empty() {
        return Ok(0);
    }
    let stats = admin.stats(r"^sds\..*\.update_rejected$")?;
    let counts = secrets.iter().map(|name| progress(&stats, &Step::Secret(name.clone())).refused);
    Ok(counts.sum())
}

/// As Envoy writes a name into those of its statistics.
fn in_statistics(name: &str) -> String {
    name.replace("://", "_").replace(":/", "_").replace(':', "_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn only_the_counters_of_the_step_count() {
        let stats = Stats::from(
            [
                ("cluster_manager.cds.update_success", 3),
                ("cluster_manager.cds.update_rejected", 1),
                ("cluster_manager.cds.update_failure", 1),
                ("listener_manager.lds.update_success", 7),
                ("extension_config_discovery.http_filter.a@0.0.0.0_80.update_success", 2),
                ("extension_config_discovery.http_filter.b@0.0.0.0_80.update_rejected", 5),
            ]
            .map(|(name, count)| (name.to_owned(), count)),
        );
        let clusters = progress(&stats, &Step::Clusters(BTreeMap::new()));
        assert_eq!(clusters, Progress { taken: 3, refused: 2 });
        assert_eq!(progress(&stats, &Step::Listeners), Progress { taken: 7, refused: 0 });
        let filter = |name: &str| progress(&stats, &Step::Filter(name.to_owned()));
        assert_eq!(filter("a@0.0.0.0_80"), Progress { taken: 2, refused: 0 });
        assert_eq!(filter("b@0.0.0.0_80"), Progress { taken: 0, refused: 5 });
    }

    #[test]
    fn names_are_found_as_envoy_writes_them() {
        let stats = Stats::from(
            [
                ("sds.kubernetes_shop.update_success", 2),
                ("sds.kubernetes_shop-cacert.update_success", 4),
                ("sds.file-cert_tmp/a.crt~/tmp/a.key.update_rejected", 1),
                ("extension_config_discovery.http_filter.a@__1_80.update_success", 3),
            ]
            .map(|(name, count)| (name.to_owned(), count)),
        );
        let secret = |name: &str| progress(&stats, &Step::Secret(name.to_owned()));
        assert_eq!(secret("kubernetes://shop"), Progress { taken: 2, refused: 0 });
        assert_eq!(secret("file-cert:/tmp/a.crt~/tmp/a.key"), Progress { taken: 0, refused: 1 });
        let filter = progress(&stats, &Step::Filter("a@::1_80".to_owned()));
        assert_eq!(filter, Progress { taken: 3, refused: 0 });
    }
}
