//! The mesh under a traffic in which everything happens that a query asks for.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use outrigger_e2e::launch::{Mesh as _, MeshProcesses, THROUGH_A};
use outrigger_e2e::ports::free_port;
use outrigger_e2e::prometheus::Prometheus;
use outrigger_e2e::scenario::Token;
use outrigger_e2e::tokens::mint;

use crate::actions::grpc_service::{Client, serve};
use crate::jwt::server::{Answer, Server};

/// How many series the gateway may have: all that the traffic makes, and few more.
const SERIES: &str = "40";

/// The mesh, and the servers that it asks.
pub(crate) struct Traffic {
    mesh: MeshProcesses,
    _keys: Server,
    tokens: AtomicU32,
}

impl Traffic {
    pub(crate) fn start() -> Self {
        let keys = Server::start(Answer::Status(200));
        let resources = include_str!("resources.yaml")
            .replace("$ECHO", &serve().to_string())
            .replace("$KEYS", &keys.port.to_string())
            .replace("$NO_KEYS", &free_port().unwrap().to_string());
        let mesh = MeshProcesses::start_with(&resources, &["--max-series", SERIES]).unwrap();
        Self { mesh, _keys: keys, tokens: AtomicU32::new(0) }
    }

    /// Runs `work` with a Prometheus that scrapes the mesh, while the traffic goes on.
    pub(crate) fn observed(&self, rules: &[(&str, &str)], work: impl FnOnce(&Prometheus)) {
        // A series that begins at its first scrape has no rate.
        self.round();
        let prometheus = Prometheus::start(self.mesh.targets(), rules).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    self.round();
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
            let end = End(&stop);
            for _ in 0..2 {
                prometheus.scrape().unwrap();
            }
            work(&prometheus);
            drop(end);
        });
    }

    /// Everything once.
    fn round(&self) {
        for (method, path, status) in [
            ("GET", "/status/200", 200),
            ("GET", "/status/404", 404),
            ("GET", "/status/503", 503),
            ("GET", &*format!("{THROUGH_A}/headers"), 200),
            ("GET", &*format!("{THROUGH_A}/status/500"), 500),
            ("GET", &*format!("{THROUGH_A}/status/404"), 404),
            ("POST", &*format!("{THROUGH_A}/anything"), 403),
            // The gateway itself may not ask B.
            ("GET", "/b/headers", 403),
            ("GET", "/status/204", 204),
        ] {
            let seen = self.mesh.ask(method, path).unwrap();
            assert_eq!(seen.status, Some(status), "{method} {path}: {seen:?}");
        }
        for (path, status) in [("/faulty/abort", 555), ("/faulty/delay", 200), ("/tried-out", 200)] {
            self.more(path, &[], status);
        }
        // At once, or none is one too many.
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| self.more("/few", &[], 200));
            }
        });
        self.tokens();
        self.grpc();
        for _ in 0..5 {
            let team = self.tokens.fetch_add(1, Ordering::Relaxed);
            self.more("/status/200", &[("x-team", &format!("team-{team}"))], 200);
        }
    }

    fn more(&self, path: &str, headers: &[(&str, &str)], status: u16) {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let seen = self.mesh.gateway().request("GET", "more.demo", path, &headers).unwrap();
        assert_eq!(seen.status, Some(status), "{path} {headers:?}: {seen:?}");
    }

    /// A new one and the same again; one of an issuer whose keys can't be had; one that nobody has signed.
    fn tokens(&self) {
        let number = self.tokens.fetch_add(1, Ordering::Relaxed);
        let bearer = |issuer: &str| {
            let claims = serde_json::json!({"iss": issuer, "sub": number.to_string()});
            let claims = claims.as_object().unwrap().clone();
            format!(
                "Bearer {}",
                mint(&Token { alg: "RS256".to_owned(), claims, expires_in: Some(600) }).unwrap()
            )
        };
        let good = bearer("https://issuer.example");
        for _ in 0..2 {
            self.more("/status/200", &[("authorization", &good)], 200);
        }
        self.more("/status/200", &[("authorization", &bearer("https://absent.example"))], 401);
        self.more("/status/200", &[("authorization", "Bearer nonsense")], 401);
    }

    fn grpc(&self) {
        let client = Client::connect(self.mesh.gateway().address(), "more.demo");
        assert_eq!(client.call("Say", "hello").unwrap(), "hello");
        assert!(client.call("Nothing", "").is_err());
    }
}

/// Ends the traffic, also when a check fails: it would be waited for.
struct End<'s>(&'s AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
