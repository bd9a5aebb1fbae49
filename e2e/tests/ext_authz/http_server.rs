//! A server that is asked by HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the next answers are.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// This status, these header lines, this body.
    Say(u16, &'static [&'static str], &'static str),
    /// None: the connection stays open.
    Hang,
    /// None: the connection is closed.
    Close,
}

/// What it was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    /// `GET /path HTTP/1.1`
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    /// The values of a header, joined by a comma; `None`: it is not there.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<_> =
            self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }
}

/// It ends with the test.
pub(crate) struct Server {
    pub(crate) port: u16,
    answer: Arc<Mutex<Answer>>,
    asked: Receiver<Asked>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(Answer::Say(200, &[], "")));
        let (told, (sender, asked)) = (Arc::clone(&answer), mpsc::channel());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, sender) = (Arc::clone(&told), sender.clone());
                std::thread::spawn(move || while serve(&stream, &told, &sender).is_some() {});
            }
        });
        Self { port, answer, asked }
    }

    /// From now on.
    pub(crate) fn tell(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What it was asked first of what has not been looked at. `None`: nothing.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.asked.try_recv().ok()
    }
}

/// One request. `None`: it was the last.
fn serve(stream: &TcpStream, told: &Mutex<Answer>, sender: &mpsc::Sender<Asked>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked { line: lines.remove(0), headers, body: String::from_utf8_lossy(&body).into_owned() };
    sender.send(asked).ok()?;
    let answer = told.lock().unwrap().clone();
    match answer {
        Answer::Say(status, headers, body) => {
            let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} Any\r\n{headers}content-length: {length}\r\n\r\n{body}");
            (&*stream).write_all(answer.as_bytes()).ok()
        }
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(30));
            None
        }
        Answer::Close => None,
    }
}
