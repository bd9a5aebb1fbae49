//! corsPolicy beside Envoy's own CORS filter: every header of every answer.

use outrigger_e2e::beside::Beside;
use outrigger_e2e::launch::Local;
use serde_json::{Value, json};

const CORS: &str = "envoy.filters.http.cors";

/// Policies as Istio writes them; the number is the path they stand at.
fn policies() -> Vec<Value> {
    let origins =
        json!([{"exact": "https://a.com"}, {"prefix": "https://b."}, {"regex": r"https://[a-z]+\.c\.com"}]);
    vec![
        json!({}),
        json!({"allowOrigins": origins}),
        json!({
            "allowOrigins": origins, "allowMethods": ["GET", "POST"], "allowHeaders": ["x-a", "X-B"],
            "exposeHeaders": ["x-c", "x-d"], "maxAge": "86400s", "allowCredentials": true,
        }),
        json!({
            "allowOrigins": origins, "allowMethods": ["GET"], "maxAge": "1s", "allowCredentials": true,
            "unmatchedPreflights": "IGNORE",
        }),
        json!({"allowOrigins": [{"exact": "*"}], "allowMethods": ["*"], "allowHeaders": ["*"], "exposeHeaders": ["*"]}),
        json!({
            "allowOrigins": [{"regex": ".*"}], "allowMethods": ["*", "GET"], "allowHeaders": ["*", "x-a"],
            "allowCredentials": false, "unmatchedPreflights": "FORWARD",
        }),
        json!({"allowOrigin": ["https://a.com", "null"], "allowCredentials": true, "exposeHeaders": ["x-c"]}),
    ]
}

/// The policy as istiod hands it to Envoy.
fn native(policy: &Value) -> Value {
    let list = |field: &str| policy[field].as_array().cloned().unwrap_or_default();
    let joined = |field: &str| list(field).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let matcher = |origin: &Value| match origin.get("regex") {
        Some(regex) => json!({"safe_regex": {"regex": regex}}),
        None => origin.clone(),
    };
    let old = list("allowOrigin").into_iter().map(|origin| json!({"exact": origin}));
    let origins: Vec<_> = list("allowOrigins").iter().map(matcher).chain(old).collect();
    let mut config = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": origins,
        "allow_methods": joined("allowMethods"),
        "allow_headers": joined("allowHeaders"),
        "expose_headers": joined("exposeHeaders"),
        "filter_enabled": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
    });
    if let Some(age) = policy["maxAge"].as_str() {
        config["max_age"] = age.trim_end_matches('s').into();
    }
    if let Some(credentials) = policy.get("allowCredentials") {
        config["allow_credentials"] = credentials.clone();
    }
    match policy["unmatchedPreflights"].as_str() {
        Some("IGNORE") => config["forward_not_matching_preflights"] = false.into(),
        Some("FORWARD") => config["forward_not_matching_preflights"] = true.into(),
        _ => {}
    }
    config
}

