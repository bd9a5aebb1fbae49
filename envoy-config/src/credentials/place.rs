//! Where the parts of a credential are: a Kubernetes Secret among the resources, or a folder with a file for each.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outrigger_api::node::Node;
use outrigger_api::resource::Resource;

/// A credential's place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'p> {
    /// A Secret.
    Secret(&'p Resource),
    /// A folder.
    Folder(&'p Path),
}

impl Place<'_> {
    /// The part of this name; `None`: there is none, or it is empty.
    pub(super) fn part(self, name: &str) -> Result<Option<Vec<u8>>, String> {
        let found = match self {
            Self::Secret(secret) => in_secret(&secret.node, name)?,
            Self::Folder(folder) => match std::fs::read(folder.join(name)) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(format!("`{name}` can't be read: {error}")),
            },
        };
        Ok(found.filter(|bytes| !bytes.is_empty()))
    }

    /// The names of its parts, for messages.
    pub(super) fn names(self) -> String {
        let mut names = BTreeSet::new();
        match self {
            Self::Secret(secret) => {
                for field in ["data", "stringData"] {
                    names.extend(secret.node.get(field).into_iter().flat_map(keys));
                }
            }
            Self::Folder(folder) => {
                let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
                names.extend(files.map(|file| file.file_name().to_string_lossy().into_owned()));
            }
        }
        let names: Vec<_> = names.into_iter().take(6).map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }

    /// How messages call it.
    pub(super) fn called(self) -> String {
        match self {
            Self::Secret(secret) => {
                let position = secret.position("metadata.name");
                let place = match (&secret.source.file, position) {
                    (Some(file), Some(position)) => format!(" ({file}:{})", position.line),
                    _ => String::new(),
                };
                format!("Secret `{}`{place}", secret.id())
            }
            Self::Folder(folder) => format!("folder `{}`", folder.display()),
        }
    }
}

/// As Kubernetes has it: base64 in `data`, plain in `stringData`, which wins.
fn in_secret(node: &Node, name: &str) -> Result<Option<Vec<u8>>, String> {
    let text = |field: &str| match node.get(field).and_then(|entries| entries.get(name)) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(format!("`{field}.{name}` is {}, not a string", value.kind())),
        },
    };
    if let Some(plain) = text("stringData")? {
        return Ok(Some(plain.as_bytes().to_vec()));
    }
    let Some(encoded) = text("data")? else { return Ok(None) };
    let compact: String = encoded.split_ascii_whitespace().collect();
    STANDARD.decode(compact).map(Some).map_err(|_| format!("`data.{name}` is not base64"))
}

fn keys(node: &Node) -> Vec<String> {
    match &node.value {
        outrigger_api::node::Value::Mapping(entries) => {
            entries.iter().map(|(key, _)| key.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// The folder of a credential, if there is one: its name is a name, not a path that leads elsewhere.
pub(super) fn folder(parent: &Path, name: &str) -> Option<PathBuf> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    Some(parent.join(name)).filter(|folder| plain && folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::resources;

    #[test]
    fn a_secret_has_parts() {
        let text = "{apiVersion: v1, kind: Secret, metadata: {name: x}, type: Opaque, \
                    data: {a: aGk=, b: 'a G\n k=', c: '', d: '!', e: 1, f: aGk=}, stringData: {f: plain}}";
        let all = resources(&[text]);
        let secret = Place::Secret(&all[0]);
        let part = |name: &str| secret.part(name).map(|part| part.map(|it| String::from_utf8(it).unwrap()));
        let is = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(part("a"), is("hi"));
        assert_eq!(part("b"), is("hi"));
        assert_eq!((part("c"), part("g")), (Ok(None), Ok(None)));
        assert_eq!(part("d"), Err("`data.d` is not base64".to_owned()));
        assert_eq!(part("e"), Err("`data.e` is a number, not a string".to_owned()));
        assert_eq!(part("f"), is("plain"));
        assert_eq!(secret.names(), "`a`, `b`, `c`, `d`, `e`, `f`");
        assert_eq!(secret.called(), "Secret `default/x` (test.yaml:1)");
        assert!(!format!("{:?}", all[0]).contains("aGk="));
    }

    #[test]
    fn a_folder_is_below_its_parent() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::create_dir(parent.path().join("x")).unwrap();
        std::fs::write(parent.path().join("x/tls.crt"), "hi").unwrap();
        let found = folder(parent.path(), "x").unwrap();
        assert_eq!(Place::Folder(&found).part("tls.crt"), Ok(Some(b"hi".to_vec())));
        assert_eq!(Place::Folder(&found).part("tls.key"), Ok(None));
        for name in ["y", "..", ".", "", "x/..", "/etc"] {
            assert_eq!(folder(parent.path(), name), None, "{name}");
        }
    }
}
