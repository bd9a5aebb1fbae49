//! A set of policies on our side and on Envoy's, and the request that is measured with it.

use std::path::Path;

use anyhow::Result;

use super::load::Request;
use super::native::{self, Native};
use super::ours::Ours;
use super::resources;
use crate::scenario::Token;
use crate::tokens;

/// The policies twice over.
#[derive(Debug)]
pub(super) struct Setting {
    /// As rendered.
    pub(super) ours: Ours,
    /// As Envoy's own filters.
    pub(super) native: Native,
    /// What is measured.
    pub(super) request: Request,
}

impl Setting {
    /// The shop.
    pub(super) fn shop(upstreams: [u16; 2], modules: &Path) -> Result<Self> {
        let request = request("/orders/4711?page=2".to_owned());
        Ok(Self {
            ours: Ours::render(&resources::shop(upstreams)?, modules)?,
            native: native::shop()?,
            request,
        })
    }

    /// So many routes; the last one is taken.
    pub(super) fn routes(count: usize, upstreams: [u16; 2], modules: &Path) -> Result<Self> {
        let ours = Ours::render(&resources::routes(count, upstreams)?, modules)?;
        Ok(Self { ours, native: native::routes(count), request: last(count) })
    }

    /// So many authorization rules; the last one allows.
    pub(super) fn rules(count: usize, upstreams: [u16; 2], modules: &Path) -> Result<Self> {
        let ours = Ours::render(&resources::rules(count, upstreams)?, modules)?;
        Ok(Self { ours, native: native::rules(count), request: last(count) })
    }
}

fn last(count: usize) -> Request {
    request(resources::generated_path(count.saturating_sub(1)))
}

/// What a browser would send.
pub(super) fn request(path: String) -> Request {
    let headers = [
        ("host", "shop.example.com"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "en-US,en;q=0.5"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("cookie", "session=5f0c1d7a9b2e; theme=dark"),
        ("x-tenant", "gold"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Request { path, headers, ..Request::default() }
}

/// The request with a token that is valid for a day.
pub(super) fn with_token(request: &Request) -> Result<Request> {
    let mut request = request.clone();
    request.headers.push(("authorization".to_owned(), format!("Bearer {}", token()?)));
    Ok(request)
}

fn token() -> Result<String> {
    let claims = serde_json::json!({
        "iss": "https://issuer.example.com",
        "sub": "customer-4711",
        "aud": "shop",
        "scope": "orders:read catalog:read",
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    tokens::mint(&Token { alg: "RS256".to_owned(), claims, expires_in: Some(86_400) })
}
