//! Where a proxy gets the modules.

use super::checksum::{Checksum, Checksums};
use super::error::Error;
use crate::image::Reference;
use crate::image::reference::BadReference;
use crate::modules::Module;

/// Where the modules are: an image each, or a file each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// `--image`, in which `{module}` stands for a module's name.
    Image(String),
    /// `--url`, in which `{module}` stands for a module's name and `{file}` for that of its file.
    Url(String),
}

/// A file, on a web server or where the proxy runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `http`, `https` or `file`
    scheme: Scheme,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    File,
}

/// Where one module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Image(Reference),
    Url(Url),
}

impl Code {
    /// Where `module` is, one of so `many`.
    ///
    /// # Errors
    /// One place for several modules, or no place at all.
    pub(super) fn of(&self, module: Module, many: usize) -> Result<Found, Error> {
        let (flag, text) = match self {
            Self::Image(text) => ("--image", text),
            Self::Url(text) => ("--url", text),
        };
        if many > 1 && !text.contains("{module}") && !text.contains("{file}") {
            let message = format!(
                "`{flag} {text}` is one place, and there are {many} modules\n\
                 hint: write `{{module}}` where their names differ (`{}`), or choose one with `--modules`",
                module.name()
            );
            return Err(Error::Asked(message));
        }
        let text = text.replace("{module}", module.name()).replace("{file}", module.file_name());
        match self {
            Self::Image(_) => {
                let image = reference(&text).map_err(Error::Asked)?;
                if many > 1 && image.digest.is_some() {
                    let message = format!(
                        "`{flag} {text}` has one digest for {many} modules; use `--sha256 MODULE=HEX`"
                    );
                    return Err(Error::Asked(message));
                }
                Ok(Found::Image(image))
            }
            Self::Url(_) => Url::parse(&text).map(Found::Url).map_err(Error::Asked),
        }
    }
}

/// An image; one without a tag or digest would be another tomorrow, and is none.
fn reference(text: &str) -> Result<Reference, String> {
    let image: Reference = text.parse().map_err(|error: BadReference| error.to_string())?;
    if image.tag.is_none() && image.digest.is_none() {
        return Err(format!(
            "`{text}` has neither tag nor digest, so that it means `latest`: another one tomorrow"
        ));
    }
    Ok(image)
}

impl Url {
    /// Reads an `http`, `https` or `file` URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("file", rest)) => (Scheme::File, rest),
            Some(("oci", _)) => return Err(format!("`{text}` is an image: use `--image`")),
            _ => return Err(format!("`{text}` is no URL with `http`, `https` or `file`")),
        };
        let path =
            if scheme == Scheme::File { rest } else { rest.trim_start_matches(|letter| letter != '/') };
        let refused = |why: &str| Err(format!("`{text}` {why}"));
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refused("has a character that no URL can have");
        }
        if scheme == Scheme::File && !path.starts_with('/') {
            return refused(
                "is not `file://` and a path from the root, such as `file:///opt/outrigger.wasm`",
            );
        }
        let url = Self { scheme, text: text.to_owned() };
        if scheme != Scheme::File && (url.server().is_none() || path.len() < 2) {
            return refused("names no host and file, such as `https://example.com/outrigger.wasm`");
        }
        Ok(url)
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path of a `file` URL.
    pub(super) fn file(&self) -> Option<&str> {
        self.text.strip_prefix("file://")
    }

    /// Whether it is fetched over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The server's host and port; `None`: there is none, or it stands in a form that is not read.
    pub(super) fn server(&self) -> Option<(&str, u16)> {
        let default = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::File => return None,
        };
        let (_, rest) = self.text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().filter(|text| !text.contains('@'))?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)?),
            None => (authority, default),
        };
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        (!host.is_empty() && host.bytes().all(letter)).then_some((host, port))
    }
}

/// The checksum of an image's manifest: as given, or the digest that it is named by. Without either that is a note.
///
/// # Errors
/// Two that differ, or one for several modules.
pub(super) fn image_checksum(
    image: &Reference,
    checksums: &Checksums,
    (module, many): (Module, usize),
    notes: &mut Vec<String>,
) -> Result<Option<Checksum>, Error> {
    let given = checksums.given(module, many)?;
    match (given, image.digest.clone().map(Checksum::from)) {
        (Some(given), Some(digest)) if given != digest => {
            Err(Error::Asked("`--sha256` is another than the digest in `--image`".to_owned()))
        }
        (Some(checksum), _) => Ok(Some(checksum)),
        (None, Some(digest)) => Ok(Some(digest)),
        (None, None) => {
            notes.push(format!(
                "`{image}` is not pinned: whoever can move its tag decides about requests; add the digest of its manifest, \
                 `@sha256:…` or `--sha256`"
            ));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, server) in [
            ("http://example.com/a.wasm", Some(("example.com", 80))),
            ("https://example.com:8443/a/b.wasm?c", Some(("example.com", 8443))),
            ("file:///opt/a.wasm", None),
        ] {
            assert_eq!(Url::parse(text).unwrap().server(), server, "{text}");
        }
        for bad in [
            "",
            "a.wasm",
            "ftp://a/b",
            "oci://a/b:1",
            "http:///a",
            "http://a",
            "http://a/",
            "file://a.wasm",
            "http://a:0/b",
            "http://u@a/b",
            "http://a/b c",
            "https://a/\u{e4}",
            "http://[::1]/a.wasm",
        ] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_module_has_a_place_of_its_own() {
        let code = Code::Url("https://a.example/{file}".to_owned());
        let Found::Url(url) = code.of(Module::JwtAuthn, 2).unwrap() else { panic!("an image") };
        assert_eq!(url.as_str(), "https://a.example/outrigger_jwt_authn.wasm");
        let code = Code::Image("r.example/outrigger-{module}:1".to_owned());
        let Found::Image(image) = code.of(Module::Authz, 2).unwrap() else { panic!("a file") };
        assert_eq!(image.to_string(), "r.example/outrigger-authz:1");
        assert!(reference("r.example/outrigger").is_err());
        let one = Code::Image("r.example/outrigger:1".to_owned());
        assert!(one.of(Module::Authz, 1).is_ok() && one.of(Module::Authz, 2).is_err());
    }
}
