//! What logs and statistics say of tokens, and rules that do nothing else.

use super::proxy::{Proxy, token};
use super::{THROUGH, keys};

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
    let told: Vec<_> = (0..5).map(|_| proxy.logged("token ")).collect();
    assert_eq!(
        told,
        [
            "token - -",
            "token - -",
            "token - default/tokens[0]: Jwt issuer is not configured",
            "token - default/tokens[0]: Jwks doesn't have key to match kid or alg from Jwt",
            "token - default/tokens[0]: Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
        ]
    );
    let metrics = proxy.metrics();
    let line = metrics.lines().find(|line| line.starts_with("outrigger_jwt_dry_run_denied{"));
    assert_eq!(line, Some("outrigger_jwt_dry_run_denied{request_authentication=\"default/tokens\"} 3"));
}

#[test]
fn the_log_has_the_claims_of_a_verified_token() {
    let proxy = Proxy::start("", &format!("issuer: i, jwks: '{}'", keys(&["rs256"])));
    for _ in 0..3 {
        assert_eq!(proxy.get(Some(&token("RS256", "i"))).status, 200);
        let line = proxy.logged("token ");
        let (_, claims) = line.split_once(' ').unwrap();
        let (claims, _) = claims.rsplit_once(' ').unwrap();
        let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
        assert_eq!((&claims["iss"], &claims["sub"]), (&"i".into(), &"ann".into()));
    }
    assert_eq!(proxy.get(Some(&token("RS256", "j"))).status, 401);
    assert_eq!(proxy.logged("token "), "token - -");
}
