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
    let here = stream.local_addr().ok()?.port().to_string();
    let mut reader = BufReader::new(stream);
    // A hello of TLS, which it hangs up at.
    if reader.fill_buf().ok()?.first() == Some(&0x16) {
        return None;
    }
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
        let value = value.replace("$PORT", &here);
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
    image_by([arguments, &["--plain-http"]].concat())
}

fn image_by(arguments: Vec<&str>) -> (i32, String) {
    let modules = tempfile::tempdir().unwrap();
    support::write_modules(modules.path());
    let mut command = outrigger(&["image"]);
    command.args(arguments).args(["--username", "ann", "--password-stdin"]);
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

/// A registry that takes everything, and sends on what it is sent as `location` says, until the address has `again` in it.
fn sends_on(status: u16, location: String) -> Server {
    Server::start(move |method, path, known| match method {
        _ if !known => (401, vec![("www-authenticate", "Basic realm=\"test\"".to_owned())], ""),
        "HEAD" if path.contains("/blobs/") => (404, vec![], ""),
        "POST" | "PUT" if !path.contains("again") => (status, vec![("location", location.clone())], ""),
        "POST" => (202, vec![("location", "u1?state=a".to_owned())], ""),
        "PUT" => (201, vec![], ""),
        _ => (200, vec![], "{}"),
    })
}

#[test]
fn what_is_sent_goes_on_where_the_registry_says() {
    for status in [307, 308] {
        let registry = sends_on(status, "/again/uploads/".to_owned());
        // What it gives is not what was sent, but that is its own affair.
        fails(push(&registry), 1, "says that it holds");
        let asked = registry.asked();
        let of = |wanted: &str| -> Vec<_> {
            asked.iter().filter(|(method, ..)| method == wanted).map(|(_, path, _)| path.as_str()).collect()
        };
        assert!(of("POST").ends_with(&["/v2/a/blobs/uploads/", "/again/uploads/"]), "{asked:?}");
        // By an address relative to that.
        assert!(
            of("PUT").iter().any(|path| path.starts_with("/again/uploads/u1?state=a&digest=sha256:")),
            "{asked:?}"
        );
        assert!(of("PUT").ends_with(&["/v2/a/manifests/1", "/again/uploads/"]), "{asked:?}");
        let known = asked.iter().filter(|(.., authorization)| authorization.is_some()).count();
        assert_eq!(known, asked.len() - 1, "{asked:?}");
    }
}

#[test]
fn what_is_sent_on_to_another_server_does_not_tell_who_sends() {
    let other = Server::start(|method, _, _| match method {
        "POST" => (202, vec![("location", "u1".to_owned())], ""),
        _ => (201, vec![], ""),
    });
    let registry = sends_on(307, format!("http://127.0.0.1:{}/uploads/", other.port));
    fails(push(&registry), 1, "says that it holds");
    let asked = other.asked();
    assert!(asked.iter().any(|(method, path, _)| method == "PUT" && path.starts_with("/uploads/u1?digest=")));
    assert!(asked.iter().all(|(.., authorization)| authorization.is_none()), "{asked:?}");
}

#[test]
fn another_server_may_not_ask_who_sends() {
    let other = Server::start(|_, path, _| {
        if path.starts_with("/token") {
            return (200, vec![], r#"{"token":"t"}"#);
        }
        let realm = "Bearer realm=\"http://127.0.0.1:$PORT/token\"".to_owned();
        (401, vec![("www-authenticate", realm)], "")
    });
    let registry = sends_on(307, format!("http://127.0.0.1:{}/uploads/", other.port));
    fails(push(&registry), 3, "answers 401 for the upload to `a`");
    assert_eq!(other.asked().len(), 1, "{:?}", other.asked());
}

#[test]
fn a_registry_that_sends_on_and_on_or_by_another_method_is_told() {
    let registry = sends_on(307, "/round/".to_owned());
    fails(push(&registry), 3, "it sends the upload on and on");
    let registry = sends_on(302, "/again/".to_owned());
    fails(push(&registry), 3, "answers 302 for the upload to `a`");
}

#[test]
fn a_token_has_either_name() {
    let registry = Server::start(|_, path, known| match (path, known) {
        (path, _) if path.starts_with("/token") => (200, vec![], r#"{"token":"","access_token":"t"}"#),
        (_, true) => (200, vec![], "{}"),
        _ => {
            let realm = "Bearer realm=\"http://127.0.0.1:$PORT/token\"".to_owned();
            (401, vec![("www-authenticate", realm)], "")
        }
    });
    let reference = format!("127.0.0.1:{}/a:1", registry.port);
    fails(image(&["inspect", &reference]), 1, "its manifest can't be read");
}

#[test]
fn a_blob_of_another_size_is_the_images_fault() {
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (size, says) in [(0, "has more than the 0 bytes"), (9, "has 2 bytes instead of 9")] {
        let manifest = format!(r#"{{"config":{{"size":{size},"digest":"{empty}"}},"layers":null}}"#);
        let manifest: &str = manifest.leak();
        let registry = Server::start(move |_, path, _| match path.contains("/manifests/") {
            true => (
                200,
                vec![("content-type", "application/vnd.oci.image.manifest.v1+json".to_owned())],
                manifest,
            ),
            false => (200, vec![], "{}"),
        });
        let said = image(&["inspect", &format!("127.0.0.1:{}/a:1", registry.port)]);
        assert!(said.1.contains("it has no layer"), "{said:?}");
        fails(said, 1, says);
    }
}

#[test]
fn a_registry_on_this_machine_may_hang_up_at_tls() {
    let registry = Server::start(|_, _, _| (200, vec![], "{}"));
    let reference = format!("127.0.0.1:{}/a:1", registry.port);
    fails(image_by(vec!["inspect", &reference]), 1, "its manifest can't be read");
}

#[test]
fn an_upload_goes_nowhere_but_over_http() {
    for location in ["ftp://127.0.0.1/a", "mailto:a"] {
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
