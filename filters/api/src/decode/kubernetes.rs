//! Kubernetes' own kinds. Kubernetes checks them itself, and only what is needed is read here.

use super::{cursor::Cursor, object::Object};
use crate::{
    node::Value,
    ordered,
    types::kubernetes::{
        ContainerPort, Endpoint, EndpointPort, EndpointSlice, PortRef, Service, ServicePort, Workload,
    },
};

pub(crate) fn service(fields: &Object<'_>) -> Option<Service> {
    fields.ignore_rest();
    let single = fields.text("clusterIP");
    let several = fields.list("clusterIPs", |at| at.string());
    let addresses = if several.is_empty() { single.iter().cloned().collect() } else { several };
    let is_external = fields.text("type").is_some_and(|kind| kind == "ExternalName");
    Some(Service {
        ports: fields.list("ports", service_port),
        selector: fields.get("selector", plain_labels).unwrap_or_default(),
        cluster_ips: addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        headless: addresses.iter().any(|address| address == "None"),
        external_name: fields.text("externalName").filter(|_| is_external),
    })
}

/// Of a Service only its ports.
pub(crate) fn service_ports(fields: &Object<'_>) -> Option<Service> {
    fields.ignore_rest();
    Some(Service { ports: fields.list("ports", service_port), ..Service::default() })
}

fn service_port(port: &Cursor<'_>) -> Option<ServicePort> {
    port.object(|fields| {
        fields.ignore_rest();
        let number = fields.required("port", |at| at.port());
        Some(ServicePort {
            name: fields.text("name").unwrap_or_default(),
            port: number?,
            target_port: fields.get("targetPort", port_ref),
            protocol: fields.text("protocol").unwrap_or_else(|| "TCP".to_owned()),
            app_protocol: fields.text("appProtocol"),
        })
    })
}

fn port_ref(port: &Cursor<'_>) -> Option<PortRef> {
    match &port.node.value {
        Value::String(name) => Some(PortRef::Name(name.clone())),
        _ => port.port().map(PortRef::Number),
    }
}

fn plain_labels(labels: &Cursor<'_>) -> Option<crate::types::common::Labels> {
    Some(ordered::map(labels.map(|_, value| value.string())))
}

/// Its fields stand beside `metadata`, not under `spec`.
pub(crate) fn endpoint_slice(root: &Object<'_>) -> Option<EndpointSlice> {
    root.ignore_rest();
    let service = root.get("metadata", |metadata| {
        metadata.object(|fields| {
            fields.ignore_rest();
            fields.get("labels", plain_labels)
        })
    });
    Some(EndpointSlice {
        service: service.unwrap_or_default().remove("kubernetes.io/service-name"),
        endpoints: root.list("endpoints", endpoint),
        ports: root.list("ports", endpoint_port),
    })
}

fn endpoint(endpoint: &Cursor<'_>) -> Option<Endpoint> {
    endpoint.object(|fields| {
        fields.ignore_rest();
        let inner = |name, field| {
            fields.get(name, |value| {
                value.object(|fields| {
                    fields.ignore_rest();
                    fields.text(field)
                })
            })
        };
        let condition = |name| {
            fields.get("conditions", |conditions| {
                conditions.object(|fields| {
                    fields.ignore_rest();
                    fields.get(name, |at| at.bool())
                })
            })
        };
        Some(Endpoint {
            addresses: fields.list("addresses", |at| at.non_empty()),
            ready: condition("ready"),
            serving: condition("serving"),
            terminating: condition("terminating"),
            target: inner("targetRef", "name"),
            zone: fields.text("zone"),
        })
    })
}

fn endpoint_port(port: &Cursor<'_>) -> Option<EndpointPort> {
    port.object(|fields| {
        fields.ignore_rest();
        Some(EndpointPort {
            name: fields.text("name").unwrap_or_default(),
            port: fields.get("port", |at| at.port()),
            protocol: fields.text("protocol").unwrap_or_else(|| "TCP".to_owned()),
            app_protocol: fields.text("appProtocol"),
        })
    })
}

/// The labels and containers of its template.
pub(crate) fn deployment(root: &Object<'_>) -> Option<Workload> {
    root.ignore_rest();
    root.or_empty("spec", |spec| {
        spec.ignore_rest();
        spec.or_empty("template", pod)
    })
}

/// Its own labels and containers.
pub(crate) fn pod(fields: &Object<'_>) -> Option<Workload> {
    fields.ignore_rest();
    let labels = fields.or_empty("metadata", |metadata| {
        metadata.ignore_rest();
        metadata.get("labels", plain_labels)
    });
    fields.or_empty("spec", |spec| {
        spec.ignore_rest();
        let containers = spec.list("containers", |container| {
            container.object(|fields| {
                fields.ignore_rest();
                Some(fields.list("ports", container_port))
            })
        });
        Some(Workload {
            labels: labels.unwrap_or_default(),
            ports: containers.into_iter().flatten().collect(),
            service_account: spec.text("serviceAccountName"),
        })
    })
}

fn container_port(port: &Cursor<'_>) -> Option<ContainerPort> {
    port.object(|fields| {
        fields.ignore_rest();
        let number = fields.required("containerPort", |at| at.port());
        Some(ContainerPort { name: fields.text("name"), port: number? })
    })
}
