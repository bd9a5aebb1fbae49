//! What policies, rules and parts of rules mean that are empty or absent, and how the verdicts of several go together.
//!
//! Each row has the specs of the policies `p0`, `p1`… and what a `GET /` by `HERE`'s account is told: `allowed` or
//! `denied`, the action that decided, and its rule; `refused`: such a policy is never carried out. In the specs
//!
//! | word | stands for a rule or part |
//! |---|---|
//! | `GET`, `HERE`, `X1` | that the request fits: an operation, a source, a condition |
//! | `POST`, `THERE`, `X2` | that it does not fit |

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Call, policies, read};

/// Specs, and the verdict; without a word behind it no policy had anything to say.
type Row = (&'static [&'static str], &'static str);

const LEVELS: &[Row] = &[
    // No policy.
    (&[], "allowed"),
    // No spec, and nothing in it: ALLOW, without a rule that could allow.
    (&["null"], "denied ALLOW none"),
    (&["{}"], "denied ALLOW none"),
    (&["{'action': 'ALLOW'}"], "denied ALLOW none"),
    (&["{'rules': null}"], "denied ALLOW none"),
    (&["{'rules': []}"], "denied ALLOW none"),
    // A rule without parts fits every request.
    (&["{'rules': [{}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'from': null, 'to': null, 'when': null}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'when': []}]}"], "allowed ALLOW p0[0]"),
    // A list left empty in a source or operation asks nothing; another one beside it has to.
    (&["{'rules': [{'to': [{'operation': {'methods': ['GET'], 'paths': []}}]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'to': [{'operation': {'methods': ['POST'], 'paths': []}}]}]}"], "denied ALLOW none"),
    (
        &["{'rules': [{'from': [{'source': {'namespaces': ['here'], 'notNamespaces': []}}]}]}"],
        "allowed ALLOW p0[0]",
    ),
    (
        &["{'rules': [{'when': [{'key': 'request.headers[x]', 'values': ['1'], 'notValues': []}]}]}"],
        "allowed ALLOW p0[0]",
    ),
    // Without `values`, all but `notValues` fit, also what is absent.
    (&["{'rules': [{'when': [{'key': 'request.headers[x]', 'notValues': ['2']}]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'when': [{'key': 'request.headers[x]', 'notValues': ['1']}]}]}"], "denied ALLOW none"),
    (&["{'rules': [{'when': [{'key': 'request.headers[y]', 'notValues': ['1']}]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'when': [{'key': 'request.headers[y]', 'values': ['*']}]}]}"], "denied ALLOW none"),
    // The same levels of the other actions.
    (&["{'action': 'DENY'}"], "refused"),
    (&["{'action': 'DENY', 'rules': null}"], "refused"),
    (&["{'action': 'DENY', 'rules': []}"], "refused"),
    (&["{'action': 'DENY', 'rules': [{}]}"], "denied DENY p0[0]"),
    (&["{'action': 'DENY', 'rules': [{'when': []}]}"], "denied DENY p0[0]"),
    (&["{'action': 'AUDIT'}"], "allowed"),
    (&["{'action': 'AUDIT', 'rules': []}"], "allowed"),
    (&["{'action': 'AUDIT', 'rules': [{}]}"], "allowed, audited p0[0]"),
];

const RULES: &[Row] = &[
    // Rules are joined by or; the first that fits is named.
    (&["{'rules': [{'to': [POST]}, {'to': [GET]}]}"], "allowed ALLOW p0[1]"),
    (&["{'rules': [{'to': [GET]}, {}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'to': [POST]}, {'from': [THERE]}]}"], "denied ALLOW none"),
    // Parts are joined by and.
    (&["{'rules': [{'from': [HERE], 'to': [GET], 'when': [X1]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'from': [THERE], 'to': [GET], 'when': [X1]}]}"], "denied ALLOW none"),
    (&["{'rules': [{'from': [HERE], 'to': [POST], 'when': [X1]}]}"], "denied ALLOW none"),
    (&["{'rules': [{'from': [HERE], 'to': [GET], 'when': [X2]}]}"], "denied ALLOW none"),
    // Entries of `from` and of `to` are joined by or, those of `when` by and.
    (&["{'rules': [{'from': [THERE, HERE], 'to': [POST, GET]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'from': [THERE, THERE], 'to': [GET]}]}"], "denied ALLOW none"),
    (&["{'rules': [{'when': [X1, X1]}]}"], "allowed ALLOW p0[0]"),
    (&["{'rules': [{'when': [X1, X2]}]}"], "denied ALLOW none"),
    // A DENY rule fits as an ALLOW rule does.
    (&["{'action': 'DENY', 'rules': [{'to': [POST]}, {'to': [GET]}]}"], "denied DENY p0[1]"),
    (&["{'action': 'DENY', 'rules': [{'from': [HERE], 'to': [POST]}]}"], "allowed"),
];

