//! Asking another service, through a proxy beside this one: what a sidecar's outbound side is for.

use std::env;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::response::{Reply, error};

/// Where a sidecar takes its application's requests, unless `http_proxy` says otherwise.
const OUTBOUND: &str = "http://127.0.0.1:15001";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The headers of a request that say which trace it belongs to, and by which id it is known.
const TRACE: [&str; 14] = [
    "b3",
    "baggage",
    "grpc-trace-bin",
    "traceparent",
    "tracestate",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-client-trace-id",
    "x-cloud-trace-context",
    "x-ot-span-context",
    "x-request-id",
];

/// Answers `/via/HOST/PATH` with what HOST says to `/PATH`, asked by the same method and as a part of the same trace;
/// `None` for every other path. Who answered stands in `x-via`.
pub(crate) async fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Reply> {
    let (host, path) = path.strip_prefix("/via/")?.split_once('/')?;
    Some(
        ask(method, host, path, headers)
            .await
            .unwrap_or_else(|failure| error(StatusCode::BAD_GATEWAY, &failure.to_string())),
    )
}

async fn ask(method: &Method, host: &str, path: &str, headers: &HeaderMap) -> Result<Reply, Failure> {
    let proxy = env::var("http_proxy").unwrap_or_else(|_| OUTBOUND.to_owned());
    let address = proxy.trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(format!("/{path}")).header(HOST, host);
    for name in TRACE {
        for value in headers.get_all(name) {
            request = request.header(name, value);
        }
    }
    let (head, body) = sender.send_request(request.body(Empty::<Bytes>::new())?).await?.into_parts();
    let mut reply = Response::new(body.collect().await?.to_bytes().into());
    *reply.status_mut() = head.status;
    let kept = [(CONTENT_TYPE.as_str(), CONTENT_TYPE.as_str()), ("x-served-by", "x-via")];
    for (theirs, ours) in kept {
        if let Some(value) = head.headers.get(theirs) {
            reply.headers_mut().insert(ours, value.clone());
        }
    }
    Ok(reply)
}
