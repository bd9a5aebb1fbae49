//! Small changes to a request.

use super::super::generate::PORTS;
use super::super::random::Random;
use super::super::request::Request;
use super::super::words;

/// Changes one thing.
pub(super) fn change(random: &mut Random, request: &mut Request) {
    match random.below(20) {
        0..=6 => path(random, &mut request.target),
        7 | 8 => query(random, &mut request.target),
        9..=14 => header(random, &mut request.headers),
        15 => request.method = random.pick(words::METHODS).to_owned(),
        16 | 17 => host(random, &mut request.host),
        18 => request.port = *random.one(&PORTS),
        _ => special(random, request),
    }
}

fn path(random: &mut Random, target: &mut Vec<u8>) {
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let at = random.between(1.min(end), end);
    let mut insert = |at: usize, bytes: &[u8]| {
        target.splice(at..at, bytes.iter().copied());
    };
    match random.below(12) {
        0 => insert(end, b"x"),
        1 => insert(end, b"/"),
        2 => insert(at, b"/"),
        3 => insert(at, b"%20"),
        4 => insert(end, b";v=1"),
        5 => insert(end, b"/../a"),
        6 => insert(end, b"/./b"),
        7 => insert(end, b"#part"),
        8 => insert(end, b"%2F"),
        9 if end > 1 => {
            target.remove(end - 1);
        }
        10 if at < end => {
            let byte = target[at];
            target.splice(at..=at, format!("%{byte:02X}").into_bytes());
        }
        _ if at < end => {
            let byte = &mut target[at];
            *byte =
                if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() };
        }
        _ => {}
    }
}

fn query(random: &mut Random, target: &mut Vec<u8>) {
    let name = random.pick(words::PARAMETERS);
    let value = random.pick(words::VALUES).replace(' ', "%20");
    let begin = target.iter().position(|byte| *byte == b'?');
    match (random.below(5), begin) {
        (0, Some(begin)) => target.truncate(begin),
        (1, Some(begin)) => {
            let first = format!("{name}={value}&");
            target.splice(begin + 1..=begin, first.into_bytes());
        }
        (2, None) => target.push(b'?'),
        (3, _) => target.extend(format!("{}{name}", if begin.is_some() { "&&" } else { "?" }).into_bytes()),
        (_, begin) => {
            target.extend(format!("{}{name}={value}", if begin.is_some() { "&" } else { "?" }).into_bytes());
        }
    }
}

fn header(random: &mut Random, headers: &mut Vec<(String, Vec<u8>)>) {
    let new = |random: &mut Random| {
        (random.pick(words::HEADERS).to_owned(), random.pick(words::VALUES).as_bytes().to_vec())
    };
    if headers.is_empty() || random.chance(25) {
        let header = new(random);
        headers.push(header);
        return;
    }
    let index = random.below(headers.len());
    let (name, value) = &mut headers[index];
    match random.below(9) {
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
        _ => *name = if random.chance(50) { name.to_ascii_uppercase() } else { format!("{name}-2") },
    }
}

fn host(random: &mut Random, host: &mut Vec<u8>) {
    match random.below(6) {
        0 => host.extend_from_slice(b":80"),
        1 => host.extend_from_slice(b":8080"),
        2 => host.make_ascii_uppercase(),
        3 => {
            host.splice(0..0, *b"x.");
        }
        4 => host.extend_from_slice(b":9"),
        _ => {
            if let Some(first) = host.first_mut() {
                *first = if *first == b'a' { b'b' } else { b'a' };
            }
        }
    }
}

fn special(random: &mut Random, request: &mut Request) {
    // No gRPC client sends a preflight, and a filter's answer to one is told as gRPC: a listed deviation.
    let preflight = request.headers.iter().any(|(name, _)| name == "access-control-request-method");
    match random.below(5) {
        0 if !preflight => request.headers.push(("content-type".to_owned(), b"application/grpc".to_vec())),
        1 => request.headers.push(("x-forwarded-proto".to_owned(), b"https".to_vec())),
        2 => request.headers.push(("x-forwarded-for".to_owned(), b"9.9.9.9".to_vec())),
        3 if request.target.starts_with(b"/") => {
            let scheme = random.pick(&["http", "https"]);
            let url = [scheme.as_bytes(), b"://", &request.host, &request.target].concat();
            request.target = url;
        }
        _ => request.headers.push(("grpc-timeout".to_owned(), b"3S".to_vec())),
    }
}
