//! `outrigger run` while its files change: a broken edit is told and harms nobody, the corrected one takes over. Should it be
//! killed, nobody would see to that any more, and its Envoy ends with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::scenario::Role;

const GATEWAY: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: gateway
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ['*']
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
  subsets:
  - name: v1
    labels: {version: v1}
  - name: v2
    labels: {version: v2}
---
";

fn virtual_service(subset_line: &str) -> String {
    format!(
        "{GATEWAY}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: ['*']
  gateways: [gateway]
  http:
  - route:
    - destination:
        host: reviews
        {subset_line}
"
    )
}

/// Sends requests without a pause until it is told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    workers: Vec<std::thread::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let workers = (0..4)
            .map(|_| {
                let (client, stop, sent) = (client.clone(), Arc::clone(&stop), Arc::clone(&sent));
                std::thread::spawn(move || {
                    let mut failures = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        match client.request("GET", "reviews.example", "/", &[]) {
                            Ok(seen) if seen.status == Some(200) => {}
                            Ok(seen) => failures.push(format!("{seen:?}")),
                            Err(error) => failures.push(format!("{error:#}")),
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    failures
                })
            })
            .collect();
        Self { stop, sent, workers }
    }

    /// Ends the load; how many requests were sent, and the failures.
    fn stop(self) -> (u32, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        (self.sent.load(Ordering::Relaxed), failures)
    }
}

fn wait_for_line(log: &Receiver<String>, wanted: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut said = Vec::new();
    while let Ok(line) = log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if line.contains(wanted) {
            return line;
        }
        said.push(line);
    }
    panic!("`{wanted}` was not said within 20 s, but:\n{}", said.join("\n"));
}

fn served_by(client: &Client) -> String {
    client.request("GET", "reviews.example", "/", &[]).unwrap().forward.unwrap_or_default()
}

fn wait_until_served_by(client: &Client, version: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while served_by(client) != version {
        assert!(Instant::now() < deadline, "{version} never took over");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Replaces a file the way editors do.
fn edit(file: &Path, text: &str) {
    let new = file.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, file).unwrap();
}

#[test]
fn edits_are_checked_and_taken_over_without_a_failed_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    edit(&file, &virtual_service("subset: v1"));
    let local = Local::start().unwrap();
    let (running, log) = local.run(std::slice::from_ref(&file), Role::Gateway, &[]).unwrap();
    assert_eq!(served_by(&running.client), "reviews-v1");

    let load = Load::start(&running.client);
    std::thread::sleep(Duration::from_millis(500));
    edit(&file, &virtual_service("subsett: v2"));
    let line = wait_for_line(&log, "routes.yaml:");
    assert!(line.contains("routes.yaml:34:9"), "{line}");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(served_by(&running.client), "reviews-v1");

    edit(&file, &virtual_service("subset: v2"));
    wait_until_served_by(&running.client, "reviews-v2");
    // And once more in place, as an editor that does not rename would.
    std::fs::write(&file, virtual_service("subset: v1")).unwrap();
    wait_until_served_by(&running.client, "reviews-v1");
    std::thread::sleep(Duration::from_millis(500));
    let (sent, failures) = load.stop();
    assert!(sent > 200, "only {sent} requests were sent");
    assert!(failures.is_empty(), "{} of {sent} requests failed, the first: {}", failures.len(), failures[0]);
}

/// A shell that redirects into a file has emptied it before the first line comes.
#[test]
fn a_file_that_is_emptied_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let (file, more) = (folder.path().join("routes.yaml"), folder.path().join("more.yaml"));
    edit(&file, &virtual_service("subset: v1"));
    let deny = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: closed}\nspec: {action: DENY, rules: [{}]}\n";
    edit(&more, deny);
    let local = Local::start().unwrap();
    let (running, log) = local.run(&[folder.path().to_owned()], Role::Gateway, &[]).unwrap();
    let status = || running.client.request("GET", "reviews.example", "/", &[]).unwrap().status;
    assert_eq!(status(), Some(403));
    std::fs::write(&more, "").unwrap();
    wait_for_line(&log, "there is nothing in");
    wait_for_line(&log, "not reloaded");
    assert_eq!(status(), Some(403));
    std::fs::remove_file(&more).unwrap();
    wait_until_served_by(&running.client, "reviews-v1");
}

/// The folder with the files that Envoy reads.
fn private_folder(running: &Running) -> PathBuf {
    let dump = running.admin.request("GET", "admin", "/config_dump", &[]).unwrap();
    let end = dump.body.find("/listeners.yaml").unwrap();
    let begin = dump.body[..end].rfind('"').unwrap() + 1;
    PathBuf::from(&dump.body[begin..end])
}

/// What stands in the way of one file, as a full disk would, is in the way of none of the others.
#[test]
fn a_change_that_fails_half_way_is_taken_back() {
    let rules = |value: &str| {
        let open = "  - port: {number: 81, name: more, protocol: HTTP}\n    hosts: ['*']\n---\n";
        let both = virtual_service("subset: v1").replacen("---\n", open, 1);
        both.replace(
            "  - route:",
            &format!("  - headers: {{response: {{set: {{x-value: {value}}}}}}}\n    route:"),
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    edit(&file, &rules("one"));
    let local = Local::start().unwrap();
    let more = outrigger_e2e::ports::free_port().unwrap();
    let (running, log) =
        local.run(std::slice::from_ref(&file), Role::Gateway, &[format!("--port=81={more}")]).unwrap();
    let clients = [running.client.clone(), Client::new(format!("127.0.0.1:{more}"))];
    let values = || {
        clients.each_ref().map(|client| {
            client.request("GET", "reviews.example", "/", &[]).unwrap().headers.remove("x-value").unwrap()
        })
    };
    let wait_for = |wanted: &str| {
        let deadline = Instant::now() + Duration::from_secs(30);
        while values() != [wanted, wanted] {
            assert!(Instant::now() < deadline, "not {wanted}: {:?}", values());
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait_for("one");
    let names = std::fs::read_dir(private_folder(&running)).unwrap().map(|entry| entry.unwrap().path());
    let is_filter = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("filter-");
    let last = names.filter(is_filter).max().unwrap();
    let obstacle = last.with_extension("yaml.new");
    std::fs::create_dir(&obstacle).unwrap();
    edit(&file, &rules("two"));
    let said = wait_for_line(&log, "can't write");
    assert!(!said.contains("does not say why"), "{said}");
    wait_for_line(&log, "still serving the last good configuration");
    wait_for("one");
    std::fs::remove_dir(&obstacle).unwrap();
    wait_for_line(&log, "reloaded: filters");
    wait_for("two");
}

#[test]
fn envoy_ends_with_a_command_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("routes.yaml");
    edit(&file, &virtual_service("subset: v1"));
    let local = Local::start().unwrap();
    let (mut running, _log) = local.run(std::slice::from_ref(&file), Role::Gateway, &[]).unwrap();
    assert_eq!(served_by(&running.client), "reviews-v1");
    running.kill().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while running.client.request("GET", "reviews.example", "/", &[]).is_ok() {
        assert!(Instant::now() < deadline, "Envoy goes on");
        std::thread::sleep(Duration::from_millis(50));
    }
}
