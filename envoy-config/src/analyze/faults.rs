//! Faults that will not show as their author expects, and annotations that do nothing.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_api::delegate::Delegates;
use outrigger_api::types::annotations as names;
use outrigger_api::types::virtual_service::{HttpRoute, RouteAction, VirtualService};
use outrigger_api::{Proxy, Resource, Spec};
use outrigger_core::Now;
use outrigger_core::fault::is_over;

use super::codes;
use super::finding::{Finding, Level};
use crate::explain::guards::rfc3339;

/// Faults that end within this are said to.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// Looks at each VirtualService, and at what the rules are that it delegates.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    let now = Now(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    check_at(resources, proxy, now, findings);
}

fn check_at(resources: &[Resource], proxy: &Proxy, now: Now, findings: &mut Vec<Finding>) {
    let subjects = Subjects::of(resources, proxy);
    for resource in resources {
        let Spec::VirtualService(service) = &resource.spec else { continue };
        for (index, rule) in service.http.iter().enumerate() {
            hidden(resource, rule, &format!("spec.http[{index}]"), findings);
        }
        expiry(resource, service, now, findings);
        without_effect(resource, service, &subjects, findings);
    }
}

/// The VirtualServices whose annotations have something to be about. A delegate inherits them, and its rules inherit
/// faults, so that it may be in the other's rules.
#[derive(Default)]
struct Subjects {
    /// Those with a fault in some rule.
    faults: HashSet<String>,
    /// Those with several destinations in some rule.
    choices: HashSet<String>,
}

impl Subjects {
    fn of(resources: &[Resource], proxy: &Proxy) -> Self {
        let delegates = Delegates::new(resources);
        let mut subjects = Self::default();
        for resource in resources {
            let Spec::VirtualService(service) = &resource.spec else { continue };
            service.http.iter().for_each(|rule| subjects.add(resource, rule));
            let delegated = service.http.iter().any(|rule| matches!(rule.action, RouteAction::Delegate(_)));
            if service.is_delegate() || !delegated {
                continue;
            }
            let (routes, _) = delegates.routes(resource, service, &proxy.cluster_domain);
            for effective in &routes {
                subjects.add(resource, &effective.route);
                subjects.add(effective.resource, &effective.route);
            }
        }
        subjects
    }

    fn add(&mut self, resource: &Resource, rule: &HttpRoute) {
        if rule.fault.is_some() {
            self.faults.insert(resource.id());
        }
        if matches!(&rule.action, RouteAction::Route(places) if places.len() > 1) {
            self.choices.insert(resource.id());
        }
    }
}

/// A fault comes before the router, so what the router does about slow and failing services never sees it.
fn hidden(resource: &Resource, rule: &HttpRoute, path: &str, findings: &mut Vec<Finding>) {
    let Some(fault) = &rule.fault else { return };
    let mut warn = |field: &str, message: String, hint: &str| {
        let path = format!("{path}.{field}");
        let finding = Finding::new(codes::HIDDEN_FAULT, Level::Warning, resource, &path, message);
        findings.push(finding.hint(hint.to_owned()));
    };
    if let Some(delay) = fault.delay.as_ref().map(|delay| delay.fixed_delay)
        && let Some(timeout) = rule.timeout.filter(|timeout| *timeout <= delay)
    {
        warn(
            "timeout",
            format!("`timeout` of {timeout:?} does not cut the delay of {delay:?}: it starts after it"),
            "only a timeout of the caller itself sees the delay; to test this one, delay the service",
        );
    }
    let retries = rule.retries.as_ref().is_some_and(|retries| retries.attempts > 0);
    if retries && fault.abort.is_some() {
        warn(
            "retries",
            "`retries` of this rule do not see its own aborts: an aborted request is not tried again"
                .to_owned(),
            "only the caller's own retries see them; to test these, let the service fail",
        );
    }
}

fn expiry(resource: &Resource, service: &VirtualService, Now(now): Now, findings: &mut Vec<Finding>) {
    let Some(expires) = service.annotations.fault.expires else { return };
    let at = rfc3339(expires);
    let (level, message) = if is_over(expires, Now(now)) {
        (Level::Warning, format!("the faults of this VirtualService ended at {at}: no request meets one"))
    } else if is_over(expires, Now(now.saturating_add(SOON))) {
        (Level::Info, format!("the faults of this VirtualService end soon, at {at}"))
    } else {
        return;
    };
    let hint = "remove the faults, or set a later date".to_owned();
    let path = annotation(names::FAULT_EXPIRES);
    findings.push(Finding::new(codes::FAULT_EXPIRY, level, resource, &path, message).hint(hint));
}

fn without_effect(
    resource: &Resource,
    service: &VirtualService,
    subjects: &Subjects,
    findings: &mut Vec<Finding>,
) {
    let id = resource.id();
    let faults = service.annotations.fault.headers.is_some() || subjects.faults.contains(&id);
    let choices = subjects.choices.contains(&id);
    for name in resource.meta.annotations.keys() {
        let missing = match name.as_str() {
            names::STICKY_WEIGHTS if !choices => "no rule has more than one destination",
            names::FAULT_EXPIRES | names::FAULT_MAX_ACTIVE | names::FAULT_STICKY | names::FAULT_DRY_RUN
                if !faults =>
            {
                "no rule has a `fault`"
            }
            _ => continue,
        };
        let message = format!("`{name}` does nothing: {missing}");
        let (code, path) = (codes::ANNOTATION_WITHOUT_EFFECT, annotation(name));
        findings.push(Finding::new(code, Level::Warning, resource, &path, message));
    }
}

