//! Routing tables of one shape and any size, on our side and on Envoy's. The last rule is asked for, or none: then the
//! rule behind them all takes the request.

use anyhow::Result;
use outrigger_api::Resource;
use serde_json::{Value, json};

use super::super::load::Request;
use super::super::native::ORDERS;
use super::super::resources;
use super::super::setting;

/// By what the rules of a table differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each has its path.
    Exact,
    /// Each has its prefix.
    Prefix,
    /// Each has its value of one header.
    Header,
    /// The same, below one prefix.
    SharedPrefix,
    /// Each has its regex.
    Regex,
    /// Each has its host; every other one is a wildcard.
    Hosts,
}

impl Shape {
    /// All of them.
    pub(super) const ALL: [Self; 6] =
        [Self::Exact, Self::Prefix, Self::Header, Self::SharedPrefix, Self::Regex, Self::Hosts];

    /// As rows are called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Header => "header",
            Self::SharedPrefix => "prefix+header",
            Self::Regex => "regex",
            Self::Hosts => "hosts",
        }
    }

    /// How many times the cost of 10 rules that of 10,000 may be.
    pub(super) fn limit(self) -> f64 {
        if self == Self::Regex { 2.0 } else { 1.15 }
    }

    /// Whether Envoy's own table is walked rule by rule.
    pub(super) fn is_linear_in_envoy(self) -> bool {
        self != Self::Hosts
    }

    /// The table as Istio's resources.
    pub(super) fn resources(self, count: usize, upstreams: [u16; 2]) -> Result<Vec<Resource>> {
        const ROUTE: &str = "route: [{destination: {host: orders}}]";
        let mut yaml = resources::gateway();
        if self == Self::Hosts {
            for index in 0..count {
                yaml += &resources::virtual_service(&format!("generated-{index}"), &host(index));
                yaml += &format!("  - {ROUTE}\n");
            }
            yaml += &resources::virtual_service("others", "*");
        } else {
            yaml += &resources::virtual_service("generated", resources::HOST);
            for index in 0..count {
                yaml += &format!("  - match: [{}]\n    {ROUTE}\n", self.matched(index));
            }
        }
        resources::load(&(yaml + &format!("  - {ROUTE}\n")), upstreams)
    }

    fn matched(self, index: usize) -> String {
        match self {
            Self::Exact => format!("{{uri: {{exact: {}}}}}", path(index)),
            Self::Prefix => format!("{{uri: {{prefix: {}/}}}}", folder(index)),
            Self::Header => format!("{{headers: {{x-tenant: {{exact: {}}}}}}}", tenant(index)),
            Self::SharedPrefix => {
                format!(
                    "{{uri: {{prefix: /generated/}}, headers: {{x-tenant: {{exact: {}}}}}}}",
                    tenant(index)
                )
            }
            Self::Regex => format!("{{uri: {{regex: '{}'}}}}", regex(index)),
            Self::Hosts => String::new(),
        }
    }

    /// The table as virtual hosts of Envoy.
    pub(super) fn virtual_hosts(self, count: usize) -> Vec<Value> {
        let route = |matched: Value| json!({"match": matched, "route": {"cluster": ORDERS, "timeout": "0s"}});
        let any = route(json!({"prefix": "/"}));
        if self == Self::Hosts {
            let host = |index| json!({"name": host(index), "domains": [host(index)], "routes": [any]});
            let others = json!({"name": "others", "domains": ["*"], "routes": [any]});
            return (0..count).map(host).chain([others]).collect();
        }
        let header = |index| json!([{"name": "x-tenant", "string_match": {"exact": tenant(index)}}]);
        let matched = |index| match self {
            Self::Exact => json!({"path": path(index)}),
            Self::Prefix => json!({"prefix": folder(index) + "/"}),
            Self::Header | Self::Hosts => json!({"prefix": "/", "headers": header(index)}),
            Self::SharedPrefix => json!({"prefix": "/generated/", "headers": header(index)}),
            Self::Regex => json!({"safe_regex": {"regex": regex(index)}}),
        };
        let routes: Vec<_> = (0..count).map(|index| route(matched(index))).chain([any.clone()]).collect();
        vec![json!({"name": "any", "domains": ["*"], "routes": routes})]
    }

    /// The request for the rule at `index`; if there is none, for no rule.
    pub(super) fn request(self, index: usize) -> Request {
        let mut request = setting::request(path(index));
        let mut set = |name: &str, value: String| {
            request
                .headers
                .iter_mut()
                .filter(|(known, _)| known == name)
                .for_each(|(_, old)| *old = value.clone());
        };
        match self {
            Self::Exact | Self::Prefix | Self::Regex => {}
            Self::Header | Self::SharedPrefix => set("x-tenant", tenant(index)),
            Self::Hosts => set("host", host(index).replace('*', "www")),
        }
        request
    }
}

fn folder(index: usize) -> String {
    format!("/generated/{index}")
}

fn path(index: usize) -> String {
    folder(index) + "/item-17"
}

fn regex(index: usize) -> String {
    folder(index) + "/item-[0-9]+"
}

fn tenant(index: usize) -> String {
    format!("tenant-{index}")
}

fn host(index: usize) -> String {
    let wildcard = if index % 2 == 1 { "*." } else { "" };
    format!("{wildcard}shop-{index}.example.com")
}

#[cfg(test)]
mod tests {
    use outrigger_api::Kind;

    use super::*;

    #[test]
    fn every_shape_has_a_rule_for_each_and_one_for_the_rest() {
        for shape in Shape::ALL {
            let resources = shape.resources(3, [1001, 1002]).unwrap();
            let services = resources.iter().filter(|resource| resource.kind == Kind::VirtualService).count();
            let hosts = shape.virtual_hosts(3);
            let routes: usize = hosts.iter().map(|host| host["routes"].as_array().unwrap().len()).sum();
            assert_eq!((services, routes), (if shape == Shape::Hosts { 4 } else { 1 }, 4), "{shape:?}");
            assert_ne!(shape.request(2), shape.request(3));
        }
    }
}
