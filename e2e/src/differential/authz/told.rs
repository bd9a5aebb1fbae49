//! What policies tell besides their verdict: that a request is to be audited, and what those on dry run would have decided.

use serde_json::{Value, json};

use super::answer::Answer;

/// Response headers that show it: of our filters, and of Envoy's own.
const OURS: &[(&str, &str)] = &[
    ("x-ours", "%FILTER_STATE(wasm.outrigger.authz:PLAIN)%"),
    ("x-ours-dry", "%FILTER_STATE(wasm.outrigger.authz_dry_run:PLAIN)%"),
];
const NATIVE: &[(&str, &str)] = &[
    ("x-native-audited", "%DYNAMIC_METADATA(envoy.common:access_log_hint)%"),
    ("x-native-deny", "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_engine_result)%"),
    (
        "x-native-deny-by",
        "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_effective_policy_id)%",
    ),
    (
        "x-native-allow",
        "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_engine_result)%",
    ),
    (
        "x-native-allow-by",
        "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_effective_policy_id)%",
    ),
];

/// `envoy.config.core.v3.HeaderValueOption` for each.
pub(super) fn headers() -> Vec<Value> {
    let header = |(name, value): &(&str, &str)| json!({"header": {"key": name, "value": value}});
    OURS.iter().chain(NATIVE).map(header).collect()
}

/// Writes what was told below both answers, in the same words, in the place of the headers.
pub(super) fn rewrite(ours: &mut Answer, native: &mut Answer) {
    let (mut by_ours, by_native) = (of_ours(ours), of_native(native));
    // The filter of Envoy's that ends a request tells nothing until it has answered, and those behind it nothing at all.
    if !native.is_forwarded() {
        by_ours.deny.take_if(|_| by_native.deny.is_none());
        by_ours.allow.take_if(|_| by_native.allow.is_none());
    }
    by_ours.write(ours);
    by_native.write(native);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    audited: bool,
    deny: Option<String>,
    allow: Option<String>,
}

impl Told {
    fn write(self, answer: &mut Answer) {
        let dry = |action, told: Option<String>| told.map(|told| format!("told: {action} on dry run {told}"));
        let audited = self.audited.then(|| "told: audited".to_owned());
        let lines = [audited, dry("DENY", self.deny), dry("ALLOW", self.allow)];
        answer.body.extend(lines.into_iter().flatten().map(String::into_bytes));
    }
}

/// The value of a header, which is taken away. Envoy writes a dash for what is not there.
fn take(answer: &mut Answer, name: &str) -> Option<String> {
    let value = String::from_utf8_lossy(&answer.take(name)?).into_owned();
    Some(value).filter(|value| value != "-")
}

fn of_ours(answer: &mut Answer) -> Told {
    let record = take(answer, OURS[0].0).unwrap_or_default();
    let dry = take(answer, OURS[1].0).unwrap_or_default();
    for (name, _) in NATIVE {
        answer.take(name);
    }
    let part = |action: &str| {
        dry.split(", ").find_map(|part| {
            let mut words = part.strip_prefix("dry-run ")?.split(' ');
            let (verdict, of, rule) = (words.next()?, words.next()?, words.next()?);
            (of == action).then(|| format!("{verdict} by {}", policy_id(rule)))
        })
    };
    let audited = record.split(", ").any(|part| part.starts_with("audited "));
    Told { audited, deny: part("DENY"), allow: part("ALLOW") }
}

/// `namespace/name[rule]`, or `none`, as Envoy has it.
fn policy_id(rule: &str) -> String {
    match rule.split_once('/').and_then(|(namespace, rest)| Some((namespace, rest.split_once('[')?))) {
        Some((namespace, (name, index))) => format!("ns[{namespace}]-policy[{name}]-rule[{index}"),
        None => rule.to_owned(),
    }
}

fn of_native(answer: &mut Answer) -> Told {
    for (name, _) in OURS {
        answer.take(name);
    }
    let audited = take(answer, NATIVE[0].0).is_some_and(|hint| hint == "true");
    let mut dry = |verdict, by| {
        let (verdict, by) = (take(answer, verdict), take(answer, by));
        verdict.map(|verdict| format!("{verdict} by {}", by.as_deref().unwrap_or("none")))
    };
    let deny = dry(NATIVE[1].0, NATIVE[2].0);
    Told { audited, deny, allow: dry(NATIVE[3].0, NATIVE[4].0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Answer::new(status, headers.collect(), b"")
    }

    fn lines(answer: &Answer) -> Vec<String> {
        answer.body.iter().skip(1).map(|line| String::from_utf8(line.clone()).unwrap()).collect()
    }

    #[test]
    fn both_sides_tell_in_the_same_words() {
        let mut ours = answer(
            200,
            &[
                ("content-type", "text/x-seen"),
                ("x-ours", "allowed ALLOW ns/a[1], audited ns/b[0]"),
                ("x-ours-dry", "dry-run denied DENY ns/c[2] (differs), dry-run denied ALLOW none"),
                ("x-native-deny", "-"),
            ],
        );
        let mut native = answer(
            200,
            &[
                ("content-type", "text/x-seen"),
                ("x-native-audited", "true"),
                ("x-native-deny", "denied"),
                ("x-native-deny-by", "ns[ns]-policy[c]-rule[2]"),
                ("x-native-allow", "denied"),
                ("x-ours", "-"),
            ],
        );
        rewrite(&mut ours, &mut native);
        let expected = [
            "told: audited",
            "told: DENY on dry run denied by ns[ns]-policy[c]-rule[2]",
            "told: ALLOW on dry run denied by none",
        ];
        assert_eq!(
            (lines(&ours), lines(&native)),
            (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec())
        );
        assert_eq!(ours, native);
    }

    #[test]
    fn what_a_denied_request_never_reached_need_not_be_told() {
        let told = ("x-ours-dry", "dry-run allowed DENY none, dry-run allowed ALLOW ns/a[0]");
        let deny = ("x-native-deny", "allowed");
        for (status, reached, same) in [
            (403, &[deny][..], true),
            (403, &[], true),
            (403, &[deny, ("x-native-allow", "denied")], false),
            (403, &[("x-native-deny", "denied")], false),
            (200, &[deny], false),
        ] {
            let kind = ("content-type", if status == 200 { "text/x-seen" } else { "text/plain" });
            let mut ours = answer(status, &[kind, told]);
            let mut native = answer(status, &[&[kind], reached].concat());
            rewrite(&mut ours, &mut native);
            assert_eq!(ours == native, same, "{reached:?}");
        }
    }
}
