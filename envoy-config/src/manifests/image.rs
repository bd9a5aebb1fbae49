//! References to OCI images.

use super::checksum::Checksum;

/// `oci://HOST/NAME[:TAG][@sha256:HEX]`; one without a tag or digest would be another image tomorrow, and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `HOST/NAME` with its tag.
    place: String,
    /// Of its manifest.
    digest: Option<Checksum>,
}

impl Image {
    /// Reads one, with or without `oci://`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = |why: &str| Err(format!("`{text}` {why}"));
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if rest.contains("://") {
            return refused("is no image; for a file on a web server there is `--url`");
        }
        let (place, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((place, digest)) => match digest.strip_prefix("sha256:") {
                Some(digits) => (place, Some(Checksum::parse(digits)?)),
                None => return refused("has a digest that is not `sha256:HEX`"),
            },
        };
        let Some((host, path)) = place.split_once('/') else {
            return refused("names no registry; write `oci://registry.example/outrigger:TAG`");
        };
        let (name, tag) = match path.split_once(':') {
            None => (path, None),
            Some((name, tag)) => (name, Some(tag)),
        };
        if !is_host(host) || !is_name(name) || !tag.is_none_or(is_tag) {
            return refused("is not a reference to an image, such as `registry.example/outrigger:0.1.0`");
        }
        if tag.is_none() && digest.is_none() {
            return refused("has neither tag nor digest, so that it means `latest`: another one tomorrow");
        }
        Ok(Self { place: place.to_owned(), digest })
    }

    /// Without a scheme.
    pub(super) fn reference(&self) -> String {
        match &self.digest {
            Some(digest) => format!("{}@sha256:{}", self.place, digest.as_str()),
            None => self.place.clone(),
        }
    }

    /// Of its manifest, if it is said.
    pub(super) fn digest(&self) -> Option<&Checksum> {
        self.digest.as_ref()
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}

/// Of the OCI distribution specification: parts between slashes, lower case.
fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.split('/').all(|part| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|byte| inner(*byte))
            && bytes.last().is_some_and(|byte| inner(*byte))
            && bytes.iter().all(|byte| inner(*byte) || b"._-".contains(byte))
    })
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|byte| word(*byte))
        && bytes.len() <= 128
        && bytes.iter().all(|byte| word(*byte) || b".-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let digest = format!("@sha256:{}", "a".repeat(64));
        for good in [
            "localhost:5000/o:1",
            "r.example/a/b-c/d_e:v1.2-x",
            &format!("r.example/o{digest}"),
            &format!("r.example/o:1{digest}"),
        ] {
            assert_eq!(Image::parse(good).unwrap().reference(), good);
            assert_eq!(Image::parse(&format!("oci://{good}")).unwrap().reference(), good);
        }
        for bad in [
            "outrigger:1",
            "r.example/o",
            "r.example/O:1",
            "r.example/o:",
            "r.example/o:-1",
            "r/o@md5:1",
            "https://r/o:1",
            "r:0/o:1",
            "r.example//o:1",
            "r.example/o:1 2",
            "r.example/o@sha256:12",
            "",
            "/o:1",
        ] {
            assert!(Image::parse(bad).is_err(), "{bad}");
        }
    }
}
