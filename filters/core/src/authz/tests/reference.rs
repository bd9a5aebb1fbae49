//! A second decision, slow and plain, written from Istio's text: every value becomes the regex or comparison that Istio
//! makes of it, every rule is walked. It shares no code with the compiled one, and reads the policy as JSON.

use regex::bytes::RegexBuilder;
use serde_json::Value;

use super::Call;

/// Whether a rule matches. Addresses and ports must be known.
pub(super) fn rule_matches(rule: &Value, call: &Call) -> bool {
    let any_of = |clause: &str, part: &str, fields: &dyn Fn(&str, &str, &Call) -> bool| {
        let Some(alternatives) = rule[clause].as_array() else { return true };
        alternatives.iter().any(|alternative| {
            alternative[part].as_object().unwrap().iter().all(|(name, values)| {
                let values: Vec<&str> =
                    values.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
                match name.strip_prefix("not") {
                    Some(rest) => {
                        let (first, rest) = rest.split_at(1);
                        let positive = format!("{}{rest}", first.to_lowercase());
                        !values.iter().any(|value| fields(&positive, value, call))
                    }
                    None => values.iter().any(|value| fields(name, value, call)),
                }
            })
        })
    };
    let list = |entry: &Value, name: &str| -> Option<Vec<String>> {
        entry[name].as_array().map(|values| values.iter().map(|v| v.as_str().unwrap().to_owned()).collect())
    };
    let when = |entry: &Value| {
        let key = entry["key"].as_str().unwrap();
        list(entry, "values").is_none_or(|values| values.iter().any(|value| condition(key, value, call)))
            && list(entry, "notValues")
                .is_none_or(|values| !values.iter().any(|value| condition(key, value, call)))
    };
    any_of("from", "source", &source)
        && any_of("to", "operation", &operation)
        && rule["when"].as_array().is_none_or(|entries| entries.iter().all(when))
}

fn source(field: &str, value: &str, call: &Call) -> bool {
    match field {
        "principals" => condition("source.principal", value, call),
        "namespaces" => condition("source.namespace", value, call),
        "serviceAccounts" => condition("source.serviceAccount", value, call),
        "trustDomains" => condition("source.trustDomain", value, call),
        "requestPrincipals" => condition("request.auth.principal", value, call),
        "ipBlocks" => condition("source.ip", value, call),
        "remoteIpBlocks" => condition("remote.ip", value, call),
        other => panic!("{other}"),
    }
}

fn operation(field: &str, value: &str, call: &Call) -> bool {
    match field {
        "hosts" => {
            let wanted = value.to_ascii_lowercase();
            lines(call, ":authority").any(|host| header_like(&wanted, &host.to_ascii_lowercase()))
        }
        "methods" => lines(call, ":method").any(|method| header_like(value, method)),
        "ports" => condition("destination.port", value, call),
        "paths" => lines(call, ":path").any(|path| {
            let path = path.split(|byte| *byte == b'?').next().unwrap();
            if value.contains("{*}") || value.contains("{**}") {
                let pchar = "-a-zA-Z0-9._~%!$&'()*+,;:@=";
                let pattern = regex::escape(value)
                    .replace(r"\{\*\*\}", &format!("[{pchar}/]*"))
                    .replace(r"\{\*\}", &format!("[{pchar}]+"));
                full_match(&pattern, path)
            } else {
                string(value, path)
            }
        }),
        other => panic!("{other}"),
    }
}

