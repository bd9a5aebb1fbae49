//! Files, folders and standard input become resources.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, fs, io};

use outrigger_api::problem::code;
use outrigger_api::resource::{Ignored, Resource};
use outrigger_api::{Problem, parse_yaml};
use walkdir::WalkDir;

/// What `-f` names: can be loaded again and again, while files come, change and go.
#[derive(Debug)]
pub struct Inputs {
    paths: Vec<PathBuf>,
    namespace: String,
    /// What can be read only once: standard input and pipes.
    streams: Mutex<BTreeMap<PathBuf, Arc<[u8]>>>,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The resources without errors, in the order of the files.
    pub resources: Vec<Resource>,
    /// Resources of kinds that Outrigger has no use for.
    pub ignored: Vec<Ignored>,
    /// Everything that is wrong with the files' content.
    pub problems: Vec<Problem>,
    /// The files, with their text.
    pub files: Vec<SourceFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As given, or below the folder given; `<stdin>` for standard input.
    pub name: Arc<str>,
    /// What it holds, for messages: what is not UTF-8 is replaced. Empty for a file with a Secret.
    pub text: String,
}

impl SourceFile {
    /// A file that holds `text`. Of one with a Secret in it nothing is kept: a message shows the lines it is about, and
    /// what is wrong may be the secret itself, or stand on one line with it.
    pub fn new(name: &str, text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        Self { name: name.into(), text: if has_secret(&text) { String::new() } else { text.into_owned() } }
    }

    /// Whether there is nothing in it but white space and comments.
    pub fn is_blank(&self) -> bool {
        let is_blank = |line: &str| matches!(line.trim(), "" | "---") || line.trim_start().starts_with('#');
        self.text.lines().all(is_blank)
    }
}

/// Whether `kind` is a Secret anywhere, whether the text is YAML or JSON and right or wrong.
fn has_secret(text: &str) -> bool {
    let between = |letter: char| letter.is_whitespace() || "\"':".contains(letter);
    text.split("kind").skip(1).any(|rest| rest.trim_start_matches(between).starts_with("Secret"))
}

/// What to give in the place of a chart's template.
const TEMPLATE: &str = "this looks like a template of a Helm chart: give what `helm template` prints";

/// Whether Helm would replace something in it, comments aside.
fn is_template(text: &[u8]) -> bool {
    let code = |line: &str| line.split('#').next().is_some_and(|code| code.contains("{{"));
    std::str::from_utf8(text).is_ok_and(|text| text.lines().any(code))
}

/// The name under which messages speak of standard input.
const STDIN: &str = "<stdin>";

impl Inputs {
    /// Reads `paths`; resources without a namespace get `namespace`.
    pub fn new(paths: Vec<PathBuf>, namespace: String) -> Self {
        Self { paths, namespace, streams: Mutex::default() }
    }

    /// The files and folders, without standard input and pipes: what is worth watching.
    pub fn watched(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path).filter(|path| !is_stream(path))
    }

    /// Reads everything.
    ///
    /// # Errors
    /// Every path that can't be read. What is wrong with the content is in [`Loaded::problems`].
    pub fn load(&self) -> Result<Loaded, Vec<Unreadable>> {
        let mut loaded = Loaded::default();
        let mut unreadable = Vec::new();
        let mut seen = BTreeSet::new();
        for path in &self.paths {
            if is_stream(path) {
                if seen.insert(path.clone()) {
                    let name = if is_stdin(path) { STDIN.to_owned() } else { path.display().to_string() };
                    match self.read_once(path) {
                        Ok(text) => loaded.add(&name, &text, &self.namespace),
                        Err(error) => unreadable.push(Unreadable { path: path.clone(), error }),
                    }
                }
                continue;
            }
            let (files, mut errors) = files_at(path);
            unreadable.append(&mut errors);
            for file in files {
                // A file named twice, such as by itself and by its folder, is read once.
                if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                    continue;
                }
                match fs::read(&file) {
                    Ok(text) => loaded.add(&file.display().to_string(), &text, &self.namespace),
                    Err(error) => unreadable.push(Unreadable { path: file, error }),
                }
            }
        }
        if unreadable.is_empty() { Ok(loaded) } else { Err(unreadable) }
    }

    fn read_once(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = streams.get(path) {
            return Ok(Arc::clone(text));
        }
        let mut text = Vec::new();
        match is_stdin(path) {
            true => io::stdin().read_to_end(&mut text)?,
            false => fs::File::open(path)?.read_to_end(&mut text)?,
        };
        let text: Arc<[u8]> = text.into();
        streams.insert(path.to_owned(), Arc::clone(&text));
        Ok(text)
    }
}

