//! What a hostile client sends gets an HTTP answer, each time, and the VM lives.

use std::path::Path;
use std::sync::mpsc::Receiver;

use outrigger_e2e::launch::{Local, Running};
use outrigger_e2e::raw::{Kept, get, status_of};
use outrigger_e2e::scenario::{Role, Token};
use outrigger_e2e::tokens::mint;

/// Requests, each with the answers that are right for it.
fn requests() -> Vec<(String, Vec<u8>, &'static [u16])> {
    let any_byte: Vec<u8> = (0x80..=0xff).collect();
    let long = vec![b'a'; 60_000];
    let percents = b"/".iter().chain(b"%".repeat(4000).iter()).copied().collect::<Vec<u8>>();
    let mut list: Vec<(String, Vec<u8>, &'static [u16])> = vec![
        ("bytes 0x80 to 0xff in a header".into(), get(b"/get", b"x-hostile", &any_byte), &[200]),
        (
            "the same in a token".into(),
            get(b"/get", b"authorization", &[b"Bearer ", &any_byte[..]].concat()),
            &[401],
        ),
        (
            "the same in a cookie".into(),
            get(b"/get", b"cookie", &[b"token=", &any_byte[..]].concat()),
            &[401],
        ),
        (
            "the same in the path".into(),
            get(&[b"/get/", &any_byte[..]].concat(), b"x-a", b"b"),
            &[200, 400, 404],
        ),
        ("60 kB in one header".into(), get(b"/get", b"x-hostile", &long), &[200, 431]),
        (
            "a token of 50 kB".into(),
            get(b"/get", b"authorization", &[b"Bearer ", &long[..50_000]].concat()),
            &[401],
        ),
        (
            "a token of dots".into(),
            get(b"/get", b"authorization", &[b"Bearer ", &b".".repeat(5000)[..]].concat()),
            &[401],
        ),
        ("a token of garbage".into(), get(b"/get", b"x-token", b"!\"\xa7$%&/()=?"), &[401]),
        ("a path of percent signs".into(), get(&percents, b"x-a", b"b"), &[200, 400, 404]),
        (
            "a query of percent signs".into(),
            get(&[b"/get?token=", &percents[..]].concat(), b"x-a", b"b"),
            &[401],
        ),
        (
            "a query of ampersands".into(),
            get(&[b"/get?", &b"&".repeat(5000)[..]].concat(), b"x-a", b"b"),
            &[200],
        ),
        ("an empty header value".into(), get(b"/get", b"x-banned", b""), &[200]),
        (
            "a host of brackets".into(),
            b"GET /get HTTP/1.1\r\nhost: [[]]:::\r\nconnection: close\r\n\r\n".to_vec(),
            &[200, 400],
        ),
        ("no host".into(), b"GET /get HTTP/1.1\r\nconnection: close\r\n\r\n".to_vec(), &[400]),
        ("no HTTP".into(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n".to_vec(), &[400]),
    ];
    // 60 kB in 60 headers.
    let mut many = b"GET /get HTTP/1.1\r\nhost: hostile.example\r\nconnection: close\r\n".to_vec();
    for index in 0..60 {
        many.extend_from_slice(format!("x-{index}: {}\r\n", "v".repeat(980)).as_bytes());
    }
    many.extend_from_slice(b"\r\n");
    list.push(("60 kB in 60 headers".into(), many, &[200, 431]));
    for byte in 0x80..=0xff_u8 {
        list.push((format!("the byte {byte:#x}"), get(b"/get", b"x-hostile", &[b'a', byte, b'b']), &[200]));
    }
    list
}

#[test]
fn a_hostile_request_gets_an_answer_and_the_vm_lives() {
    let local = Local::start().unwrap();
    let resources = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/resources.yaml");
    for filters in ["suite", "separate"] {
        let more = ["--filters".to_owned(), filters.to_owned()];
        let (running, log) = local.run(std::slice::from_ref(&resources), Role::Gateway, &more).unwrap();
        let address = running.client.address().to_owned();
        for (name, request, right) in requests() {
            let status = status_of(&address, &request);
            match status {
                Ok(status) => {
                    assert!(right.contains(&status), "{filters}: {name}: {status}, expected {right:?}")
                }
                Err(error) => panic!("{filters}: {name}: {error:#}"),
            }
            // A dead VM would answer 503 from now on.
            assert_eq!(
                status_of(&address, &get(b"/get", b"x-a", b"b")).unwrap(),
                200,
                "{filters}: after {name}"
            );
        }
        no_trouble_in(&running, &log);
    }
}

/// How many damaged tokens are sent.
const TOKENS: usize = 10_000;

/// The ways a byte of a token is changed; none of them makes bytes that no header has.
const CHANGES: [fn(&mut Vec<u8>, usize); 12] = [
    |token, at| token[at] = if token[at] == b'A' { b'B' } else { b'A' },
    |token, at| token[at] ^= 1,
    |token, at| token[at] = b'.',
    |token, at| token[at] = 0xff,
    |token, at| token[at] = b'%',
    |token, at| token[at] = b'"',
    |token, at| token.insert(at, b'A'),
    |token, at| token.insert(at, b'='),
    |token, at| token.insert(at, b','),
    |token, at| token.truncate(at + 1),
    |token, at| token.splice(at..=at, []).for_each(drop),
    |token, at| token.rotate_left(at),
];

/// What was signed, as it is found in a token: from the first byte that may begin one.
fn signed(token: &[u8]) -> Vec<&[u8]> {
    let start = token.iter().position(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    let parts = token[start.unwrap_or(0)..].split(|byte| *byte == b'.').filter(|part| !part.is_empty());
    parts.take(2).collect()
}

#[test]
fn ten_thousand_damaged_tokens_pass_by_none_and_the_vm_lives() {
    let local = Local::start().unwrap();
    let resources = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/resources.yaml");
    let (running, log) = local.run(&[resources], Role::Gateway, &[]).unwrap();
    let claims = serde_json::json!({"iss": "https://issuer.example", "sub": "ann"});
    let claims = serde_json::from_value(claims).unwrap();
    let good = mint(&Token { alg: "RS256".to_owned(), claims, expires_in: Some(3600) }).unwrap().into_bytes();
    let request = |token: &[u8]| {
        let value = [&b"Bearer "[..], token].concat();
        [b"GET /status/200 HTTP/1.1\r\nhost: hostile.example\r\nauthorization: ", &value[..], b"\r\n\r\n"]
            .concat()
    };
    let mut kept = Kept::new(running.client.address()).unwrap();
    assert_eq!(kept.status_of(&request(&good)).unwrap(), 200);
    let mut passed = 0;
    for number in 0..TOKENS {
        let mut token = good.clone();
        // Each change at each place in turn, and after that two at once.
        let (at, round) = (number % good.len(), number / good.len());
        CHANGES[round % CHANGES.len()](&mut token, at);
        if round >= CHANGES.len() {
            let at = (number * 7919) % token.len();
            CHANGES[(round + at) % CHANGES.len()](&mut token, at);
        }
        if token.iter().all(|byte| !byte.is_ascii_alphanumeric()) {
            continue;
        }
        match kept.status_of(&request(&token)).unwrap() {
            200 => {
                assert_eq!(signed(&token), signed(&good), "{}", token.escape_ascii());
                passed += 1;
            }
            status => assert_eq!(status, 401, "{}", token.escape_ascii()),
        }
    }
    // White space at the end of a header and padding do no harm.
    assert!(passed < TOKENS / 100, "{passed}");
    no_trouble_in(&running, &log);
}

fn no_trouble_in(running: &Running, log: &Receiver<String>) {
    let restarts = running.admin.request("GET", "admin", "/stats?filter=vm_reload", &[]).unwrap().body;
    assert!(
        !restarts.lines().any(|line| !line.trim_end().ends_with(": 0") && !line.is_empty()),
        "{restarts}"
    );
    for line in log.try_iter() {
        let lower = line.to_lowercase();
        assert!(
            !lower.contains("panic") && !lower.contains("wasm trap") && !lower.contains("critical"),
            "{line}"
        );
    }
}
