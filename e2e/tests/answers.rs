//! Redirects, direct responses and header changes beside Envoy's own: every header of every answer, and what the service
//! saw.

use outrigger_e2e::beside::{Answer, Beside};
use outrigger_e2e::launch::Local;
use serde_json::{Map, Value, json};

const FAULT: &str = "envoy.filters.http.fault";

/// A rule of ours and Envoy's route, both at a path of their own.
#[derive(Default)]
struct Rules {
    http: Vec<Value>,
    routes: Vec<Value>,
    paths: Vec<String>,
}

impl Rules {
    /// `route` as istiod writes it for `rule`, without the match; returns nothing but remembers the path.
    fn push(&mut self, name: &str, mut rule: Value, mut route: Value) {
        let path = format!("/{name}");
        rule["match"] = json!([{"uri": {"prefix": path}}]);
        route["match"] = json!({"prefix": path});
        self.http.push(rule);
        self.routes.push(route);
        self.paths.push(path);
    }

    fn redirect(&mut self, redirect: &Value) {
        let name = format!("redirect{}", self.paths.len());
        let mut native = Map::new();
        for (field, value) in redirect.as_object().unwrap() {
            let (field, value) = match field.as_str() {
                "uri" => ("path_redirect", value.clone()),
                "prefixRewrite" => ("prefix_rewrite", value.clone()),
                "authority" => ("host_redirect", value.clone()),
                "scheme" => ("scheme_redirect", value.clone()),
                "redirectCode" => ("response_code", code(value)),
                "port" => ("port_redirect", value.clone()),
                // The Gateway's port.
                "derivePort" if value == "FROM_REQUEST_PORT" => ("port_redirect", json!(80)),
                "derivePort" => continue,
                other => panic!("{other}"),
            };
            native.insert(field.to_owned(), value);
        }
        // Istio leaves out a port that is the scheme's own.
        let scheme = redirect["scheme"].as_str().unwrap_or("http");
        let port = native.get("port_redirect").and_then(Value::as_u64);
        if matches!((scheme, port), ("http", Some(80)) | ("https", Some(443))) {
            native.remove("port_redirect");
        }
        self.push(&name, json!({"redirect": redirect}), json!({"redirect": native}));
    }

    fn direct(&mut self, status: u16, body: &Value, headers: &Value) {
        let name = format!("direct{}", self.paths.len());
        let native = match (body["string"].as_str(), body["bytes"].as_str()) {
            (Some(text), _) => json!({"inline_string": text}),
            (_, Some(base64)) => json!({"inline_bytes": base64}),
            _ => Value::Null,
        };
        let mut rule = json!({"directResponse": {"status": status}, "headers": {"response": headers}});
        let mut route = changes("response", headers);
        route["direct_response"] = json!({"status": status});
        if !native.is_null() {
            rule["directResponse"]["body"] = body.clone();
            route["direct_response"]["body"] = native;
        }
        self.push(&name, rule, route);
    }

    /// Requests to httpbin's echo with these header changes of the rule and its only destination.
    fn headers(&mut self, rule: &Value, destination: &Value) {
        let name = format!("headers{}", self.paths.len());
        let to = json!([{"destination": {"host": "httpbin"}, "headers": destination}]);
        let ours = json!({"route": to, "rewrite": {"uri": "/anything"}, "headers": rule});
        let mut route =
            json!({"route": {"cluster": "httpbin", "prefix_rewrite": "/anything", "timeout": "0s"}});
        for way in ["request", "response"] {
            // Istio appends the destination's list to the rule's.
            for list in [&rule[way], &destination[way]] {
                for (field, value) in changes(way, list).as_object().unwrap() {
                    let all = route[field].as_array().cloned().unwrap_or_default();
                    let more = value.as_array().cloned().unwrap_or_default();
                    route[field] = all.into_iter().chain(more).collect();
                }
            }
            // All that is set comes before all that is added.
            if let Some(all) = route[format!("{way}_headers_to_add")].as_array_mut() {
                all.sort_by_key(|header| header["append_action"] == "APPEND_IF_EXISTS_OR_ADD");
            }
        }
        self.push(&name, ours, route);
    }

    /// The same with two destinations, which have lists of their own in Envoy.
    fn headers_of_two(&mut self, rule: &Value, destination: &Value) {
        let name = format!("two{}", self.paths.len());
        let to = json!({"destination": {"host": "httpbin"}, "weight": 50, "headers": destination});
        let ours = json!({"route": [to, to], "rewrite": {"uri": "/anything"}, "headers": rule});
        let merged = |headers: &Value| {
            let mut both = changes("request", &headers["request"]);
            for (field, value) in changes("response", &headers["response"]).as_object().unwrap() {
                both[field] = value.clone();
            }
            both
        };
        let mut cluster = merged(destination);
        cluster["name"] = "httpbin".into();
        cluster["weight"] = 50.into();
        let mut route = merged(rule);
        route["route"] = json!({
            "weighted_clusters": {"clusters": [cluster, cluster]}, "prefix_rewrite": "/anything", "timeout": "0s",
        });
        self.push(&name, ours, route);
    }
}

