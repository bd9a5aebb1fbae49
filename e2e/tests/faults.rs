//! Faults in real Envoy: how many, how exact, and what is left of them. With `OUTRIGGER_HEAVY=1` at full size.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::flood::{Answer, Connection, at_once, held};
use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::metrics;
use outrigger_e2e::native_fault::NativeFault;
use outrigger_e2e::scenario::Role;
use serde_json::json;

/// What "capped.example" is held for is two seconds; Envoy's timers count from when it last looked at the clock.
const HELD: Duration = Duration::from_millis(1900);

struct Proxy {
    running: Running,
    log: Receiver<String>,
    folder: tempfile::TempDir,
    _services: Local,
}

impl Proxy {
    fn start() -> Self {
        let services = Local::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("faults.yaml");
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/resources.yaml"), &file).unwrap();
        let mesh = folder.path().join("mesh");
        std::fs::write(&mesh, MESH).unwrap();
        let more = ["--mesh-config".to_owned(), mesh.display().to_string()];
        let (running, log) = services.run(&[file], Role::Gateway, &more).unwrap();
        Self { running, log, folder, _services: services }
    }

    fn address(&self) -> &str {
        self.running.client.address()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("faults.yaml")
    }

    fn stat(&self, name: &str, service: &str) -> f64 {
        let name = format!("outrigger_fault_{name}");
        metrics::sum(&self.running.admin, &name, &[("virtual_service", &format!("default/{service}"))])
            .unwrap()
    }

