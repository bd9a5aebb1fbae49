//! `outrigger image`: what it builds, what it says of images, and what it refuses. Registries are in `e2e`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use common::outrigger;
use serde_json::Value;
use tempfile::TempDir;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A folder with modules, and room for images.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.at("modules")).unwrap();
        support::write_modules(&place.at("modules"));
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, standard output, standard error of `outrigger image`.
    fn image(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = outrigger(&["image"]);
        command.args(arguments).current_dir(self.folder.path());
        command.env("OUTRIGGER_MODULES", self.at("modules")).env("DOCKER_CONFIG", self.at("no-docker"));
        command.env_remove("SOURCE_DATE_EPOCH").envs(environment.iter().copied());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Standard output as JSON of what ends with this code.
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let (is, stdout, stderr) = self.image(arguments, &[]);
        assert_eq!(is, code, "{stdout}{stderr}");
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
    }

    fn refused(&self, arguments: &[&str], code: i32, says: &str) {
        let (is, stdout, stderr) = self.image(arguments, &[]);
        assert_eq!((is, stdout.as_str()), (code, ""), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}

fn all_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path).into_iter().map(|(name, bytes)| (path.join(name), bytes)));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_owned();
    let mut files: Vec<_> = files.into_iter().map(|(path, bytes)| (name(&path), bytes)).collect();
    files.sort();
    files
}

#[test]
fn every_module_becomes_an_image_that_is_accepted() {
    let place = Place::new();
    for layout in ["oci", "docker", "artifact"] {
        let made = place.json(&["build", "-o", layout, "--layout", layout, "--format", "json"], 0);
        let made = made.as_array().unwrap();
        let names: Vec<_> = made.iter().map(|image| image["references"][0].as_str().unwrap()).collect();
        let wanted = ["", "-jwt-authn", "-authz", "-fault", "-router", "-metrics"];
        assert_eq!(names, wanted.map(|end| format!("outrigger{end}:{VERSION}")));
        let seen = place.json(&["inspect", layout, "-o", "json"], 0);
        for (made, seen) in made.iter().zip(seen.as_array().unwrap()) {
            assert_eq!(made["references"][0], seen["reference"]);
            assert_eq!(made["sha256"], seen["sha256"]);
            assert_eq!(made["mediaType"], seen["mediaType"]);
            assert_eq!(made["moduleSha256"], seen["module"]["sha256"]);
            assert_eq!(made["moduleSize"], seen["module"]["size"]);
            assert_eq!(seen["module"]["abi"], "0.2.1");
            assert_eq!(seen["accepted"], true);
            assert_eq!(made["digest"], format!("sha256:{}", made["sha256"].as_str().unwrap()));
        }
    }
}

#[test]
fn a_build_gives_the_same_bytes_again() {
    let place = Place::new();
    for to in ["one", "two", "one.tar", "two.tar"] {
        assert_eq!(place.image(&["build", "-o", to], &[]).0, 0);
    }
    assert_eq!(all_files(&place.at("one")), all_files(&place.at("two")));
    assert_eq!(fs::read(place.at("one.tar")).unwrap(), fs::read(place.at("two.tar")).unwrap());
    let (code, folder, _) = place.image(&["inspect", "one"], &[]);
    let (_, archive, _) = place.image(&["inspect", "one.tar"], &[]);
    assert_eq!((code, folder), (0, archive));
}

