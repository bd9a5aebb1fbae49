//! Images to a repository of a registry, and from it.

use ureq::Body;
use ureq::http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use ureq::http::{Request, Response, StatusCode};

use super::client::Registry;
use super::error::RegistryError;
use crate::image::builder::Image;
use crate::image::digest::Digest;
use crate::image::media_type as types;
use crate::image::model::Descriptor;
use crate::image::reference::Reference;
use crate::image::source::{MAX_BLOB, Root, Source, SourceError, verified};

/// What a registry has to take, and more than a manifest of a module has.
const MAX_MANIFEST: u64 = 4 * 1024 * 1024;
/// By which registries say what they hold.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// One of a registry's repositories.
#[derive(Debug)]
pub struct Repository<'r> {
    registry: &'r Registry,
    name: &'r str,
    /// What tokens have to be good for.
    scope: String,
}

impl<'r> Repository<'r> {
    /// To take images from.
    #[must_use]
    pub fn to_read(registry: &'r Registry, name: &'r str) -> Self {
        Self { registry, name, scope: format!("repository:{name}:pull") }
    }

    /// To put images in.
    #[must_use]
    pub fn to_write(registry: &'r Registry, name: &'r str) -> Self {
        Self { registry, name, scope: format!("repository:{name}:pull,push") }
    }

    /// Puts an image in, under these tags. What is there already is not sent again.
    ///
    /// # Errors
    /// The registry does not take it, or says that it holds something else.
    pub fn push(&self, image: &Image, tags: &[String]) -> Result<(), RegistryError> {
        for (digest, bytes) in &image.blobs {
            if !self.has_blob(digest)? {
                self.put_blob(digest, bytes)?;
            }
        }
        tags.iter().try_for_each(|tag| self.put_manifest(image, tag))
    }

    fn has_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let url = self.url(&format!("blobs/{digest}"));
        let response = self.registry.send(&self.scope, || Request::head(&url), None)?;
        match response.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.unexpected("a blob of", response)),
        }
    }

    fn put_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        let url = self.url("blobs/uploads/");
        let started = self.registry.send(&self.scope, || Request::post(&url), Some(b""))?;
        if started.status() != StatusCode::ACCEPTED {
            return Err(self.unexpected("the upload to", started));
        }
        let location = self.registry.follow(&started)?;
        let location = location
            .ok_or_else(|| self.registry.answer("it does not say where the upload goes".to_owned()))?;
        let separator = if location.contains('?') { '&' } else { '?' };
        let url = format!("{location}{separator}digest={digest}");
        let request = || Request::put(&url).header(CONTENT_TYPE, "application/octet-stream");
        let done = self.registry.send(&self.scope, request, Some(bytes))?;
        match done.status() {
            StatusCode::CREATED => self.same_digest(&done, digest),
            _ => Err(self.unexpected("the upload to", done)),
        }
    }

    fn put_manifest(&self, image: &Image, tag: &str) -> Result<(), RegistryError> {
        let url = self.url(&format!("manifests/{tag}"));
        let request = || Request::put(&url).header(CONTENT_TYPE, image.media_type);
        let done = self.registry.send(&self.scope, request, Some(&image.manifest))?;
        if done.status() != StatusCode::CREATED {
            return Err(self.unexpected("the manifest for", done));
        }
        // Whatever it said just now: this is what others will get.
        let request = || Request::head(&url).header(ACCEPT, image.media_type);
        let held = self.registry.send(&self.scope, request, None)?;
        match held.status() {
            StatusCode::OK if held.headers().contains_key(CONTENT_DIGEST) => {
                self.same_digest(&held, &image.digest())
            }
            StatusCode::OK => {
                let is = Digest::of(&self.get_manifest(tag)?.1);
                let ours = image.digest();
                if is == ours { Ok(()) } else { Err(self.other_digest(is.to_string(), ours)) }
            }
            _ => Err(self.unexpected("the manifest of", held)),
        }
    }

    /// The manifest or index that a reference to this repository names.
    ///
    /// # Errors
    /// The registry has none, or gives another than the reference's digest says.
    pub fn root(&self, reference: &Reference) -> Result<Root, SourceError> {
        let (media_type, bytes) = self.get_manifest(&reference.identifier())?;
        if let Some(wanted) = &reference.digest {
            let is = Digest::of(&bytes);
            if is != *wanted {
                return Err(SourceError::Digest { wanted: wanted.clone(), is });
            }
        }
        let by_digest = reference.digest.is_some();
        Ok(Root { name: format!("oci://{reference}"), by_digest, media_type, bytes })
    }

    fn get_manifest(&self, identifier: &str) -> Result<(String, Vec<u8>), RegistryError> {
        let url = self.url(&format!("manifests/{identifier}"));
        let accepted = types::MANIFESTS.join(", ");
        let request = || Request::get(&url).header(ACCEPT, &accepted);
        let response = self.registry.send(&self.scope, request, None)?;
        if response.status() != StatusCode::OK {
            let separator = if identifier.contains(':') { '@' } else { ':' };
            let what = format!("the image `{}{separator}{identifier}`", self.name);
            return Err(self.registry.unexpected(what, response));
        }
        let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type =
            media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
        Ok((media_type, self.body(response, MAX_MANIFEST)?))
    }

    fn body(&self, response: Response<Body>, limit: u64) -> Result<Vec<u8>, RegistryError> {
        read(response, limit).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &ureq::Error) -> RegistryError {
        self.registry.answer(format!("the answer can't be read: {error}"))
    }

    fn url(&self, path: &str) -> String {
        self.registry.url(&format!("/v2/{}/{path}", self.name))
    }

    fn unexpected(&self, what: &str, response: Response<Body>) -> RegistryError {
        self.registry.unexpected(format!("{what} `{}`", self.name), response)
    }

    /// What the registry says that it holds, if it says so, has to be what was sent.
    fn same_digest(&self, response: &Response<Body>, ours: &Digest) -> Result<(), RegistryError> {
        match response.headers().get(CONTENT_DIGEST).and_then(|value| value.to_str().ok()) {
            Some(says) if says != ours.to_string() => Err(self.other_digest(says.to_owned(), ours.clone())),
            _ => Ok(()),
        }
    }

    fn other_digest(&self, says: String, ours: Digest) -> RegistryError {
        RegistryError::OtherDigest { host: self.registry.host().to_string(), says, ours }
    }
}

impl Source for Repository<'_> {
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        verified(descriptor, self.get_manifest(&descriptor.digest.to_string())?.1)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        if descriptor.size > MAX_BLOB {
            return Err(SourceError::TooLarge(descriptor.digest.clone(), descriptor.size));
        }
        let url = self.url(&format!("blobs/{}", descriptor.digest));
        let response = self.registry.send(&self.scope, || Request::get(&url), None)?;
        if response.status() != StatusCode::OK {
            let what = format!("the blob `{}` of `{}`", descriptor.digest, self.name);
            return Err(self.registry.unexpected(what, response).into());
        }
        match read(response, descriptor.size) {
            Ok(bytes) => verified(descriptor, bytes),
            // The registry has given what it holds, and that is not what the manifest says.
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                Err(SourceError::Longer(descriptor.digest.clone(), descriptor.size))
            }
            Err(error) => Err(self.unreadable(&error).into()),
        }
    }
}

fn read(response: Response<Body>, limit: u64) -> Result<Vec<u8>, ureq::Error> {
    response.into_body().into_with_config().limit(limit.saturating_add(1)).read_to_vec()
}