    fn wait_for_stat(&self, name: &str, service: &str, wanted: f64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.stat(name, service) != wanted {
            let now = self.stat(name, service);
            assert!(Instant::now() < deadline, "{name} of {service} is {now}, not {wanted}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What Envoy has allocated once that no longer changes, in MB: connections are freed some time after their requests.
    fn allocated_at_rest(&self) -> f64 {
        let (mut last, mut calm) = (self.allocated(), 0);
        let deadline = Instant::now() + Duration::from_secs(20);
        while calm < 10 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.allocated();
            calm = if (now - last).abs() < 0.1 { calm + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// What Envoy has allocated, in MB.
    fn allocated(&self) -> f64 {
        let body = self.running.admin.request("GET", "admin", "/memory", &[]).unwrap().body;
        let memory: serde_json::Value = serde_json::from_str(&body).unwrap();
        memory["allocated"].as_str().unwrap().parse::<f64>().unwrap() / 1e6
    }
}

const MESH: &str = "accessLogFile: /dev/stdout
accessLogFormat: '| %REQ(:AUTHORITY)% %RESPONSE_CODE% [%RESPONSE_FLAGS%] %RESPONSE_CODE_DETAILS% [%FILTER_STATE(wasm.outrigger.fault:PLAIN)%]'
";

fn full_size() -> bool {
    std::env::var_os("OUTRIGGER_HEAVY").is_some()
}

fn of(heavy: usize, light: usize) -> usize {
    if full_size() { heavy } else { light }
}

/// Within four standard deviations.
fn check_share(what: &str, count: f64, all: usize, share: f64) {
    let all = all as f64;
    let sigma = (all * share * (1.0 - share)).sqrt();
    let off = (count - all * share) / sigma;
    eprintln!("{what}: {count} of {all}, {off:+.2} sigma from {share}");
    assert!(off.abs() <= 4.0, "{what}: {count} of {all}, {off:+.2} sigma from {share}");
}

#[test]
fn faults_hit_their_share_independently() {
    let proxy = Proxy::start();
    let (clients, each) = (16, of(100_000, 8_000) / 16);
    let all = clients * each;
    let counts = at_once(proxy.address(), clients, |_, connection| {
        let mut aborted = 0;
        for _ in 0..each {
            let answer = connection.get("shares.example", "/get", "")?;
            assert!(matches!(answer.status, 200 | 418), "{answer:?}");
            aborted += usize::from(answer.status == 418);
        }
        Ok(aborted)
    });
    let aborted: usize = counts.unwrap().into_iter().sum();
    check_share("aborts of 40 %", aborted as f64, all, 0.4);
    assert_eq!(proxy.stat("aborts_injected", "shares"), aborted as f64);
    check_share("delays of 12.3456 %", proxy.stat("delays_injected", "shares"), all, 0.123_456);
    // Both, and either alone: by the flags in the access log.
    let mut both = 0.0;
    let mut seen = 0;
    while seen < all {
        let line = proxy.log.recv_timeout(Duration::from_secs(20)).expect("a line for each request");
        if !line.contains("| shares.example") {
            continue;
        }
        seen += 1;
        both += f64::from(u8::from(line.contains("[DI,FI] fault_filter_abort")));
    }
    check_share("both", both, all, 0.123_456 * 0.4);
    proxy.wait_for_stat("active_faults", "shares", 0.0);
}

/// How late answers came, in milliseconds: the median and the 99th percentile.
fn lateness(address: &str, host: &str, clients: usize, rounds: usize) -> (f64, f64) {
    let took = at_once(address, clients, |number, connection| {
        // Not all at once: requests come as they do from many clients.
        std::thread::sleep(
            Duration::from_millis(500) * u32::try_from(number).unwrap() / u32::try_from(clients).unwrap(),
        );
        let mut took = Vec::new();
        for _ in 0..rounds {
            took.push(connection.get(host, "/aborted", "")?.took);
        }
        Ok(took)
    });
    let mut late: Vec<f64> =
        took.unwrap().into_iter().flatten().map(|took| took.as_secs_f64() * 1000.0 - 500.0).collect();
    late.sort_by(f64::total_cmp);
    (late[late.len() / 2], late[late.len() * 99 / 100])
}

#[test]
fn delays_are_as_long_as_asked_with_many_in_flight() {
    let proxy = Proxy::start();
    let native = NativeFault::start(&json!({
        "delay": {"fixed_delay": "0.5s", "percentage": {"numerator": 100}},
        "abort": {"http_status": 200, "percentage": {"numerator": 100}},
    }));
    let native = native.unwrap();
    let (clients, rounds) = (of(1000, 100), of(8, 3));
    let mut worst = String::new();
    for _ in 0..3 {
        // In turn, since the machine may be busy with something else for a while.
        let native = lateness(&native.address, "half-a-second.example", clients, rounds);
        let ours = lateness(proxy.address(), "half-a-second.example", clients, rounds);
        let said = format!(
            "{clients} in flight, 500 ms asked: p50 {:.1} ms late, p99 {:.1}; Envoy's own {:.1} and {:.1}",
            ours.0, ours.1, native.0, native.1
        );
        eprintln!("{said}");
        if ours.0 <= native.0.max(0.0) + 5.0 && ours.1 <= native.1.max(0.0) + 15.0 {
            return;
        }
        worst = said;
    }
    panic!("{worst}");
}

#[test]
fn faults_leave_nothing_when_the_clients_are_gone() {
    let proxy = Proxy::start();
    let count = of(5000, 500);
    // Once to warm up: pools and buffers stay allocated.
    drop(held(proxy.address(), count, "two-minutes.example", "/get").unwrap());
    proxy.wait_for_stat("active_faults", "two-minutes", 0.0);
    let before = proxy.allocated_at_rest();
    for _ in 0..2 {
        let clients = held(proxy.address(), count, "two-minutes.example", "/get").unwrap();
        proxy.wait_for_stat("active_faults", "two-minutes", count as f64);
        let holding = proxy.allocated();
        let each = (holding - before) * 1000.0 / count as f64;
        drop(clients);
        proxy.wait_for_stat("active_faults", "two-minutes", 0.0);
        let after = proxy.allocated_at_rest();
        eprintln!(
            "{count} held: {before:.1} MB before, {holding:.1} while held ({each:.1} kB each), {after:.1} after"
        );
        assert!(each < 40.0, "{each} kB each");
        assert!(after < before + 2.0, "{before} MB before, {after} after");
    }
    let answer = Connection::open(proxy.address()).unwrap().get("asked.example", "/get", "").unwrap();
    assert_eq!(answer.status, 200);
}

#[test]
fn faults_held_over_a_reload_end_in_time() {
    let proxy = Proxy::start();
    let text = std::fs::read_to_string(proxy.file()).unwrap();
    let reload = |text: &str| {
        std::fs::write(proxy.file().with_extension("new"), text).unwrap();
        std::fs::rename(proxy.file().with_extension("new"), proxy.file()).unwrap();
    };
    let answers = std::thread::scope(|scope| {
        let address = proxy.address().to_owned();
        let waiting = scope.spawn(move || {
            at_once(&address, 50, |_, connection| connection.get("capped.example", "/get", ""))
        });
        std::thread::sleep(Duration::from_millis(600));
        reload(&text.replace("fixedDelay: 2s", "fixedDelay: 1ms"));
        waiting.join().unwrap().unwrap()
    });
    let held: Vec<&Answer> = answers.iter().filter(|answer| answer.took >= HELD).collect();
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(held.len(), 20, "{:?}", answers.iter().map(|answer| answer.took).collect::<Vec<_>>());
    assert!(held.iter().all(|answer| answer.took < Duration::from_secs(20)), "{held:?}");
    // The new one has taken over.
    let took = Connection::open(proxy.address()).unwrap().get("capped.example", "/get", "").unwrap().took;
    assert!(took < HELD, "{took:?}");
    proxy.wait_for_stat("active_faults", "capped", 0.0);
}

#[test]
fn faults_are_spared_counted_and_asked_for() {
    let proxy = Proxy::start();
    let answers = at_once(proxy.address(), 60, |_, connection| connection.get("capped.example", "/get", ""));
    let held = answers.unwrap().iter().filter(|answer| answer.took >= HELD).count();
    assert_eq!(held, 20);
    assert_eq!(proxy.stat("delays_injected", "capped"), 20.0);
    assert_eq!(proxy.stat("faults_overflow", "capped"), 40.0);

    let mut connection = Connection::open(proxy.address()).unwrap();
    assert_eq!(connection.get("dry.example", "/get", "").unwrap().status, 200);
    assert_eq!((proxy.stat("delays_dry_run", "dry"), proxy.stat("aborts_dry_run", "dry")), (1.0, 1.0));
    assert_eq!((proxy.stat("delays_injected", "dry"), proxy.stat("active_faults", "dry")), (0.0, 0.0));

    let asked =
        |secret: &str| format!("x-envoy-fault-abort-request: 418\r\nx-outrigger-fault-secret: {secret}\r\n");
    let right = connection.get("asked.example", "/get", &asked("s3cret")).unwrap();
    assert_eq!((right.status, &*right.body), (418, &b"fault filter abort"[..]));
    let wrong = connection.get("asked.example", "/headers", &asked("secret")).unwrap();
    let echo = String::from_utf8_lossy(&wrong.body).to_lowercase();
    assert!(wrong.status == 200 && !echo.contains("secret") && !echo.contains("x-envoy-fault"), "{echo}");

    let mut lines = Vec::new();
    while let Ok(line) = proxy.log.recv_timeout(Duration::from_secs(12)) {
        lines.extend(line.contains('|').then(|| line.trim_start_matches("| ").to_owned()));
        if lines.iter().any(|line| line.starts_with("asked.example 200")) {
            break;
        }
    }
    for wanted in [
        "capped.example 200 [DI] via_upstream [default/capped[0] delay=2000ms]",
        "capped.example 200 [-] via_upstream [default/capped[0] delay=2000ms overflow]",
        "dry.example 200 [-] via_upstream [default/dry[0] delay=30000ms abort=503 dry-run]",
        "asked.example 418 [FI] fault_filter_abort [default/asked[0] abort=418]",
        "asked.example 200 [-] via_upstream [-]",
    ] {
        assert!(
            lines.iter().any(|line| line.trim_end() == wanted),
            "{wanted}\nis not among\n{}",
            lines.join("\n")
        );
    }
}

#[test]
fn faults_abort_as_envoys_own_do() {
    let proxy = Proxy::start();
    let abort = |error: serde_json::Value| {
        let mut abort = error;
        abort["percentage"] = json!({"numerator": 100});
        NativeFault::start(&json!({"abort": abort})).unwrap()
    };
    for (path, native) in
        [("/http", abort(json!({"http_status": 503}))), ("/grpc", abort(json!({"grpc_status": 14})))]
    {
        for lines in [
            "",
            "content-type: application/grpc\r\n",
            "content-type: application/grpc+proto\r\n",
            "content-type: application/grpc-web\r\n",
            "content-type: application/json\r\n",
        ] {
            let ask = |address: &str| {
                let answer = Connection::open(address).unwrap().get("aborts.example", path, lines).unwrap();
                let mut head: Vec<String> = answer
                    .head
                    .lines()
                    .filter(|line| !line.starts_with("date: "))
                    .map(str::to_owned)
                    .collect();
                head.sort();
                (head, String::from_utf8_lossy(&answer.body).into_owned())
            };
            assert_eq!(ask(proxy.address()), ask(&native.address), "{path} {lines}");
        }
    }
}

#[test]
fn weights_without_faults_keep_their_callers() {
    let proxy = Proxy::start();
    let mut connection = Connection::open(proxy.address()).unwrap();
    let served_by = |answer: &Answer| answer.header("x-served-by").unwrap_or_default().to_owned();
    let mut second = 0;
    for user in 0..300 {
        let line = format!("x-user: user-{user}\r\n");
        let first = connection.get("sticky.example", "/", &line).unwrap();
        let again = connection.get("sticky.example", "/", &line).unwrap();
        assert_eq!(served_by(&first), served_by(&again), "{user}");
        assert_eq!(first.header("set-cookie"), None);
        second += usize::from(served_by(&first) == "reviews-v2");
    }
    check_share("callers of v2", second as f64, 300, 0.3);
    for _ in 0..30 {
        let first = connection.get("sticky.example", "/", "").unwrap();
        let cookie = first.header("set-cookie").unwrap();
        let (cookie, rest) = cookie.split_once(';').unwrap();
        assert_eq!(rest, " max-age=3600; path=/; httponly");
        let again = connection.get("sticky.example", "/", &format!("cookie: {cookie}\r\n")).unwrap();
        assert_eq!((served_by(&again), again.header("set-cookie")), (served_by(&first), None));
    }
}