#[test]
fn a_date_is_in_an_image_only_if_it_is_given() {
    let place = Place::new();
    let build = |to: &str, epoch: &str| {
        let (code, stdout, stderr) =
            place.image(&["build", "-o", to, "--module", "authz"], &[("SOURCE_DATE_EPOCH", epoch)]);
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    let (none, then) = (build("none", ""), build("then", "1700000000"));
    assert_ne!(none, then);
    assert_eq!(then, build("again", "1700000000"));
    let created = |of: &str| {
        let seen = place.json(&["inspect", of, "-o", "json"], 0);
        seen[0]["annotations"]["org.opencontainers.image.created"].clone()
    };
    assert_eq!((created("none"), created("then")), (Value::Null, "2023-11-14T22:13:20Z".into()));
    let (code, _, stderr) = place.image(&["build", "-o", "x"], &[("SOURCE_DATE_EPOCH", "yesterday")]);
    assert!(code == 2 && stderr.contains("SOURCE_DATE_EPOCH: `yesterday`"), "{stderr}");
}

#[test]
fn tags_and_notes_are_as_asked_for() {
    let place = Place::new();
    let (code, stdout, _) = place.image(
        &[
            "build",
            "-o",
            "a.tar",
            "--module",
            "authz",
            "--module",
            "suite",
            "--tag",
            "1",
            "--tag",
            "stable",
            // Once more, and made once.
            "--tag",
            "1",
            "--source",
            "https://git.example/o",
            "--revision",
            "4f2a9c1",
        ],
        &[],
    );
    assert_eq!(code, 0);
    let names: Vec<_> = stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(names, ["outrigger:1", "outrigger:stable", "outrigger-authz:1", "outrigger-authz:stable"]);
    let seen = place.json(&["inspect", "a.tar:outrigger-authz:stable", "-o", "json"], 0);
    assert_eq!(seen.as_array().unwrap().len(), 1);
    let note = |key: &str| {
        let key = format!("org.opencontainers.image.{key}");
        let (annotation, label) = (&seen[0]["annotations"][&key], &seen[0]["labels"][&key]);
        assert_eq!(annotation, label);
        annotation.as_str().unwrap().to_owned()
    };
    assert_eq!((note("title"), note("version")), ("outrigger-authz".to_owned(), VERSION.to_owned()));
    assert_eq!(
        (note("source"), note("revision")),
        ("https://git.example/o".to_owned(), "4f2a9c1".to_owned())
    );
    assert_eq!(note("licenses"), "Apache-2.0");
    place.refused(&["build", "-o", "b", "--tag", ".x"], 2, "a tag has");
    place.refused(&["build", "-o", "b", "--module", "jwt"], 2, "jwt-authn");
}

#[test]
fn a_blob_with_other_bytes_is_found() {
    let place = Place::new();
    let made = place.json(&["build", "-o", "images", "--module", "suite", "--format", "json"], 0);
    let blobs = place.at("images/blobs/sha256");
    for entry in fs::read_dir(&blobs).unwrap() {
        let path = entry.unwrap().path();
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(&path, &bad).unwrap();
        let (code, stdout, stderr) = place.image(&["inspect", "images"], &[]);
        let digest = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(code, 1, "{stdout}{stderr}");
        assert!(stdout.contains(&format!("sha256:{digest} has bytes with the digest")), "{stdout}");
        assert!(!stdout.contains("accepted"), "{stdout}");
        fs::remove_file(&path).unwrap();
        let seen = place.json(&["inspect", "images", "-o", "json"], 1);
        assert!(seen[0]["problems"][0].as_str().unwrap().contains("is missing"), "{seen}");
        fs::write(&path, good).unwrap();
    }
    let seen = place.json(&["inspect", "images", "-o", "json"], 0);
    assert_eq!(seen[0]["sha256"], made[0]["sha256"]);
}

#[test]
fn an_expected_digest_decides() {
    let place = Place::new();
    let made = place.json(&["build", "-o", "images", "--module", "fault", "--format", "json"], 0);
    let expect =
        |digest: &str, code: i32| place.json(&["inspect", "images", "--sha256", digest, "-o", "json"], code);
    let text = |key: &str| made[0][key].as_str().unwrap();
    assert_eq!(expect(text("sha256"), 0)[0]["accepted"], true);
    assert_eq!(expect(text("digest"), 0)[0]["accepted"], true);
    let seen = expect(text("moduleSha256"), 1);
    assert!(seen[0]["problems"][0].as_str().unwrap().contains("which is the module's"), "{seen}");
    expect(&"0".repeat(64), 1);
    place.refused(&["inspect", "images", "--sha256", "12"], 2, "64 digits");
    assert_eq!(place.image(&["build", "-o", "images"], &[]).0, 0);
    place.refused(&["inspect", "images", "--sha256", text("sha256")], 2, "is of one image");
}

#[test]
fn what_is_no_module_is_not_accepted() {
    let place = Place::new();
    for (bytes, why) in [
        (wat::parse_str("(module)").unwrap(), "exports no `proxy_abi_version_…`"),
        (b"\0asm".to_vec(), "Istio's fetcher refuses it: what it holds is no WebAssembly module"),
    ] {
        fs::write(place.at("modules/outrigger.wasm"), bytes).unwrap();
        assert_eq!(place.image(&["build", "-o", "images", "--module", "suite"], &[]).0, 0);
        let (code, stdout, _) = place.image(&["inspect", "images"], &[]);
        assert!(code == 1 && stdout.contains(why), "{stdout}");
    }
}

#[test]
fn what_is_not_there_or_something_else_is_said() {
    let place = Place::new();
    fs::create_dir(place.at("letters")).unwrap();
    fs::write(place.at("letters/a"), "dear").unwrap();
    fs::write(place.at("a.tar"), "no archive").unwrap();
    place.refused(&["build", "-o", "letters"], 2, "holds files and is no OCI image layout");
    place.refused(&["inspect", "letters"], 2, "it has no `index.json`");
    place.refused(&["inspect", "a.tar"], 2, "a.tar");
    place.refused(&["inspect", "./none"], 2, "`./none` is not there");
    place.refused(&["inspect", "none"], 2, "does not begin with a registry");
    assert_eq!(place.image(&["build", "-o", "images", "--module", "suite"], &[]).0, 0);
    let says = format!("it has outrigger:{VERSION}");
    place.refused(&["inspect", "images:authz"], 2, &says);
    fs::write(place.at("file"), "").unwrap();
    place.refused(&["build", "-o", "file/images"], 3, "can't write");
    fs::remove_file(place.at("modules/outrigger.wasm")).unwrap();
    place.refused(&["build", "-o", "more", "--module", "suite"], 3, "outrigger.wasm");
}

#[test]
fn a_push_that_can_not_succeed_says_why() {
    let place = Place::new();
    place.refused(&["push", "registry/outrigger"], 2, "without a dot or a port");
    place.refused(&["push", "ghcr.io/a:1", "--tag", "2"], 2, "add `--tag 1`");
    place.refused(&["push", &format!("ghcr.io/a@sha256:{}", "0".repeat(64))], 2, "leave out `@sha256:…`");
    place.refused(&["push", "ghcr.io/a", "--username", "ann"], 2, "--password-stdin");
    place.refused(&["push", "ghcr.io/a", "--username", "ann", "--password-stdin"], 2, "no password");
    // Nobody listens on a port that has just been given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    place.refused(
        &["push", &format!("localhost:{port}/a")],
        3,
        &format!("can't reach the registry `localhost:{port}`"),
    );
    let bad = ["push", "localhost:1/a", "--ca-file", "modules/outrigger.wasm"];
    place.refused(&bad, 3, "can't read authorities from");
    fs::create_dir(place.at("docker")).unwrap();
    fs::write(place.at("docker/config.json"), "{").unwrap();
    let docker = place.at("docker");
    let environment = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let (code, _, stderr) = place.image(&["push", "localhost:1/a"], &environment);
    assert!(code == 3 && stderr.contains("docker login localhost:1"), "{stderr}");
}
