//! The same asked by our filters themselves, as in an Envoy of one's own: it has no `ext_authz`, and its configuration
//! was not rendered.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::ports::free_port;
use serde_json::{Value, json};

use super::http_server::{Answer, Server};

/// An Envoy with one of our modules, which answers what it lets through with 200. It ends with this value.
struct Envoy {
    child: Child,
    port: u16,
    admin: Client,
    folder: tempfile::TempDir,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a request: status, body, and the headers that a service would have seen or the client sees.
type Seen = (u16, String, Vec<(String, String)>);

impl Envoy {
    fn start(module: &str, provider: &Value, policies: &Value) -> Self {
        let mut envoy = Self::spawn(module, provider, policies);
        let started = Instant::now();
        while !envoy.is_ready() {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", envoy.log());
            assert!(envoy.child.try_wait().unwrap().is_none(), "{}", envoy.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        envoy
    }

    fn spawn(module: &str, provider: &Value, policies: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, admin) = (free_port().unwrap(), free_port().unwrap());
        let modules: PathBuf = std::env::var_os("OUTRIGGER_MODULES").expect("set by ./makew").into();
        let config = json!({
            "proxy": {"role": "sidecar", "direction": "inbound", "namespace": "default"},
            "extensionProviders": [provider],
            "resources": policies,
            "decisionRecord": {"responseHeader": "x-decision"},
        });
        let filter = json!({
            "name": "authz",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {
                    "vm_config": {
                        "runtime": "envoy.wasm.runtime.v8",
                        "code": {"local": {"filename": modules.canonicalize().unwrap().join(module)}},
                    },
                    "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string()},
                },
            },
        });
        let bootstrap = bootstrap(port, admin, &filter, provider);
        let file = folder.path().join("envoy.json");
        std::fs::write(&file, bootstrap.to_string()).unwrap();
        let child = Command::new(std::env::var_os("ENVOY_BIN").expect("set by ./makew"))
            .args(["--concurrency", "2", "--disable-hot-restart", "--log-level", "warning", "--config-path"])
            .arg(&file)
            .arg("--log-path")
            .arg(folder.path().join("envoy.log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port, admin: Client::new(format!("127.0.0.1:{admin}")), folder }
    }

    fn is_ready(&self) -> bool {
        self.admin.request("GET", "admin", "/ready", &[]).is_ok_and(|answer| answer.status == Some(200))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("envoy.log")).unwrap_or_default()
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Seen {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        let agent: ureq::Agent = config.build().into();
        let uri = format!("http://127.0.0.1:{}{path}", self.port);
        let mut request =
            ureq::http::Request::builder().method(method).uri(uri).header("host", "shop.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = agent.run(request.body(()).unwrap()).unwrap();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let lines = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap(), lines)
    }

    fn stat(&self, name: &str) -> u64 {
        let path = format!("/stats?filter={name}");
        let text = self.admin.request("GET", "admin", &path, &[]).unwrap().body;
        text.lines().filter_map(|line| line.rsplit_once(": ")?.1.trim().parse::<u64>().ok()).sum()
    }
}

fn header<'s>(seen: &'s Seen, name: &str) -> Option<&'s str> {
    seen.2.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// What is let through is answered with the header `x-user` that a service would get.
fn bootstrap(port: u16, admin: u16, filter: &Value, provider: &Value) -> Value {
    let server = provider.pointer("/envoyExtAuthzHttp/port").and_then(Value::as_u64).unwrap_or(1);
    let address = |port: u64| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let seen =
        |name: &str| json!({"header": {"key": format!("x-seen-{name}"), "value": format!("%REQ({name})%")}});
    let headers = ["x-user", "authorization", "x-envoy-auth-headers-to-remove"].map(seen);
    let own = json!({"header": {"key": "set-cookie", "value": "own=1"}});
    let headers: Vec<_> = headers.into_iter().chain([own]).collect();
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "http_filters": [filter, router],
        "route_config": {"virtual_hosts": [{
            "name": "any",
            "domains": ["*"],
            "routes": [{
                "match": {"prefix": "/"},
                "direct_response": {"status": 200, "body": {"inline_string": "through"}},
                "response_headers_to_add": headers,
            }],
        }]},
    });
    let network = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    let cluster = format!("outbound|{server}||authz.example");
    let endpoint = json!({"endpoint": {"address": address(server)}});
    json!({
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": address(admin.into())},
        "static_resources": {
            "listeners": [{"name": "in", "address": address(port.into()), "filter_chains": [{"filters": [network]}]}],
            "clusters": [{
                "name": cluster,
                "type": "STATIC",
                "load_assignment": {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [endpoint]}]},
            }],
        },
    })
}

