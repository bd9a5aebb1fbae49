//! Why a token is refused, and the answer to the client: Envoy's words for Envoy's reasons.

use crate::Request;
use crate::verdict::Reply;

/// How much of the path goes into `www-authenticate`.
const MAX_PATH: usize = 256;

/// A refusal. The names are those of Envoy's `jwt_verify_lib` statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// `nbf` is more than 60 s ahead.
    JwtNotYetValid,
    /// `exp` is more than 60 s past.
    JwtExpired,
    /// Not three parts.
    JwtBadFormat,
    /// The header is not base64url.
    JwtHeaderParseErrorBadBase64,
    /// The header is not a JSON object, or names a member twice.
    JwtHeaderParseErrorBadJson,
    /// No `alg`, or not a string.
    JwtHeaderBadAlg,
    /// An `alg` that Envoy does not know; `none` is one.
    JwtHeaderNotImplementedAlg,
    /// `kid` is not a string.
    JwtHeaderBadKid,
    /// The payload is not base64url.
    JwtPayloadParseErrorBadBase64,
    /// The payload is not a JSON object, or names a member twice at some depth.
    JwtPayloadParseErrorBadJson,
    /// `iss` is not a string.
    JwtPayloadParseErrorIssNotString,
    /// `sub` is not a string.
    JwtPayloadParseErrorSubNotString,
    /// `jti` is not a string.
    JwtPayloadParseErrorJtiNotString,
    /// `iat` is not a number.
    JwtPayloadParseErrorIatNotInteger,
    /// `iat` is negative or 2^64 and above.
    JwtPayloadParseErrorIatOutOfRange,
    /// `nbf` is not a number.
    JwtPayloadParseErrorNbfNotInteger,
    /// `nbf` is negative or 2^64 and above.
    JwtPayloadParseErrorNbfOutOfRange,
    /// `exp` is not a number.
    JwtPayloadParseErrorExpNotInteger,
    /// `exp` is negative or 2^64 and above.
    JwtPayloadParseErrorExpOutOfRange,
    /// `aud` is neither a string nor a list of strings.
    JwtPayloadParseErrorAudNotString,
    /// The signature is not base64url.
    JwtSignatureParseErrorBadBase64,
    /// A key of Ed25519 was asked, and the signature has not its 64 bytes.
    JwtEd25519SignatureWrongLength,
    /// `iss` is not the one that a token at this place must have.
    JwtUnknownIssuer,
    /// None of the rule's audiences is in `aud`.
    JwtAudienceNotAllowed,
    /// No key that fits made this signature.
    JwtVerificationFail,
    /// No key has this `kid`, or this `alg`.
    JwksKidAlgMismatch,
    /// There are no keys to verify it with: they are fetched, and that has failed.
    JwksFetchFail,
    /// The token is good, but a claim that should go into this header has a byte that no header may have.
    InvalidHeaderValue(String),
}

