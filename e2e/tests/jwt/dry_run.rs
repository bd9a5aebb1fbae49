//! Rules that are tried out.

use crate::proxy::{Proxy, token};
use crate::{THROUGH, keys};

#[test]
fn a_dry_run_counts_what_it_would_refuse_and_refuses_nothing() {
    let rule = format!("issuer: i, jwks: '{}', outputPayloadToHeader: x-payload", keys(&["rs256"]));
    let proxy = Proxy::start("outrigger.io/dry-run: 'true'", &rule);
    let denied = |proxy: &Proxy| proxy.stat("outrigger_jwt_dry_run_denied.*");
    for (token, more) in [
        (None, 0),
        (Some(token("RS256", "i")), 0),
        (Some(token("RS256", "j")), 1),
        (Some(token("ES256", "i")), 1),
        (Some("garbage".to_owned()), 1),
    ] {
        let before = denied(&proxy);
        let answered = proxy.get(token.as_deref());
        assert_eq!((answered.status, answered.body.as_str()), THROUGH, "{token:?}");
        assert_eq!(denied(&proxy) - before, more, "{token:?}");
    }
    let metrics = proxy.metrics();
    let line = metrics.lines().find(|line| line.starts_with("outrigger_jwt_dry_run_denied{"));
    assert_eq!(line, Some("outrigger_jwt_dry_run_denied{request_authentication=\"default/tokens\"} 3"));
}
