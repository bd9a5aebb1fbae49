//! A gRPC service and a client of it. Messages are bytes as they are: what they mean is nobody's concern here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _};
use http::uri::PathAndQuery;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint, Server, server::TcpIncoming};
use tonic::{Request, Response, Status};
use tower::service_fn;

/// Bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; from.remaining()];
        from.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// Starts the service and returns its port. `Say` says everything again, `Slow` does after three seconds, and `Fail`
/// says `UNAVAILABLE` until the call that has the number in the message.
pub(crate) fn serve() -> u16 {
    let runtime = runtime();
    let incoming = {
        let _inside = runtime.enter();
        TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap()
    };
    let port = incoming.local_addr().unwrap().port();
    let calls = Arc::new(AtomicU32::new(0));
    let service = service_fn(move |request: http::Request<tonic::body::Body>| {
        let calls = Arc::clone(&calls);
        async move {
            let path = request.uri().path().to_owned();
            let handler = service_fn(move |request: Request<Vec<u8>>| {
                answer(path.clone(), request, Arc::clone(&calls))
            });
            Ok::<_, std::convert::Infallible>(tonic::server::Grpc::new(Raw).unary(handler, request).await)
        }
    });
    std::thread::spawn(move || runtime.block_on(Server::builder().serve_with_incoming(service, incoming)));
    port
}

async fn answer(
    path: String,
    request: Request<Vec<u8>>,
    calls: Arc<AtomicU32>,
) -> Result<Response<Vec<u8>>, Status> {
    let ours = request.metadata().keys().any(|key| match key {
        tonic::metadata::KeyRef::Ascii(key) => key.as_str().starts_with("x-outrigger"),
        tonic::metadata::KeyRef::Binary(_) => false,
    });
    if ours {
        return Err(Status::internal(format!("{:?}", request.metadata())));
    }
    let message = request.into_inner();
    match path.as_str() {
        "/test.Echo/Say" => Ok(Response::new(message)),
        "/test.Echo/Slow" => {
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok(Response::new(message))
        }
        "/test.Echo/Fail" => {
            let wanted: u32 =
                String::from_utf8_lossy(&message).parse().map_err(|_| Status::invalid_argument(""))?;
            let call = calls.fetch_add(1, Ordering::Relaxed) + 1;
            if call < wanted {
                return Err(Status::unavailable(format!("call {call}")));
            }
            calls.store(0, Ordering::Relaxed);
            Ok(Response::new(call.to_string().into_bytes()))
        }
        _ => Err(Status::unimplemented(path)),
    }
}

/// A client of the service behind a proxy.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
}

impl Client {
    /// A client that reaches the service at `address` under the name `host`.
    pub(crate) fn connect(address: &str, host: &str) -> Self {
        let runtime = runtime();
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let endpoint = endpoint.origin(format!("http://{host}").parse().unwrap());
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self { runtime, channel }
    }

    /// Calls a method of the service.
    pub(crate) fn call(&self, method: &str, message: &str) -> Result<String, Status> {
        let mut grpc = tonic::client::Grpc::new(self.channel.clone());
        let path = PathAndQuery::try_from(format!("/test.Echo/{method}")).unwrap();
        let request = Request::new(message.as_bytes().to_vec());
        let answer = self.runtime.block_on(async {
            grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
            grpc.unary(request, path, Raw).await
        });
        answer.map(|response| String::from_utf8(response.into_inner()).unwrap())
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}
