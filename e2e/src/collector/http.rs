//! What is told by HTTP: OTLP, Zipkin's API, and Envoy's access log service, whose calls go on as long as Envoy runs.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{Heard, Shared, als, note, otlp, zipkin};

/// The call by which Envoy tells its log.
const LOGS: &str = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs";

/// Serves until the runtime ends.
pub(super) fn serve(runtime: &Runtime, heard: Shared) -> Result<u16> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let port = listener.local_addr()?.port();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let heard = Arc::clone(&heard);
            let answer = service_fn(move |request| answer(request, Arc::clone(&heard)));
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // Whoever goes away in the middle of something is not missed.
                server.serve_connection(TokioIo::new(stream), answer).await.ok();
            });
        }
    });
    Ok(port)
}

async fn answer(request: Request<Incoming>, heard: Shared) -> Result<Response<Empty<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers = headers.collect();
    note(&heard, |heard| heard.requests.push((path.clone(), headers)));
    let status = match path.as_str() {
        LOGS => {
            listen(request.into_body(), &heard).await;
            StatusCode::OK
        }
        _ => match request.into_body().collect().await {
            Ok(body) => take(&path, &body.to_bytes(), &heard),
            Err(_) => StatusCode::BAD_REQUEST,
        },
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

fn take(path: &str, body: &[u8], heard: &Shared) -> StatusCode {
    let spans = match path {
        "/v1/traces" => {
            ExportTraceServiceRequest::decode(body).map(otlp::spans).map_err(|error| error.to_string())
        }
        "/api/v2/spans" => zipkin::spans(body).map_err(|error| error.to_string()),
        _ => Err(format!("nobody takes {path}")),
    };
    let (mut status, told) = (StatusCode::ACCEPTED, spans);
    note(heard, |Heard { spans, unreadable, .. }| match told {
        Ok(told) => spans.extend(told),
        Err(error) => {
            status = StatusCode::BAD_REQUEST;
            unreadable.push(error);
        }
    });
    status
}

/// A call of the access log service, to its end.
async fn listen(mut body: Incoming, heard: &Shared) {
    let (mut messages, mut known) = (Vec::new(), 0);
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { break };
        messages.extend_from_slice(&data);
        match als::entries(&messages) {
            Ok(entries) => {
                let new = entries.into_iter().skip(known).collect::<Vec<_>>();
                known += new.len();
                note(heard, |heard| heard.entries.extend(new));
            }
            Err(error) => note(heard, |heard| heard.unreadable.push(error.to_string())),
        }
    }
}
