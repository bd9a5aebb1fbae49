//! What an access log says of policies on dry run: how often each would have refused, how often that would have changed
//! the verdict, and the first requests of which that is so.

mod record;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::BufRead;

use outrigger_api::types::authorization_policy::Action;
use outrigger_api::{Resource, Spec};
use outrigger_core::RuleRef;
use serde::Serialize;
use serde_json::Value;

use self::record::{Record, Verdict};
use super::human::position;

/// So many examples of a rule are kept.
const EXAMPLES: usize = 3;
/// A line of a log that does not say what was asked for is shown up to here.
const LONGEST: usize = 200;

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Shadow {
    /// Its lines.
    pub lines: usize,
    /// Those of requests that policies on dry run have seen.
    pub seen: usize,
    /// Verdicts of lines in formats of one's own that name no rule of the resources: anyone may have written them.
    pub unknown: usize,
    /// What came of each rule, in order.
    pub rules: Vec<Outcome>,
}

/// What came of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// `ALLOW` or `DENY`: of which policies.
    pub action: String,
    /// `ns/name`; `None`: no rule has matched.
    pub policy: Option<String>,
    /// The rule of the policy, from 0.
    pub rule: Option<usize>,
    /// Its file, if the policy is among the resources.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
    /// `allow` or `deny`: what it would have decided.
    pub decision: &'static str,
    /// Of so many requests.
    pub requests: usize,
    /// Of so many of them that would have changed the verdict.
    pub differs: usize,
    /// The first of those.
    pub examples: Vec<Example>,
}

/// A request, as far as the log tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// When.
    pub time: Option<String>,
    /// `METHOD /path`, or the log's line.
    pub request: String,
    /// The status that the client saw.
    pub status: Option<String>,
}

/// Reads a log: Istio's text or JSON, or any other format that has the record in it. Of the latter only what names rules
/// of `resources`.
///
/// # Errors
/// It can't be read.
pub fn read(mut log: impl BufRead, resources: &[Resource]) -> std::io::Result<Shadow> {
    let mut shadow = Shadow::default();
    let mut rules = BTreeMap::<(String, Option<(String, usize)>, bool), (usize, usize, Vec<Example>)>::new();
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        shadow.lines += 1;
        let verdicts = match record::of(&text) {
            Record::Sure(verdicts) => verdicts,
            Record::Found(verdicts) => {
                let (known, unknown): (Vec<_>, Vec<_>) =
                    verdicts.into_iter().partition(|verdict| is_known(verdict, resources));
                shadow.unknown += unknown.len();
                known
            }
        };
        shadow.seen += usize::from(!verdicts.is_empty());
        for Verdict { action, rule, allowed, differs } in verdicts {
            let (requests, different, examples) = rules.entry((action, rule, allowed)).or_default();
            *requests += 1;
            *different += usize::from(differs);
            if differs && examples.len() < EXAMPLES {
                examples.push(Example::of(text.trim_end()));
            }
        }
        line.clear();
    }
    shadow.rules = rules
        .into_iter()
        .map(|((action, rule, allowed), (requests, differs, examples))| Outcome {
            action,
            rule: rule.as_ref().map(|(_, rule)| *rule),
            policy: rule.map(|(policy, _)| policy),
            file: None,
            line: None,
            decision: if allowed { "allow" } else { "deny" },
            requests,
            differs,
            examples,
        })
        .collect();
    place(&mut shadow, resources);
    Ok(shadow)
}

/// Whether there are policies that could have said it.
fn is_known(verdict: &Verdict, resources: &[Resource]) -> bool {
    resources.iter().any(|resource| {
        let Spec::AuthorizationPolicy(policy) = &resource.spec else { return false };
        let action = match &policy.action {
            Action::Allow => "ALLOW",
            Action::Deny => "DENY",
            // They are not tried out so.
            Action::Audit | Action::Custom { .. } => return false,
        };
        action == verdict.action
            && verdict.rule.as_ref().is_none_or(|(id, rule)| {
                resource.id() == *id && policy.rules.as_ref().is_some_and(|rules| *rule < rules.len())
            })
    })
}

impl Example {
    /// Of Istio's default formats.
    fn of(line: &str) -> Self {
        Self::of_json(line).or_else(|| Self::of_text(line)).unwrap_or_else(|| Self {
            time: None,
            request: line.chars().take(LONGEST).collect(),
            status: None,
        })
    }

    fn of_json(line: &str) -> Option<Self> {
        let fields = record::fields(line)?;
        let text = |name: &str| match fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        Some(Self {
            request: format!("{} {}", text("method")?, text("path")?),
            time: text("start_time"),
            status: text("response_code"),
        })
    }

    /// `[2026-01-02T03:04:05.678Z] "GET /path HTTP/1.1" 200 ...`
    fn of_text(line: &str) -> Option<Self> {
        let (time, rest) = line.get(line.find('[')? + 1..)?.split_once("] \"")?;
        let (request, rest) = rest.split_once("\" ")?;
        let (request, _) = request.rsplit_once(' ')?;
        let status = rest.split(' ').next()?;
        Some(Self {
            time: Some(time.to_owned()),
            request: request.to_owned(),
            status: Some(status.to_owned()),
        })
    }
}

