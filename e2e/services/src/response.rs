//! Building responses.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

pub(crate) type Reply = Response<Full<Bytes>>;

/// `body` under a content type that is known when this is written.
pub(crate) fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    reply(status, "application/json", format!("{body}\n"))
}

/// An error that says in JSON what was wrong with the request.
pub(crate) fn error(status: StatusCode, message: &str) -> Reply {
    json(status, &json!({ "error": message }))
}

/// A gRPC answer without a message, as a server sends it that has only a status to report: the status stands among
/// the headers (gRPC over HTTP/2, "Trailers-Only"), where a proxy can see it in time for a retry.
pub(crate) fn grpc(status: u16) -> Reply {
    let mut response = reply(StatusCode::OK, "application/grpc", Bytes::new());
    response.headers_mut().insert("grpc-status", HeaderValue::from(status));
    response
}
