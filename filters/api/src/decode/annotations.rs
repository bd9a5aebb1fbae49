//! `outrigger.io/…` annotations.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{cursor::Cursor, object::Object, suggest, virtual_service::header_key};
use crate::{
    check,
    health_check::{self, HEALTH_CHECK},
    node::Value,
    ordered,
    problem::{Severity, code},
    types::annotations::{
        Annotations, FAULT_DRY_RUN, FAULT_EXPIRES, FAULT_HEADERS_FROM, FAULT_HEADERS_SECRET,
        FAULT_MAX_ACTIVE, FAULT_STICKY, Peers, STICKY_WEIGHTS, StickyKey,
    },
    types::request_authentication::{DRY_RUN, JWKS_MAX_STALE, JWKS_REFRESH, JwtAnnotations, TOKEN_CACHE},
    types::virtual_service::HeaderKey,
};

const PREFIX: &str = "outrigger.io/";

/// What a kind of resource can have: its name, and the annotations.
type Known = (&'static str, &'static [&'static str]);

const OF_VIRTUAL_SERVICE: Known = (
    "VirtualService",
    &[
        FAULT_DRY_RUN,
        FAULT_EXPIRES,
        FAULT_HEADERS_FROM,
        FAULT_HEADERS_SECRET,
        FAULT_MAX_ACTIVE,
        FAULT_STICKY,
        STICKY_WEIGHTS,
    ],
);

const OF_REQUEST_AUTHENTICATION: Known =
    ("RequestAuthentication", &[DRY_RUN, JWKS_MAX_STALE, JWKS_REFRESH, TOKEN_CACHE]);

/// Those of a VirtualService, given the whole resource.
pub(crate) fn of_virtual_service(root: &Object<'_>) -> Annotations {
    let mut found = Annotations::default();
    of_resource(root, OF_VIRTUAL_SERVICE, |name, at| annotation(&mut found, name, at));
    found
}

/// Those of a RequestAuthentication, given the whole resource.
pub(crate) fn of_request_authentication(root: &Object<'_>) -> JwtAnnotations {
    let mut found = JwtAnnotations::default();
    of_resource(root, OF_REQUEST_AUTHENTICATION, |name, at| jwt_annotation(&mut found, name, at));
    found
}

/// Whether an AuthorizationPolicy is tried out by `outrigger.io/dry-run`, given the whole resource. It is for policies
/// with `action: CUSTOM`, which Istio has no dry run for.
pub(crate) fn of_authorization_policy(root: &Object<'_>, custom: bool) -> bool {
    let mut dry_run = false;
    of_resource(root, ("AuthorizationPolicy", &[DRY_RUN]), |name, at| {
        (name == DRY_RUN).then(|| {
            if custom {
                dry_run = at.parsed(flag).unwrap_or_default();
            } else {
                at.error_hint(
                    format_args!("annotation `{DRY_RUN}` is for policies with `action: CUSTOM`"),
                    "`istio.io/dry-run` tries out ALLOW and DENY",
                );
            }
        })
    });
    dry_run
}

fn of_resource(root: &Object<'_>, known: Known, mut read: impl FnMut(&str, &Cursor<'_>) -> Option<()>) {
    root.get("metadata", |metadata| {
        let (key, node) = metadata.node.entry("annotations")?;
        let annotations = metadata.field("annotations", key.position, node);
        each(&annotations, known, |name, at| read(name, at).is_some())
    });
}

/// Reports those of a resource that has none to give, or none but those of health checks, which are looked at elsewhere.
pub(crate) fn none(annotations: &Cursor<'_>, health_checks: bool) -> Option<()> {
    each(annotations, OF_VIRTUAL_SERVICE, |name, _| health_checks && name.starts_with(HEALTH_CHECK))
}

/// Reports what is wrong with those of health checks, given the whole resource.
pub(crate) fn check_health(root: &Object<'_>) {
    root.get("metadata", |metadata| {
        let (key, node) = metadata.node.entry("annotations")?;
        let annotations = metadata.field("annotations", key.position, node);
        let Value::Mapping(entries) = &node.value else { return None };
        let texts =
            entries.iter().filter_map(|(key, node)| Some((key.name.clone(), node.as_str()?.to_owned())));
        let wrong = health_check::read(&ordered::map(texts)).err()?;
        for (name, message) in wrong {
            let (key, node) = node.entry(&name)?;
            annotations.field(&name, key.position, node).error(message);
        }
        Some(())
    });
}

/// Lets `read` look at each annotation of ours, until it says that there is no such one, which is reported. Those that
/// are no text are reported elsewhere.
fn each(
    annotations: &Cursor<'_>,
    (kind, known): Known,
    mut read: impl FnMut(&str, &Cursor<'_>) -> bool,
) -> Option<()> {
    let Value::Mapping(entries) = &annotations.node.value else { return None };
    for (key, node) in entries.iter().filter(|(key, _)| key.name.starts_with(PREFIX)) {
        let at = annotations.field(&key.name, key.position, node);
        if node.as_str().is_some() && !read(&key.name, &at) {
            let meant = suggest::nearest(&key.name, known).map(|meant| format!("did you mean `{meant}`?"));
            let hint = meant.unwrap_or_else(|| format!("a {kind} can have {}", known.join(", ")));
            let message = format!("unknown annotation `{}`", super::shorten(&key.name));
            at.sink.report(Severity::Error, code::SCHEMA, (at.path(), key.position), message, Some(hint));
        }
    }
    Some(())
}

/// `None`: there is no such annotation. What is wrong with a value is reported.
fn annotation(found: &mut Annotations, name: &str, at: &Cursor<'_>) -> Option<()> {
    let guards = &mut found.fault;
    match name {
        STICKY_WEIGHTS => found.sticky_weights = at.parsed(|text| keys(text, true)).unwrap_or_default(),
        FAULT_STICKY => guards.sticky = at.parsed(|text| keys(text, false)).unwrap_or_default(),
        FAULT_MAX_ACTIVE => guards.max_active = at.parsed(max_active),
        FAULT_EXPIRES => guards.expires = at.parsed(check::timestamp::parse),
        FAULT_DRY_RUN => guards.dry_run = at.parsed(flag).unwrap_or_default(),
        FAULT_HEADERS_SECRET => {
            guards.headers.get_or_insert_default().secret = at.string().and_then(|text| {
                let digest = sha256(&text);
                if digest.is_none() {
                    // The value may be the secret itself, by mistake: it is not repeated.
                    at.error("this is not a SHA-256 in hexadecimal, such as `sha256sum` prints");
                }
                digest
            });
        }
        FAULT_HEADERS_FROM => guards.headers.get_or_insert_default().from = at.parsed(peers),
        _ => return None,
    }
    Some(())
}

/// Likewise, of a RequestAuthentication.
fn jwt_annotation(found: &mut JwtAnnotations, name: &str, at: &Cursor<'_>) -> Option<()> {
    match name {
        DRY_RUN => found.dry_run = at.parsed(flag).unwrap_or_default(),
        TOKEN_CACHE => found.token_cache = at.parsed(flag).unwrap_or_default(),
        JWKS_REFRESH => {
            found.jwks_refresh = at.parsed(|text| match check::duration::parse(text)? {
                short if short < Duration::from_secs(1) => Err("is shorter than a second".to_owned()),
                refresh => Ok(refresh),
            });
        }
        JWKS_MAX_STALE => found.jwks_max_stale = at.parsed(check::duration::parse).unwrap_or_default(),
        _ => return None,
    }
    Some(())
}

fn max_active(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| "is not a whole number above 0".to_owned())
}

fn flag(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "is neither `true` nor `false`".to_owned())
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = hex(*high)? << 4 | hex(*low)?;
    }
    (pairs.len() == digest.len() && rest.is_empty()).then_some(digest)
}

