//! One upstream: which kind it is, what it is called, and how it answers a request.

use hyper::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::{Request, StatusCode};
use serde_json::json;

use crate::attempts::Attempts;
use crate::behaviour::{self, Reset};
use crate::httpbin;
use crate::response::{Reply, json};
use crate::via;

/// What a service answers beyond the behaviours that all share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A selection of httpbin's paths, 404 for the others.
    Httpbin,
    /// The service's name and version, on every path.
    Versioned,
}

/// One upstream.
#[derive(Debug)]
pub struct Service {
    kind: Kind,
    name: String,
    version: String,
    attempts: Attempts,
}

impl Service {
    /// An upstream that calls itself `name` and `version`.
    #[must_use]
    pub fn new(kind: Kind, name: &str, version: &str) -> Self {
        Self { kind, name: name.to_owned(), version: version.to_owned(), attempts: Attempts::default() }
    }

    /// What every response says in `x-served-by`: `NAME-VERSION`.
    #[must_use]
    pub fn served_by(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    pub(crate) async fn answer<B: Body + Unpin>(&self, request: Request<B>) -> Result<Reply, Reset> {
        let is_grpc = request
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
        let path = request.uri().path();
        let mut response = if let Some(answer) = via::answer(request.method(), path, request.headers()).await
        {
            answer
        } else if let Some(answer) = behaviour::answer(&self.attempts, path, is_grpc).await {
            answer?
        } else {
            match self.kind {
                Kind::Httpbin => httpbin::answer(request).await,
                Kind::Versioned => self.identity(path),
            }
        };
        // A name that cannot stand in a header is left out rather than ending the process.
        if let Ok(served_by) = HeaderValue::try_from(self.served_by()) {
            response.headers_mut().insert("x-served-by", served_by);
        }
        response.headers_mut().insert(SERVER, HeaderValue::from_static("outrigger-demo-services"));
        Ok(response)
    }

    fn identity(&self, path: &str) -> Reply {
        json(StatusCode::OK, &json!({ "service": self.name, "version": self.version, "path": path }))
    }
}