fn annotation(name: &str) -> String {
    format!("metadata.annotations[\"{name}\"]")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(annotations: &str, rule: &str, now: u64) -> Vec<String> {
        let text = format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: x\n  annotations: {annotations}\n\
             spec: {{hosts: [a], http: [{rule}]}}"
        );
        said_of(&text, now)
    }

    fn said_of(text: &str, now: u64) -> Vec<String> {
        let parsed = outrigger_api::parse_yaml(text.as_bytes(), "x.yaml", "default");
        assert!(!parsed.resources.is_empty(), "{:#?}", parsed.problems);
        let mut findings = Vec::new();
        check_at(&parsed.resources, &Proxy::default(), Now(Duration::from_secs(now)), &mut findings);
        assert!(findings.iter().all(|finding| finding.line.is_some_and(|line| line > 4)), "{findings:#?}");
        findings
            .into_iter()
            .map(|finding| format!("{} {} {}", finding.code, finding.path, finding.message))
            .collect()
    }

    #[test]
    fn faults_that_the_rules_own_timeout_and_retries_never_see() {
        let delay =
            |time: &str| format!("fault: {{delay: {{percentage: {{value: 1}}, fixedDelay: {time}}}}}");
        let abort = "fault: {abort: {percentage: {value: 1}, httpStatus: 503}}";
        let route = "route: [{destination: {host: a}}]";
        for (fields, expected) in [
            (delay("2s"), None),
            (format!("{}, timeout: 3s", delay("2s")), None),
            (
                format!("{}, timeout: 2s", delay("2s")),
                Some("spec.http[0].timeout `timeout` of 2s does not cut the delay of 2s"),
            ),
            (delay("300s"), None),
            (abort.to_owned(), None),
            (format!("{abort}, retries: {{attempts: 0}}"), None),
            (
                format!("{abort}, retries: {{attempts: 2}}"),
                Some("spec.http[0].retries `retries` of this rule do not see"),
            ),
        ] {
            let said = said("{}", &format!("{{{fields}, {route}}}"), 0);
            assert_eq!(said.len(), usize::from(expected.is_some()), "{fields}: {said:?}");
            assert!(
                said.iter().all(|said| said.contains(expected.unwrap_or_default())),
                "{fields}: {said:?}"
            );
        }
    }

    #[test]
    fn annotations_that_end_or_do_nothing() {
        let faulty =
            "{fault: {abort: {percentage: {value: 1}, httpStatus: 503}}, route: [{destination: {host: a}}]}";
        let plain = "{route: [{destination: {host: a}}]}";
        let several = "{route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]}";
        let expires = "{outrigger.io/fault-expires: '1970-01-11T00:00:00Z'}";
        let sticky = "{outrigger.io/sticky-weights: 'header:x'}";
        let day = 86_400;
        for (annotations, rule, now, expected) in [
            (expires, faulty, 0, None),
            (expires, faulty, 4 * day, Some("OUT0302")),
            (expires, faulty, 11 * day, Some("ended at 1970-01-11T00:00:00Z")),
            (expires, plain, 0, Some("`outrigger.io/fault-expires` does nothing: no rule has a `fault`")),
            (sticky, plain, 0, Some("OUT0303")),
            (sticky, several, 0, None),
            (
                "{outrigger.io/fault-headers-from: 10.0.0.1, outrigger.io/fault-dry-run: 'true'}",
                plain,
                0,
                None,
            ),
        ] {
            let said = said(annotations, rule, now);
            assert_eq!(said.len(), usize::from(expected.is_some()), "{annotations}: {said:?}");
            assert!(
                said.iter().all(|said| said.contains(expected.unwrap_or_default())),
                "{annotations}: {said:?}"
            );
        }
    }

    #[test]
    fn annotations_that_are_about_rules_of_the_other_side_of_a_delegation() {
        let service = |name: &str, annotation: &str, spec: &str| {
            format!(
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: {name}\n  annotations: \
                 {{{annotation}}}\nspec: {spec}\n---\n"
            )
        };
        let (dry, sticky) = ("outrigger.io/fault-dry-run: 'true'", "outrigger.io/sticky-weights: 'header:x'");
        let fault = "fault: {abort: {percentage: {value: 1}, httpStatus: 503}}";
        let one = "route: [{destination: {host: a}}]";
        let two = "route: [{destination: {host: a}, weight: 1}, {destination: {host: b}, weight: 1}]";
        for (of_root, rest, of_leaf, rule, expected) in [
            (dry, "", "", format!("{fault}, {one}"), None),
            (sticky, "", "", two.to_owned(), None),
            ("", fault, dry, one.to_owned(), None),
            ("", "", sticky, two.to_owned(), None),
            (dry, "", "", one.to_owned(), Some("no rule has a `fault`")),
            (sticky, "", "", one.to_owned(), Some("no rule has more than one destination")),
            ("", "", dry, one.to_owned(), Some("no rule has a `fault`")),
        ] {
            let root = format!("{{hosts: [a], http: [{{delegate: {{name: leaf}}, {rest}}}]}}");
            let leaf = format!("{{http: [{{{rule}}}]}}");
            let text = service("root", of_root, &root) + &service("leaf", of_leaf, &leaf);
            let said = said_of(&text, 0);
            assert_eq!(said.len(), usize::from(expected.is_some()), "{text}: {said:?}");
            assert!(said.iter().all(|said| said.contains(expected.unwrap_or_default())), "{text}: {said:?}");
        }
    }
}