fn peers(text: &str) -> Result<Peers, String> {
    let mut peers = Peers::default();
    for part in text.split(',').map(str::trim) {
        match part.strip_prefix("spiffe://") {
            Some(rest) => {
                let name = rest.strip_suffix('*').unwrap_or(rest);
                if name.is_empty() || name.starts_with('/') || name.contains('*') {
                    return Err(format!("names `{}`, which is not a SPIFFE ID", super::shorten(part)));
                }
                peers.principals.push(part.to_owned());
            }
            None => {
                let wrong =
                    || format!("names `{}`, which is no IP block and no SPIFFE ID", super::shorten(part));
                peers.blocks.push(check::ip::block(part).map_err(|_| wrong())?);
            }
        }
    }
    Ok(peers)
}

/// A list of keys, in order of preference.
fn keys(text: &str, sets_cookies: bool) -> Result<Vec<StickyKey>, String> {
    let mut keys = Vec::new();
    for part in text.split(',') {
        keys.push(key(part.trim(), sets_cookies)?);
    }
    let last = keys.iter().position(|key| match key {
        StickyKey::SourceAddress | StickyKey::Cookie { ttl: Some(_), .. } => true,
        StickyKey::Header(_) | StickyKey::Cookie { ttl: None, .. } | StickyKey::Claim(_) => false,
    });
    match last.and_then(|last| Some((keys.get(last)?, keys.get(last.saturating_add(1))?))) {
        Some((last, never)) => Err(format!("never gets to `{never}`: every request has `{last}`")),
        None => Ok(keys),
    }
}

fn key(text: &str, sets_cookies: bool) -> Result<StickyKey, String> {
    const FORMS: &str = "`header:NAME`, `cookie:NAME`, `claim:NAME` and `source-address`";
    if text == "source-address" {
        return Ok(StickyKey::SourceAddress);
    }
    let wrong = || format!("has `{}`: it is a list of {FORMS}", super::shorten(text));
    let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
    match kind {
        "header" => {
            check::headers::name(name).map_err(|reason| format!("has a header `{name}`, which {reason}"))?;
            Ok(StickyKey::Header(name.to_ascii_lowercase()))
        }
        "cookie" => {
            let (name, attribute) =
                name.split_once(';').map_or((name, None), |(name, ttl)| (name, Some(ttl)));
            check::headers::name(name).map_err(|reason| format!("has a cookie `{name}`, which {reason}"))?;
            let ttl = attribute.map(ttl).transpose()?;
            if ttl.is_some() && !sets_cookies {
                return Err("has a cookie with `ttl`, which is only for sticky weights".to_owned());
            }
            Ok(StickyKey::Cookie { name: name.to_owned(), ttl })
        }
        "claim" => {
            let dot = if name.starts_with('[') { "" } else { "." };
            match header_key(&format!("@request.auth.claims{dot}{name}")) {
                Ok(HeaderKey::Claim(path)) if path.iter().all(|part| !part.is_empty()) => {
                    Ok(StickyKey::Claim(path))
                }
                _ => Err(format!("has a claim `{}`, which is no path of one", super::shorten(name))),
            }
        }
        _ => Err(wrong()),
    }
}

fn ttl(attribute: &str) -> Result<Duration, String> {
    let text = attribute.trim().strip_prefix("ttl=").ok_or("can only say `;ttl=DURATION` of a cookie")?;
    let ttl = check::duration::parse(text).map_err(|reason| format!("has a ttl `{text}`, which {reason}"))?;
    if ttl.as_secs() == 0 || ttl.subsec_nanos() > 0 {
        return Err(format!("has a ttl `{text}`, which is not of whole seconds"));
    }
    Ok(ttl)
}
