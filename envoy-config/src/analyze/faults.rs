//! Faults that will not show as their author expects, and annotations that do nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outrigger_api::types::annotations as names;
use outrigger_api::types::virtual_service::{HttpRoute, RouteAction, VirtualService};
use outrigger_api::{Resource, Spec};
use outrigger_core::Now;
use outrigger_core::fault::is_over;

use super::codes;
use super::finding::{Finding, Level};
use crate::explain::guards::rfc3339;
use crate::render::STREAM_IDLE_TIMEOUT;

/// Faults that end within this are said to.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// Looks at each VirtualService by itself.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    let now = Now(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    for resource in resources {
        if let Spec::VirtualService(service) = &resource.spec {
            check_service(resource, service, now, findings);
        }
    }
}

fn check_service(resource: &Resource, service: &VirtualService, now: Now, findings: &mut Vec<Finding>) {
    for (index, rule) in service.http.iter().enumerate() {
        hidden(resource, rule, &format!("spec.http[{index}]"), findings);
    }
    expiry(resource, service, now, findings);
    without_effect(resource, service, findings);
}

/// A fault comes before the router, so what the router does about slow and failing services never sees it.
fn hidden(resource: &Resource, rule: &HttpRoute, path: &str, findings: &mut Vec<Finding>) {
    let Some(fault) = &rule.fault else { return };
    let mut warn = |field: &str, message: String, hint: &str| {
        let path = format!("{path}.{field}");
        let finding = Finding::new(codes::HIDDEN_FAULT, Level::Warning, resource, &path, message);
        findings.push(finding.hint(hint.to_owned()));
    };
    if let Some(delay) = fault.delay.as_ref().map(|delay| delay.fixed_delay) {
        if let Some(timeout) = rule.timeout.filter(|timeout| *timeout <= delay) {
            warn(
                "timeout",
                format!("`timeout` of {timeout:?} does not cut the delay of {delay:?}: it starts after it"),
                "only a timeout of the caller itself sees the delay; to test this one, delay the service",
            );
        }
        if delay >= STREAM_IDLE_TIMEOUT {
            warn(
                "fault.delay.fixedDelay",
                format!(
                    "the delay does not end: Envoy gives up a request that is silent for {STREAM_IDLE_TIMEOUT:?}"
                ),
                "shorten it",
            );
        }
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

fn without_effect(resource: &Resource, service: &VirtualService, findings: &mut Vec<Finding>) {
    let faults =
        service.annotations.fault.headers.is_some() || service.http.iter().any(|rule| rule.fault.is_some());
    let several = |rule: &HttpRoute| matches!(&rule.action, RouteAction::Route(places) if places.len() > 1);
    let choices = service.http.iter().any(several);
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
        let parsed = outrigger_api::parse_yaml(text.as_bytes(), "x.yaml", "default");
        assert_eq!(parsed.resources.len(), 1, "{:#?}", parsed.problems);
        let mut findings = Vec::new();
        for resource in &parsed.resources {
            let Spec::VirtualService(service) = &resource.spec else { panic!("not a VirtualService") };
            check_service(resource, service, Now(Duration::from_secs(now)), &mut findings);
        }
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
            (delay("300s"), Some("spec.http[0].fault.delay.fixedDelay the delay does not end")),
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
}
