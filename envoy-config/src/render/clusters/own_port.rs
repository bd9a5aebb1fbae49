//! A port of the sidecar's workload, as services mean it: by the application's own number, or by the one that the sidecar
//! opens for it, where the workload's clients find it.

use outrigger_api::types::common::{Labels, Port};
use outrigger_api::types::kubernetes::{PortRef, Service, ServicePort};
use outrigger_api::types::service_entry::ServiceEntry;
use outrigger_api::{Proxy, Resource, Spec};

use super::discovery::labels_of_entry;
use crate::render::options::Options;

/// A port of the workload.
#[derive(Debug, Clone, Copy)]
pub(in crate::render) struct OwnPort<'r> {
    /// The application's.
    pub(in crate::render) number: u16,
    pub(in crate::render) resources: &'r [Resource],
    pub(in crate::render) proxy: &'r Proxy,
    pub(in crate::render) options: &'r Options,
}

impl OwnPort<'_> {
    /// The port of a Service that selects the workload which leads here.
    pub(in crate::render) fn of_service<'s>(&self, service: &'s Service) -> Option<&'s ServicePort> {
        if !service.selects(&self.proxy.labels) {
            return None;
        }
        let selected = |labels: &Labels| service.selects(labels);
        let tcp = service.ports.iter().filter(|of| of.protocol == "TCP");
        self.first(tcp, |of| {
            let (target, name) = match &of.target_port {
                Some(PortRef::Name(name)) => (None, name),
                Some(PortRef::Number(number)) => (Some(*number), &of.name),
                None => (Some(of.port), &of.name),
            };
            target.into_iter().chain(self.by_name(name, selected)).collect()
        })
    }

    /// The port of a ServiceEntry that selects the workload which leads here.
    pub(in crate::render) fn of_entry<'s>(&self, entry: &'s ServiceEntry) -> Option<&'s Port> {
        let selector = entry.workload_selector.as_ref()?;
        if !selector.matches(&self.proxy.labels) {
            return None;
        }
        let selected = |labels: &Labels| selector.matches(labels);
        self.first(entry.ports.iter(), |of| {
            let target = of.target_port.unwrap_or(of.number);
            std::iter::once(target).chain(self.by_name(&of.name, selected)).collect()
        })
    }

    /// The first that leads to the application's number, else to where the sidecar takes requests for it.
    fn first<'s, P: 's>(
        &self,
        ports: impl Iterator<Item = &'s P> + Clone,
        targets: impl Fn(&P) -> Vec<u16>,
    ) -> Option<&'s P> {
        let leads = |numbers: &[u16]| {
            ports.clone().find(|of| targets(of).iter().any(|target| numbers.contains(target)))
        };
        leads(&[self.number]).or_else(|| leads(&self.opened()))
    }

    /// Where the sidecar takes requests for it. A number that is the application's for something else means that.
    fn opened(&self) -> Vec<u16> {
        let apps = &self.options.app_ports;
        let here = apps.iter().filter(|app| app.port == self.number);
        let numbers = here.flat_map(|app| [app.opened, self.options.mapped(app.opened)]);
        numbers.filter(|number| apps.iter().all(|app| app.port != *number)).collect()
    }

    /// What WorkloadEntries and containers of this workload call so.
    fn by_name(&self, name: &str, selected: impl Fn(&Labels) -> bool) -> impl Iterator<Item = u16> {
        let own = self.resources.iter().filter(|one| one.meta.namespace == self.proxy.namespace);
        own.filter_map(move |resource| match &resource.spec {
            Spec::WorkloadEntry(entry) => {
                let labels = labels_of_entry(resource, entry);
                let own = selected(&labels) && agree(&labels, &self.proxy.labels);
                entry.ports.get(name).copied().filter(|_| own)
            }
            Spec::Workload(pods) => {
                let own = selected(&pods.labels) && agree(&pods.labels, &self.proxy.labels);
                pods.port(name).filter(|_| own)
            }
            _ => None,
        })
    }
}

/// Whether labels can be those of one workload.
fn agree(these: &Labels, those: &Labels) -> bool {
    these.iter().all(|(key, value)| those.get(key).is_none_or(|other| other == value))
}
