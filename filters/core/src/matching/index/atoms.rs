//! Keys as numbers: equal ones of different entries have the same.

use super::Entry;
use super::key::{Key, Subject, Test};
use crate::matching::ByteSet;

/// A key of an entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Atom {
    /// What is looked at.
    pub(super) subject: usize,
    /// What it must be; of one subject.
    pub(super) group: usize,
    /// Which of the entry's demands is fulfilled by it. `None`: it is but the name of a header or parameter, whose
    /// value is still to be checked.
    pub(super) demand: Option<usize>,
}

/// The keys of all entries.
#[derive(Debug)]
pub(super) struct Atoms<'k> {
    subjects: Vec<Subject<&'k str, &'k [String]>>,
    groups: Vec<Test<'k>>,
    of: Vec<Vec<Atom>>,
    known_subjects: ByteSet,
    known_groups: ByteSet,
}

impl<'k> Atoms<'k> {
    /// Numbers the keys of `entries`.
    pub(super) fn new(entries: &[Entry<'k>]) -> Self {
        let mut atoms = Self {
            subjects: Vec::new(),
            groups: Vec::new(),
            of: Vec::with_capacity(entries.len()),
            known_subjects: ByteSet::default(),
            known_groups: ByteSet::default(),
        };
        for entry in entries {
            let mut own = Vec::with_capacity(entry.keys.len());
            for key in &entry.keys {
                own.push(atoms.atom(key));
                let (subject, name) = match key.subject {
                    // Every request has pseudo headers.
                    Subject::Header(name) if !name.starts_with(':') => (Subject::HeaderNames, name),
                    Subject::Query(name) => (Subject::QueryNames, name),
                    _ => continue,
                };
                let name = Key { demand: 0, subject, test: Test::Exact(name.as_bytes().into()) };
                own.push(Atom { demand: None, ..atoms.atom(&name) });
            }
            atoms.of.push(own);
        }
        (atoms.known_subjects, atoms.known_groups) = (ByteSet::default(), ByteSet::default());
        atoms
    }

    /// The keys of an entry.
    pub(super) fn of(&self, entry: u32) -> &[Atom] {
        let atoms = usize::try_from(entry).ok().and_then(|at| self.of.get(at));
        atoms.map(Vec::as_slice).unwrap_or_default()
    }

    /// The subject of this number.
    pub(super) fn subject(&self, number: usize) -> Subject<&'k str, &'k [String]> {
        self.subjects.get(number).copied().unwrap_or(Subject::Path)
    }

    /// The test of this number.
    pub(super) fn test(&self, group: usize) -> Option<&Test<'k>> {
        self.groups.get(group)
    }

    fn atom(&mut self, key: &Key<'k>) -> Atom {
        let (kind, name) = match key.subject {
            Subject::Path => (0, ""),
            Subject::PathIgnoringCase => (1, ""),
            Subject::Port => (2, ""),
            Subject::HeaderNames => (3, ""),
            Subject::QueryNames => (4, ""),
            Subject::Header(name) => (5, name),
            Subject::Query(name) => (6, name),
            Subject::Claim(_) => (10, ""),
        };
        let mut text = vec![kind];
        text.extend_from_slice(name.as_bytes());
        if let Subject::Claim(path) = key.subject {
            path.iter().for_each(|name| text.extend(name.bytes().chain([0])));
        }
        let subject = self.known_subjects.place(text.into(), || self.subjects.push(key.subject));
        let (kind, tested) = match &key.test {
            Test::Exact(text) => (7, &**text),
            Test::Prefix(text) => (8, &**text),
            Test::Regex(source) => (9, source.as_bytes()),
        };
        let mut text = vec![kind];
        text.extend_from_slice(&subject.to_le_bytes());
        text.extend_from_slice(tested);
        let group = self.known_groups.place(text.into(), || self.groups.push(key.test.clone()));
        Atom { subject, group, demand: Some(key.demand) }
    }
}