fn code(value: &Value) -> Value {
    match value.as_u64().unwrap() {
        301 => "MOVED_PERMANENTLY",
        302 => "FOUND",
        303 => "SEE_OTHER",
        307 => "TEMPORARY_REDIRECT",
        _ => "PERMANENT_REDIRECT",
    }
    .into()
}

/// Istio's `set`, `add` and `remove` as Envoy's lists; `way` is `request` or `response`.
fn changes(way: &str, list: &Value) -> Value {
    let mut all = Vec::new();
    for (field, action) in [("set", "OVERWRITE_IF_EXISTS_OR_ADD"), ("add", "APPEND_IF_EXISTS_OR_ADD")] {
        for (key, value) in list[field].as_object().into_iter().flatten() {
            all.push(json!({"header": {"key": key, "value": value}, "append_action": action}));
        }
    }
    let mut changes = json!({});
    if !all.is_empty() {
        changes[format!("{way}_headers_to_add")] = all.into();
    }
    if let Some(remove) = list["remove"].as_array() {
        changes[format!("{way}_headers_to_remove")] = remove.clone().into();
    }
    changes
}

/// Operators whose values do not depend on the connection's number or port.
const OPERATORS: &[&str] = &[
    "%PROTOCOL%",
    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
    "%DOWNSTREAM_TLS_VERSION%",
    "%DOWNSTREAM_PEER_URI_SAN%",
    "%DOWNSTREAM_PEER_SUBJECT%",
    "%REQUESTED_SERVER_NAME%",
    "%REQ(x-a)%",
    "%REQ(x-a?x-b)%",
    "%REQ(x-none?x-a):2%",
    "%REQ(x-gone)%",
    "%REQ(x-rep)%",
    "%REQ(:path)%",
    "%REQ(:authority)%",
    "%REQ(host)%",
    "%REQ(:method)%",
    "%REQ(x-set)%",
    "%REQ(x-envoy-original-path?:path)%",
    "%RESP(content-type)%",
    "%RESP(:status)%",
    "%RESP(x-none)%",
    "%RESP(content-length?x-a):1%",
    "%RESP(x-set)%",
    "%RESPONSE_CODE%",
    "%RESPONSE_CODE_DETAILS%",
    "%RESPONSE_FLAGS%",
    "%UPSTREAM_HOST%",
    "%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%",
    "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "%UPSTREAM_TLS_VERSION%",
    "%PATH%",
    "%PATH(NQ)%",
    "%PATH(NQ:PATH)%",
    "%PATH(WQ:ORIG)%",
    "%QUERY_PARAM(q)%",
    "%QUERY_PARAM(q):3%",
    "%QUERY_PARAM(none)%",
    "%QUERY_PARAMS%",
    "%START_TIME(%Y-%m)%",
    "a %REQ(x-none)% b %% %PROTOCOL%",
    "100%%",
];

/// A change for every operator.
fn every_operator() -> Value {
    let headers = OPERATORS.iter().enumerate().map(|(at, value)| (format!("x-op-{at:02}"), json!(value)));
    let mut set: Map<String, Value> = headers.collect();
    set.insert("x-set".into(), "new".into());
    json!({"set": set, "remove": ["x-gone"]})
}

