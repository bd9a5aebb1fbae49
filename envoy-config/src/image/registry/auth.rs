//! How a registry asks who we are, and the answer: HTTP Basic, or a token from elsewhere (the CNCF Distribution's token
//! authentication, as Docker Hub, GHCR and most others have it).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use ureq::http::{HeaderMap, Request, StatusCode, Uri};

use super::client::said;
use super::credentials::Login;
use super::error::RegistryError;
use super::transport::{Transport, failure};

const MAX_TOKEN: u64 = 1024 * 1024;

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    /// A token.
    Bearer {
        /// Where to get it.
        realm: String,
        /// For whom it is.
        service: Option<String>,
    },
}

impl Challenge {
    /// Of several, a token is preferred: it does not carry the password.
    pub(super) fn read(host: &str, headers: &HeaderMap) -> Result<Self, RegistryError> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let all: Vec<_> =
            values.filter_map(|value| http_auth::parse_challenges(value).ok()).flatten().collect();
        let of = |scheme: &str| all.iter().find(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme));
        if let Some(bearer) = of("Bearer") {
            let value = |name: &str| {
                let found = bearer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
            };
            let realm = value("realm").ok_or_else(|| RegistryError::Answer {
                host: host.to_owned(),
                why: "it asks for a token and does not say from where".to_owned(),
            })?;
            return Ok(Self::Bearer { realm, service: value("service") });
        }
        if of("Basic").is_some() {
            return Ok(Self::Basic);
        }
        let schemes: Vec<_> = all.iter().map(|challenge| challenge.scheme).collect();
        Err(RegistryError::Scheme { host: host.to_owned(), scheme: schemes.join(", ") })
    }
}

/// Who is asked for a login.
pub(super) struct Asker<'a> {
    /// The registry that asks.
    pub(super) host: &'a str,
    /// Its scheme and address.
    pub(super) origin: &'a str,
    /// What makes us known to it.
    pub(super) login: Option<&'a Login>,
}

impl Asker<'_> {
    /// The value of `Authorization` that answers a challenge. `scope` is what it has to be good for.
    pub(super) fn answer(
        &self,
        transport: &Transport,
        challenge: &Challenge,
        scope: &str,
    ) -> Result<String, RegistryError> {
        let host = self.host.to_owned();
        match (challenge, self.login) {
            (Challenge::Basic, Some(Login::Basic { username, password })) => Ok(basic(username, password)),
            (Challenge::Basic, Some(Login::Identity(_))) => Err(RegistryError::LoginRefused {
                host,
                why: " (it asks for a name and a password, and Docker's configuration has a token)"
                    .to_owned(),
            }),
            (Challenge::Basic, None) => Err(RegistryError::LoginNeeded(host)),
            (Challenge::Bearer { realm, service }, _) => {
                let wanted = Wanted { realm, service: service.as_deref(), scope };
                wanted.get(transport, self).map(|token| format!("Bearer {token}"))
            }
        }
    }
}

fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// A token to be got.
struct Wanted<'a> {
    realm: &'a str,
    service: Option<&'a str>,
    scope: &'a str,
}

