//! Sends a scenario's requests to a proxy and says what came of them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::scenario::Exchange;
use crate::tally::Seen;

/// At most so many requests are under way at once: enough that delays overlap.
const WORKERS: u32 = 40;

/// A client of one listener.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    address: String,
}

impl Client {
    /// A client of the listener at `address` (`host:port`). It follows no redirects.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .proxy(None)
            .max_idle_connections_per_host(WORKERS as usize)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.into(), address: address.into() }
    }

    /// Where it sends to, `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends `exchange` as often as it asks.
    ///
    /// # Errors
    /// A request that got no HTTP answer.
    pub fn send_all(&self, exchange: &Exchange) -> Result<Vec<Seen>> {
        let left = AtomicU32::new(exchange.times);
        let seen = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..exchange.times.min(WORKERS))
                .map(|_| {
                    scope.spawn(|| -> Result<()> {
                        while left
                            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                            .is_ok()
                        {
                            let outcome = self.send(exchange)?;
                            seen.lock().map_err(|_| anyhow::anyhow!("a worker panicked"))?.push(outcome);
                        }
                        Ok(())
                    })
                })
                .collect();
            for worker in workers {
                worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
            }
            anyhow::Ok(())
        })?;
        Ok(seen.into_inner().unwrap_or_default())
    }

    /// Sends `exchange` once.
    ///
    /// # Errors
    /// No HTTP answer.
    pub fn send(&self, exchange: &Exchange) -> Result<Seen> {
        let (method, authority, path) = exchange.parts()?;
        self.request(method, authority, path, &exchange.header_lines()?)
    }

    /// Sends one request.
    ///
    /// # Errors
    /// No HTTP answer.
    pub fn request(
        &self,
        method: &str,
        authority: &str,
        path: &str,
        headers: &[(String, String)],
    ) -> Result<Seen> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("host", authority);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let started = Instant::now();
        let response = self
            .agent
            .run(request.body(())?)
            .with_context(|| format!("{method} {path} to {} at {}", authority, self.address))?;
        let status = response.status().as_u16();
        let headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let body = response.into_body().read_to_string()?;
        let took = started.elapsed().as_secs_f64();
        let echo: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let forward = headers.get("x-served-by").cloned();
        Ok(Seen {
            reply: forward.is_none().then_some(status),
            status: Some(status),
            path: echo.as_ref().and_then(echoed_path),
            request_headers: echo.as_ref().and_then(echoed_headers),
            forward,
            headers,
            body,
            hold: None,
            took: Some(took),
        })
    }
}

/// The path and query that a service says it saw.
fn echoed_path(body: &serde_json::Value) -> Option<String> {
    let path = body.get("path")?.as_str()?;
    let query = body.get("query").and_then(|query| query.as_str());
    Some(query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}

fn echoed_headers(body: &serde_json::Value) -> Option<BTreeMap<String, String>> {
    let headers = body.get("headers")?.as_object()?;
    Some(
        headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
    )
}
