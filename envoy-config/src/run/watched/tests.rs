//! Each way in which a file changes, by what the kernel tells and by looking.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::mpsc;

use tempfile::TempDir;

use super::*;
use crate::run::events::Inbox;

/// A folder, in which one path is watched.
struct Case {
    folder: TempDir,
    watched: Watched,
    inbox: Inbox,
}

impl Case {
    fn new(folder: TempDir, path: &str, pause: Duration) -> Self {
        let (sender, events) = mpsc::channel();
        let origins = vec![Origin::of_resources(folder.path().join(path))];
        let loaded = Fingerprint::of(&origins);
        let watched = watch_every(pause, origins, loaded, &sender);
        Self { folder, watched, inbox: Inbox::new(events) }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    /// As `mv` does it.
    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Whether a change is noticed; then it is loaded, and nothing is new.
    fn notices(&mut self) -> bool {
        let came = self.comes_within(Duration::from_secs(5));
        self.inbox.settle();
        self.watched.loading();
        self.inbox.settle();
        came
    }

    fn comes_within(&mut self, time: Duration) -> bool {
        self.inbox.next(Some(Instant::now() + time)) == Some(Event::Changed)
    }

    fn is_quiet(&mut self) -> bool {
        !self.comes_within(Duration::from_millis(400))
    }
}

/// Files in a new folder.
fn with(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "1").unwrap();
    }
    folder
}

/// What the kernel tells, without a look.
const NEVER: Duration = Duration::from_secs(3600);
const OFTEN: Duration = Duration::from_millis(100);

#[test]
fn each_way_of_saving_a_file_is_noticed() {
    for pause in [NEVER, OFTEN] {
        let mut case = Case::new(with(&["a.yaml"]), "a.yaml", pause);
        case.write("a.yaml", "2");
        assert!(case.notices(), "written in place");
        case.write("a.yaml.new", "3");
        case.rename("a.yaml.new", "a.yaml");
        assert!(case.notices(), "replaced");
        case.write("a.yaml", "4");
        assert!(case.notices(), "written after it was replaced");
        case.write("other.yaml", "5");
        assert!(case.is_quiet(), "another file in its folder");
    }
}

#[test]
fn files_that_come_and_go_in_a_folder_are_noticed() {
    for pause in [NEVER, OFTEN] {
        let mut case = Case::new(with(&["d/a.yaml"]), "d", pause);
        case.write("d/new.yaml", "1");
        assert!(case.notices());
        fs::remove_file(case.path("d/new.yaml")).unwrap();
        assert!(case.notices());
        case.write("d/our.log", "1");
        assert!(case.is_quiet(), "what nobody reads");
        case.write("d/key.pem", "1");
        assert!(case.notices(), "what a resource may name");
    }
}

#[test]
fn a_file_is_waited_for_until_it_is_closed() {
    let mut case = Case::new(with(&["d/a.yaml"]), "d", NEVER);
    let mut file = fs::File::create(case.path("d/a.yaml")).unwrap();
    file.write_all(b"half").unwrap();
    assert!(case.comes_within(Duration::from_secs(5)));
    case.inbox.settle();
    assert_eq!(case.watched.open().map(|(path, _)| path), Some(case.path("d/a.yaml")));
    drop(file);
    assert!(case.comes_within(Duration::from_secs(5)), "that is a change");
    assert_eq!(case.watched.open(), None);
}

#[test]
fn what_happens_beside_a_folder_is_no_change_of_it() {
    let here = std::env::current_dir().unwrap();
    for folder in ["src", "./src", "../envoy-config/src"] {
        let watched = [Origin::anything(folder.into())];
        assert!(concerns(&here.join(folder).join("a.yaml"), &watched), "{folder}");
        assert!(concerns(&here.join("src/a.yaml"), &watched), "{folder}");
        assert!(!concerns(&here.join("out.log"), &watched), "{folder}");
    }
}

#[test]
fn looking_does_without_the_kernel() {
    let mut case = Case::new(with(&["d/a.yaml"]), "d", OFTEN);
    case.watched.watcher = None;
    case.write("d/a.yaml", "2");
    assert!(case.notices(), "written");
    case.write("d/new.yaml", "1");
    assert!(case.notices(), "made");
    fs::remove_file(case.path("d/new.yaml")).unwrap();
    assert!(case.notices(), "removed");
    // In one step: a look may come between those of a write.
    case.write("new", "3");
    case.rename("new", "d/a.yaml");
    assert!(case.comes_within(Duration::from_secs(5)));
    assert!(case.is_quiet(), "told once, though it is not loaded");
}

#[test]
fn what_a_link_leads_to_is_noticed() {
    for (watched, what) in [("links/a.yaml", "a link"), ("links", "a link in a folder")] {
        let folder = with(&["real/a.yaml"]);
        fs::create_dir(folder.path().join("links")).unwrap();
        symlink("../real/a.yaml", folder.path().join("links/a.yaml")).unwrap();
        let mut case = Case::new(folder, watched, OFTEN);
        for text in ["2", "3"] {
            case.write("real/a.yaml", text);
            assert!(case.notices(), "{what}: written in place");
            case.write("real/new", text);
            case.rename("real/new", "real/a.yaml");
            assert!(case.notices(), "{what}: replaced");
        }
    }
}

#[test]
fn a_link_to_a_folder_may_lead_elsewhere() {
    let folder = with(&["v1/a.yaml", "v2/a.yaml"]);
    symlink("v1", folder.path().join("cur")).unwrap();
    let mut case = Case::new(folder, "cur", OFTEN);
    for (version, text) in [("v2", "2"), ("v1", "3"), ("v2", "4")] {
        symlink(version, case.path("cur.new")).unwrap();
        case.rename("cur.new", "cur");
        assert!(case.notices(), "leads to {version}");
        case.write(&format!("{version}/a.yaml"), text);
        assert!(case.notices(), "edited in {version}");
    }
}

#[test]
fn a_folder_may_come_in_the_place_of_another() {
    let mut case = Case::new(with(&["d/a.yaml", "d2/a.yaml"]), "d", OFTEN);
    case.rename("d", "dold");
    case.rename("d2", "d");
    assert!(case.notices(), "another folder");
    case.write("d/a.yaml", "2");
    assert!(case.notices(), "edited in it");
}

#[test]
fn the_folder_of_a_file_may_be_made_anew() {
    let mut case = Case::new(with(&["d/a.yaml"]), "d/a.yaml", OFTEN);
    fs::remove_dir_all(case.path("d")).unwrap();
    assert!(case.notices(), "removed");
    fs::create_dir(case.path("d")).unwrap();
    case.write("d/a.yaml", "1");
    assert!(case.notices(), "made anew");
    case.write("d/a.yaml", "2");
    assert!(case.notices(), "edited");
}

#[test]
fn what_is_added_counts_as_loaded() {
    let mut case = Case::new(with(&["a.yaml", "certs/key.pem"]), "a.yaml", OFTEN);
    let key = case.path("certs/key.pem");
    case.watched.add([&key]);
    assert!(case.is_quiet());
    case.write("certs/key.pem", "2");
    assert!(case.notices());
}
