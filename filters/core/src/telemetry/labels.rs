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

/// Appends one label to a stat name: a record separator, the label's key, a unit separator, the value. Envoy makes labels of
/// them again by the regexes of [`tag_regex`], and searches each new name for each of them, at about 0.1 µs a letter:
/// hence keys of one letter, not names of up to thirty. Control characters in a value become `_`, so that none can break
/// out of its label.
pub(super) fn push(name: &mut String, label: &str, value: &str) {
    name.push(BEGIN);
    match key(label) {
        Some(key) => name.push(key),
        None => {
            name.extend(is_ambiguous(label).then_some(APART));
            name.push_str(label);
        }
    }
    name.push(ASSIGN);
    if value.contains(char::is_control) {
        name.push_str(&value.replace(char::is_control, "_"));
    } else {
        name.push_str(value);
    }
}

/// Before a label.
const BEGIN: char = '\x1e';
/// Between a label and its value.
const ASSIGN: char = '\x1f';

/// Before a label that could be taken for a key.
const APART: char = '_';

/// Whether a label that stands for itself could be a key, or another label with [`APART`].
fn is_ambiguous(label: &str) -> bool {
    label.len() == 1 || label.starts_with(APART)
}

/// What stands for one of Istio's labels in a name; any other label stands for itself.
fn key(label: &str) -> Option<char> {
    let place = LABELS.iter().position(|known| *known == label)?;
    char::from_digit(u32::try_from(place).ok()?, 36)
}

/// The `stats_tags` regex that takes `label` out of a stat name: group 1 is removed, group 2 is the value. By how it begins
/// Envoy sees that it is for stats of filters alone, and does not search the names of all others, hundreds a cluster.
pub fn tag_regex(label: &str) -> String {
    let mut escaped = String::new();
    escaped.extend(is_ambiguous(label).then_some(APART));
    for letter in label.chars() {
        if !letter.is_alphanumeric() && letter != '_' {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    let key = key(label).map_or(escaped, String::from);
    format!(r"^wasmcustom\..*?(\x1e{key}\x1f([^\x1e]*))")
}

/// Which end of the request this proxy reports for: the destination at a sidecar's inbound listener, else the source
/// (a gateway reports as the source, as Istio's does).
pub fn reports_as_destination(proxy: &Proxy) -> bool {
    proxy.role == Role::Sidecar && proxy.direction != Some(Direction::Outbound)
}

/// The value of a label in a stat name.
#[cfg(test)]
pub(super) fn value_in(name: &str, label: &str) -> Option<String> {
    let name = format!("wasmcustom.{name}");
    let found = regex::Regex::new(&tag_regex(label)).unwrap().captures(&name)?;
    Some(found[2].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn labels_come_out_again() {
        for (value, told) in [
            ("spiffe://a.b/ns/x/sa/y", "spiffe://a.b/ns/x/sa/y"),
            ("a;.;response_code=.=200;.;", "a;.;response_code=.=200;.;"),
            ("a\u{1e}l\u{1f}b", "a_l_b"),
            ("", ""),
            ("a\nb\u{0}", "a_b_"),
            ("ü \" \\", "ü \" \\"),
        ] {
            let mut name = "m".to_owned();
            let labels = ["reporter", "l", "xl", "l.l", "0", "a", "_a", "__a"];
            for (place, label) in labels.into_iter().enumerate() {
                push(&mut name, label, &format!("{value}{place}"));
            }
            for (place, label) in labels.into_iter().enumerate() {
                assert_eq!(value_in(&name, label), Some(format!("{told}{place}")), "{label}");
            }
        }
    }

    #[test]
    fn every_label_has_a_key_of_its_own() {
        let mut keys: Vec<_> = LABELS.iter().map(|label| key(label).unwrap()).collect();
        keys.dedup();
        assert_eq!(keys.len(), LABELS.len());
        assert_eq!(key("other"), None);
    }
}
