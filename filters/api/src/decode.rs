//! From a [`Node`] to a typed resource. Nothing stops at the first mistake: a decoder reports what is wrong to a
//! [`Sink`] and goes on, with a placeholder if it must. A resource with an error reported is thrown away whole,
//! so no placeholder is ever seen outside.

mod annotations;
mod authorization_policy;
mod authorization_values;
mod certificates;
mod connection_pool;
mod connection_routes;
mod cursor;
#[cfg(feature = "yaml")]
mod default_providers;
mod destination_rule;
mod extension_provider;
mod fault;
mod gateway;
mod headers;
mod http_action;
mod http_match;
mod http_retry;
mod http_route;
mod kubernetes;
mod load_balancer;
#[cfg(feature = "yaml")]
mod log_format;
#[cfg(feature = "yaml")]
pub(crate) mod mesh_config;
mod object;
mod peer_authentication;
#[cfg(feature = "yaml")]
mod proxy_tracing;
mod request_authentication;
mod scalar;
mod service_entry;
mod shared;
mod sidecar;
mod sink;
mod suggest;
mod target;
mod telemetry;
#[cfg(feature = "yaml")]
mod telemetry_provider;
mod telemetry_tracing;
mod virtual_service;
mod workload_entry;
mod workload_group;

pub(crate) use annotations::none as no_annotations;
pub(crate) use authorization_policy::DRY_RUN;
pub(crate) use cursor::{Cursor, shorten};
pub(crate) use object::Object;
pub(crate) use sink::{Context, Sink};
pub(crate) use suggest::nearest as suggest_nearest;

use crate::resource::{Kind, Spec};
use crate::types::authorization_policy::{Action, AuthorizationPolicy};
use crate::types::extension_provider::ExtensionProvider;
use crate::types::request_authentication::RequestAuthentication;
use crate::types::virtual_service::VirtualService;