fn provider(port: u16, more: &Value) -> Value {
    let mut http = json!({"service": "authz.example", "port": port, "timeout": "0.4s"});
    for (name, value) in more.as_object().unwrap() {
        http[name] = value.clone();
    }
    json!({"name": "web", "envoyExtAuthzHttp": http})
}

fn policy(name: &str, annotations: &Value, spec: &Value) -> Value {
    json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": spec,
    })
}

fn ask(dry_run: bool) -> Value {
    let annotations = if dry_run { json!({"outrigger.io/dry-run": "true"}) } else { json!({}) };
    let to = json!([{"operation": {"paths": ["/asked*"]}}]);
    policy(
        "ask",
        &annotations,
        &json!({"action": "CUSTOM", "provider": {"name": "web"}, "rules": [{"to": to}]}),
    )
}

fn deny_eve() -> Value {
    let when = json!([{"key": "request.headers[x-user]", "values": ["eve"]}]);
    policy("eve", &json!({}), &json!({"action": "DENY", "rules": [{"when": when}]}))
}

#[test]
fn a_filter_asks_and_does_what_it_is_told() {
    let lists = json!({
        "pathPrefix": "/check",
        "includeRequestHeadersInCheck": ["x-id"],
        "includeAdditionalHeadersInCheck": {"x-by": "outrigger"},
        "headersToUpstreamOnAllow": ["x-user"],
        "headersToDownstreamOnDeny": ["x-why"],
    });
    for module in ["outrigger_authz.wasm", "outrigger.wasm"] {
        let server = Server::start();
        let envoy = Envoy::start(module, &provider(server.port, &lists), &json!([ask(false), deny_eve()]));
        assert_eq!(envoy.send("GET", "/open", &[]).0, 200);
        assert!(server.asked().is_none(), "{module}");

        server.tell(Answer::Say(200, &["x-user: ann", "x-other: o"], ""));
        let headers = [("x-id", "1"), ("x-user", "client"), ("x-secret", "s"), ("authorization", "Bearer t")];
        let allowed = envoy.send("POST", "/asked?a=b", &headers);
        assert_eq!((allowed.0, allowed.1.as_str()), (200, "through"), "{module}: {}", envoy.log());
        assert_eq!(header(&allowed, "x-seen-x-user"), Some("ann"), "in place of the client's");
        let asked = server.asked().unwrap();
        assert_eq!(asked.line, "POST /check/asked?a=b HTTP/1.1");
        for (name, value) in [
            ("host", Some("shop.example")),
            ("x-id", Some("1")),
            ("x-by", Some("outrigger")),
            ("authorization", Some("Bearer t")),
            ("x-secret", None),
            ("x-user", None),
        ] {
            assert_eq!(asked.header(name).as_deref(), value, "{module}: {name}");
        }

        server.tell(Answer::Say(401, &["x-why: no token", "x-secret: s", "location: /login"], "who are you"));
        let denied = envoy.send("GET", "/asked", &[]);
        assert_eq!((denied.0, denied.1.as_str()), (401, "who are you"));
        assert_eq!(header(&denied, "x-why"), Some("no token"));
        assert_eq!((header(&denied, "location"), header(&denied, "x-secret")), (Some("/login"), None));
        assert_eq!(header(&denied, "x-decision"), Some("denied CUSTOM default/ask[0]"));
        assert_eq!(envoy.stat("outrigger_authz_denied.*default/ask"), 1, "{module}");

        // The rules see what the server has made of the request.
        server.tell(Answer::Say(200, &["x-user: eve"], ""));
        let denied = envoy.send("GET", "/asked", &[]);
        assert_eq!((denied.0, header(&denied, "x-decision")), (403, Some("denied DENY default/eve[0]")));
    }
}

