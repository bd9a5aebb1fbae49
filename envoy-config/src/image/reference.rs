//! What names an image: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::digest::Digest;

/// The name of an image in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Where the registry listens.
    pub registry: Host,
    /// Of its repositories.
    pub repository: String,
    /// The name in it.
    pub tag: Option<String>,
    /// What it has to be.
    pub digest: Option<Digest>,
}

impl Reference {
    /// What a registry is asked for: the digest, else the tag, else `latest`.
    #[must_use]
    pub fn identifier(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

/// A registry's address, with a port if it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name or address without the port.
    fn name(&self) -> &str {
        let name = match self.0.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => &self.0,
        };
        name.trim_start_matches('[').trim_end_matches(']')
    }

    /// Whether it is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let name = self.name();
        name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether it is Docker Hub, which listens elsewhere than it is called.
    #[must_use]
    pub fn is_docker_hub(&self) -> bool {
        matches!(self.as_str(), "docker.io" | "index.docker.io" | "registry-1.docker.io")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    /// With `oci://` before it, as a WasmPlugin's `url` has it, or without.
    fn from_str(text: &str) -> Result<Self, BadReference> {
        let bad = |why: Why| BadReference { text: text.to_owned(), why };
        let name = match text.split_once("://") {
            Some(("oci", name)) => name,
            Some(_) => return Err(bad(Why::Scheme)),
            None => text,
        };
        let (name, digest) = match name.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| bad(Why::Digest))?)),
            None => (name, None),
        };
        let (host, path) = name.split_once('/').ok_or_else(|| bad(Why::NoHost))?;
        // Without such a sign, Istio's fetcher takes the name for one of Docker Hub.
        if host != "localhost" && !host.contains(['.', ':']) {
            return Err(bad(Why::NoHost));
        }
        let host_byte = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        if !host.bytes().all(host_byte) {
            return Err(bad(Why::Host));
        }
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_repository(repository) {
            return Err(bad(Why::Repository));
        }
        if !tag.as_deref().is_none_or(is_tag) {
            return Err(bad(Why::Tag));
        }
        let registry = Host(host.to_owned());
        // There, Docker and the fetchers look for a name without a namespace among Docker's own.
        let own = registry.is_docker_hub() && !repository.contains('/');
        let repository = if own { format!("library/{repository}") } else { repository.to_owned() };
        Ok(Self { registry, repository, tag, digest })
    }
}

/// Parts between slashes: lower case letters and digits, with single dots, one or two underscores, or hyphens between
/// them (OCI Distribution Specification 1.1).
fn is_repository(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let ends = part.bytes().next().is_some_and(plain) && part.bytes().last().is_some_and(plain);
        let mut separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends && separators.all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|byte| byte == b'-'))
    };
    text.len() <= 255 && text.split('/').all(is_part)
}

/// Whether an image can be called this in its repository.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let any = |byte: u8| first(byte) || byte == b'.' || byte == b'-';
    text.len() <= 128 && text.bytes().next().is_some_and(first) && text.bytes().all(any)
}

/// The text names no image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name an image: {why}")]
pub struct BadReference {
    text: String,
    why: Why,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("the scheme is `oci://` or none")]
    Scheme,
    #[error(
        "it does not begin with a registry, as `registry.example/REPOSITORY` or `localhost:5000/REPOSITORY` do; \
         without a dot or a port, fetchers look for the name at `docker.io/`"
    )]
    NoHost,
    #[error("the registry is a host name or an address, with a port if need be")]
    Host,
    #[error("a repository has lower case letters and digits, with `.`, `_`, `-` and `/` between them")]
    Repository,
    #[error("a tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with none of the last two")]
    Tag,
    #[error("the digest after `@` is `sha256:` and 64 digits of 0-9 and a-f")]
    Digest,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("oci://ghcr.io/team/outrigger:0.1.0", "ghcr.io", "team/outrigger", "0.1.0")]
    #[case("ghcr.io/team/outrigger", "ghcr.io", "team/outrigger", "latest")]
    #[case("localhost:5000/a", "localhost:5000", "a", "latest")]
    #[case("docker.io/a", "docker.io", "library/a", "latest")]
    #[case("localhost/a__b/c.d-e:V_1", "localhost", "a__b/c.d-e", "V_1")]
    #[case("[::1]:5000/a:1", "[::1]:5000", "a", "1")]
    fn names_are_taken_apart(
        #[case] text: &str,
        #[case] host: &str,
        #[case] repository: &str,
        #[case] identifier: &str,
    ) {
        let reference: Reference = text.parse().unwrap();
        assert_eq!((reference.registry.as_str(), reference.repository.as_str()), (host, repository));
        assert_eq!(reference.identifier(), identifier);
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let digest = Digest::of(b"");
        let text = format!("ghcr.io/a:1@{digest}");
        let reference: Reference = text.parse().unwrap();
        assert_eq!((reference.identifier(), reference.to_string()), (digest.to_string(), text));
    }

    #[rstest]
    #[case("outrigger", Why::NoHost)]
    #[case("registry/outrigger", Why::NoHost)]
    #[case("https://ghcr.io/outrigger", Why::Scheme)]
    #[case("ghcr.io/Outrigger", Why::Repository)]
    #[case("ghcr.io/", Why::Repository)]
    #[case("ghcr.io/a//b", Why::Repository)]
    #[case("ghcr.io/a..b", Why::Repository)]
    #[case("ghcr.io/a-", Why::Repository)]
    #[case("ghcr.io/a:", Why::Tag)]
    #[case("ghcr.io/a:-1", Why::Tag)]
    #[case("user@ghcr.io/a", Why::Digest)]
    #[case("ghcr.io/a@sha256:12", Why::Digest)]
    #[case("a b.c/d", Why::Host)]
    fn what_names_no_image_is_refused(#[case] text: &str, #[case] why: Why) {
        assert_eq!(text.parse::<Reference>().unwrap_err().why, why);
    }

    #[rstest]
    #[case("localhost", true)]
    #[case("localhost:5000", true)]
    #[case("127.0.0.2:5000", true)]
    #[case("[::1]:5000", true)]
    #[case("localhost.example:5000", false)]
    #[case("10.0.0.1:5000", false)]
    fn this_machine_is_told_from_others(#[case] host: &str, #[case] is: bool) {
        assert_eq!(Host(host.to_owned()).is_loopback(), is);
    }
}