/// How one kind of resource is read. Whoever reads names the decoders it wants, so that the module of a filter holds
/// those of its own kinds only.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    kind: Kind,
    /// Takes the resource itself, since some kinds keep their fields elsewhere than under `spec`.
    decode: fn(&Object<'_>) -> Option<Spec>,
    /// How the extension providers that resources of this kind name are read.
    providers: Option<fn(&Object<'_>) -> Vec<ExtensionProvider>>,
}

impl Decoder {
    /// AuthorizationPolicy.
    pub const AUTHORIZATION_POLICY: Self = Self {
        providers: Some(extension_provider::decode),
        ..Self::new(Kind::AuthorizationPolicy, |root| {
            let policy = root.or_empty("spec", authorization_policy::decode);
            let custom = policy.as_ref().is_some_and(|policy| matches!(policy.action, Action::Custom { .. }));
            let tried = annotations::of_authorization_policy(root, custom);
            policy.map(|policy| {
                let dry_run = authorization_policy::dry_run(root, &policy.action) || tried;
                Spec::AuthorizationPolicy(AuthorizationPolicy { dry_run, ..policy })
            })
        })
    };
    /// DestinationRule.
    pub const DESTINATION_RULE: Self = Self::new(Kind::DestinationRule, |root| {
        let rule = root.or_empty("spec", destination_rule::decode);
        rule.map(|rule| Spec::DestinationRule(Box::new(rule)))
    });
    /// Of a DestinationRule only for whom it is and where a consistent hash chooses the endpoint; the rest is as if left
    /// out, whatever it says.
    pub const DESTINATION_RULE_HASHES: Self = Self::new(Kind::DestinationRule, |root| {
        let rule = root.or_empty("spec", destination_rule::decode_hashes);
        rule.map(|rule| Spec::DestinationRule(Box::new(rule)))
    });
    /// Gateway.
    pub const GATEWAY: Self =
        Self::new(Kind::Gateway, |root| root.or_empty("spec", gateway::decode).map(Spec::Gateway));
    /// Of a Gateway not its TLS settings, but for the mode; they are as if left out, whatever they say.
    pub const GATEWAY_HOSTS: Self =
        Self::new(Kind::Gateway, |root| root.or_empty("spec", gateway::decode_hosts).map(Spec::Gateway));
    /// RequestAuthentication.
    pub const REQUEST_AUTHENTICATION: Self = Self::new(Kind::RequestAuthentication, |root| {
        let annotations = annotations::of_request_authentication(root);
        let authentication = root.or_empty("spec", request_authentication::decode);
        authentication.map(|authentication| {
            Spec::RequestAuthentication(RequestAuthentication { annotations, ..authentication })
        })
    });
    /// Service.
    pub const SERVICE: Self =
        Self::new(Kind::Service, |root| root.or_empty("spec", kubernetes::service).map(Spec::Service));
    /// Of a Service only its ports; the rest is as if left out, whatever it says.
    pub const SERVICE_PORTS: Self =
        Self::new(Kind::Service, |root| root.or_empty("spec", kubernetes::service_ports).map(Spec::Service));
    /// ServiceEntry.
    pub const SERVICE_ENTRY: Self = Self::new(Kind::ServiceEntry, |root| {
        root.or_empty("spec", service_entry::decode).map(Spec::ServiceEntry)
    });
    /// Of a ServiceEntry only its hosts, its ports and for whom it is; the rest is as if left out, whatever it says.
    pub const SERVICE_ENTRY_NAMES: Self = Self::new(Kind::ServiceEntry, |root| {
        root.or_empty("spec", service_entry::decode_names).map(Spec::ServiceEntry)
    });
    /// Of a Telemetry only for whom it is and what it says of metrics; the rest is as if left out, whatever it says.
    pub const TELEMETRY_METRICS: Self = Self::new(Kind::Telemetry, |root| {
        root.or_empty("spec", telemetry::decode_metrics).map(Spec::Telemetry)
    });
    /// VirtualService.
    pub const VIRTUAL_SERVICE: Self =
        Self::new(Kind::VirtualService, |root| annotated(root, virtual_service::decode));
    /// Of a VirtualService not what its `tls` and `tcp` routes are, only that there are some.
    pub const VIRTUAL_SERVICE_HTTP: Self =
        Self::new(Kind::VirtualService, |root| annotated(root, virtual_service::decode_http));

    /// Those of every kind, in full.
    pub const ALL: [Self; 17] = [
        Self::AUTHORIZATION_POLICY,
        Self::new(Kind::DestinationRule, |root| {
            annotations::check_health(root);
            Self::DESTINATION_RULE.spec(root)
        }),
        Self::GATEWAY,
        Self::REQUEST_AUTHENTICATION,
        Self::SERVICE,
        Self::new(Kind::ServiceEntry, |root| {
            annotations::check_health(root);
            Self::SERVICE_ENTRY.spec(root)
        }),
        Self::VIRTUAL_SERVICE,
        Self::new(Kind::Deployment, |root| kubernetes::deployment(root).map(Spec::Workload)),
        Self::new(Kind::EndpointSlice, |root| kubernetes::endpoint_slice(root).map(Spec::EndpointSlice)),
        Self::new(Kind::Namespace, |root| {
            root.skip("spec");
            Some(Spec::Namespace)
        }),
        Self::new(Kind::PeerAuthentication, |root| {
            root.or_empty("spec", peer_authentication::decode).map(Spec::PeerAuthentication)
        }),
        Self::new(Kind::Pod, |root| kubernetes::pod(root).map(Spec::Workload)),
        Self::new(Kind::Secret, |root| {
            root.ignore_rest();
            Some(Spec::Secret)
        }),
        Self::new(Kind::Sidecar, |root| root.or_empty("spec", sidecar::decode).map(Spec::Sidecar)),
        Self::new(Kind::Telemetry, |root| root.or_empty("spec", telemetry::decode).map(Spec::Telemetry)),
        Self::new(Kind::WorkloadEntry, |root| {
            root.or_empty("spec", workload_entry::decode).map(Spec::WorkloadEntry)
        }),
        Self::new(Kind::WorkloadGroup, |root| {
            root.or_empty("spec", workload_group::decode).map(|()| Spec::WorkloadGroup)
        }),
    ];

    const fn new(kind: Kind, decode: fn(&Object<'_>) -> Option<Spec>) -> Self {
        Self { kind, decode, providers: None }
    }

    /// The kind that it is for.
    pub(crate) fn kind(self) -> Kind {
        self.kind
    }

    /// Decodes the spec of `root`, a resource of that kind.
    pub(crate) fn spec(self, root: &Object<'_>) -> Option<Spec> {
        (self.decode)(root)
    }

    /// The extension providers in a filter's configuration, if resources of that kind name them.
    pub(crate) fn providers(self, root: &Object<'_>) -> Option<Vec<ExtensionProvider>> {
        self.providers.map(|decode| decode(root))
    }
}

/// A VirtualService, read by `decode`, with its annotations.
fn annotated(root: &Object<'_>, decode: impl FnOnce(&Object<'_>) -> Option<VirtualService>) -> Option<Spec> {
    let annotations = annotations::of_virtual_service(root);
    let service = root.or_empty("spec", decode);
    service.map(|service| Spec::VirtualService(VirtualService { annotations, ..service }))
}