fn condition(key: &str, value: &str, call: &Call) -> bool {
    let peer = |pattern: &str| call.peer.as_ref().is_some_and(|peer| full_match(pattern, peer));
    let quoted = |text: &str| regex::escape(text);
    let inside = |address: Option<&str>| {
        let address = address.unwrap().parse::<std::net::IpAddr>().unwrap().to_canonical();
        value
            .parse::<ipnet::IpNet>()
            .unwrap_or_else(|_| value.parse::<std::net::IpAddr>().unwrap().into())
            .contains(&address)
    };
    match key {
        "source.ip" => inside(call.source),
        "remote.ip" => inside(call.remote),
        "destination.ip" => inside(call.destination.map(|(address, _)| address)),
        "destination.port" => value.parse::<u16>().unwrap() == call.destination.unwrap().1,
        "source.principal" => match (value.strip_prefix('*'), value.strip_suffix('*')) {
            (Some(""), _) => peer(".+"),
            (Some(suffix), _) => peer(&format!("spiffe://.*{}", quoted(suffix))),
            (_, Some(prefix)) => peer(&format!("spiffe://{}(?s:.*)", quoted(prefix))),
            _ => peer(&format!("spiffe://{}", quoted(value))),
        },
        "source.namespace" => peer(&format!(".*/ns/{}/.*", quoted(value).replace(r"\*", ".*"))),
        "source.serviceAccount" => {
            let (namespace, account) = value.split_once('/').unwrap_or(("default", value));
            peer(&format!("spiffe://.+/ns/{}/(.+/|)sa/{}(/.+)?", quoted(namespace), quoted(account)))
        }
        "source.trustDomain" => peer(&format!("spiffe://{}/.*", quoted(value).replace(r"\*", "[^/]*"))),
        "request.auth.principal" => {
            let claims = call.claims.as_ref();
            let claim = |name: &str, pattern: &str| {
                let text = claims.and_then(|claims| claims[name].as_str());
                text.is_some_and(|text| string(pattern, text.as_bytes()))
            };
            // What stands before or after the star of one side is exact on the other.
            let (issuer, subject) = match (value, value.rsplit_once('/')) {
                ("*", _) => ("*", "*"),
                (_, Some(pair)) => pair,
                (_, None) if value.starts_with('*') => ("*", value),
                (_, None) if value.ends_with('*') => (value, "*"),
                (_, None) => (value, ""),
            };
            claim("iss", issuer) && claim("sub", subject)
        }
        "connection.sni" => string(value, call.sni.as_deref().unwrap_or_default()),
        "request.auth.audiences" => claim(call, &["aud"], value),
        "request.auth.presenter" => claim(call, &["azp"], value),
        _ => {
            if let Some(name) = key.strip_prefix("request.headers[") {
                let name = name.trim_end_matches(']').to_lowercase();
                lines(call, &name).any(|line| header_like(value, line))
            } else {
                let path = key.strip_prefix("request.auth.claims[").unwrap().trim_end_matches(']');
                claim(call, &path.split("][").collect::<Vec<_>>(), value)
            }
        }
    }
}

fn lines<'c>(call: &'c Call, name: &str) -> impl Iterator<Item = &'c [u8]> {
    call.lines.iter().filter(move |(known, _)| known == name.as_bytes()).map(|(_, value)| value.as_slice())
}

fn claim(call: &Call, path: &[&str], value: &str) -> bool {
    let found = path.iter().try_fold(call.claims.as_ref(), |at, key| Some(at?.get(key)));
    match found.flatten() {
        Some(Value::String(text)) => string(value, text.as_bytes()),
        Some(Value::Array(items)) => {
            items.iter().any(|item| item.as_str().is_some_and(|text| string(value, text.as_bytes())))
        }
        _ => false,
    }
}

/// `*` of a header: present.
fn header_like(pattern: &str, value: &[u8]) -> bool {
    pattern == "*" || string(pattern, value)
}

fn string(pattern: &str, value: &[u8]) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => full_match(".+", value),
        (Some(suffix), _) => value.ends_with(suffix.as_bytes()),
        (_, Some(prefix)) => value.starts_with(prefix.as_bytes()),
        _ => value == pattern.as_bytes(),
    }
}

fn full_match(pattern: &str, value: &[u8]) -> bool {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).unicode(false).build().unwrap().is_match(value)
}