impl Failure {
    /// What the client is told.
    pub fn text(&self) -> String {
        let text = match self {
            Self::JwtNotYetValid => "Jwt not yet valid",
            Self::JwtExpired => "Jwt is expired",
            Self::JwtBadFormat => {
                "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
            }
            Self::JwtHeaderParseErrorBadBase64 => "Jwt header is an invalid Base64url encoded",
            Self::JwtHeaderParseErrorBadJson => "Jwt header is an invalid JSON",
            Self::JwtHeaderBadAlg => "Jwt header [alg] field is required and must be a string",
            Self::JwtHeaderNotImplementedAlg => "Jwt header [alg] is not supported",
            Self::JwtHeaderBadKid => "Jwt header [kid] field is not a string",
            Self::JwtPayloadParseErrorBadBase64 => "Jwt payload is an invalid Base64url encoded",
            Self::JwtPayloadParseErrorBadJson => "Jwt payload is an invalid JSON",
            Self::JwtPayloadParseErrorIssNotString => "Jwt payload [iss] field is not a string",
            Self::JwtPayloadParseErrorSubNotString => "Jwt payload [sub] field is not a string",
            Self::JwtPayloadParseErrorJtiNotString => "Jwt payload [jti] field is not a string",
            Self::JwtPayloadParseErrorIatNotInteger => "Jwt payload [iat] field is not an integer",
            Self::JwtPayloadParseErrorIatOutOfRange => {
                "Jwt payload [iat] field is not a positive 64 bit integer"
            }
            Self::JwtPayloadParseErrorNbfNotInteger => "Jwt payload [nbf] field is not an integer",
            Self::JwtPayloadParseErrorNbfOutOfRange => {
                "Jwt payload [nbf] field is not a positive 64 bit integer"
            }
            Self::JwtPayloadParseErrorExpNotInteger => "Jwt payload [exp] field is not an integer",
            Self::JwtPayloadParseErrorExpOutOfRange => {
                "Jwt payload [exp] field is not a positive 64 bit integer"
            }
            Self::JwtPayloadParseErrorAudNotString => {
                "Jwt payload [aud] field is not a string or string list"
            }
            Self::JwtSignatureParseErrorBadBase64 => "Jwt signature is an invalid Base64url encoded",
            Self::JwtEd25519SignatureWrongLength => "Jwt ED25519 signature is wrong length",
            Self::JwtUnknownIssuer => "Jwt issuer is not configured",
            Self::JwtAudienceNotAllowed => "Audiences in Jwt are not allowed",
            Self::JwtVerificationFail => "Jwt verification fails",
            Self::JwksKidAlgMismatch => "Jwks doesn't have key to match kid or alg from Jwt",
            Self::JwksFetchFail => "Jwks remote fetch is failed",
            Self::InvalidHeaderValue(name) => return format!("invalid header value for: {name}"),
        };
        text.to_owned()
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::JwtAudienceNotAllowed => 403,
            Self::InvalidHeaderValue(_) => 503,
            _ => 401,
        }
    }

    /// The answer.
    pub fn reply(&self, request: &Request<'_>) -> Reply<'static> {
        let text = self.text();
        let mut headers = vec![("content-type".into(), b"text/plain".into())];
        let kind = if let Self::InvalidHeaderValue(_) = self {
            "filter_removed_required_request_headers"
        } else {
            headers.push(("www-authenticate".into(), challenge(request).into()));
            "jwt_authn_access_denied"
        };
        Reply {
            status: self.status(),
            headers,
            details: format!("{kind}{{{}}}", text.replace(' ', "_")).into(),
            body: text.into_bytes().into(),
            grpc_status: None,
        }
    }
}

/// RFC 6750 section 3; the realm is the URI that the client asked for.
fn challenge(request: &Request<'_>) -> Vec<u8> {
    let path = request.header(b"x-envoy-original-path").unwrap_or(request.path_and_query());
    let path = path.get(..MAX_PATH).unwrap_or(path);
    let parts = [b"Bearer realm=\"", request.scheme(), b"://", request.authority(), path];
    [parts.concat().as_slice(), b"\", error=\"invalid_token\""].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Connection;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn reply(failure: &Failure, path: &[u8], original: Option<&[u8]>) -> (Vec<u8>, Reply<'static>) {
        let mut headers =
            vec![(&b":scheme"[..], &b"https"[..]), (b":authority", b"shop.example:8443"), (b":path", path)];
        headers.extend(original.map(|path| (&b"x-envoy-original-path"[..], path)));
        let reply = failure.reply(&Request::new(&headers, &Connection::UNKNOWN));
        let challenge = reply.headers.iter().find(|(name, _)| name == "www-authenticate");
        (challenge.map(|(_, value)| value.to_vec()).unwrap_or_default(), reply)
    }

    #[test]
    fn the_answer_is_envoys() {
        let (challenge, reply) = reply(&Failure::JwtExpired, b"/cart?id=7", None);
        assert_eq!(
            challenge,
            b"Bearer realm=\"https://shop.example:8443/cart?id=7\", error=\"invalid_token\""
        );
        assert_eq!((reply.status, &*reply.body), (401, &b"Jwt is expired"[..]));
        assert_eq!(reply.details, "jwt_authn_access_denied{Jwt_is_expired}");
        assert_eq!(reply.headers[0], ("content-type".into(), b"text/plain"[..].into()));
    }

    #[test]
    fn the_realm_has_the_path_before_any_rewrite_and_at_most_256_bytes_of_it() {
        let (challenge, _) = reply(&Failure::JwtExpired, b"/rewritten", Some(b"/asked"));
        assert_eq!(challenge, b"Bearer realm=\"https://shop.example:8443/asked\", error=\"invalid_token\"");
        let (challenge, _) = reply(&Failure::JwtExpired, &[b'/'; 300], None);
        assert_eq!(challenge.iter().filter(|byte| **byte == b'/').count(), 256 + 2);
    }

    #[test]
    fn audiences_are_a_403_and_unusable_claims_a_503() {
        assert_eq!(Failure::JwtAudienceNotAllowed.status(), 403);
        let (challenge, reply) = reply(&Failure::InvalidHeaderValue("x-sub".into()), b"/", None);
        assert_eq!(challenge, b"");
        assert_eq!((reply.status, &*reply.body), (503, &b"invalid header value for: x-sub"[..]));
        assert_eq!(reply.details, "filter_removed_required_request_headers{invalid_header_value_for:_x-sub}");
    }
}
