//! Many changes in a row while requests come in: none of them fails, and once a change is said to be taken over, every
//! request fares as it says. `OUTRIGGER_HEAVY=1`: a hundred changes, among ten resources and among a thousand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::flood::Connection;
use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::scenario::Role;
use rcgen::{CertificateParams, KeyPair, SerialNumber};

/// Requests a second, over connections that stay open and over new ones: enough that 500 come, whatever else runs.
const RATE: u32 = 560;
/// Clients that keep their connection, and that open one a request.
const CLIENTS: u32 = 4;

/// What the resources say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    /// The subset of the route.
    version: usize,
    /// Whether `/secret` is denied.
    denied: bool,
    /// The version that is the endpoint of `pool`.
    endpoint: usize,
    /// Of the certificate.
    serial: u64,
}

/// A folder of resources and how to change it.
struct Resources {
    folder: tempfile::TempDir,
    /// Where the versions of `reviews` listen.
    ports: [u16; 2],
}

impl Resources {
    fn new(ports: [u16; 2], others: usize) -> Self {
        let resources = Self { folder: tempfile::tempdir().unwrap(), ports };
        resources.put("gateway.yaml", GATEWAY);
        let other = |number| {
            format!(
                "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: other-{number}}}
spec:
  hosts: [other-{number}.example]
  gateways: [edge]
  http: [{{match: [{{uri: {{prefix: /{number}}}}}], route: [{{destination: {{host: reviews, subset: v1}}}}]}}]
"
            )
        };
        resources.put("others.yaml", &(0..others).map(other).collect::<Vec<_>>().join("---\n"));
        resources
    }

    fn put(&self, name: &str, text: &str) {
        let at = |name: &str| -> PathBuf { self.folder.path().join(name) };
        std::fs::write(at("new"), text).unwrap();
        std::fs::rename(at("new"), at(name)).unwrap();
    }

    fn route(&self, state: State) {
        self.put("route.yaml", &ROUTE.replace("VERSION", &format!("v{}", state.version + 1)));
    }

    fn policy(&self, state: State) {
        let path = if state.denied { "/secret" } else { "/elsewhere" };
        self.put("policy.yaml", &POLICY.replace("PATH", path));
    }

    fn endpoint(&self, state: State) {
        self.put("pool.yaml", &POOL.replace("PORT", &self.ports[state.endpoint].to_string()));
    }

    fn certificate(&self, state: State) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["edge.example".to_owned()]).unwrap();
        params.serial_number = Some(SerialNumber::from(state.serial));
        let certificate = params.self_signed(&key).unwrap().pem();
        let indented = |pem: &str| pem.lines().map(|line| format!("    {line}\n")).collect::<String>();
        let secret = SECRET
            .replace("CERTIFICATE\n", &indented(&certificate))
            .replace("KEY\n", &indented(&key.serialize_pem()));
        self.put("secret.yaml", &secret);
    }

    /// Makes change number `number`, and says what holds from then on.
    fn change(&self, number: usize, mut state: State) -> State {
        match number % 4 {
            0 => {
                state.version = 1 - state.version;
                self.route(state);
            }
            1 => {
                state.denied = !state.denied;
                self.policy(state);
            }
            2 => {
                state.endpoint = 1 - state.endpoint;
                self.endpoint(state);
            }
            _ => {
                state.serial += 1;
                self.certificate(state);
            }
        }
        state
    }
}

const GATEWAY: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ['*']
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [edge.example]
    tls: {mode: SIMPLE, credentialName: edge}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
";

const ROUTE: &str = "apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge}
spec:
  hosts: [edge.example]
  gateways: [edge]
  http:
  - {match: [{uri: {prefix: /pool}}], rewrite: {uri: /}, route: [{destination: {host: pool.test}}]}
  - {route: [{destination: {host: reviews, subset: VERSION}}]}
";

const POLICY: &str = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: edge}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: [PATH]}}]}]
";

const POOL: &str = "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pool}
spec:
  hosts: [pool.test]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: PORT}}]
";

const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: edge}
type: kubernetes.io/tls
stringData:
  tls.crt: |
CERTIFICATE
  tls.key: |
KEY
";

