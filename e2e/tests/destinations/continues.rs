//! `expect: 100-continue`: the service says whether it wants the body.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::{GATEWAY, Proxy, service};

/// Wants every body that it is asked about, and answers with it.
fn backend() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut reader = BufReader::new(socket);
            let lines: Vec<_> =
                reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let asked = lines.iter().any(|line| line.eq_ignore_ascii_case("expect: 100-continue"));
            let mut body = [0; 4];
            if asked {
                reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
                reader.read_exact(&mut body).unwrap();
            }
            let socket = reader.get_mut();
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n").unwrap();
            socket.write_all(&body).unwrap();
        }
    });
    port
}

/// The first line of an answer; the rest of its head is read too.
fn status(reader: &mut impl std::io::BufRead) -> String {
    let mut lines = reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    lines.for_each(drop);
    first
}

#[test]
fn a_service_is_asked_whether_it_wants_the_body_and_a_policy_before_it() {
    const DENY: &str = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: refused}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/no]}}]}]}
";
    let proxy = Proxy::start(&[GATEWAY, &service(&[(backend(), "")]), DENY], &[]);
    let ask = |path: &str| {
        let mut socket = TcpStream::connect(proxy.client.address()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(
            socket,
            "POST {path} HTTP/1.1\r\nhost: reviews.test\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n"
        )
        .unwrap();
        let mut reader = BufReader::new(socket);
        let first = status(&mut reader);
        (reader, first)
    };
    let (mut reader, first) = ask("/yes");
    assert_eq!(first, "HTTP/1.1 100 Continue");
    reader.get_mut().write_all(b"body").unwrap();
    assert_eq!(status(&mut reader), "HTTP/1.1 200 OK");
    let mut body = [0; 4];
    reader.read_exact(&mut body).unwrap();
    assert_eq!(&body, b"body");
    assert_eq!(ask("/no").1, "HTTP/1.1 403 Forbidden");
}