/// Our rules and Envoy's routes: for each policy one that forwards, then those that end otherwise.
fn rules() -> (Value, Value) {
    let (mut http, mut routes) = (Vec::new(), Vec::new());
    let mut push = |path: &str, mut rule: Value, mut route: Value, policy: &Value| {
        rule["match"] = json!([{"uri": {"prefix": path}}]);
        rule["corsPolicy"] = policy.clone();
        route["match"] = json!({"prefix": path});
        route["typed_per_filter_config"][CORS] = native(policy);
        http.push(rule);
        routes.push(route);
    };
    let to = |host: &str| json!([{"destination": {"host": host}}]);
    let set = json!({"response": {"set": {"access-control-allow-origin": "of the rule", "x-rule": "1"}}});
    let add = json!([
        {"header": {"key": "access-control-allow-origin", "value": "of the rule"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"},
        {"header": {"key": "x-rule", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"},
    ]);
    for (index, policy) in policies().iter().enumerate() {
        push(
            &format!("/{index}/"),
            json!({"route": to("httpbin"), "rewrite": {"uri": "/status/"}, "headers": set}),
            json!({
                "route": {"cluster": "httpbin", "prefix_rewrite": "/status/", "timeout": "0s"},
                "response_headers_to_add": add,
            }),
            policy,
        );
    }
    let policy = &policies()[2];
    push(
        "/dead",
        json!({"route": to("dead.example"), "retries": {"attempts": 0}}),
        json!({"route": {"cluster": "dead"}}),
        policy,
    );
    push(
        "/redirect",
        json!({"redirect": {"uri": "/x"}, "headers": set}),
        json!({"redirect": {"path_redirect": "/x"}, "response_headers_to_add": add}),
        policy,
    );
    push(
        "/direct",
        json!({"directResponse": {"status": 201, "body": {"string": "hi"}}}),
        json!({"direct_response": {"status": 201, "body": {"inline_string": "hi"}}}),
        policy,
    );
    push(
        "/abort",
        json!({
            "route": to("httpbin"), "headers": set,
            "fault": {"abort": {"httpStatus": 418, "percentage": {"value": 100}}},
        }),
        json!({
            "route": {"cluster": "httpbin"}, "response_headers_to_add": add,
            "typed_per_filter_config": {"envoy.filters.http.fault": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
                "abort": {"http_status": 418, "percentage": {"numerator": 100, "denominator": "HUNDRED"}},
            }},
        }),
        policy,
    );
    (http.into(), routes.into())
}

#[test]
fn every_answer_has_the_headers_of_envoys_own_filter() {
    let filter = |name: &str, kind: &str| {
        let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}");
        json!({"name": name, "typed_config": {"@type": kind}})
    };
    let filters = [filter("envoy.filters.http.fault", "fault.v3.HTTPFault"), filter(CORS, "cors.v3.Cors")];
    let local = Local::start().unwrap();
    let (http, routes) = rules();
    let both = Beside::start(&local, &http, &filters, &routes).unwrap();
    let asks = ("access-control-request-method", "PUT");
    let wants = ("access-control-request-headers", "x-a, x-z");
    let origin = |value| ("origin", value);
    let mut requests: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("GET", vec![]),
        ("OPTIONS", vec![asks]),
        ("OPTIONS", vec![origin(""), asks]),
        ("HEAD", vec![origin("https://a.com")]),
        ("POST", vec![origin("https://b.com"), ("content-length", "0")]),
        ("OPTIONS", vec![origin("https://a.com"), ("access-control-request-method", "")]),
        ("OPTIONS", vec![origin("https://a.com"), asks, ("access-control-request-private-network", "true")]),
        ("OPTIONS", vec![origin("https://a.com"), origin("https://b.com"), asks]),
    ];
    let origins =
        ["https://a.com", "https://b.example", "https://ab.c.com", "https://ab.c.com.evil", "null", "*"];
    for value in origins {
        requests.push(("GET", vec![origin(value)]));
        requests.push(("OPTIONS", vec![origin(value), asks, wants]));
    }
    let paths = (0..policies().len()).flat_map(|index| [format!("/{index}/200"), format!("/{index}/404")]);
    let (mut different, mut count, mut preflights) = (Vec::new(), 0, 0);
    for path in paths.chain(["/dead", "/redirect", "/direct", "/abort"].map(str::to_owned)) {
        for (method, headers) in &requests {
            let (ours, native) = both.ask(method, &path, headers).unwrap();
            count += 1;
            preflights +=
                u32::from(native.headers.iter().any(|(name, _)| name == "access-control-allow-methods"));
            if ours != native {
                different.push(format!("{method} {path} {headers:?}\n ours {ours:?}\nenvoy {native:?}"));
            }
        }
    }
    assert!(different.is_empty(), "{} of {count} differ:\n{}", different.len(), different.join("\n\n"));
    assert!(count >= 300 && preflights >= 30, "{count} requests, {preflights} answered preflights");
}