/// Sends requests at [`RATE`] until it is told to stop; what went wrong.
fn load(address: &str, client: u32, stop: &AtomicBool, sent: &AtomicU32) -> Vec<String> {
    let pause = Duration::from_secs(1) * CLIENTS / RATE;
    let mut failures = Vec::new();
    let mut kept = None;
    while !stop.load(Ordering::Relaxed) {
        let due = Instant::now() + pause;
        let path = if sent.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { "/" } else { "/pool" };
        let mut answer = || {
            let mut connection = kept.take().map_or_else(|| Connection::open(address), Ok)?;
            let answer = connection.get("edge.example", path, "")?;
            kept = client.is_multiple_of(2).then_some(connection);
            anyhow::Ok(answer)
        };
        match answer() {
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => failures.push(format!("{path}: {} {}", answer.status, answer.head)),
            Err(error) => failures.push(format!("{path}: {error:#}")),
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    failures
}

/// Requests of each kind fare as `state` says, over new connections and over `kept` ones.
fn judge(running: &Running, kept: &mut Connection, state: State) {
    let address = running.client.address();
    let mut new = Connection::open(address).unwrap();
    for connection in [&mut new, kept] {
        for _ in 0..3 {
            let mut get = |path: &str| connection.get("edge.example", path, "").unwrap();
            let versions = [("/", state.version), ("/pool", state.endpoint)];
            for (path, version) in versions {
                let by = get(path).header("x-served-by").map(str::to_owned);
                assert_eq!(by, Some(format!("reviews-v{}", version + 1)), "{path}: {state:?}");
            }
            assert_eq!(get("/secret").status, if state.denied { 403 } else { 200 }, "{state:?}");
        }
    }
    let shown = running.admin.request("GET", "admin", "/certs", &[]).unwrap().body;
    let serial = format!("\"serial_number\": \"{:x}\"", state.serial);
    assert!(shown.contains(&serial), "{serial} is not in {shown}");
}

/// Waits until a change is taken over, or refused.
fn taken_over(lines: &Receiver<String>) {
    let mut said = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(20)) {
            Ok(line) if line.starts_with("reloaded:") => return,
            Ok(line) if line.starts_with("not reloaded") => panic!("{}", said.join("\n")),
            Ok(line) => said.push(line),
            Err(_) => panic!("not taken over within 20 s:\n{}", said.join("\n")),
        }
    }
}

/// Makes so many changes among `others` further resources under load; how long each took, in order of length.
fn changes(number: usize, others: usize) -> Vec<Duration> {
    let services = Local::start().unwrap();
    let port = |version| services.services.port("reviews", version).unwrap();
    let resources = Resources::new([port("v1"), port("v2")], others);
    let mut state = State { version: 0, denied: false, endpoint: 0, serial: 0x1000 };
    resources.route(state);
    resources.policy(state);
    resources.endpoint(state);
    resources.certificate(state);
    let files = [Path::to_owned(resources.folder.path())];
    let tls = format!("--port=443={}", free_port());
    let (running, lines) = services.run(&files, Role::Gateway, &[tls]).unwrap();
    let mut kept = Connection::open(running.client.address()).unwrap();
    judge(&running, &mut kept, state);

    let (stop, sent) = (AtomicBool::new(false), AtomicU32::new(0));
    let started = Instant::now();
    let (mut took, failures) = std::thread::scope(|scope| {
        let (address, stop, sent) = (running.client.address(), &stop, &sent);
        let workers: Vec<_> =
            (0..CLIENTS).map(|client| scope.spawn(move || load(address, client, stop, sent))).collect();
        let end = End(stop);
        let took: Vec<Duration> = (0..number)
            .map(|change| {
                while lines.try_recv().is_ok() {}
                let started = Instant::now();
                state = resources.change(change, state);
                taken_over(&lines);
                let took = started.elapsed();
                judge(&running, &mut kept, state);
                took
            })
            .collect();
        drop(end);
        let failures = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>();
        (took, failures)
    });
    took.sort();
    let (sent, seconds) = (sent.load(Ordering::Relaxed), started.elapsed().as_secs_f64());
    eprintln!(
        "{number} changes among {others} further resources: median {:?}, worst {:?}; {sent} requests, {:.0} a second, {} failed",
        took[took.len() / 2],
        took[took.len() - 1],
        f64::from(sent) / seconds,
        failures.len()
    );
    assert!(failures.is_empty(), "{} of {sent} requests failed, the first: {}", failures.len(), failures[0]);
    assert!(sent > 200, "only {sent} requests were sent");
    took
}

/// Ends the load, also when the test fails in between.
struct End<'s>(&'s AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn free_port() -> u16 {
    outrigger_e2e::ports::free_port().unwrap()
}

#[test]
fn every_change_of_many_is_taken_over_and_no_request_fails() {
    if std::env::var_os("OUTRIGGER_HEAVY").is_some() {
        changes(100, 4);
        changes(100, 994);
    } else {
        changes(8, 4);
    }
}
