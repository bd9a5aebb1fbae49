//! The part of httpbin that the demo and the tests ask for.

use http_body_util::BodyExt as _;
use hyper::body::Body;
use hyper::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Map, Value, json};

use crate::behaviour::final_status;
use crate::response::{Reply, error, json, reply};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Outrigger</title></head><body><h1>An outrigger steadies a \
                    boat from its side.</h1></body></html>\n";

/// Answers `/status/N`, `/headers`, `/get`, `/html` and `/anything`; 404 for every other path.
pub(crate) async fn answer<B: Body + Unpin>(request: Request<B>) -> Reply {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/headers" => json(StatusCode::OK, &json!({ "headers": headers(request.headers()) })),
        "/get" if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            error(StatusCode::METHOD_NOT_ALLOWED, "only GET")
        }
        "/get" => json(
            StatusCode::OK,
            &json!({ "path": path, "query": request.uri().query(), "headers": headers(request.headers()) }),
        ),
        "/html" => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        "/anything" => anything(request).await,
        _ if path.starts_with("/anything/") => anything(request).await,
        _ => match path.strip_prefix("/status/").map(final_status) {
            Some(Some(status)) => reply(status, "text/plain", ""),
            Some(None) => error(StatusCode::BAD_REQUEST, "a status is a number from 200 to 599"),
            None => error(StatusCode::NOT_FOUND, "no such path"),
        },
    }
}

async fn anything<B: Body + Unpin>(request: Request<B>) -> Reply {
    let (head, mut body) = request.into_parts();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return error(StatusCode::BAD_REQUEST, "the body broke off") };
        size += frame.data_ref().map_or(0, hyper::body::Buf::remaining);
    }
    json(
        StatusCode::OK,
        &json!({
            "method": head.method.as_str(),
            "path": head.uri.path(),
            "query": head.uri.query(),
            "headers": headers(&head.headers),
            "bodySize": size,
        }),
    )
}

/// Names to values; the values of a repeated header are joined by a comma, bytes that are not UTF-8 replaced.
fn headers(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        object.insert(name.as_str().to_owned(), Value::from(values.join(",")));
    }
    Value::Object(object)
}
