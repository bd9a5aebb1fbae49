//! Each service on a port of its own, asked over HTTP.

// Clippy's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use outrigger_demo_services::{Kind, Service, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn start(kind: Kind, name: &str, version: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = Service::new(kind, name, version);
    tokio::spawn(serve(listener, service, std::future::pending()));
    address
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn send(
    request: Request<Full<Bytes>>,
    http2: bool,
) -> Result<Answer, hyper_util::client::legacy::Error> {
    // A fresh client each time; it must not repeat a request whose connection was closed.
    let client = Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .retry_canceled_requests(false)
        .build_http::<Full<Bytes>>();
    let (head, body) = client.request(request).await?.into_parts();
    Ok(Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() })
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    let request = Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap();
    send(request, false).await.unwrap()
}

#[tokio::test]
async fn httpbin_answers_its_paths_and_no_others() {
    let address = start(Kind::Httpbin, "httpbin", "v1").await;
    for (path, status) in [
        ("/status/200", 200),
        ("/status/418", 418),
        ("/status/599", 599),
        ("/status/100", 400),
        ("/status/x", 400),
        ("/get", 200),
        ("/html", 200),
        ("/headers", 200),
        ("/anything/at/all", 200),
        ("/anythingelse", 404),
        ("/delay/x", 400),
        ("/delay/-1", 400),
        ("/delay/NaN", 400),
        ("/delay/61", 400),
        ("/flaky/k/x", 400),
        ("/flaky/k/1/sometimes", 400),
        ("/", 404),
    ] {
        let answer = get(address, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers["x-served-by"], "httpbin-v1", "{path}");
    }
}

#[tokio::test]
async fn anything_tells_what_arrived() {
    let address = start(Kind::Httpbin, "httpbin", "v1").await;
    let request = Request::post(format!("http://{address}/anything/x?a=b"))
        .header("end-user", "daniel-user")
        .header("twice", "1")
        .header("twice", "2")
        .body(Full::from("12345"))
        .unwrap();
    let answer = send(request, false).await.unwrap().json();
    assert_eq!(answer["method"], "POST");
    assert_eq!(answer["path"], "/anything/x");
    assert_eq!(answer["query"], "a=b");
    assert_eq!(answer["headers"]["end-user"], "daniel-user");
    assert_eq!(answer["headers"]["twice"], "1,2");
    assert_eq!(answer["bodySize"], 5);
}

#[tokio::test]
async fn a_versioned_service_names_itself_on_every_path_over_both_protocols() {
    let address = start(Kind::Versioned, "myapp", "v2").await;
    for (path, http2) in [("/", false), ("/status/404", false), ("/deep/path", true)] {
        let request = Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap();
        let answer = send(request, http2).await.unwrap();
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["x-served-by"], "myapp-v2");
        assert_eq!(answer.json(), json!({ "service": "myapp", "version": "v2", "path": path }));
    }
}

#[tokio::test]
async fn a_delay_takes_its_time() {
    let address = start(Kind::Versioned, "reviews", "v1").await;
    let started = Instant::now();
    assert_eq!(get(address, "/delay/0.2").await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
}

#[tokio::test]
async fn flaky_fails_as_often_as_asked_and_counts_by_key() {
    let address = start(Kind::Httpbin, "httpbin", "v1").await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(address, "/flaky/one/2").await.status.as_u16());
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(get(address, "/flaky/two/1/429").await.status, 429);
    assert_eq!(get(address, "/count/one").await.json(), json!({ "key": "one", "attempts": 4 }));
    assert_eq!(get(address, "/count/two").await.json()["attempts"], 1);
    assert_eq!(get(address, "/count/three").await.json()["attempts"], 0);
}

#[tokio::test]
async fn flaky_speaks_grpc_statuses_in_the_headers() {
    let address = start(Kind::Httpbin, "httpbin", "v1").await;
    for (path, grpc_status) in [("/flaky/u/1/unavailable", "14"), ("/flaky/c/1/cancelled", "1")] {
        let answer = get(address, path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/grpc");
        assert_eq!(answer.headers["grpc-status"], grpc_status);
        assert!(answer.body.is_empty());
    }
    // Afterwards a plain client gets JSON, a gRPC client a gRPC answer.
    assert_eq!(get(address, "/flaky/u/1/unavailable").await.json()["attempt"], 2);
    let request = Request::post(format!("http://{address}/flaky/u/1/unavailable"))
        .header("content-type", "application/grpc")
        .body(Full::default())
        .unwrap();
    assert_eq!(send(request, true).await.unwrap().headers["grpc-status"], "0");
}

#[tokio::test]
async fn a_reset_ends_without_an_answer_and_is_counted() {
    let address = start(Kind::Httpbin, "httpbin", "v1").await;
    for (path, http2) in [("/reset/k", false), ("/flaky/k/9/reset", false), ("/reset/k", true)] {
        let request = Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap();
        assert!(send(request, http2).await.is_err(), "{path}");
    }
    assert_eq!(get(address, "/count/k").await.json()["attempts"], 3);
}

#[tokio::test]
async fn stopping_lets_a_running_request_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, Service::new(Kind::Httpbin, "httpbin", "v1"), async {
        stopped.await.map_err(std::io::Error::other)
    }));
    let request = tokio::spawn(async move { get(address, "/delay/0.3").await.status });
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    assert_eq!(request.await.unwrap(), 200);
    server.await.unwrap().unwrap();
    assert!(TcpListener::bind(address).await.is_ok(), "the port is free again");
}
