//! The files of a yard at one moment, as they are handed in.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The files of a yard at one commit or in one work tree, by their path from its root, with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, File>);

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    /// A file that was read.
    Text(Bytes),
    /// A file that is larger than any record and was not read.
    TooLarge {
        /// Its size.
        size_bytes: u64,
    },
    /// A symbolic link, which is never followed.
    Link,
    /// A file that is there, and whose content no check needs.
    Unread,
}

impl Files {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `file` at `path`, in place of what was there.
    pub fn insert(&mut self, path: impl Into<String>, file: File) {
        self.0.insert(path.into(), file);
    }

    /// What is at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.0.get(path)
    }

    /// Whether anything is at `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Every file, in the order of the paths.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &File)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Files {
    type Item = (String, File);
    type IntoIter = std::collections::btree_map::IntoIter<String, File>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<P: Into<String>> FromIterator<(P, File)> for Files {
    fn from_iter<I: IntoIterator<Item = (P, File)>>(files: I) -> Self {
        Self(
            files
                .into_iter()
                .map(|(path, file)| (path.into(), file))
                .collect(),
        )
    }
}
