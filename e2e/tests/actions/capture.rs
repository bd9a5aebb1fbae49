//! A service that keeps what it was sent.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// The service; it answers every request with 200.
pub(crate) struct Capture {
    pub(crate) port: u16,
    heads: Receiver<Vec<String>>,
}

impl Capture {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, heads) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || serve(stream, &sender));
            }
        });
        Self { port, heads }
    }

    /// The lines of the next request's head, if one comes soon.
    pub(crate) fn next(&self) -> Option<Vec<String>> {
        self.heads.recv_timeout(Duration::from_secs(3)).ok()
    }

    /// How many requests came until none has come for a while.
    pub(crate) fn count(&self) -> usize {
        let next = || self.heads.recv_timeout(Duration::from_millis(1500)).ok();
        std::iter::from_fn(next).count()
    }
}

/// Requests without a body, one after the other.
fn serve(mut stream: TcpStream, heads: &mpsc::Sender<Vec<String>>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines().map_while(Result::ok);
    loop {
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        if head.is_empty()
            || heads.send(head).is_err()
            || stream
                .write_all(b"HTTP/1.1 200 OK\r\nx-served-by: capture\r\ncontent-length: 0\r\n\r\n")
                .is_err()
        {
            return;
        }
    }
}