const TOGETHER: &[Row] = &[
    // Of several ALLOW policies one suffices.
    (&["{}", "{'rules': [{}]}"], "allowed ALLOW p1[0]"),
    (&["{'rules': [{'to': [POST]}]}", "{'rules': [{'to': [GET]}]}"], "allowed ALLOW p1[0]"),
    (&["{'rules': [{'to': [POST]}]}", "{'rules': [{'from': [THERE]}]}"], "denied ALLOW none"),
    // A DENY rule wins, whatever the order.
    (&["{'rules': [{}]}", "{'action': 'DENY', 'rules': [{}]}"], "denied DENY p1[0]"),
    (&["{'action': 'DENY', 'rules': [{}]}", "{'rules': [{}]}"], "denied DENY p0[0]"),
    // A DENY rule that does not fit leaves it to ALLOW; without ALLOW policies all else passes.
    (&["{'action': 'DENY', 'rules': [{'to': [POST]}]}"], "allowed"),
    (&["{'action': 'DENY', 'rules': [{'to': [POST]}]}", "{}"], "denied ALLOW none"),
    (&["{'action': 'DENY', 'rules': [{'to': [POST]}]}", "{'rules': [{'to': [GET]}]}"], "allowed ALLOW p1[0]"),
    // AUDIT marks, and changes nothing.
    (&["{'action': 'AUDIT', 'rules': [{}]}", "{}"], "denied ALLOW none, audited p0[0]"),
    (
        &["{'action': 'AUDIT', 'rules': [{}]}", "{'action': 'DENY', 'rules': [{}]}"],
        "denied DENY p1[0], audited p0[0]",
    ),
    (&["{'action': 'AUDIT', 'rules': [{'to': [POST]}]}", "{'rules': [{}]}"], "allowed ALLOW p1[0]"),
];

/// Policies on dry run decide nothing, and an ALLOW policy among them refuses nothing. What they would have done is
/// told after `would be`.
const DRY_RUN: &[Row] = &[
    (&["{'dryRun': 'false'}"], "denied ALLOW none"),
    (&["{'dryRun': 'true'}"], "allowed, would be denied ALLOW none (differs)"),
    (&["{'dryRun': 'true', 'rules': [{}]}"], "allowed, would be allowed ALLOW p0[0]"),
    (
        &["{'dryRun': 'true', 'action': 'DENY', 'rules': [{}]}"],
        "allowed, would be denied DENY p0[0] (differs)",
    ),
    (
        &["{'dryRun': 'true', 'action': 'DENY', 'rules': [{'to': [POST]}]}"],
        "allowed, would be allowed DENY none",
    ),
    (&["{'dryRun': 'true', 'action': 'DENY', 'rules': []}"], "refused"),
    (
        &["{'dryRun': 'true', 'rules': [{}]}", "{}"],
        "denied ALLOW none, would be allowed ALLOW p0[0] (differs)",
    ),
    (
        &["{'dryRun': 'true', 'action': 'DENY', 'rules': [{}]}", "{'rules': [{}]}"],
        "allowed ALLOW p1[0], would be denied DENY p0[0] (differs)",
    ),
    (
        &["{'dryRun': 'true', 'rules': [{'to': [POST]}]}", "{'rules': [{'to': [GET]}]}"],
        "allowed ALLOW p1[0], would be denied ALLOW none",
    ),
    (
        &["{'dryRun': 'true', 'rules': [{}]}", "{'action': 'DENY', 'rules': [{}]}"],
        "denied DENY p1[0], would be allowed ALLOW p0[0]",
    ),
];

const WORDS: [(&str, &str); 6] = [
    ("GET", "{'operation': {'methods': ['GET']}}"),
    ("POST", "{'operation': {'methods': ['POST']}}"),
    ("HERE", "{'source': {'namespaces': ['here']}}"),
    ("THERE", "{'source': {'namespaces': ['there']}}"),
    ("X1", "{'key': 'request.headers[x]', 'values': ['1']}"),
    ("X2", "{'key': 'request.headers[x]', 'values': ['2']}"),
];

/// The words of a spec stand alone, values stand in quotes.
fn spec(text: &str) -> serde_json::Value {
    let spelled = WORDS.iter().fold(text.to_owned(), |text, (word, part)| {
        let list =
            |before: &str, after: &str| (format!("{before}{word}{after}"), format!("{before}{part}{after}"));
        [list("[", "]"), list("[", ","), list(" ", ","), list(" ", "]")]
            .into_iter()
            .fold(text, |text, (from, to)| text.replace(&from, &to))
    });
    serde_json::from_str(&spelled.replace('\'', "\"")).expect("JSON")
}

fn verdict(specs: &[&str]) -> String {
    let specs: Vec<_> = specs.iter().map(|text| spec(text)).collect();
    if specs.iter().any(|spec| read("p", spec).is_err()) {
        return "refused".to_owned();
    }
    let policies = policies(&specs);
    let call = Call::get("/").line("x", b"1").peer("spiffe://cluster.local/ns/here/sa/account");
    call.view(|request| {
        let decision = policies.decide(request);
        let passes = if decision.allowed { "allowed" } else { "denied" };
        assert_eq!(decision.reply().is_none(), decision.allowed);
        let record = decision.record().unwrap_or_default();
        let said = if decision.action.is_some() || record.is_empty() {
            record
        } else {
            format!("{passes}, {record}")
        };
        let said = if said.is_empty() { passes.to_owned() } else { said };
        assert!(said.starts_with(passes), "{said}");
        let shadow = decision.shadow_record().map(|would| format!(", would be {would}")).unwrap_or_default();
        (said + &shadow).replace("default/", "").replace(crate::authz::DRY_RUN, "")
    })
}

#[track_caller]
fn check(rows: &[Row]) {
    for (specs, expected) in rows {
        assert_eq!(verdict(specs), *expected, "{specs:#?}");
    }
}

#[test]
fn empty_and_absent_at_each_level() {
    check(LEVELS);
}

#[test]
fn parts_of_rules() {
    check(RULES);
}

#[test]
fn policies_together() {
    check(TOGETHER);
}

#[test]
fn policies_on_dry_run() {
    check(DRY_RUN);
}
