//! Small changes to a request.

use super::super::peers::IDENTITIES;
use super::super::words;
use super::client::{SERVER_NAMES, SOURCES};
use super::{Random, Request, Tls};

/// Changes one thing.
pub(super) fn change(random: &mut Random, request: &mut Request) {
    match random.below(20) {
        0..=6 => path(random, &mut request.target),
        7..=10 => header(random, &mut request.headers),
        11 => request.method = random.pick(&["GET", "POST", "PUT", "OPTIONS", "HEAD", "PATCH"]).to_owned(),
        12..=14 => host(random, &mut request.host),
        15 => request.port = *random.one(&words::PORTS),
        16 | 17 => way(random, request),
        _ => special(random, request),
    }
}

fn path(random: &mut Random, target: &mut Vec<u8>) {
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let at = random.between(1.min(end), end);
    let mut insert = |at: usize, bytes: &[u8]| {
        target.splice(at..at, bytes.iter().copied());
    };
    match random.below(19) {
        0 => insert(end, b"x"),
        1 => insert(end, b"/"),
        2 => insert(at, b"/"),
        3 => insert(at, b"%20"),
        4 => insert(end, b";v=1"),
        5 => insert(end, b"/../a"),
        6 => insert(end, b"/./b"),
        7 => insert(end, b"#part"),
        8 => insert(at, b"%2F"),
        9 => insert(at, b"\\"),
        10 => insert(at, b"%5c"),
        11 => insert(at, b"%2e%2e/"),
        12 => insert(end, b"?x=1"),
        13 => insert(at, b"%E9"),
        14 => insert(at, b"%00"),
        15 => insert(0, b"/"),
        16 if end > 1 => {
            target.remove(end - 1);
        }
        17 if at < end => {
            let byte = target[at];
            target.splice(at..=at, format!("%{byte:02x}").into_bytes());
        }
        _ if at < end => {
            let byte = &mut target[at];
            *byte =
                if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        }
        _ => {}
    }
}

fn header(random: &mut Random, headers: &mut Vec<(String, Vec<u8>)>) {
    if headers.is_empty() || random.chance(25) {
        let name = random.pick(&["x-role", "x-token", "x_role", "user-agent", "cookie"]);
        headers.push((name.to_owned(), random.pick(words::VALUES).as_bytes().to_vec()));
        return;
    }
    let index = random.below(headers.len());
    let (name, value) = &mut headers[index];
    match random.below(11) {
        0 => {
            headers.remove(index);
        }
        1 => {
            let other = (name.clone(), random.pick(words::VALUES).as_bytes().to_vec());
            let at = random.between(0, index + 1);
            headers.insert(at, other);
        }
        2 => value.extend_from_slice(b",other"),
        3 => value.push(b'x'),
        4 => value.clear(),
        5 => {
            value.pop();
        }
        6 => value.make_ascii_uppercase(),
        7 => value.push(0xe9),
        8 => value.splice(0..0, *b" \t").for_each(drop),
        9 => *name = name.replace('-', "_"),
        _ => *name = if random.chance(50) { name.to_ascii_uppercase() } else { format!("{name}-2") },
    }
}

fn host(random: &mut Random, host: &mut Vec<u8>) {
    match random.below(9) {
        0 => host.extend_from_slice(b":80"),
        1 => host.extend_from_slice(b":8080"),
        2 => host.make_ascii_uppercase(),
        3 => host.splice(0..0, *b"x.").for_each(drop),
        4 => host.extend_from_slice(b":9"),
        5 => host.push(b'.'),
        6 => host.extend_from_slice(b":"),
        7 => host.truncate(host.len() / 2),
        _ => {
            if let Some(first) = host.first_mut() {
                *first = if *first == b'a' { b'b' } else { b'a' };
            }
        }
    }
}

fn way(random: &mut Random, request: &mut Request) {
    let wire = &mut request.wire;
    match random.below(6) {
        0 => wire.tls = None,
        1 => wire.tls.get_or_insert_default().peer = Some(random.one(IDENTITIES).name),
        2 => wire.tls.get_or_insert_default().peer = None,
        3 => wire.source = Some(*random.one(SOURCES)),
        4 => wire.second_address = !wire.second_address,
        _ => {
            let server_name = random.chance(70).then(|| random.pick(SERVER_NAMES).to_owned());
            let peer = wire.tls.as_ref().and_then(|tls| tls.peer);
            wire.tls = Some(Tls { server_name, peer });
        }
    }
}

fn special(random: &mut Random, request: &mut Request) {
    match random.below(5) {
        0 | 1 => request.headers.push(("content-type".to_owned(), b"application/grpc".to_vec())),
        2 => request.headers.push(("x-forwarded-proto".to_owned(), random.pick(&["https", "http"]).into())),
        3 if request.target.starts_with(b"/") => {
            let scheme = random.pick(&["http", "https", "HTTP"]);
            let host = random.pick(&["shop.test", "Shop.test:8080", "other.test"]);
            request.target = [scheme.as_bytes(), b"://", host.as_bytes(), &request.target].concat();
        }
        _ => {
            let claimed = b"By=spiffe://x;URI=spiffe://cluster.local/ns/shop/sa/cart".to_vec();
            request.headers.push(("x-forwarded-client-cert".to_owned(), claimed));
        }
    }
}
