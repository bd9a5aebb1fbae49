//! Gives tokens to those who may (the CNCF Distribution's token authentication), as GHCR or Docker Hub do.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::authority::Certificate;

pub(crate) const SERVICE: &str = "registry & test";
pub(crate) const ISSUER: &str = "tokens";
/// What takes the place of a name and a password.
pub(crate) const IDENTITY: &str = "identity/of+ann";

/// Everybody may pull from `public/`, `bob` may pull everything, and `ann` may push too.
pub(crate) struct TokenServer {
    pub(crate) port: u16,
    /// The scopes that were asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl TokenServer {
    pub(crate) fn start(signer: Certificate) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(stream, &signer, &told);
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, signer: &Certificate, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (method, target) = line.trim().split_once(' ')?;
    let (mut user, mut length) = (None, 0);
    let (method, target) = (method.to_owned(), target.split(' ').next()?.to_owned());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => user = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let parameters = if method == "POST" { body.as_str() } else { target.split_once('?')?.1 };
    let value = |name: &str| {
        let pair = parameters.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.map(|value| percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    };
    let basic = |login: &str| format!("Basic {}", STANDARD.encode(login));
    let user = match (method.as_str(), user) {
        ("POST", _) if value("grant_type")? == "refresh_token" && value("refresh_token")? == IDENTITY => {
            "ann"
        }
        ("GET", None) => "",
        ("GET", Some(header)) if header == basic("ann:s3cr:et") => "ann",
        ("GET", Some(header)) if header == basic("bob:b") => "bob",
        _ => return answer(reader.into_inner(), 401, &json!({"errors": [{"message": "who are you?"}]})),
    };
    assert_eq!(value("service")?, SERVICE);
    let scope = value("scope")?;
    asked.lock().unwrap().push(format!("{user} {scope}"));
    let token = token(user, &scope, signer)?;
    // Both names are in use.
    let name = if method == "POST" { "access_token" } else { "token" };
    answer(reader.into_inner(), 200, &json!({name: token, "expires_in": 60}))
}

fn token(user: &str, scope: &str, signer: &Certificate) -> Option<String> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    let may = |action: &&str| match *action {
        "pull" => !user.is_empty() || name.starts_with("public/"),
        _ => user == "ann",
    };
    let actions: Vec<_> = actions.split(',').filter(may).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let claims = json!({
        "iss": ISSUER, "sub": user, "aud": SERVICE, "jti": "1", "iat": now, "nbf": now - 10, "exp": now + 60,
        "access": [{"type": "repository", "name": name, "actions": actions}],
    });
    let mut header = Header::new(Algorithm::ES256);
    let der: String = signer.chain.lines().filter(|line| !line.starts_with("---")).collect();
    header.x5c = Some(vec![der]);
    encode(&header, &claims, &EncodingKey::from_ec_pem(signer.key.as_bytes()).ok()?).ok()
}

fn answer(mut stream: TcpStream, status: u16, body: &Value) -> Option<()> {
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} Any\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}