#[test]
fn an_answer_is_taken_as_by_envoys_own_filter() {
    let lists = json!({
        "includeRequestHeadersInCheck": ["x-id", "cookie"],
        "headersToUpstreamOnAllow": ["x-*"],
        "headersToDownstreamOnAllow": ["set-cookie", "x-*"],
    });
    let server = Server::start();
    let envoy = Envoy::start("outrigger.wasm", &provider(server.port, &lists), &json!([ask(false)]));
    const TAKEN: &str = "x-envoy-auth-headers-to-remove: Authorization, x-user,,:path , host";
    server.tell(Answer::Say(200, &[TAKEN, "x-user: ann", "set-cookie: a=1", "set-cookie: b=2"], ""));
    let headers =
        [("authorization", "Bearer t"), ("x-id", "1"), ("cookie", "c=1"), ("x-id", "2"), ("cookie", "d=2")];
    let seen = envoy.send("GET", "/asked", &headers);
    assert_eq!((seen.0, seen.1.as_str()), (200, "through"), "{}", envoy.log());
    for name in ["authorization", "x-user", "x-envoy-auth-headers-to-remove"] {
        assert_eq!(header(&seen, &format!("x-seen-{name}")), None, "{name} has gone");
    }
    assert_eq!(header(&seen, "x-envoy-auth-headers-to-remove"), None);
    let mut cookies: Vec<_> =
        seen.2.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str()).collect();
    cookies.sort_unstable();
    assert_eq!(cookies, ["a=1", "b=2", "own=1"]);
    let asked = server.asked().unwrap();
    let lines = |name: &str| asked.headers.iter().filter(|(known, _)| known == name).count();
    assert_eq!((lines("x-id"), lines("cookie")), (1, 1));
    assert_eq!(
        (asked.header("x-id").as_deref(), asked.header("cookie").as_deref()),
        (Some("1,2"), Some("c=1,d=2"))
    );

    server.tell(Answer::Say(600, &["x-envoy-auth-headers-to-remove: x-id", "x-why: odd"], "odd"));
    let seen = envoy.send("GET", "/asked", &[]);
    assert_eq!(
        (seen.0, seen.1.as_str(), header(&seen, "x-why")),
        (600, "odd", Some("odd")),
        "{}",
        envoy.log()
    );
    assert_eq!(header(&seen, "x-envoy-auth-headers-to-remove"), None);
}

