//! What git prints of commits, tags and files.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::platform::redact;

/// Something in a folder at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Entry {
    /// Its path in the repository.
    pub path: String,
    /// Its bytes.
    pub object: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum EntryKind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// What a commit or a tag says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Said {
    /// Who made it, by name.
    pub author: Option<String>,
    /// When.
    pub time: Option<Timestamp>,
    /// Why.
    pub message: String,
}

/// One line of `git ls-tree`: mode, type, object, and the path behind a tab.
pub(super) fn entry(line: &str) -> Option<Entry> {
    let (about, path) = line.split_once('\t')?;
    let mut words = about.split(' ');
    let (mode, _, object) = (words.next()?, words.next()?, words.next()?);
    let kind = match mode {
        "120000" => EntryKind::Link,
        "160000" => EntryKind::Submodule,
        _ => EntryKind::File,
    };
    Some(Entry {
        path: path.to_owned(),
        object: object.to_owned(),
        kind,
    })
}

/// What `git cat-file --batch` prints: a line with the object and its size, its bytes, a line's
/// end.
pub(super) fn batch(mut printed: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut read = BTreeMap::new();
    while let Some(end) = printed.iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&printed[..end]).ok()?;
        printed = &printed[end + 1..];
        let mut words = line.split(' ');
        let (object, _) = (words.next()?, words.next()?);
        let size: usize = words.next()?.parse().ok()?;
        read.insert(object.to_owned(), printed.get(..size)?.to_vec());
        printed = printed.get(size + 1..)?;
    }
    Some(read)
}

impl Said {
    /// Reads a commit or a tag as git keeps it.
    pub(in crate::import) fn read(text: &str) -> Self {
        let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
        let line = |word: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
        };
        let made = line("author").or_else(|| line("tagger"));
        let dated = line("committer").or_else(|| line("tagger")).or(made);
        let name = made
            .and_then(|made| made.split_once(" <"))
            .map(|(name, _)| name);
        let seconds = dated.and_then(|dated| dated.rsplit_once("> ")?.1.split(' ').next());
        let seconds = seconds.and_then(|seconds| seconds.parse().ok());
        // A signature stands behind a tag's message.
        let message = message.split("-----BEGIN ").next().unwrap_or_default();
        Self {
            author: name.filter(|name| !name.is_empty()).map(redact::printable),
            time: seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            message: message.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Commits, tags and folders.

    use super::*;

    #[test]
    fn a_commit_and_a_tag_say_who_when_and_why() {
        let commit = "tree a\nauthor Ada L <ada@example.com> 1700000000 +0100\ncommitter Bo <b@example.com> 1700000100 +0000\n\nTrain it\n\nMore.\n";
        let said = Said::read(commit);
        assert_eq!(said.author.as_deref(), Some("Ada L"));
        assert_eq!(said.time.unwrap().as_second(), 1_700_000_100);
        assert_eq!(said.message, "Train it\n\nMore.");
        let tag = "object a\ntype commit\ntag v1\ntagger Ada <a@example.com> 5 +0000\n\nFirst\n-----BEGIN PGP SIGNATURE-----\nx\n";
        let said = Said::read(tag);
        assert_eq!(said.message, "First");
        assert_eq!(said.time.unwrap().as_second(), 5);
    }

    #[test]
    fn a_folder_s_lines_are_files_links_and_submodules() {
        let kind = |line| entry(line).map(|entry| (entry.path, entry.kind));
        assert_eq!(
            kind("100644 blob abc\tmodels/a b"),
            Some(("models/a b".to_owned(), EntryKind::File))
        );
        assert_eq!(kind("120000 blob abc\tl").unwrap().1, EntryKind::Link);
        assert_eq!(
            kind("160000 commit abc\ts").unwrap().1,
            EntryKind::Submodule
        );
        assert_eq!(kind("nothing"), None);
        let read = batch(b"aa blob 3\nx\ny\nbb blob 0\n\n").unwrap();
        assert_eq!(read["aa"], b"x\ny");
        assert_eq!(read["bb"], b"");
        assert_eq!(batch(b"aa blob 30\nx\n"), None);
    }
}
