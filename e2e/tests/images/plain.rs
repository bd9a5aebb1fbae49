//! Everything that can be pushed comes back with the same digests and the same bytes.

use super::command::image;
use super::registry::Registry;
use super::skopeo::{pull, push, skopeo};
use super::{MODULES, module, sha256};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const NO_TLS: &[&str] = &["--src-tls-verify=false"];

#[test]
fn every_module_in_every_layout_comes_back_as_it_was_built() {
    let registry = Registry::open();
    for (layout, manifest_type) in [
        ("oci", "application/vnd.oci.image.manifest.v1+json"),
        ("docker", "application/vnd.docker.distribution.manifest.v2+json"),
        ("artifact", "application/vnd.oci.image.manifest.v1+json"),
    ] {
        let base = registry.image(&format!("team/{layout}"));
        let pushed = image(&["push", &base, "--layout", layout, "-o", "json"]).json();
        assert_eq!(pushed.len(), MODULES.len());
        for ((name, end, file), pushed) in MODULES.iter().zip(&pushed) {
            let reference = format!("{base}{end}:{VERSION}");
            assert_eq!(pushed["module"], *name);
            assert_eq!(pushed["references"][0], format!("oci://{reference}"));
            let bytes = module(file);
            assert_eq!(pushed["moduleSha256"], sha256(&bytes));
            let pulled = pull(&reference, NO_TLS);
            assert!(pulled.module == bytes, "{reference}: the module has other bytes");
            assert_eq!(pushed["sha256"], pulled.sha256);
            assert_eq!(pulled.manifest["mediaType"], manifest_type);
            let seen = &image(&["inspect", &reference, "-o", "json"]).json()[0];
            assert_eq!(
                (&seen["sha256"], &seen["module"]["sha256"]),
                (&pushed["sha256"], &pushed["moduleSha256"])
            );
            assert_eq!((&seen["layout"], &seen["mediaType"]), (&layout.into(), &manifest_type.into()));
            // The config of an artifact is nothing that skopeo could tell of.
            if layout != "artifact" {
                let told = skopeo(&["inspect", "--tls-verify=false", &format!("docker://{reference}")]);
                let told: serde_json::Value = serde_json::from_str(&told).unwrap();
                assert_eq!(told["Digest"], pushed["digest"]);
                assert_eq!(told["Labels"]["org.opencontainers.image.title"], format!("outrigger{end}"));
                assert_eq!((&told["Architecture"], &told["Os"]), (&"amd64".into(), &"linux".into()));
            }
        }
    }
}

#[test]
fn a_layout_that_others_push_is_the_image_that_we_push() {
    let (registry, folder) = (Registry::open(), tempfile::tempdir().unwrap());
    let (archive, layout) = (folder.path().join("images.tar"), folder.path().join("images"));
    for to in [&archive, &layout] {
        let built = image(&["build", "-o", to.to_str().unwrap(), "--format", "json"]).json();
        let reference = registry.image("others/authz:1");
        push(to, &format!("outrigger-authz:{VERSION}"), &reference);
        let sha256 = built[2]["sha256"].as_str().unwrap();
        assert_eq!(image(&["inspect", &reference, "--sha256", sha256]).code, 0);
    }
    let ours = registry.image("ours:1");
    let pushed = image(&["push", &ours, "--module", "authz", "-o", "json"]).json();
    let seen = image(&["inspect", &registry.image("others/authz:1"), "-o", "json"]).json();
    assert_eq!(pushed[0]["sha256"], seen[0]["sha256"]);
}

#[test]
fn a_single_module_goes_where_it_is_told_with_every_tag() {
    let registry = Registry::open();
    let reference = registry.image("a/b");
    let arguments = ["push", &reference, "--module", "authz", "--tag", "1", "--tag", "stable", "-o", "json"];
    let first = image(&arguments).json();
    assert_eq!(first[0]["references"][1], format!("oci://{reference}:stable"));
    let again = image(&arguments).json();
    assert_eq!(first, again);
    let digest = first[0]["digest"].as_str().unwrap();
    for end in [":1", ":stable", &format!("@{digest}")] {
        let seen = image(&["inspect", &format!("oci://{reference}{end}"), "-o", "json"]).json();
        assert_eq!(seen[0]["sha256"], first[0]["sha256"]);
    }
    image(&["inspect", &format!("{reference}:2")]).fails(3, &["does not find the image `a/b:2`", "hint: "]);
    image(&["inspect", &registry.image("none")]).fails(3, &["does not find the image `none:latest`"]);
}
