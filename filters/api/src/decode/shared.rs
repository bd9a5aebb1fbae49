//! Messages which several resources have in common.

use super::{cursor::Cursor, object::Object};
use crate::{
    check,
    host::HostPattern,
    ordered,
    types::common::{
        Destination, ExportTo, GatewayRef, Labels, Port, Protocol, StringMatch, WorkloadSelector,
    },
};

/// Names of protocols, as Istio's parser takes them without regard to case.
const PROTOCOLS: [(&str, Protocol); 11] = [
    ("http", Protocol::Http),
    ("https", Protocol::Https),
    ("http2", Protocol::Http2),
    ("grpc", Protocol::Grpc),
    ("grpc-web", Protocol::GrpcWeb),
    ("mongo", Protocol::Mongo),
    ("redis", Protocol::Redis),
    ("mysql", Protocol::MySql),
    ("tcp", Protocol::Tcp),
    ("tls", Protocol::Tls),
    ("udp", Protocol::Udp),
];

impl Cursor<'_> {
    /// Istio's `Destination`.
    #[inline(never)]
    pub(crate) fn destination(&self) -> Option<Destination> {
        self.object_like("{host: reviews}", |fields| {
            let host = fields.required("host", |host| {
                host.checked(|text| match text {
                    "*" => Err("is no destination: it stands for every host".to_owned()),
                    _ if check::ip::address(text).is_ok() => {
                        Err("is an address: name the host of a ServiceEntry with this endpoint".to_owned())
                    }
                    _ => check::names::wildcard_host(text),
                })
            });
            let subset = fields.get("subset", |name| name.dns_label_or_empty());
            let port = fields.get("port", |port| {
                port.object_like("{number: 80}", |port| port.required("number", |at| at.port()))
            });
            Some(Destination { host: host?, subset, port })
        })
    }

    /// Istio's `StringMatch`. A prefix that is empty fits everything and is refused by Envoy but for a path.
    #[inline(never)]
    pub(crate) fn string_match(&self, allow_empty_prefix: bool) -> Option<StringMatch> {
        self.object_like("{exact: …}", |fields| {
            fields.at_most_one(&["exact", "prefix", "regex"]);
            let exact = fields.get("exact", |at| at.string()).map(StringMatch::Exact);
            let prefix = fields.get("prefix", |prefix| {
                let text = prefix.string()?;
                if text.is_empty() && !allow_empty_prefix {
                    prefix.error("must not be empty: leave the field out to match everything");
                }
                Some(StringMatch::Prefix(text))
            });
            let regex = fields.get("regex", |at| at.regex()).map(StringMatch::Regex);
            exact.or(prefix).or(regex).or(Some(StringMatch::Present))
        })
    }

    /// Labels as Kubernetes has them.
    #[inline(never)]
    pub(crate) fn labels(&self) -> Option<Labels> {
        let labels = self.map(|key, value| {
            if let Err(reason) = check::names::label_key(key) {
                value.key_error(key, &reason);
            }
            value.checked(check::names::label_value)
        });
        Some(ordered::map(labels))
    }

    /// The labels of a selector: no stars.
    #[inline(never)]
    pub(crate) fn selector_labels(&self) -> Option<WorkloadSelector> {
        let labels = self.map(|key, value| {
            let text = value.string()?;
            if key.is_empty() {
                value.error("a selector must not have an empty key");
            }
            if key.contains('*') || text.contains('*') {
                value.error("a selector takes no wildcards");
            }
            // Kubernetes has no such label, so that it would choose nothing.
            if text.chars().count() > 63 {
                value.error("a label's value has at most 63 characters");
            }
            Some(text)
        });
        Some(WorkloadSelector(ordered::map(labels)))
    }

    /// A selector with its labels under `name`.
    #[inline(never)]
    pub(crate) fn selector(&self, name: &'static str) -> Option<WorkloadSelector> {
        self.object(|fields| {
            let selector = fields.get(name, |at| at.selector_labels()).unwrap_or_default();
            if selector.0.is_empty() {
                self.warn(format_args!(
                    "the selector has no `{name}`, so it selects every workload of the namespace"
                ));
            }
            Some(selector)
        })
    }

    /// A host with wildcards, or an address.
    #[inline(never)]
    pub(crate) fn host_pattern(&self) -> Option<HostPattern> {
        self.checked(check::names::wildcard_host_or_ip).map(|text| HostPattern::parse(&text))
    }

    /// One entry of `gateways`.
    #[inline(never)]
    pub(crate) fn gateway_ref(&self) -> Option<GatewayRef> {
        let text = self.string()?;
        let named = |namespace: &str, name: &str| GatewayRef::Named {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        if text == "mesh" {
            return Some(GatewayRef::Mesh);
        }
        let check = |part: &str, what: &str| {
            if check::names::dns_label(part).is_err() {
                self.error(format_args!(
                    "`{}` names no gateway: its {what} is not a DNS label",
                    super::cursor::shorten(&text)
                ));
            }
        };
        if let Some((namespace, name)) = text.split_once('/') {
            if namespace == "." {
                self.error_hint(
                    format_args!(
                        "`{}` names no gateway: Istio takes no `.` here",
                        super::cursor::shorten(&text)
                    ),
                    format!("write `{name}`, which is in the namespace of the resource"),
                );
                return None;
            }
            check(namespace, "namespace");
            check(name, "name");
            return Some(named(namespace, name));
        }
        self.checked(|text| {
            check::names::host(text)
                .map_err(|_| "names no gateway: write `name` or `namespace/name`".to_owned())
        })?;
        let Some((name, rest)) = text.split_once('.') else {
            return Some(named(self.namespace(), &text));
        };
        let namespace = rest.split('.').next().unwrap_or_default();
        self.warn_hint(
            "a gateway is named by a host name, which is the old way",
            format!("write `{namespace}/{name}`"),
        );
        Some(named(namespace, name))
    }

    /// A port of a resource, with `number`, `protocol` and `name`.
    #[inline(never)]
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        let text = self.string()?;
        if text.is_empty() {
            return Some(Protocol::Unspecified);
        }
        let lower = text.to_ascii_lowercase();
        let found = PROTOCOLS.iter().find(|(name, _)| *name == lower).map(|(_, protocol)| *protocol);
        if found.is_none() {
            let names: Vec<_> = PROTOCOLS.iter().map(|(name, _)| name.to_ascii_uppercase()).collect();
            self.error_hint(
                format_args!("unknown protocol `{}`", super::cursor::shorten(&text)),
                format!("one of {}", names.join(", ")),
            );
        }
        found
    }
}

