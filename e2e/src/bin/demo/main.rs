//! Puts up a gateway from Istio resources, walks through it with real requests and says what is expected and what is
//! seen. Exits with 1 if they differ.

mod mesh;

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use outrigger_e2e::launch::{Compose, Local, Running, docker_answers, outrigger};
use outrigger_e2e::scenario::{Exchange, Outcome, Scenario};
use outrigger_e2e::{metrics, tally};

fn main() -> ExitCode {
    match demo() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the demo did not get through: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<bool> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let scenario = Scenario::read(&folder)?;
    let started = Instant::now();
    let (compose, local, lines);
    let mesh = folder.join("mesh.config").display().to_string();
    let files = scenario.resource_files()?;
    let (running, log): (Running, Box<dyn Fn() -> Result<String>>) = if docker_answers() {
        eprintln!(
            "A Docker engine answers: starting gateway and services of e2e/compose.yaml in containers."
        );
        compose = Compose::start()?;
        let running = compose.run(&files, scenario.role, &["--mesh-config", &mesh])?;
        (running, Box::new(|| compose.logs("gateway")))
    } else {
        eprintln!("No Docker engine answers: starting the gateway and the services as local processes.");
        local = Local::start()?;
        let (running, said) = local.run(&files, scenario.role, &["--mesh-config".to_owned(), mesh])?;
        lines = said;
        (running, Box::new(|| Ok(lines.try_iter().collect::<Vec<_>>().join("\n"))))
    };
    eprintln!(
        "The gateway serves at http://{} after {:.1} s.\n",
        running.client.address(),
        started.elapsed().as_secs_f64()
    );

    let mut walk = Walk::new();
    let mut sent = 0;
    for exchange in &scenario.requests {
        sent += exchange.times;
        walk.exchange(&running, exchange)?;
    }
    walk.retries_seen_upstream(&running)?;
    sent += 1;
    walk.explained_policy(&folder)?;
    walk.logged_policy(&log)?;
    walk.metrics(&running, f64::from(sent))?;
    mesh::walk(&mut walk)?;
    eprintln!(
        "\n{} of {} as expected, {:.0} s in all.",
        walk.right,
        walk.total,
        started.elapsed().as_secs_f64()
    );
    Ok(walk.right == walk.total)
}

/// Prints the walk, line by line.
struct Walk {
    right: u32,
    total: u32,
    colours: bool,
}

impl Walk {
    fn new() -> Self {
        Self { right: 0, total: 0, colours: std::io::stdout().is_terminal() }
    }

    fn line(&mut self, title: &str, expected: &str, seen: &str, right: bool) {
        self.total += 1;
        self.right += u32::from(right);
        let mark = match (right, self.colours) {
            (true, true) => "\x1b[32mok  \x1b[0m",
            (false, true) => "\x1b[31mDIFF\x1b[0m",
            (true, false) => "ok  ",
            (false, false) => "DIFF",
        };
        println!("{mark} {title}\n       expected {expected}\n       seen     {seen}");
    }

    fn exchange(&mut self, running: &Running, exchange: &Exchange) -> Result<()> {
        let seen = running.send_all(exchange)?;
        let expected =
            exchange.expect.iter().map(|outcome| describe(outcome, &share(outcome))).collect::<Vec<_>>();
        let title = format!("{} ({})", exchange.title.as_deref().unwrap_or("request"), exchange.send);
        match tally::check(exchange, &seen) {
            Ok(counts) => {
                let counted = exchange.expect.iter().zip(counts).map(|(outcome, count)| {
                    describe(
                        outcome,
                        &if exchange.times == 1 { String::new() } else { format!("{count} x ") },
                    )
                });
                self.line(&title, &expected.join(", "), &counted.collect::<Vec<_>>().join(", "), true);
            }
            Err(difference) => self.line(&title, &expected.join(", "), &difference, false),
        }
        Ok(())
    }

    fn retries_seen_upstream(&mut self, running: &Running) -> Result<()> {
        let seen = running.client.request("GET", "httpbin.demo", "/count/demo", &[])?;
        let count = seen.body.trim().to_owned();
        let right = count.chars().filter(char::is_ascii_digit).collect::<String>() == "4";
        self.line("tries counted at the service", "4 (one and three retries)", &count, right);
        Ok(())
    }

