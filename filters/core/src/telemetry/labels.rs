//! The labels of Istio's standard metrics and how a stat's name carries them.

use outrigger_api::{Direction, Proxy, Role};

/// Every label of `istio_requests_total`, in Istio's order. All are always present: Kiali drops a series that
/// lacks one.
pub const LABELS: [&str; 25] = [
    "reporter",
    "source_workload",
    "source_canonical_service",
    "source_canonical_revision",
    "source_workload_namespace",
    "source_principal",
    "source_app",
    "source_version",
    "source_cluster",
    "destination_workload",
    "destination_workload_namespace",
    "destination_principal",
    "destination_app",
    "destination_version",
    "destination_service",
    "destination_service_name",
    "destination_service_namespace",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_cluster",
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
];

/// The value of a label whose truth is not known, as Istio writes it.
pub const UNKNOWN: &str = "unknown";

/// The value of the labels of a series that stands for all those for which there is no room.
pub const OVERFLOW: &str = "overflow";

/// Appends one label to a stat name: `LABEL=.=VALUE;.;`, the form that Istio's `stats_tags` take apart again. The
/// separators are safe for dots in values; in a value that holds one of them itself, or a control character, that part is
/// replaced by `_`.
pub(super) fn push(name: &mut String, label: &str, value: &str) {
    name.push_str(label);
    name.push_str(ASSIGN);
    if value.contains(END)
        || value.contains(ASSIGN)
        || value.ends_with(";.")
        || value.contains(char::is_control)
    {
        name.push_str(&without_separators(value));
    } else {
        name.push_str(value);
    }
    name.push_str(END);
}

/// Between a label and its value.
const ASSIGN: &str = "=.=";
/// Behind a value.
const END: &str = ";.;";

fn without_separators(value: &str) -> String {
    let mut value = value.replace(END, "_").replace(ASSIGN, "_").replace(char::is_control, "_");
    if let Some(start) = value.strip_suffix(";.") {
        value = format!("{start}_");
    }
    value
}

/// The `stats_tags` regex that takes `label` out of a stat name: group 1 is removed, group 2 is the value.
pub fn tag_regex(label: &str) -> String {
    format!(r"({label}=\.=(.*?);\.;)")
}

/// The same for a label by whose name another one ends: what stands before it counts, a label or the name of a metric.
pub fn tag_regex_anchored(label: &str) -> String {
    format!(r"(?:;\.;|_total|_milliseconds|_bytes|_build)({label}=\.=(.*?);\.;)")
}

/// Which end of the request this proxy reports for: the destination at a sidecar's inbound listener, else the source
/// (a gateway reports as the source, as Istio's does).
pub(super) fn reports_as_destination(proxy: &Proxy) -> bool {
    proxy.role == Role::Sidecar && proxy.direction != Some(Direction::Outbound)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_value_cannot_break_out_of_its_label() {
        for (value, told) in [
            ("spiffe://a.b/ns/x/sa/y", "spiffe://a.b/ns/x/sa/y"),
            ("a;.;response_code=.=200;.;", "a_response_code_200_"),
            ("a;.", "a_"),
            (".;a;", ".;a;"),
            (".=a=", ".=a="),
            ("a\nb\u{0}", "a_b_"),
            ("ü \" \\", "ü \" \\"),
        ] {
            let mut name = String::new();
            push(&mut name, "l", value);
            assert_eq!(name, format!("l=.={told};.;"));
        }
    }
}