impl Loaded {
    /// Whether some resource can't be used.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// Files without a resource, right or wrong.
    pub fn empty_files(&self) -> impl Iterator<Item = &SourceFile> {
        let resources = self.resources.iter().filter_map(|resource| resource.source.file.as_deref());
        let ignored = self.ignored.iter().filter_map(|ignored| ignored.file.as_deref());
        let problems = self.problems.iter().filter_map(|problem| problem.file.as_deref());
        let used: HashSet<_> = resources.chain(ignored).chain(problems).collect();
        self.files.iter().filter(move |file| !used.contains(&*file.name))
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|file| &*file.name == name).map(|file| file.text.as_str())
    }

    fn add(&mut self, name: &str, text: &[u8], namespace: &str) {
        let mut parsed = parse_yaml(text, name, namespace);
        if is_template(text) {
            for problem in parsed.problems.iter_mut().filter(|problem| problem.code == code::SYNTAX) {
                problem.hint = Some(TEMPLATE.to_owned());
            }
        }
        self.resources.append(&mut parsed.resources);
        self.ignored.append(&mut parsed.ignored);
        self.problems.append(&mut parsed.problems);
        self.files.push(SourceFile::new(name, text));
    }
}

/// A path that can't be read.
#[derive(Debug)]
pub struct Unreadable {
    /// The path.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "can't read `{}`: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for Unreadable {}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether it has an end from which there is no way back to its beginning: standard input, or a pipe such as that of
/// `-f <(command)`.
fn is_stream(path: &Path) -> bool {
    is_stdin(path) || fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir())
}

/// The file itself, or the resource files of a folder, sorted by name.
fn files_at(path: &Path) -> (Vec<PathBuf>, Vec<Unreadable>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    if !path.is_dir() {
        return (vec![path.to_owned()], errors);
    }
    let walk = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    // A mounted ConfigMap has its files in `..data` too, behind the links that carry their names.
    let visible = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
    for entry in walk.filter_entry(|entry| entry.depth() == 0 || visible(entry.file_name())) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_resource_file(entry.path()) => {
                files.push(entry.into_path());
            }
            Ok(entry) if !entry.file_type().is_dir() && is_resource_file(entry.path()) => {
                let error = io::Error::other("it is no file: a pipe, a socket or a device");
                errors.push(Unreadable { path: entry.into_path(), error });
            }
            Ok(_) => {}
            // Such as the link to nowhere by which Emacs locks a file. One without an extension may be for a folder.
            Err(error)
                if error.depth() > 0
                    && error.path().is_some_and(|path| {
                        !path.file_name().is_some_and(visible)
                            || (leads_nowhere(path) && path.extension().is_some() && !is_resource_file(path))
                    }) => {}
            Err(error) => {
                let path = error.path().unwrap_or(path).to_owned();
                errors.push(Unreadable { path, error: error.into() });
            }
        }
    }
    if files.is_empty() && errors.is_empty() {
        let error = io::Error::new(io::ErrorKind::NotFound, "no *.yaml, *.yml or *.json file in this folder");
        errors.push(Unreadable { path: path.to_owned(), error });
    }
    (files, errors)
}

fn leads_nowhere(path: &Path) -> bool {
    path.is_symlink() && fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Whether a file of a folder is read, by its name.
pub(crate) fn is_resource_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_template_is_said_to_be_one_where_it_is_no_yaml() {
        for (text, expected) in [
            ("{{- if .Values.on }}\na: b\n{{- end }}\n", true),
            ("metadata:\n  name: {{ .Release.Name }}\n", true),
            ("# {{ no }}\na: b: c\n", false),
            ("a: [\n", false),
        ] {
            let mut loaded = Loaded::default();
            loaded.add("a.yaml", text.as_bytes(), "default");
            let hinted = loaded.problems.iter().any(|problem| problem.hint.as_deref() == Some(TEMPLATE));
            assert_eq!(hinted, expected, "{text}: {:?}", loaded.problems);
        }
    }

    #[test]
    fn links_that_lead_nowhere_matter_only_if_a_resource_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.yaml"), "").unwrap();
        for name in [".#a.yaml", ".lock", "README.md"] {
            symlink("user@host.1234:1", path(name)).unwrap();
        }
        let (files, errors) = files_at(folder.path());
        assert_eq!(files, [path("a.yaml")]);
        assert!(errors.is_empty(), "{errors:?}");
        symlink("missing.yaml", path("b.yaml")).unwrap();
        symlink("unmounted", path("policies")).unwrap();
        let (_, errors) = files_at(folder.path());
        let errors: Vec<_> = errors.iter().map(|one| &one.path).collect();
        assert_eq!(errors, [&path("b.yaml"), &path("policies")]);
    }

    #[test]
    fn a_pipe_is_read_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n").unwrap()
        });
        let inputs = Inputs::new(vec![pipe], "default".to_owned());
        assert_eq!(inputs.watched().count(), 0);
        for _ in 0..2 {
            assert_eq!(inputs.load().unwrap().resources.len(), 1);
        }
        writer.join().unwrap();
    }
}
