//! `GET http://host:port/path`: what a client sends.

use std::str::FromStr;

/// A request's first line with a full URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// Such as `GET`.
    pub method: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// What a client puts into `Host`: without the port that the scheme implies.
    pub authority: String,
    /// The URL's port, or the scheme's.
    pub port: u16,
    /// Path and query; a fragment is never sent.
    pub path: String,
}

impl FromStr for RequestLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (method, url) = match words.as_slice() {
            [url] => ("GET", *url),
            [method, url] => (*method, *url),
            _ => {
                return Err(
                    "a request is a method and a URL, such as `GET http://example.com/path`".to_owned()
                );
            }
        };
        if !outrigger_api::is_token(method) {
            return Err(format!("`{method}` is not an HTTP method"));
        }
        let (scheme, default_port, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => ("http", 80, rest),
            (_, Some(rest)) => ("https", 443, rest),
            _ => return Err(format!("`{url}` is not a URL that begins with `http://` or `https://`")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host_and_port, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if host_and_port.contains('@') {
            // It may have a password, which is nobody's business.
            return Err("a user name in a URL is never sent to the server: leave it out".to_owned());
        }
        let (host, port) = split_port(host_and_port)?;
        if host.is_empty() {
            return Err(format!("`{url}` has no host"));
        }
        let port = port.unwrap_or(default_port);
        let authority = if port == default_port { host.to_owned() } else { format!("{host}:{port}") };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { method: method.to_owned(), scheme, authority, port, path })
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = match authority.rsplit_once(':') {
        // A colon within brackets is part of an IPv6 address.
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => return Ok((authority, None)),
    };
    match port.parse() {
        Ok(0) | Err(_) => Err(format!("`{port}` is not a port")),
        Ok(port) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_a_client_sends_them() {
        for (text, method, authority, port, path) in [
            ("GET http://a.b/c?d#e", "GET", "a.b", 80, "/c?d"),
            ("http://a", "GET", "a", 80, "/"),
            ("POST https://a:443", "POST", "a", 443, "/"),
            ("POST http://a:443/", "POST", "a:443", 443, "/"),
            ("GET http://a:80/", "GET", "a", 80, "/"),
            ("GET http://[::1]:8080/x", "GET", "[::1]:8080", 8080, "/x"),
            ("GET http://[::1]/x", "GET", "[::1]", 80, "/x"),
            ("GET http://a?q=1", "GET", "a", 80, "/?q=1"),
        ] {
            let line: RequestLine = text.parse().unwrap();
            let seen = (&*line.method, &*line.authority, line.port, &*line.path);
            assert_eq!(seen, (method, authority, port, path), "{text}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            "",
            "GET",
            "GET /path",
            "GET ftp://a/",
            "G@T http://a/",
            "GET http://",
            "GET http://a:x/",
            "GET http://a:0/",
            "GET http://a:70000/",
            "GET http://u@a/",
            "GET http://a/ HTTP/1.1",
        ] {
            assert!(text.parse::<RequestLine>().is_err(), "{text}");
        }
    }
}
