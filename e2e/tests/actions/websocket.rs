//! WebSocket through routed paths, with a real client and a real server.

use std::net::{TcpListener, TcpStream};

use outrigger_e2e::launch::Local;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Message, WebSocket};

use super::{Proxy, service_entry, virtual_service};

const RULES: &str = "
  - match: [{uri: {prefix: /chat/}}]
    rewrite: {uri: /rooms/}
    timeout: 1s
    route:
    - destination: {host: sockets}
  - match: [{uri: {prefix: /weighted}}]
    route:
    - destination: {host: sockets}
      weight: 50
    - destination: {host: others}
      weight: 50
  - match: [{uri: {prefix: /mirrored}}]
    retries: {attempts: 2, backoff: 10ms}
    route: [{destination: {host: sockets}}]
  - match: [{uri: {prefix: /denied}}]
    route: [{destination: {host: sockets}}]
    fault: {abort: {httpStatus: 403, percentage: {value: 100}}}
  - route: [{destination: {host: httpbin}}]
";

/// Tells each client its name and the path it came to, then says everything again.
fn echo_server(name: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || echo(stream, name));
        }
    });
    port
}

#[allow(clippy::result_large_err, reason = "the callback's type is tungstenite's")]
fn echo(stream: TcpStream, name: &str) {
    let path = std::cell::RefCell::new(String::new());
    let accepted = tungstenite::accept_hdr(stream, |request: &Request, response: Response| {
        *path.borrow_mut() = request.uri().to_string();
        let ours = request.headers().keys().any(|header| header.as_str().starts_with("x-outrigger"));
        assert!(!ours, "{request:?}");
        Ok(response)
    });
    let Ok(mut socket) = accepted else { return };
    let mut next = Ok(Message::text(format!("{name} {}", path.borrow())));
    while let Ok(message) = next {
        let data = message.is_text() || message.is_binary();
        if data && socket.send(message).is_err() {
            return;
        }
        next = socket.read();
    }
}

type Socket = WebSocket<TcpStream>;

fn connect(proxy: &Proxy, path: &str) -> Result<(Socket, String), String> {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    let url = format!("ws://test.example{path}");
    let (mut socket, _) = tungstenite::client(url, stream).map_err(|error| error.to_string())?;
    let greeting = socket.read().map_err(|error| error.to_string())?;
    Ok((socket, greeting.into_text().unwrap().to_string()))
}

fn says_again(socket: &mut Socket) {
    for message in [Message::text("one"), Message::binary(vec![7u8; 70_000]), Message::text("")] {
        socket.send(message.clone()).unwrap();
        assert_eq!(socket.read().unwrap(), message);
    }
}

#[test]
fn upgrades_take_their_rules() {
    let services = Local::start().unwrap();
    let proxy = Proxy::start(
        &services,
        &[
            virtual_service(RULES),
            service_entry("sockets", echo_server("sockets"), "HTTP"),
            service_entry("others", echo_server("others"), "HTTP"),
        ],
    );

    let (mut socket, greeting) = connect(&proxy, "/chat/a?b=c").unwrap();
    assert_eq!(greeting, "sockets /rooms/a?b=c");
    says_again(&mut socket);
    // A route's timeout is over with the upgrade.
    std::thread::sleep(std::time::Duration::from_millis(1300));
    says_again(&mut socket);
    socket.close(None).unwrap();

    // Each connection is drawn anew: of 40 none goes to one side once in a trillion runs.
    let mut sides = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let (mut socket, greeting) = connect(&proxy, "/weighted").unwrap();
        sides.insert(greeting);
        socket.close(None).unwrap();
    }
    assert_eq!(sides.into_iter().collect::<Vec<_>>(), ["others /weighted", "sockets /weighted"]);

    let (mut socket, _) = connect(&proxy, "/mirrored").unwrap();
    says_again(&mut socket);

    let denied = connect(&proxy, "/denied").unwrap_err();
    assert!(denied.contains("403"), "{denied}");
    // A service that does not speak WebSocket answers as it does.
    let refused = connect(&proxy, "/status/204").unwrap_err();
    assert!(refused.contains("204"), "{refused}");
}
