//! RequestAuthentications that protect less than their author expects.

use std::net::IpAddr;

use outrigger_api::types::request_authentication::{JwtRule, KeySource, RequestAuthentication};
use outrigger_api::{Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};

/// Looks at each RequestAuthentication by itself.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        if let Spec::RequestAuthentication(authentication) = &resource.spec {
            check_one(resource, authentication, findings);
        }
    }
}

fn check_one(resource: &Resource, authentication: &RequestAuthentication, findings: &mut Vec<Finding>) {
    for (index, rule) in authentication.jwt_rules.iter().enumerate() {
        if let Some((field, uri)) = plain(rule) {
            let message = format!("keys are fetched in plain text from `{uri}`");
            let hint = "whoever sits between can put a key of his own into the set: use `https`";
            let path = format!("spec.jwtRules[{index}].{field}");
            let finding = Finding::new(codes::PLAIN_TEXT_KEYS, Level::Warning, resource, &path, message);
            findings.push(finding.hint(hint.to_owned()));
        }
    }
    if authentication.annotations.dry_run {
        let message = "these rules are tried out: nobody is refused by them, and no token is verified";
        let path = "metadata.annotations";
        findings.push(Finding::new(codes::TRIED_OUT, Level::Info, resource, path, message.to_owned()));
    }
}

/// The field that names an address without TLS, and that address. The own machine's is no way through anybody.
fn plain(rule: &JwtRule) -> Option<(&'static str, &str)> {
    let (field, uri) = match &rule.keys {
        KeySource::Inline(_) => return None,
        KeySource::Uri(uri) => ("jwksUri", uri),
        KeySource::Discovery => ("issuer", &rule.issuer),
    };
    let rest = uri.strip_prefix("http://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let own = host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (!own).then_some((field, uri.as_str()))
}

#[cfg(test)]
mod tests {
    use outrigger_api::parse_yaml;

    use super::*;

    fn told(annotations: &str, rules: &str) -> Vec<(&'static str, String)> {
        let text = format!(
            "apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: r, annotations: {{{annotations}}}}}
spec: {{jwtRules: [{rules}]}}
"
        );
        let parsed = parse_yaml(text.as_bytes(), "r.yaml", "default");
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let mut findings = Vec::new();
        check(&parsed.resources, &mut findings);
        findings.into_iter().map(|finding| (finding.code, finding.path.to_string())).collect()
    }

    #[test]
    fn keys_that_anybody_could_change_on_their_way_are_told() {
        let rules =
            "{issuer: a, jwksUri: 'https://idp.example/k'}, {issuer: b, jwksUri: 'http://idp.example:80/k'},
            {issuer: 'http://idp.example'}, {issuer: c, jwksUri: 'http://localhost:8080/k'},
            {issuer: d, jwksUri: 'http://[::1]:1/k'}, {issuer: e, jwksUri: 'http://127.0.0.1/k'},
            {issuer: f, jwksUri: 'http://[::1]/k'}, {issuer: g, jwksUri: 'http://127.idp.example/k'}";
        assert_eq!(
            told("", rules),
            [
                (codes::PLAIN_TEXT_KEYS, "spec.jwtRules[1].jwksUri".to_owned()),
                (codes::PLAIN_TEXT_KEYS, "spec.jwtRules[2].issuer".to_owned()),
                (codes::PLAIN_TEXT_KEYS, "spec.jwtRules[7].jwksUri".to_owned()),
            ]
        );
    }

    #[test]
    fn rules_that_are_tried_out_are_told() {
        let rule = "{issuer: a, jwksUri: 'https://idp.example/k'}";
        let tried = told("outrigger.io/dry-run: 'true'", rule);
        assert_eq!(tried, [(codes::TRIED_OUT, "metadata.annotations".to_owned())]);
        assert_eq!(told("outrigger.io/dry-run: 'false'", rule), []);
    }
}