#[test]
fn a_server_that_is_tried_out_is_asked_besides_another() {
    let server = Server::start();
    let mut tried = ask(true);
    tried["metadata"]["name"] = "tried".into();
    for module in ["outrigger_authz.wasm", "outrigger.wasm"] {
        let envoy = Envoy::start(module, &provider(server.port, &json!({})), &json!([ask(false), tried]));
        let told = |name: &str| envoy.stat(&format!("{name}.*default/tried"));
        server.tell(Answer::Say(200, &[], ""));
        assert_eq!(envoy.send("GET", "/asked", &[]).0, 200, "{}", envoy.log());
        server.tell(Answer::Say(401, &[], "no"));
        assert_eq!(envoy.send("GET", "/asked", &[]).0, 401, "{}", envoy.log());
        let started = Instant::now();
        while told("outrigger_authz_dry_run_disagreements") == 0 {
            assert!(started.elapsed() < Duration::from_secs(10), "{}", envoy.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(told("outrigger_authz_denied"), 0);
        let asked = std::iter::from_fn(|| server.asked()).count();
        assert_eq!(asked, 4, "{module}: each request twice");
    }
}

#[test]
fn a_policy_for_another_workload_is_told_of() {
    let mut stray = deny_eve();
    stray["metadata"]["namespace"] = "elsewhere".into();
    let mut without = deny_eve();
    without["metadata"].as_object_mut().unwrap().remove("namespace");
    let envoy = Envoy::start("outrigger_authz.wasm", &provider(1, &json!({})), &json!([stray, without]));
    assert_eq!(envoy.send("GET", "/", &[("x-user", "eve")]).0, 403);
    assert!(envoy.log().contains("elsewhere/eve is not for this proxy"), "{}", envoy.log());
    assert!(!envoy.log().contains("default/eve is not"), "{}", envoy.log());
}

#[test]
fn without_an_answer_a_filter_refuses_unless_told_otherwise() {
    let server = Server::start();
    let closed =
        Envoy::start("outrigger_authz.wasm", &provider(server.port, &json!({})), &json!([ask(false)]));
    let status = json!({"statusOnError": "503"});
    let other = Envoy::start("outrigger_authz.wasm", &provider(server.port, &status), &json!([ask(false)]));
    let open = json!({"failOpen": true});
    let open = Envoy::start("outrigger_authz.wasm", &provider(server.port, &open), &json!([ask(false)]));
    for answer in
        [Answer::Hang, Answer::Close, Answer::Say(500, &[], "broken"), Answer::Say(503, &[], "busy")]
    {
        server.tell(answer.clone());
        assert_eq!(closed.send("GET", "/asked", &[]).0, 403, "{answer:?}");
        assert_eq!(other.send("GET", "/asked", &[]).0, 503, "{answer:?}");
        assert_eq!(open.send("GET", "/asked", &[]).0, 200, "{answer:?}");
    }
    server.tell(Answer::Say(403, &[], "no"));
    assert_eq!(open.send("GET", "/asked", &[]).0, 403, "a verdict is a verdict");
    server.tell(Answer::Say(200, &[], ""));
    assert_eq!(closed.send("GET", "/asked", &[]).0, 200, "it is back");
    // Nobody listens there.
    let down = provider(free_port().unwrap(), &json!({}));
    let down = Envoy::start("outrigger_authz.wasm", &down, &json!([ask(false)]));
    assert_eq!(down.send("GET", "/asked", &[]).0, 403);
    assert_eq!(down.send("GET", "/open", &[]).0, 200);
}

#[test]
fn clients_that_leave_while_a_server_is_asked_do_no_harm() {
    use std::io::Write as _;
    let server = Server::start();
    let envoy =
        Envoy::start("outrigger_authz.wasm", &provider(server.port, &json!({})), &json!([ask(false)]));
    server.tell(Answer::Hang);
    for _ in 0..200 {
        let mut client = std::net::TcpStream::connect(("127.0.0.1", envoy.port)).unwrap();
        client.write_all(b"GET /asked HTTP/1.1\r\nhost: shop.example\r\n\r\n").unwrap();
    }
    server.tell(Answer::Say(200, &[], ""));
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(envoy.send("GET", "/asked", &[]).0, 200, "{}", envoy.log());
    assert!(!envoy.log().contains("panic") && !envoy.log().contains("trap"), "{}", envoy.log());
}

#[test]
fn a_server_that_is_tried_out_is_asked_and_refuses_nobody() {
    let server = Server::start();
    let envoy = Envoy::start("outrigger_authz.wasm", &provider(server.port, &json!({})), &json!([ask(true)]));
    server.tell(Answer::Say(401, &[], "no"));
    let passed = envoy.send("GET", "/asked", &[]);
    assert_eq!((passed.0, header(&passed, "x-decision")), (200, None));
    // The request does not wait for it.
    let name = "outrigger_authz_dry_run_disagreements.*default/ask";
    let started = Instant::now();
    while envoy.stat(name) == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "{}", envoy.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.asked().is_some());
}

#[test]
fn what_a_filter_can_not_ask_is_refused_at_its_start() {
    let body = json!({"includeRequestBodyInCheck": {"maxRequestBytes": 8}});
    let grpc = json!({"name": "web", "envoyExtAuthzGrpc": {"service": "authz.example", "port": 1}});
    let unknown = json!({"name": "other", "envoyExtAuthzHttp": {"service": "authz.example", "port": 1}});
    for (provider, said) in [
        (provider(1, &body), "includeRequestBodyInCheck"),
        (grpc, "a filter asks by HTTP"),
        (unknown, "there is no extension provider `web`"),
    ] {
        let mut envoy = Envoy::spawn("outrigger_authz.wasm", &provider, &json!([ask(false)]));
        let started = Instant::now();
        while envoy.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_secs(60), "it runs with {provider}");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(envoy.log().contains(said), "{}", envoy.log());
    }
}
