//! What can go wrong between us and a registry, with what to do about it.

use std::path::PathBuf;

use super::credentials::CredentialsError;
use crate::image::digest::Digest;

/// A registry did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nobody answers.
    #[error(
        "can't reach the registry `{host}`: {why}\nhint: look at the host's name and port, and at HTTPS_PROXY and \
         NO_PROXY if there is a proxy"
    )]
    Unreachable {
        /// The registry, or where it sent us for a token.
        host: String,
        /// Why.
        why: String,
    },
    /// It speaks no TLS.
    #[error(
        "`{0}` answers without TLS\nhint: with `--plain-http`, anybody on the way can read and change what is sent"
    )]
    NoTls(String),
    /// It may speak TLS only, and then this is how most servers say so.
    #[error("`{host}` answers 400 for {what}{why}\nhint: if it has TLS, leave out `--plain-http`")]
    WantsTls {
        /// The registry.
        host: String,
        /// What was asked of it.
        what: String,
        /// What it says.
        why: String,
    },
    /// Its certificate is not accepted.
    #[error(
        "the certificate of `{host}` is not accepted: {why}\nhint: name the authority that issued it with `--ca-file`, \
         and call the registry by a name in the certificate"
    )]
    Certificate {
        /// The registry, or where it sent us for a token.
        host: String,
        /// Why.
        why: String,
    },
    /// It asks who we are, and there is nothing to tell it.
    #[error(
        "`{0}` asks for a login, and there is none\nhint: `docker login {0}`, or `--username` with `--password-stdin`"
    )]
    LoginNeeded(String),
    /// It knows us not.
    #[error(
        "`{host}` refuses the login{why}\nhint: `docker login {host}`, or `--username` with `--password-stdin`"
    )]
    LoginRefused {
        /// The registry.
        host: String,
        /// What it says.
        why: String,
    },
    /// It asks for a kind of login that we don't know.
    #[error("`{host}` asks for a login by `{scheme}`, and only Basic and Bearer are known")]
    Scheme {
        /// The registry.
        host: String,
        /// The kind.
        scheme: String,
    },
    /// It would have the password sent where it must not go.
    #[error("`{host}` wants the login sent to `{realm}`, which is not `https`: refused")]
    Realm {
        /// The registry.
        host: String,
        /// Where it points.
        realm: String,
    },
    /// It knows us, and we may not.
    #[error(
        "`{host}` does not allow {what}{why}\nhint: the login needs the right to do so, and some registries want the \
         repository to be made first"
    )]
    Denied {
        /// The registry.
        host: String,
        /// What was asked of it.
        what: String,
        /// What it says.
        why: String,
    },
    /// There is no such thing.
    #[error("`{host}` does not find {what}{why}\nhint: look at the repository's name and the tag")]
    NotFound {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// What it says.
        why: String,
    },
    /// Any other answer.
    #[error("`{host}` answers {status} for {what}{why}")]
    Unexpected {
        /// The registry.
        host: String,
        /// The status code.
        status: u16,
        /// What was asked of it.
        what: String,
        /// What it says.
        why: String,
    },
    /// An answer that makes no sense.
    #[error("`{host}` gives an answer that can't be used: {why}")]
    Answer {
        /// The registry.
        host: String,
        /// Why.
        why: String,
    },
    /// It holds something else than what was sent or asked for.
    #[error("`{host}` says that it holds {says} and not {ours}")]
    OtherDigest {
        /// The registry.
        host: String,
        /// By its account.
        says: String,
        /// By ours.
        ours: Digest,
    },
    /// A file of authorities can't be used.
    #[error("can't read authorities from `{}`: {why}\nhint: `--ca-file` takes certificates in PEM", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// This machine trusts nobody.
    #[error(
        "this machine has no authorities to check the certificate of `{0}` by\nhint: install `ca-certificates`, or name \
         a file with `--ca-file`"
    )]
    NoAuthorities(String),
    /// The logins that are kept can't be read.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}