fn rules() -> Rules {
    let mut rules = Rules::default();
    for redirect in [
        json!({"uri": "/new"}),
        json!({"uri": "new"}),
        json!({"uri": "/new?own=1"}),
        json!({"prefixRewrite": "/new"}),
        json!({"prefixRewrite": "/"}),
        json!({"authority": "b.example"}),
        json!({"authority": "b.example:99"}),
        json!({"uri": "/x", "authority": "b.example", "scheme": "https", "port": 8443, "redirectCode": 308}),
        json!({"scheme": "https"}),
        json!({"scheme": "https", "redirectCode": 302}),
        json!({"scheme": "https", "port": 443, "redirectCode": 303}),
        json!({"scheme": "https", "derivePort": "FROM_REQUEST_PORT"}),
        json!({"scheme": "http", "derivePort": "FROM_REQUEST_PORT"}),
        json!({"uri": "/x", "derivePort": "FROM_PROTOCOL_DEFAULT", "redirectCode": 307}),
        json!({"port": 8080}),
        json!({"port": 80}),
        json!({"port": 443}),
    ] {
        rules.redirect(&redirect);
    }
    let nothing = json!({});
    for (status, body, headers) in [
        (200, json!({"string": "hello"}), nothing.clone()),
        (200, nothing.clone(), nothing.clone()),
        (204, nothing.clone(), nothing.clone()),
        (404, json!({"string": "{\"a\": 1}"}), json!({"set": {"content-type": "application/json"}})),
        (418, json!({"bytes": "AP8KDQo="}), json!({"set": {"content-type": "application/octet-stream"}})),
        (
            503,
            json!({"string": "é"}),
            json!({"add": {"x-a": "1"}, "remove": ["content-type", "content-length"]}),
        ),
        (
            201,
            json!({"string": "x"}),
            json!({"add": {"content-type": "a/b"}, "set": {"server": "me", "date": "now"}}),
        ),
        (200, json!({"string": "x"}), every_operator()),
    ] {
        rules.direct(status, &body, &headers);
    }
    for (rule, destination) in [
        (nothing.clone(), nothing.clone()),
        (
            json!({
                "request": {"set": {"x-a": "rule", "x-n": "1"}, "add": {"x-b": "rule"}, "remove": ["x-gone"]},
                "response": {"set": {"content-type": "a/b"}, "add": {"x-c": "rule"}, "remove": ["date"]},
            }),
            json!({
                "request": {"set": {"x-a": "own"}, "add": {"x-b": "own", "x-a": "more"}, "remove": ["x-n"]},
                "response": {"set": {"x-c": "own"}, "add": {"x-c": "more"}},
            }),
        ),
        (
            json!({"request": {"set": {"x-a": ""}, "add": {"x-b": ""}}, "response": {"set": {"content-type": ""}}}),
            nothing.clone(),
        ),
        (json!({"request": every_operator(), "response": every_operator()}), nothing.clone()),
        (
            json!({"request": {"add": {"x-a": "%REQ(x-a)%", "x-b": "%REQ(x-none)%"}}}),
            json!({"request": {"set": {"x-d": "%REQ(x-b)%"}}, "response": {"add": {"x-e": "%RESP(content-type)%"}}}),
        ),
    ] {
        rules.headers(&rule, &destination);
        rules.headers_of_two(&rule, &destination);
    }
    let refused = json!({"route": {"cluster": "dead", "timeout": "0s"}});
    let mut dead = changes("response", &every_operator());
    dead["route"] = refused["route"].clone();
    let to = |host: &str| json!([{"destination": {"host": host}}]);
    let headers = json!({"response": every_operator()});
    rules.push(
        "dead",
        json!({"route": to("dead.example"), "retries": {"attempts": 0}, "headers": headers}),
        dead,
    );
    let mut abort = changes("response", &every_operator());
    abort["route"] = json!({"cluster": "httpbin"});
    abort["typed_per_filter_config"][FAULT] = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 418, "percentage": {"numerator": 100, "denominator": "HUNDRED"}},
    });
    let fault = json!({"abort": {"httpStatus": 418, "percentage": {"value": 100}}});
    rules.push("abort", json!({"route": to("httpbin"), "fault": fault, "headers": headers}), abort);
    rules
}

/// What the service echoes, without what the two ways do not share: the id of a request.
fn comparable(mut answer: Answer) -> Answer {
    if let Ok(mut body) = serde_json::from_str::<Value>(&answer.body)
        && let Some(headers) = body["headers"].as_object_mut()
    {
        headers.remove("x-request-id");
        answer.body = body.to_string();
        answer.headers.retain(|(name, _)| name != "content-length");
    }
    answer
}

#[test]
fn every_answer_is_envoys_own() {
    let filter = json!({
        "name": FAULT,
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"},
    });
    let local = Local::start().unwrap();
    let rules = rules();
    let both = Beside::start(&local, &rules.http.into(), &[filter], &rules.routes.into()).unwrap();
    let sent =
        [("x-a", "hello"), ("x-b", "b"), ("x-rep", "1"), ("x-rep", "2"), ("x-gone", "1"), ("x-set", "old")];
    let hosts = ["a.example", "a.example:80", "a.example:443", "a.example:8080", "[::1]:80"];
    let (mut different, mut count) = (Vec::new(), 0);
    for path in &rules.paths {
        for (method, rest) in [("GET", ""), ("HEAD", "/x"), ("POST", "/x/y?q=a%20bcd&x=/"), ("GET", "?")] {
            for host in hosts {
                let mut headers = sent.to_vec();
                headers.push(("host", host));
                if method == "POST" {
                    headers.push(("content-length", "0"));
                }
                let target = format!("{path}{rest}");
                let (ours, native) = both.ask(method, &target, &headers).unwrap();
                let (ours, native) = (comparable(ours), comparable(native));
                count += 1;
                if ours != native {
                    different.push(format!("{method} {host} {target}\n ours {ours:?}\nenvoy {native:?}"));
                }
            }
        }
    }
    assert!(different.is_empty(), "{} of {count} differ:\n{}", different.len(), different.join("\n\n"));
    assert!(count >= 700, "{count} requests");
}