impl Object<'_> {
    /// `exportTo`.
    #[inline(never)]
    pub(crate) fn export_to(&self, none_allowed: bool) -> ExportTo {
        self.get("exportTo", |field| {
            let entries = field.list(|entry| {
                entry.checked(|text| match text {
                    "." | "*" => Ok(()),
                    "~" if none_allowed => Ok(()),
                    "~" => Err("hides from everyone, which only a ServiceEntry can".to_owned()),
                    _ => check::names::dns_label(text),
                })
            });
            if entries.len() > 1 && entries.iter().any(|entry| entry == "*" || entry == "~") {
                field.error(match none_allowed {
                    true => "`*` and `~` must stand alone",
                    false => "`*` must stand alone: it stands for every namespace",
                });
            }
            let own =
                |entry: &String| if entry == "." { field.namespace().to_owned() } else { entry.clone() };
            let namespaces: Vec<String> = entries.iter().map(own).collect();
            let names: Vec<_> = namespaces.iter().map(String::as_str).collect();
            self.repeated("exportTo", "namespace", &names);
            Some(match entries.first().map(String::as_str) {
                None => ExportTo::Default,
                Some("*") => ExportTo::All,
                Some("~") => ExportTo::None,
                Some(_) => ExportTo::Namespaces(namespaces),
            })
        })
        .unwrap_or_default()
    }

    /// `number`, `protocol` and `name` of a port.
    #[inline(never)]
    pub(crate) fn port(&self, needs: PortNeeds) -> Option<Port> {
        let number = match needs.number {
            true => self.required("number", |at| at.port()),
            false => self.get("number", |number| number.within(0, 65535)).or(Some(0)),
        };
        let name = match needs.name {
            true => self.required("name", |at| at.non_empty()),
            false => self.text("name"),
        };
        let protocol = match needs.protocol {
            true => self.required("protocol", |at| at.protocol()).inspect(|protocol| {
                if *protocol == Protocol::Unspecified {
                    self.cursor.error("missing `protocol`");
                }
            }),
            false => self.get("protocol", |at| at.protocol()).or(Some(Protocol::Unspecified)),
        };
        let target_port = self.get("targetPort", |port| {
            if !needs.target_port {
                port.error("`targetPort` has no effect here");
            }
            port.within::<u16>(0, 65535).filter(|port| *port > 0)
        });
        Some(Port { number: number?, protocol: protocol?, name: name.unwrap_or_default(), target_port })
    }
}

/// Which fields of a port must be there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PortNeeds {
    pub(crate) number: bool,
    pub(crate) name: bool,
    pub(crate) protocol: bool,
    /// Whether it may have a `targetPort`.
    pub(crate) target_port: bool,
}