/// What comes of it: both names are in use.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Wanted<'_> {
    fn get(&self, transport: &Transport, asker: &Asker<'_>) -> Result<String, RegistryError> {
        let (host, login) = (asker.host, asker.login);
        let unusable = |why: String| RegistryError::Answer { host: host.to_owned(), why };
        let uri: Uri = self.realm.parse().map_err(|_| unusable(format!("`{}` is no URL", self.realm)))?;
        if login.is_some() && !is_safe(&uri, asker.origin) {
            return Err(RegistryError::Realm { host: host.to_owned(), realm: self.realm.to_owned() });
        }
        let at = uri.authority().map_or_else(|| host.to_owned(), ToString::to_string);
        let form;
        let request = if let Some(Login::Identity(token)) = login {
            form = format!(
                "grant_type=refresh_token&client_id=outrigger&refresh_token={}&{}",
                encoded(token),
                self.parameters()
            );
            Request::post(self.realm)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Some(form.as_bytes()))
        } else {
            let separator = if self.realm.contains('?') { '&' } else { '?' };
            let mut request = Request::get(format!("{}{separator}{}", self.realm, self.parameters()));
            if let Some(Login::Basic { username, password }) = login {
                request = request.header(AUTHORIZATION, basic(username, password));
            }
            request.body(None)
        };
        let request = request.map_err(|error| unusable(error.to_string()))?;
        let mut response = transport.send(request).map_err(|error| failure(&at, &error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
                return Err(match login {
                    Some(_) => RegistryError::LoginRefused { host: host.to_owned(), why: said(response) },
                    None => RegistryError::LoginNeeded(host.to_owned()),
                });
            }
            status => {
                return Err(RegistryError::Unexpected {
                    host: at,
                    status: status.as_u16(),
                    what: "the request for a token".to_owned(),
                    why: said(response),
                });
            }
        }
        let text = response.body_mut().with_config().limit(MAX_TOKEN).read_to_vec();
        let text = text.map_err(|error| failure(&at, &error))?;
        let answer: Answer = serde_json::from_slice(&text)
            .map_err(|error| unusable(format!("`{at}` gives no token: {error}")))?;
        let given = |token: Option<String>| token.filter(|token| !token.is_empty());
        let token = given(answer.token).or_else(|| given(answer.access_token));
        token.ok_or_else(|| unusable(format!("`{at}` gives no token")))
    }

    fn parameters(&self) -> String {
        let mut all = Vec::new();
        if let Some(service) = self.service {
            all.push(format!("service={}", encoded(service)));
        }
        all.push(format!("scope={}", encoded(self.scope)));
        all.join("&")
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Whether a login may be sent there: by TLS, or to the machine of a registry that goes without itself.
fn is_safe(realm: &Uri, origin: &str) -> bool {
    match realm.scheme_str() {
        Some("https") => true,
        Some("http") => {
            let asks = origin.parse::<Uri>().ok();
            asks.is_some_and(|asks| asks.scheme_str() == Some("http") && asks.host() == realm.host())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(values: &[&str]) -> Result<Challenge, RegistryError> {
        let headers = values.iter().map(|value| (WWW_AUTHENTICATE, value.parse().unwrap())).collect();
        Challenge::read("r.example", &headers)
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let bearer =
            r#"Bearer realm="https://a.example/token",service="r.example",scope="repository:a:pull""#;
        let wanted = Challenge::Bearer {
            realm: "https://a.example/token".to_owned(),
            service: Some("r.example".to_owned()),
        };
        assert_eq!(read(&[r#"Basic realm="r""#, bearer]).unwrap(), wanted);
        assert_eq!(read(&["Negotiate", r#"basic realm="r""#]).unwrap(), Challenge::Basic);
    }

    #[test]
    fn what_we_cannot_answer_is_said() {
        assert!(
            matches!(read(&["Negotiate"]), Err(RegistryError::Scheme { scheme, .. }) if scheme == "Negotiate")
        );
        assert!(matches!(read(&[]), Err(RegistryError::Scheme { .. })));
        assert!(matches!(read(&["Bearer service=\"x\""]), Err(RegistryError::Answer { .. })));
    }

    #[rstest]
    #[case("https://elsewhere.example/token", "https://r.example", true)]
    #[case("https://elsewhere.example/token", "http://localhost:5000", true)]
    #[case("http://localhost:5001/token", "http://localhost:5000", true)]
    #[case("http://r.example/token", "https://r.example", false)]
    #[case("http://elsewhere.example/token", "http://localhost:5000", false)]
    #[case("ftp://localhost/token", "http://localhost:5000", false)]
    fn a_login_goes_where_nobody_reads_it(#[case] realm: &str, #[case] origin: &str, #[case] safe: bool) {
        assert_eq!(is_safe(&realm.parse().unwrap(), origin), safe);
    }

    #[test]
    fn parameters_are_written_so_that_nothing_else_can_be_read_from_them() {
        let wanted = Wanted { realm: "https://a", service: Some("a&b"), scope: "repository:a/b:pull,push" };
        assert_eq!(wanted.parameters(), "service=a%26b&scope=repository%3Aa%2Fb%3Apull%2Cpush");
    }
}
