//! Accepting connections until told to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use crate::service::Service;

/// How long requests that are under way may take to end after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until `stop` resolves, then lets running requests end.
///
/// # Errors
/// Fails if `stop` does. A connection that fails ends by itself.
pub async fn serve<S>(listener: TcpListener, service: Service, stop: S) -> io::Result<()>
where
    S: Future<Output = io::Result<()>>,
{
    let service = Arc::new(service);
    let server = auto::Builder::new(TokioExecutor::new());
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            stopped = &mut stop => {
                stopped?;
                break;
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // The peer is already gone, or file descriptors ran out for a moment: neither ends the service.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        // Answers are small: waiting to fill a packet only adds latency.
        stream.set_nodelay(true).ok();
        let service = Arc::clone(&service);
        let answer = service_fn(move |request| {
            let service = Arc::clone(&service);
            async move { service.answer(request).await }
        });
        let connection =
            connections.watch(server.serve_connection(TokioIo::new(stream), answer).into_owned());
        tokio::spawn(async move {
            // The peer sees the failure (or asked for it, as `/reset` does); there is nobody else to tell.
            connection.await.ok();
        });
    }
    drop(listener);
    // Requests that outlast the grace are cut off, as the process ends.
    tokio::time::timeout(GRACE, connections.shutdown()).await.ok();
    Ok(())
}
