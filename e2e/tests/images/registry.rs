//! A registry as a process with a folder of its own.

use std::fs::File;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_e2e::ports::free_port;
use serde_json::{Value, json};

use super::authority::Certificate;
use super::program;

/// It ends with the test.
pub(crate) struct Registry {
    child: Child,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

/// How it is configured.
#[derive(Default)]
pub(crate) struct Setup<'s> {
    /// What shows who it is.
    pub(crate) tls: Option<&'s Certificate>,
    /// The section `auth`; its files are in the folder that `files` go to.
    pub(crate) auth: Option<Value>,
    pub(crate) files: Vec<(&'static str, String)>,
}

impl Registry {
    /// One that lets everybody do everything.
    pub(crate) fn open() -> Self {
        Self::start(&Setup::default())
    }

    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text) in &setup.files {
            std::fs::write(at(name), text).unwrap();
        }
        let port = free_port().unwrap();
        let mut config = json!({
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": at("data")}},
            "http": {"addr": format!("127.0.0.1:{port}")},
        });
        if let Some(Certificate { chain, key }) = setup.tls {
            std::fs::write(at("chain.pem"), chain).unwrap();
            std::fs::write(at("key.pem"), key).unwrap();
            config["http"]["tls"] = json!({"certificate": at("chain.pem"), "key": at("key.pem")});
        }
        if let Some(auth) = &setup.auth {
            let text = auth.to_string().replace("FOLDER", folder.path().to_str().unwrap());
            config["auth"] = serde_json::from_str(&text).unwrap();
        }
        // JSON is YAML.
        std::fs::write(at("config.yml"), config.to_string()).unwrap();
        let log = File::create(at("log")).unwrap();
        let child = Command::new(program("DOCKER_REGISTRY", "docker-registry"))
            .arg("serve")
            .arg(at("config.yml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut registry = Self { child, port, folder };
        registry.wait();
        registry
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(self.child.try_wait().unwrap().is_none(), "the registry has ended:\n{}", log());
            assert!(started.elapsed() < Duration::from_secs(30), "the registry does not listen:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A reference to an image in it.
    pub(crate) fn image(&self, name: &str) -> String {
        format!("localhost:{}/{name}", self.port)
    }

    /// The file that holds a blob or a manifest.
    pub(crate) fn file(&self, sha256: &str) -> PathBuf {
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&sha256[..2]).join(sha256).join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
