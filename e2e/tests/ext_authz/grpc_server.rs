//! A server that is asked by gRPC: `envoy.service.auth.v3.Authorization/Check`.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, BufMut as _};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Server as Tonic, server::TcpIncoming};
use tonic::{Request, Response, Status};
use tower::service_fn;

use super::wire::{at, field, fields, number};

/// Headers of a verdict.
type Headers = &'static [(&'static str, &'static str)];

/// What the next answers are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    /// It may pass, with these headers for the service and for the client.
    Allow(Headers, Headers),
    /// It may not: this status, these headers, this body.
    Deny(u16, Headers, &'static str),
    /// The call fails.
    Fail,
}

/// What it was asked.
#[derive(Debug)]
pub(crate) struct Asked(Vec<u8>);

impl Asked {
    fn text(&self, way: &[u32]) -> String {
        String::from_utf8_lossy(at(&self.0, way).unwrap_or_default()).into_owned()
    }

    pub(crate) fn method(&self) -> String {
        self.text(&[1, 4, 2, 2])
    }

    pub(crate) fn path(&self) -> String {
        self.text(&[1, 4, 2, 4])
    }

    pub(crate) fn body(&self) -> String {
        self.text(&[1, 4, 2, 11])
    }

    /// The SPIFFE ID of the client.
    pub(crate) fn peer(&self) -> String {
        self.text(&[1, 1, 4])
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let http = at(&self.0, &[1, 4, 2])?;
        let entries = fields(http).into_iter().filter(|(number, _)| *number == 3);
        entries.map(|(_, entry)| entry).find_map(|entry| {
            (at(entry, &[1])? == name.as_bytes())
                .then(|| String::from_utf8_lossy(at(entry, &[2]).unwrap_or_default()).into_owned())
        })
    }
}

/// It ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    verdict: Arc<Mutex<Verdict>>,
    asked: Receiver<Asked>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap()
        };
        let port = incoming.local_addr().unwrap().port();
        let verdict = Arc::new(Mutex::new(Verdict::Allow(&[], &[])));
        let (sender, asked) = mpsc::channel();
        let told = Arc::clone(&verdict);
        let service = service_fn(move |request: http::Request<tonic::body::Body>| {
            let (told, sender, path) = (Arc::clone(&told), sender.clone(), request.uri().path().to_owned());
            let handler = service_fn(move |request: Request<Vec<u8>>| {
                let verdict = *told.lock().unwrap();
                let known = path == "/envoy.service.auth.v3.Authorization/Check";
                let heard = sender.send(Asked(request.into_inner())).is_ok();
                async move {
                    match verdict {
                        _ if !known || !heard => Err(Status::unimplemented("")),
                        Verdict::Fail => Err(Status::internal("")),
                        Verdict::Allow(service, client) => Ok(Response::new(allow(service, client))),
                        Verdict::Deny(status, headers, body) => {
                            Ok(Response::new(deny(status, headers, body)))
                        }
                    }
                }
            });
            async move {
                Ok::<_, std::convert::Infallible>(tonic::server::Grpc::new(Raw).unary(handler, request).await)
            }
        });
        std::thread::spawn(move || runtime.block_on(Tonic::builder().serve_with_incoming(service, incoming)));
        Self { port, verdict, asked }
    }

    /// From now on.
    pub(crate) fn tell(&self, verdict: Verdict) {
        *self.verdict.lock().unwrap() = verdict;
    }

    /// What it was asked first of what has not been looked at. `None`: nothing.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.asked.try_recv().ok()
    }
}

fn allow(service: Headers, client: Headers) -> Vec<u8> {
    [field(1, &[]), field(3, &[options(2, service), options(6, client)].concat())].concat()
}

fn deny(status: u16, headers: Headers, body: &str) -> Vec<u8> {
    // PERMISSION_DENIED
    let verdict = field(1, &number(1, 7));
    let denied = [field(1, &number(1, u64::from(status))), options(2, headers), field(3, body.as_bytes())];
    [verdict, field(2, &denied.concat())].concat()
}

/// Each as a `HeaderValueOption`.
fn options(place: u32, headers: Headers) -> Vec<u8> {
    let option = |(name, value): &(&str, &str)| {
        field(place, &field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat()))
    };
    headers.iter().flat_map(option).collect()
}

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
