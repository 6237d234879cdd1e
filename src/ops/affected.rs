//! Reading what a change can affect, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::cores::Cores;
use super::files::{file, files};
use super::referrers::referrers;
use crate::check::layout::{Use, use_of};
use crate::check::{File, Listing, Reading, Source};
use crate::yard::{Entry, Snapshot, YardError};

/// What was read of a yard for a check.
pub(super) struct Read {
    reading: Reading,
    /// What is read while rules look at it.
    lazily: Option<Arc<Lazily>>,
}

impl Read {
    /// Everything of `head`, and what of `base` is another in it.
    pub(super) fn all(head: &Snapshot, base: Option<&Snapshot>) -> Result<Self, YardError> {
        let base = base.map(files).transpose()?;
        Ok(Self {
            reading: Reading::new(files(head)?, base, &Cores),
            lazily: None,
        })
    }

    /// What the change from `base` to `head` can affect.
    pub(super) fn affected(head: &Snapshot, base: &Snapshot) -> Result<Self, YardError> {
        let paths = head.differing(base)?;
        let changed = changed(paths, head, base)?;
        let lazily = Arc::new(Lazily {
            snapshot: head.clone(),
            failed: Mutex::default(),
        });
        let referrers = referrers(base)?;
        match Reading::of_change(lazily.clone(), &changed, &referrers, &Cores) {
            Some(reading) => Ok(Self {
                reading,
                lazily: Some(lazily),
            }),
            None => Self::all(head, Some(base)),
        }
    }

    /// Asks something of what was read, which may read more.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&Reading) -> T) -> Result<T, YardError> {
        let answer = question(&self.reading);
        self.complete().map(|()| answer)
    }

    /// Makes something of what was read, which may read more.
    pub(super) fn into<T>(self, make: impl FnOnce(Reading) -> T) -> Result<T, YardError> {
        let Self { reading, lazily } = self;
        let made = make(reading);
        lazily
            .map_or(Ok(()), |lazily| lazily.complete())
            .map(|()| made)
    }

    fn complete(&self) -> Result<(), YardError> {
        self.lazily
            .as_ref()
            .map_or(Ok(()), |lazily| lazily.complete())
    }
}

/// Which of the files at `paths` are others in `head` than in `base`, each as it was.
fn changed(
    paths: BTreeSet<String>,
    head: &Snapshot,
    base: &Snapshot,
) -> Result<BTreeMap<String, Option<File>>, YardError> {
    let mut changed = BTreeMap::new();
    for path in paths {
        let before = at(base, &path)?;
        if at(head, &path)? != before {
            changed.insert(path, before);
        }
    }
    Ok(changed)
}

/// What is at `path`, if something is: of what is no record, only that it is there.
fn at(snapshot: &Snapshot, path: &str) -> Result<Option<File>, YardError> {
    match use_of(path) {
        Use::Record(_) => file(snapshot, path),
        _ => Ok(snapshot.has(path)?.then_some(File::Unread)),
    }
}

/// A snapshot that is read when something is looked at.
#[derive(Debug)]
struct Lazily {
    snapshot: Snapshot,
    /// The first thing that could not be read.
    failed: Mutex<Option<YardError>>,
}

impl Lazily {
    fn noted<T>(&self, read: Result<T, YardError>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            // What can't be a path of ours is at none.
            Err(YardError::BadPath { .. }) => None,
            Err(error) => {
                let failed = self.failed.lock();
                let mut failed = failed.unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert(error);
                None
            }
        }
    }

    fn complete(&self) -> Result<(), YardError> {
        let failed = self.failed.lock();
        let failed = failed.unwrap_or_else(PoisonError::into_inner).take();
        failed.map_or(Ok(()), Err)
    }
}

impl Source for Lazily {
    fn list(&self, folder: &str) -> Listing {
        let mut listing = Listing::default();
        let entries = self.noted(self.snapshot.list(folder));
        for entry in entries.into_iter().flatten() {
            match entry {
                Entry::Folder(name) => listing.folders.insert(name),
                Entry::File(name) => listing.files.insert(name),
            };
        }
        listing
    }

    fn file(&self, path: &str) -> Option<File> {
        self.noted(at(&self.snapshot, path)).flatten()
    }
}
