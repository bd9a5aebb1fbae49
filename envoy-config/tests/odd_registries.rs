//! `outrigger image` and registries that lie, refuse, or send us elsewhere. Those that behave are in `e2e`.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod common;
mod support;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::outrigger;

/// What was asked: method, path, and the value of `authorization`.
type Asked = (String, String, Option<String>);

/// Status, headers, body.
type Answer = (u16, Vec<(&'static str, String)>, &'static str);

/// A server that answers as it is told.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &str, bool) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &answer, &told);
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    answer: &impl Fn(&str, &str, bool) -> Answer,
    told: &Mutex<Vec<Asked>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    // Without TLS nothing begins so.
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorization) = (0, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let (status, headers, body) = answer(&method, &path, authorization.is_some());
    told.lock().unwrap().push((method.clone(), path, authorization));
    let mut text = format!("HTTP/1.1 {status} Any\r\nconnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = write!(text, "content-length: {}\r\n\r\n", body.len());
    if method != "HEAD" {
        text += body;
    }
    reader.into_inner().write_all(text.as_bytes()).ok()
}

/// Exit code and standard error of `outrigger image`, asked in the clear and by ann.
fn image(arguments: &[&str]) -> (i32, String) {
    let modules = tempfile::tempdir().unwrap();
    support::write_modules(modules.path());
    let mut command = outrigger(&["image"]);
    command.args(arguments).args(["--plain-http", "--username", "ann", "--password-stdin"]);
    let output = command.env("OUTRIGGER_MODULES", modules.path()).write_stdin("secret").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout) + &text(output.stderr))
}

fn push(server: &Server) -> (i32, String) {
    image(&["push", &format!("127.0.0.1:{}/a:1", server.port), "--module", "authz"])
}

fn fails((code, said): (i32, String), wanted: i32, says: &str) {
    assert!(code == wanted && said.contains(says), "{code}: {said}");
}

fn other_digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

#[test]
fn a_registry_that_holds_something_else_is_found_out() {
    // It has every blob already, and takes the manifest.
    let lies = |header: bool| {
        Server::start(move |method, path, _| match method {
            "PUT" => (201, vec![], ""),
            "HEAD" if header && path.contains("/manifests/") => {
                (200, vec![("docker-content-digest", other_digest())], "")
            }
            _ => (200, vec![], "{}"),
        })
    };
    fails(push(&lies(true)), 1, &format!("says that it holds {}", other_digest()));
    // Without the header, what it gives is looked at.
    fails(
        push(&lies(false)),
        1,
        "says that it holds sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    );
}

#[test]
fn what_a_registry_says_when_it_refuses_is_passed_on() {
    for (status, body, says) in [
        (
            403,
            r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#,
            "does not allow the upload to `a` (not yours)",
        ),
        (404, r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#, "does not find the upload to `a` (NAME_UNKNOWN)"),
        (500, "out of\x1b[2J\norder", "answers 500 for the upload to `a` (out of [2J order)"),
        (202, "", "does not say where the upload goes"),
    ] {
        let server = Server::start(move |method, _, _| match method {
            "HEAD" => (404, vec![], ""),
            _ => (status, vec![], body),
        });
        fails(push(&server), 3, says);
    }
}

#[test]
fn a_login_stays_with_the_registry() {
    // Uploads and downloads go on at another server.
    let other =
        Server::start(|method, _, _| if method == "PUT" { (201, vec![], "") } else { (200, vec![], "{}") });
    let elsewhere = format!("http://127.0.0.1:{}/elsewhere", other.port);
    let registry = Server::start(move |method, path, known| match (method, known) {
        (_, false) => (401, vec![("www-authenticate", "Basic realm=\"test\"".to_owned())], ""),
        ("HEAD", _) if path.contains("/blobs/") => (404, vec![], ""),
        ("POST", _) => (202, vec![("location", elsewhere.clone())], ""),
        ("GET", _) => (307, vec![("location", elsewhere.clone())], ""),
        _ => (201, vec![], ""),
    });
    push(&registry);
    let reference = format!("127.0.0.1:{}/a:1", registry.port);
    fails(image(&["inspect", &reference]), 1, "its manifest can't be read");
    let asked = other.asked();
    let methods: Vec<_> = asked.iter().map(|(method, ..)| method.as_str()).collect();
    assert_eq!(methods, ["PUT", "PUT", "GET"]);
    assert!(asked.iter().all(|(.., authorization)| authorization.is_none()), "{asked:?}");
    // And the registry was told after it had asked, and not before.
    let asked = registry.asked();
    assert_eq!(asked.iter().filter(|(.., authorization)| authorization.is_none()).count(), 2, "{asked:?}");
}

#[test]
fn an_upload_goes_nowhere_but_over_http() {
    for location in ["ftp://127.0.0.1/a", "//127.0.0.1/a", "a"] {
        let server = Server::start(move |method, _, _| match method {
            "HEAD" => (404, vec![], ""),
            _ => (202, vec![("location", location.to_owned())], ""),
        });
        fails(push(&server), 3, &format!("wants the upload sent to `{location}`"));
    }
}

#[test]
fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let server = Server::start(|_, _, _| (200, vec![("content-type", "application/json".to_owned())], "{}"));
    let reference = format!("127.0.0.1:{}/a@{}", server.port, other_digest());
    fails(image(&["inspect", &reference]), 1, &format!("{} has bytes with the digest", other_digest()));
}
