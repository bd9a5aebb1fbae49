use rstest::rstest;

use super::*;
use crate::image::builder::{Facts, Image};
use crate::image::model::Platform;
use crate::modules;

/// Blobs and manifests in memory.
#[derive(Default)]
struct Kept(HashMap<Digest, Vec<u8>>);

impl Kept {
    fn put(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.0.insert(digest.clone(), bytes.to_vec());
        digest
    }

    fn put_image(&mut self, image: &Image) -> Root {
        image.blobs.iter().for_each(|(_, bytes)| drop(self.put(bytes)));
        self.put(&image.manifest);
        root(image.media_type, &image.manifest)
    }
}

impl Source for Kept {
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.blob(descriptor)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        let bytes = self.0.get(&descriptor.digest).cloned();
        crate::image::source::verified(
            descriptor,
            bytes.ok_or_else(|| SourceError::Missing(descriptor.digest.clone()))?,
        )
    }
}

fn root(media_type: &str, bytes: &[u8]) -> Root {
    Root {
        name: "a:1".to_owned(),
        by_digest: false,
        media_type: media_type.to_owned(),
        bytes: bytes.to_vec(),
    }
}

fn module() -> Vec<u8> {
    wat::parse_str(r#"(module (func (export "proxy_abi_version_0_2_1")))"#).unwrap()
}

fn image(wasm: &[u8], variant: Variant) -> Image {
    Image::build(modules::Module::Authz, wasm, variant, &Facts::default()).unwrap()
}

#[rstest]
#[case(Variant::Oci)]
#[case(Variant::Docker)]
#[case(Variant::Artifact)]
fn what_we_build_is_accepted(#[case] variant: Variant) {
    let (wasm, mut kept) = (module(), Kept::default());
    let image = image(&wasm, variant);
    let root = kept.put_image(&image);
    let seen = Inspection::new(&root, &kept, Some(&image.digest())).unwrap();
    assert_eq!((seen.accepted, seen.layout, seen.problems), (true, Some(variant), Vec::new()));
    assert_eq!((seen.sha256.as_str(), seen.media_type.as_str()), (image.digest().hex(), image.media_type));
    let taken = seen.module.unwrap();
    assert_eq!((taken.sha256.as_str(), taken.size), (Digest::of(&wasm).hex(), wasm.len()));
    assert_eq!(taken.abi.as_deref(), Some("0.2.1"));
    let notes = if variant == Variant::Docker { seen.labels } else { seen.annotations };
    assert_eq!(notes["org.opencontainers.image.title"], "outrigger-authz");
}

#[test]
fn every_blob_is_read_and_compared() {
    for at in 0..3 {
        let mut kept = Kept::default();
        let image = image(&module(), Variant::Artifact);
        let root = kept.put_image(&image);
        let (digest, bytes) = image.blobs[at].clone();
        let mut other = bytes.clone();
        *other.last_mut().unwrap() ^= 1;
        kept.0.insert(digest.clone(), other);
        let seen = Inspection::new(&root, &kept, None).unwrap();
        assert!(!seen.accepted);
        assert!(
            seen.problems[0].contains(&format!("{digest} has bytes with the digest")),
            "{:?}",
            seen.problems
        );
    }
}

#[test]
fn a_module_that_envoy_refuses_is_refused() {
    let mut kept = Kept::default();
    for (wasm, why) in [
        (wat::parse_str("(module)").unwrap(), "exports no `proxy_abi_version_…`"),
        (b"\0asm\x01\0\0\0\xff\xff".to_vec(), "Envoy refuses the module: "),
        (b"<html></html>".to_vec(), "Istio's fetcher refuses it: what it holds is no WebAssembly module"),
    ] {
        let root = kept.put_image(&image(&wasm, Variant::Oci));
        let seen = Inspection::new(&root, &kept, None).unwrap();
        assert!(!seen.accepted && seen.problems[0].contains(why), "{:?}", seen.problems);
    }
}

#[test]
fn an_expected_digest_is_compared_with_the_manifests() {
    let (wasm, mut kept) = (module(), Kept::default());
    let root = kept.put_image(&image(&wasm, Variant::Oci));
    let of = |expected: &Digest| Inspection::new(&root, &kept, Some(expected)).unwrap();
    let seen = of(&Digest::of(b"other"));
    assert!(!seen.accepted && seen.problems[0].contains("its manifest is sha256:"), "{:?}", seen.problems);
    assert!(of(&Digest::of(&wasm)).problems[0].contains("which is the module's"));
}

#[test]
fn of_an_index_the_image_in_it_counts() {
    let mut kept = Kept::default();
    let (other, ours) = (image(b"x", Variant::Oci), image(&module(), Variant::Oci));
    kept.put_image(&other);
    kept.put_image(&ours);
    let entry = |image: &Image, architecture: &str| Descriptor {
        platform: Some(Platform { os: "linux".to_owned(), architecture: architecture.to_owned() }),
        ..Descriptor::of(image.media_type, &image.manifest)
    };
    let list = |manifests| {
        let index =
            Index { schema_version: 2, media_type: None, manifests, annotations: BTreeMap::default() };
        serde_json::to_vec(&index).unwrap()
    };
    let bytes = list(vec![entry(&other, "arm64"), entry(&ours, "amd64")]);
    let by_tag = root(types::OCI_INDEX, &bytes);
    let seen = Inspection::new(&by_tag, &kept, Some(&ours.digest())).unwrap();
    assert!(seen.accepted, "{:?}", seen.problems);
    assert_eq!(seen.index, Some(Digest::of(&bytes)));
    let seen = Inspection::new(&by_tag, &kept, Some(&Digest::of(&bytes))).unwrap();
    assert!(seen.problems[0].contains("which is the index's"), "{:?}", seen.problems);
    let by_digest = Root { by_digest: true, ..by_tag };
    let seen = Inspection::new(&by_digest, &kept, None).unwrap();
    assert!(!seen.accepted && seen.problems[0].contains("that of an index"), "{:?}", seen.problems);
    let none = root(types::OCI_INDEX, &list(vec![entry(&other, "arm64")]));
    let seen = Inspection::new(&none, &kept, None).unwrap();
    assert!(seen.problems[0].contains("no image for linux on amd64"), "{:?}", seen.problems);
}

#[test]
fn what_cannot_be_read_is_a_problem_and_no_panic() {
    let kept = Kept::default();
    for (kind, bytes) in [(types::OCI_MANIFEST, "{"), (types::OCI_INDEX, "[]"), ("text/html", "<html>")] {
        let seen = Inspection::new(&root(kind, bytes.as_bytes()), &kept, None).unwrap();
        assert!(!seen.accepted && seen.problems[0].contains("can't be read"), "{:?}", seen.problems);
    }
}
