//! Kubernetes Services of which no resource says where they are: their names are left to DNS, which tells no endpoint from
//! another.

use std::collections::{HashMap, HashSet};

use outrigger_api::types::common::Labels;
use outrigger_api::{Resource, Spec};

use crate::render::labels_of_entry;

/// Full names of those Services.
pub(super) fn services(resources: &[Resource], cluster_domain: &str) -> HashSet<String> {
    let (mut slices, mut entries, mut hosts) =
        (HashSet::new(), HashMap::<_, Vec<Labels>>::new(), HashSet::new());
    for resource in resources {
        let namespace = &*resource.meta.namespace;
        match &resource.spec {
            Spec::EndpointSlice(slice) => {
                slices.extend(slice.service.as_deref().map(|name| (namespace, name)))
            }
            Spec::WorkloadEntry(entry) => {
                entries.entry(namespace).or_default().push(labels_of_entry(resource, entry));
            }
            Spec::ServiceEntry(entry) => hosts.extend(entry.hosts.iter().map(ToString::to_string)),
            _ => {}
        }
    }
    let unplaced = resources.iter().filter_map(|resource| {
        let Spec::Service(service) = &resource.spec else { return None };
        let (name, namespace) = (&*resource.meta.name, &*resource.meta.namespace);
        let chooses =
            |labels: &Labels| service.selector.iter().all(|(key, value)| labels.get(key) == Some(value));
        let selects = !service.selector.is_empty()
            && entries.get(namespace).is_some_and(|entries| entries.iter().any(chooses));
        let host = format!("{name}.{namespace}.svc.{cluster_domain}");
        (!selects && !slices.contains(&(namespace, name)) && !hosts.contains(&host)).then_some(host)
    });
    unplaced.collect()
}
