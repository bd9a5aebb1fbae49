//! What a rule does.

use serde_json::{Value, json};

use super::super::random::Random;
use super::super::words;
use super::cors;
use super::destination::{destination, route};
use super::headers::headers;

/// Gives `rule` an action and what goes with it.
pub(super) fn fill(random: &mut Random, rule: &mut Value, namespace: &str) {
    match random.below(20) {
        0..=2 => rule["redirect"] = redirect(random, rule),
        3..=5 => rule["directResponse"] = direct_response(random),
        _ => forward(random, rule, namespace),
    }
    if random.chance(35) {
        // A rewrite of the authority excludes one by a header of the rule.
        let free = rule.get("route").is_some() && rule.pointer("/rewrite/authority").is_none();
        rule["headers"] = headers(random, free);
    }
    if random.chance(8) {
        rule["corsPolicy"] = cors::policy(random);
    }
    if random.chance(10) && rule.get("route").is_some() {
        rule["fault"] = fault(random);
    }
}

/// What a rule that delegates can hand down.
pub(super) fn inherited(random: &mut Random, rule: &mut Value) {
    if random.chance(15) {
        rule["rewrite"] = rewrite(random);
    }
    if random.chance(15) {
        rule["headers"] = headers(random, rule.pointer("/rewrite/authority").is_none());
    }
    if random.chance(10) {
        rule["fault"] = fault(random);
    }
    if random.chance(10) {
        rule["timeout"] = "20s".into();
    }
    if random.chance(10) {
        rule["retries"] = retries(random);
    }
}

fn forward(random: &mut Random, rule: &mut Value, namespace: &str) {
    if random.chance(30) {
        rule["rewrite"] = rewrite(random);
    }
    rule["route"] = route(random, namespace);
    if random.chance(6) {
        mirror(random, rule, namespace);
    }
    if random.chance(15) {
        rule["timeout"] = random.pick(&["5s", "20s", "7.5s", "1m"]).into();
    }
    if random.chance(15) {
        rule["retries"] = retries(random);
    }
}

/// One mirror in the old spelling, or several; their shares leave no choice.
fn mirror(random: &mut Random, rule: &mut Value, namespace: &str) {
    if random.chance(50) {
        rule["mirror"] = destination(random, namespace);
        match random.below(5) {
            0 => rule["mirrorPercentage"] = json!({"value": *random.one(&[0, 100])}),
            1 => rule["mirrorPercent"] = (*random.one(&[0, 100])).into(),
            _ => {}
        }
        return;
    }
    let mut mirrors = Vec::new();
    for _ in 0..random.between(1, 2) {
        let mut mirror = json!({"destination": destination(random, namespace)});
        if random.chance(40) {
            mirror["percentage"] = json!({"value": *random.one(&[0, 100])});
        }
        mirrors.push(mirror);
    }
    rule["mirrors"] = mirrors.into();
}

fn rewrite(random: &mut Random) -> Value {
    let mut rewrite = json!({});
    match random.below(10) {
        0..=5 => rewrite["uri"] = random.pick(words::REWRITES).into(),
        6..=8 => {
            let (pattern, replacement) = random.one(words::REGEX_REWRITES);
            rewrite["uriRegexRewrite"] = json!({"match": pattern, "rewrite": replacement});
        }
        _ => {}
    }
    if rewrite == json!({}) || random.chance(20) {
        rewrite["authority"] = random.pick(words::AUTHORITIES).into();
    }
    rewrite
}

fn redirect(random: &mut Random, rule: &Value) -> Value {
    let mut redirect = json!({});
    let uris = rule["match"].as_array().into_iter().flatten().filter_map(|entry| entry.get("uri"));
    let prefixes = uris.clone().all(|uri| uri.get("prefix").is_some());
    match random.below(10) {
        0..=3 => redirect["uri"] = random.pick(&["/new", "/", "new", "/n?x=1", "/p%2Fq", "/new/"]).into(),
        4 | 5 if prefixes => {
            redirect["prefixRewrite"] = random.pick(&["/new", "/", "/new/", "/n?x=1"]).into()
        }
        _ => {}
    }
    if random.chance(35) {
        redirect["authority"] = random.pick(words::AUTHORITIES).into();
    }
    if random.chance(30) {
        redirect["port"] = (*random.one(&[80, 443, 8080, 9999])).into();
    } else if random.chance(25) {
        redirect["derivePort"] = random.pick(&["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]).into();
    }
    if random.chance(30) {
        redirect["scheme"] = random.pick(&["http", "https"]).into();
    }
    if redirect == json!({})
        || redirect.as_object().is_some_and(|fields| fields.keys().all(|key| key == "derivePort"))
    {
        redirect["authority"] = "other.test".into();
    }
    if random.chance(50) {
        redirect["redirectCode"] = (*random.one(&[301, 302, 303, 307, 308])).into();
    }
    redirect
}

fn direct_response(random: &mut Random) -> Value {
    let mut response = json!({"status": *random.one(&[200, 200, 404, 503, 418, 204, 301, 599])});
    match random.below(4) {
        0 => {}
        1 => response["body"] = json!({"bytes": *random.one(&["aGVsbG8=", "AAH/"])}),
        _ => response["body"] = json!({"string": *random.one(&["hello", "{\"a\": 1}", "100%", "caf\u{e9}"])}),
    }
    response
}

fn retries(random: &mut Random) -> Value {
    let attempts = *random.one(&[0, 1, 2, 3]);
    let mut retries = json!({"attempts": attempts});
    if attempts == 0 {
        return retries;
    }
    if random.chance(60) {
        let on = ["5xx", "503", "gateway-error", "connect-failure", "5xx,409", "retriable-4xx", "409,503"];
        retries["retryOn"] = random.pick(&on).into();
    }
    if random.chance(40) {
        retries["perTryTimeout"] = random.pick(&["2s", "4.5s"]).into();
    }
    if random.chance(20) {
        retries["backoff"] = "5ms".into();
    }
    if random.chance(20) {
        retries["retryRemoteLocalities"] = random.chance(70).into();
    }
    if random.chance(20) {
        retries["retryIgnorePreviousHosts"] = random.chance(50).into();
    }
    retries
}

/// Percentages that leave no choice.
fn fault(random: &mut Random) -> Value {
    let percentage = |random: &mut Random| json!({"value": *random.one(&[0, 100, 100])});
    let mut fault = json!({});
    if random.chance(30) {
        fault["delay"] = json!({"fixedDelay": "5ms", "percentage": percentage(random)});
    }
    if fault == json!({}) || random.chance(60) {
        let mut abort = json!({});
        if random.chance(60) {
            abort["httpStatus"] = (*random.one(&[200, 400, 418, 500, 503, 555])).into();
        } else {
            abort["grpcStatus"] = random.pick(&["UNAVAILABLE", "OK", "NOT_FOUND", "DATA_LOSS"]).into();
        }
        if random.chance(90) {
            abort["percentage"] = percentage(random);
        }
        fault["abort"] = abort;
    }
    fault
}