    /// The offline command names the policy that refuses a request without a token, by file and line.
    fn explained_policy(&mut self, folder: &Path) -> Result<()> {
        let mut explain = Command::new(outrigger()?);
        explain.arg("explain").arg("GET http://secure.demo/get").arg("-f").arg(folder.join("gateway.yaml"));
        explain.arg("-f").arg(folder.join("httpbin.yaml")).arg("-f").arg(folder.join("security.yaml"));
        let output = explain.args(["-o", "json"]).output().context("can't run outrigger explain")?;
        ensure!(!output.stdout.is_empty(), "explain: {}", String::from_utf8_lossy(&output.stderr));
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        let authz = answer.get("authz").cloned().unwrap_or_default();
        let text =
            |name: &str| authz.get(name).map(|value| value.to_string().replace('"', "")).unwrap_or_default();
        let file = text("file");
        let file = Path::new(&file).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let seen =
            format!("{} {} rule {} ({file}:{})", text("action"), text("policy"), text("rule"), text("line"));
        let right = seen.starts_with("DENY default/require-token rule 0 (security.yaml:");
        self.line(
            "the policy that refuses, by `outrigger explain`",
            "DENY default/require-token rule 0",
            &seen,
            right,
        );
        Ok(())
    }

    /// Envoy's access log names the policy that refused the request for the admin pages.
    fn logged_policy(&mut self, log: &dyn Fn() -> Result<String>) -> Result<()> {
        let expected = "rbac_access_denied_matched_policy[ns[default]-policy[no-admin]-rule[0]]";
        // Envoy writes its access log every ten seconds.
        let deadline = Instant::now() + Duration::from_secs(15);
        let mut logged = String::new();
        let seen = loop {
            logged += &log()?;
            let line = logged.lines().find(|line| line.contains("/anything/admin")).unwrap_or_default();
            let details =
                line.split_whitespace().find(|word| word.starts_with("rbac_")).map(ToOwned::to_owned);
            if details.is_some() || Instant::now() > deadline {
                break details.unwrap_or_else(|| "nothing".to_owned());
            }
            std::thread::sleep(Duration::from_millis(200));
        };
        self.line("the policy that refused, in Envoy's access log", expected, &seen, seen == expected);
        Ok(())
    }

    fn metrics(&mut self, running: &Running, sent: f64) -> Result<()> {
        let total = metrics::sum(&running.admin, "istio_requests_total", &[])?;
        self.line(
            "istio_requests_total, all series",
            &format!("{sent}"),
            &format!("{total}"),
            (total - sent).abs() < 0.5,
        );
        for (labels, expected) in [
            (
                vec![
                    ("destination_service_name", "reviews.default.svc.cluster.local"),
                    ("response_code", "200"),
                ],
                420.0,
            ),
            (
                vec![
                    ("destination_service_name", "httpbin.default.svc.cluster.local"),
                    ("response_code", "504"),
                    ("response_flags", "UT"),
                ],
                1.0,
            ),
            (vec![("response_code", "403")], 2.0),
            (vec![("response_code", "401")], 1.0),
        ] {
            let title = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{value}\""))
                .collect::<Vec<_>>()
                .join(", ");
            let seen = metrics::sum(&running.admin, "istio_requests_total", &labels)?;
            self.line(
                &format!("istio_requests_total{{{title}}}"),
                &format!("{expected}"),
                &format!("{seen}"),
                (seen - expected).abs() < 0.5,
            );
        }
        // Envoy merges histograms every five seconds.
        let deadline = Instant::now() + Duration::from_secs(15);
        let mut timed = 0.0;
        while (timed - sent).abs() > 0.5 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(200));
            timed = metrics::sum(&running.admin, "istio_request_duration_milliseconds_count", &[])?;
        }
        let right = (timed - sent).abs() < 0.5;
        self.line(
            "istio_request_duration_milliseconds_count",
            &format!("{sent}"),
            &format!("{timed}"),
            right,
        );
        Ok(())
    }
}

fn share(outcome: &Outcome) -> String {
    if (outcome.percent - 100.0).abs() < 1e-9 { String::new() } else { format!("{} % ", outcome.percent) }
}

fn describe(outcome: &Outcome, how_many: &str) -> String {
    let mut text = how_many.to_owned();
    match (&outcome.reply, &outcome.forward) {
        (Some(status), _) => text += &status.to_string(),
        (None, Some(service)) => match outcome.status {
            Some(status) => text += &format!("{status} from {service}"),
            None => text += service,
        },
        (None, None) => {}
    }
    if outcome.hold > 0.0 {
        text += &format!(" after {} s", outcome.hold);
    }
    if let Some(seconds) = outcome.takes {
        text += &format!(" after {seconds} s");
    }
    if let Some(body) = outcome.body.as_ref().filter(|_| outcome.reply.is_some()) {
        text += &format!(" `{body}`");
    }
    text
}