/// Says where the rules stand, as far as they are among `resources`.
fn place(shadow: &mut Shadow, resources: &[Resource]) {
    for outcome in &mut shadow.rules {
        let (Some(policy), Some(rule)) = (&outcome.policy, outcome.rule) else { continue };
        let found = resources.iter().find(|resource| {
            matches!(resource.spec, Spec::AuthorizationPolicy(_)) && resource.id() == *policy
        });
        let Some(resource) = found else { continue };
        let place = RuleRef::new(resource, &format!("spec.rules[{rule}]"), rule);
        outcome.file = place.file.as_deref().map(str::to_owned);
        outcome.line = place.line;
    }
}

/// For people.
pub fn story(shadow: &Shadow) -> String {
    let mut story = String::new();
    // Writing to a string does not fail.
    let _ = tell(&mut story, shadow);
    story
}

fn tell(out: &mut String, shadow: &Shadow) -> fmt::Result {
    let Shadow { lines, seen, unknown, rules } = shadow;
    writeln!(out, "{seen} of {lines} requests were looked at by policies on dry run\n")?;
    for outcome in rules {
        let verdict = if outcome.decision == "allow" { "would allow" } else { "would refuse" };
        let who = match (&outcome.policy, outcome.rule) {
            (Some(policy), Some(rule)) => {
                format!(
                    "{} {policy}, rules[{rule}]{},",
                    outcome.action,
                    position(outcome.file.as_deref(), outcome.line)
                )
            }
            _ if outcome.action == "ALLOW" => "ALLOW policies of which no rule matches".to_owned(),
            _ => "DENY policies of which no rule matches".to_owned(),
        };
        writeln!(out, "  {who} {verdict} {}, {} of them unlike now", outcome.requests, outcome.differs)?;
        for Example { time, request, status } in &outcome.examples {
            let time = time.as_ref().map(|time| format!("{time}  ")).unwrap_or_default();
            let status =
                status.as_ref().map(|status| format!("  was answered with {status}")).unwrap_or_default();
            writeln!(out, "    {time}{request}{status}")?;
        }
    }
    if rules.iter().all(|outcome| outcome.differs == 0) && *seen > 0 {
        writeln!(out, "\nto enforce them would have changed nothing")?;
    }
    if *unknown > 0 {
        writeln!(
            out,
            "\n{unknown} verdicts in lines of another format than Istio's name no rule of these resources: they are not \
             counted, since a client may have written them"
        )?;
    }
    if *seen == 0 {
        writeln!(
            out,
            "no line has a record: is there a policy with `istio.io/dry-run: \"true\"`, and is this the \
                      proxy's access log, with `%FILTER_STATE(wasm.outrigger.authz_dry_run:PLAIN)%` in its format?"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::resources;

    const POLICIES: &str = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
         metadata: {name: close, namespace: ns}\nspec: {action: DENY, rules: [{}, {}]}\n";
    const LOG: &str = r#"[2026-01-02T03:04:05.678Z] "GET /a?x=1 HTTP/1.1" 200 - via_upstream - "-" 0 5 1 1 "-" "curl" "id" "h" "-" c - - - - r "allowed ALLOW ns/open[0]" "dry-run denied DENY ns/close[1] (differs), dry-run allowed ALLOW ns/new[0]"
{"method":"GET","path":"/b","response_code":403,"start_time":"2026-01-02T03:04:06Z","authz":"denied ALLOW none","authz_dry_run":"dry-run allowed DENY none, dry-run allowed ALLOW ns/new[0] (differs)"}
envoy: of my own: dry-run denied DENY ns/close[1] (differs)
envoy: of nobody's: dry-run denied DENY ns/close[2] (differs), dry-run denied ALLOW ns/close[0] (differs)
nothing of that: dry-run maybe
"#;

    #[test]
    fn every_format_with_the_record_is_read() {
        let shadow = read(LOG.as_bytes(), &resources(&[POLICIES])).unwrap();
        assert_eq!((shadow.lines, shadow.seen, shadow.unknown), (5, 3, 2));
        let rules: Vec<_> = shadow
            .rules
            .iter()
            .map(|rule| {
                let name = rule.policy.as_ref().map(|policy| format!("{policy}[{}]", rule.rule.unwrap()));
                (&*rule.action, name, rule.decision, rule.requests, rule.differs)
            })
            .collect();
        assert_eq!(
            rules,
            [
                ("ALLOW", Some("ns/new[0]".to_owned()), "allow", 2, 1),
                ("DENY", None, "allow", 1, 0),
                ("DENY", Some("ns/close[1]".to_owned()), "deny", 2, 2),
            ]
        );
        let examples: Vec<_> = shadow.rules[2].examples.iter().map(|example| &*example.request).collect();
        assert_eq!(examples, ["GET /a?x=1", "envoy: of my own: dry-run denied DENY ns/close[1] (differs)"]);
        assert_eq!(shadow.rules[0].examples[0].status.as_deref(), Some("403"));
        let told = story(&shadow);
        assert!(told.contains("DENY ns/close, rules[1]"), "{told}");
        assert!(told.contains("would refuse 2, 2 of them unlike now"), "{told}");
        assert!(story(&shadow).contains("2 verdicts in lines of another format"));
    }

    #[test]
    fn a_log_without_records_says_what_may_be_wrong() {
        let shadow = read(&b"[x] \"GET / HTTP/1.1\" 200\n"[..], &[]).unwrap();
        assert_eq!((shadow.lines, shadow.seen, shadow.rules.len()), (1, 0, 0));
        assert!(story(&shadow).contains("is there a policy"));
    }
}
