//! A server of keys that does what it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an answer is like.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// 200 with this body.
    Body(String),
    /// This status, with `location` if it is a redirect, and with good keys in its body.
    Status(u16),
    /// None: the connection is closed.
    Close,
    /// None: the connection stays open.
    Hang,
    /// Good keys, a byte every 50 ms.
    Slow,
    /// So many bytes.
    Long(usize),
}

/// It ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicU32>,
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    pub(crate) fn on(listener: TcpListener, answer: Answer) -> Self {
        let port = listener.local_addr().unwrap().port();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(AtomicU32::new(0)));
        let (told, counter) = (Arc::clone(&answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = told.lock().unwrap().clone();
                std::thread::spawn(move || serve(stream, &answer));
            }
        });
        Self { port, answer, asked }
    }

    /// From now on.
    pub(crate) fn tell(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) -> Option<()> {
    if matches!(answer, Answer::Close) {
        return None;
    }
    // A request without a body ends with an empty line.
    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let good = super::keys(&["rs256", "es256"]);
    match answer {
        Answer::Body(body) => send(&mut stream, 200, body.as_bytes()),
        Answer::Status(status) => send(&mut stream, *status, good.as_bytes()),
        Answer::Long(length) => send(&mut stream, 200, &vec![b' '; *length]),
        Answer::Close => None,
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(60));
            None
        }
        Answer::Slow => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", good.len());
            stream.write_all(head.as_bytes()).ok()?;
            good.bytes().try_for_each(|byte| {
                std::thread::sleep(Duration::from_millis(50));
                stream.write_all(&[byte]).ok()
            })
        }
    }
}

fn send(stream: &mut TcpStream, status: u16, body: &[u8]) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status} Any\r\nlocation: /elsewhere\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).ok()
}
