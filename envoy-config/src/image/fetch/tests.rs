use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Write as _;

use rstest::rstest;

use super::*;
use crate::image::builder::{Facts, Image};
use crate::image::digest::Digest;
use crate::image::model::Platform;
use crate::modules::Module;

const WASM: &[u8] = b"\0asm\x01\0\0\0";

/// Layers by media type and bytes, under a manifest of this type.
fn fetch(media_type: Option<&str>, layers: &[(&str, Vec<u8>)]) -> Result<Taken, FetchError<Infallible>> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: media_type.map(str::to_owned),
        artifact_type: None,
        config: Descriptor::of(types::OCI_CONFIG, b"{}"),
        layers: layers.iter().map(|(kind, bytes)| Descriptor::of(kind, bytes)).collect(),
        annotations: Default::default(),
    };
    take(&manifest, |layer| {
        Ok(layers.iter().find(|(_, bytes)| Digest::of(bytes) == layer.digest).unwrap().1.clone())
    })
}

fn refused(media_type: Option<&str>, layers: &[(&str, Vec<u8>)]) -> String {
    match fetch(media_type, layers) {
        Err(FetchError::Refused(why)) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A compressed archive with these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive.into_inner().unwrap()).unwrap();
    gzip.finish().unwrap()
}

#[rstest]
#[case(Variant::Oci)]
#[case(Variant::Docker)]
#[case(Variant::Artifact)]
fn what_we_build_is_taken(#[case] variant: Variant) {
    let image = Image::build(Module::Suite, WASM, variant, &Facts::default()).unwrap();
    let blobs: HashMap<_, _> = image.blobs.iter().cloned().collect();
    let manifest: Manifest = serde_json::from_slice(&image.manifest).unwrap();
    let taken = take(&manifest, |layer| Ok::<_, Infallible>(blobs[&layer.digest].clone())).unwrap();
    assert_eq!((taken.variant, taken.module.as_slice()), (variant, WASM));
    assert_eq!(&taken.layer, manifest.layers.last().unwrap());
}

#[test]
fn an_oci_image_need_not_say_that_it_is_one() {
    let taken = fetch(None, &[(types::OCI_LAYER, archive(&[("plugin.wasm", WASM)]))]).unwrap();
    assert_eq!(taken.variant, Variant::Oci);
}

#[test]
fn the_last_layer_counts_and_the_first_file_of_the_name() {
    let older = archive(&[("plugin.wasm", b"\0asmolder")]);
    let newer = archive(&[("readme", b"x"), ("./deep/er/plugin.wasm", WASM), ("plugin.wasm", b"\0asmother")]);
    let taken = fetch(None, &[(types::OCI_LAYER, older), (types::OCI_LAYER, newer)]).unwrap();
    assert_eq!(taken.module, WASM);
}

#[test]
fn an_artifact_may_have_its_layers_in_any_order() {
    for at in [0, 1] {
        let mut layers = vec![(types::WASM_CONFIG, b"{}".to_vec())];
        layers.insert(at, (types::WASM_CONTENT, WASM.to_vec()));
        assert_eq!(fetch(Some(types::OCI_MANIFEST), &layers).unwrap().variant, Variant::Artifact);
    }
}

#[test]
fn an_archive_that_lacks_the_module_may_still_be_an_artifact() {
    let layers = [(types::WASM_CONTENT, WASM.to_vec()), (types::OCI_LAYER, archive(&[("other", b"x")]))];
    assert_eq!(fetch(None, &layers).unwrap().variant, Variant::Artifact);
}

#[test]
fn dockers_manifest_admits_dockers_layers_only() {
    let layer = archive(&[("plugin.wasm", WASM)]);
    let said = refused(Some(types::DOCKER_MANIFEST), &[(types::OCI_LAYER, layer.clone())]);
    assert!(said.contains("Docker's") && said.contains(types::OCI_LAYER), "{said}");
    let said = refused(Some(types::OCI_MANIFEST), &[(types::DOCKER_LAYER, layer)]);
    assert!(said.contains(types::DOCKER_LAYER) && said.contains("1 layers instead of 2"), "{said}");
    let artifact = [(types::WASM_CONFIG, b"{}".to_vec()), (types::WASM_CONTENT, WASM.to_vec())];
    assert!(refused(Some(types::DOCKER_MANIFEST), &artifact).contains("its last layer is"));
}

#[test]
fn what_holds_no_module_is_refused_by_its_rule() {
    let compat = |bytes: Vec<u8>| refused(None, &[(types::OCI_LAYER, bytes)]);
    assert!(refused(None, &[]).contains("it has no layer"));
    assert!(compat(b"not gzip".to_vec()).contains("no tar archive in gzip"));
    assert!(compat(archive(&[("module.wasm", WASM)])).contains("no file `plugin.wasm`"));
    assert!(compat(archive(&[("plugin.wasm", b"<html></html>")])).contains("no WebAssembly module"));
    assert!(compat(archive(&[("plugin.wasm", b"\0asm")])).contains("no WebAssembly module"));
    assert!(compat(archive(&[("plugin.wasm/", b"")])).contains("no WebAssembly module"));
    let three = [types::WASM_CONTENT, types::WASM_CONFIG, "a/b"].map(|kind| (kind, WASM.to_vec()));
    assert!(refused(None, &three).contains("3 layers instead of 2"));
    let neither = [types::WASM_CONFIG, "a/b"].map(|kind| (kind, WASM.to_vec()));
    assert!(refused(None, &neither).contains("none of its layers is"));
    let page = [(types::WASM_CONFIG, b"{}".to_vec()), (types::WASM_CONTENT, b"<html></html>".to_vec())];
    assert!(refused(None, &page).contains("no WebAssembly module"));
}

#[test]
fn of_an_index_the_first_image_for_linux_on_amd64_is_taken() {
    let entry = |platform: Option<(&str, &str)>, bytes: &[u8]| Descriptor {
        platform: platform.map(|(os, arch)| Platform { os: os.to_owned(), architecture: arch.to_owned() }),
        ..Descriptor::of(types::OCI_MANIFEST, bytes)
    };
    let index =
        |manifests| Index { schema_version: 2, media_type: None, manifests, annotations: Default::default() };
    let arm = entry(Some(("linux", "arm64")), b"1");
    let amd = entry(Some(("linux", "amd64")), b"2");
    let any = entry(None, b"3");
    assert_eq!(choose(&index(vec![arm.clone(), amd.clone(), any.clone()])), Some(&amd));
    assert_eq!(choose(&index(vec![arm.clone(), any.clone(), amd])), Some(&any));
    assert_eq!(choose(&index(vec![arm])), None);
}
