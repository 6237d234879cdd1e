//! The places that an artifact's files take, so that no two take the same.

use std::collections::HashMap;

use super::path::FilePath;

/// The paths of one artifact so far.
///
/// Two paths clash when any file system puts them in one place: the same path twice, paths that
/// differ only by case or Unicode normalisation, folders that do, and a file where a folder is
/// needed.
#[derive(Debug, Default)]
pub struct Claims {
    /// What was claimed, by its folded path: a file's path or a folder's.
    taken: HashMap<String, Taken>,
}

#[derive(Debug)]
enum Taken {
    File(String),
    Folder(String),
}

/// Two paths that can't both be in one folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Clash {
    /// The same path twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// Two paths that some file systems take for one.
    #[error("`{0}` and `{1}` differ only by case or Unicode form, and are one on some systems")]
    Alike(String, String),
    /// A file stands where another file's folder is.
    #[error("`{0}` is a file and a folder at once")]
    FileAndFolder(String),
}

impl Claims {
    /// Claims `path` and the folders above it.
    ///
    /// # Errors
    /// [`Clash`], if what was claimed before leaves no place for it.
    pub fn claim(&mut self, path: &FilePath) -> Result<(), Clash> {
        for folder in path.folders() {
            self.claim_folder(folder)?;
        }
        let text = path.as_str();
        match self.taken.get(&path.folded()) {
            Some(Taken::File(other)) if other == text => Err(Clash::Twice(text.to_owned())),
            Some(Taken::Folder(other)) if other == text => {
                Err(Clash::FileAndFolder(text.to_owned()))
            }
            Some(Taken::File(other) | Taken::Folder(other)) => {
                Err(Clash::Alike(other.clone(), text.to_owned()))
            }
            None => {
                let taken = Taken::File(text.to_owned());
                self.taken.insert(path.folded(), taken);
                Ok(())
            }
        }
    }

    fn claim_folder(&mut self, folder: &str) -> Result<(), Clash> {
        let folded = super::path::fold(folder);
        match self.taken.get(&folded) {
            Some(Taken::Folder(other)) if other == folder => Ok(()),
            Some(Taken::File(other)) if other == folder => {
                Err(Clash::FileAndFolder(folder.to_owned()))
            }
            Some(Taken::File(other) | Taken::Folder(other)) => {
                Err(Clash::Alike(other.clone(), folder.to_owned()))
            }
            None => {
                self.taken.insert(folded, Taken::Folder(folder.to_owned()));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim_all(paths: &[&str]) -> Result<(), Clash> {
        let mut claims = Claims::default();
        paths
            .iter()
            .try_for_each(|path| claims.claim(&path.parse().unwrap()))
    }

    #[test]
    fn files_share_folders() {
        assert_eq!(claim_all(&["a/b", "a/c", "a/d/e", "b"]), Ok(()));
    }

    #[test]
    fn two_files_never_share_a_place() {
        let alike = |one: &str, other: &str| Clash::Alike(one.to_owned(), other.to_owned());
        for (paths, clash) in [
            (&["a", "a"], Clash::Twice("a".to_owned())),
            (&["a", "A"], alike("a", "A")),
            (
                &["caf\u{e9}", "cafe\u{301}"],
                alike("caf\u{e9}", "cafe\u{301}"),
            ),
            (&["data/x", "Data/y"], alike("data", "Data")),
            (&["a", "a/b"], Clash::FileAndFolder("a".to_owned())),
            (&["a/b", "a"], Clash::FileAndFolder("a".to_owned())),
            (&["A", "a/b"], alike("A", "a")),
        ] {
            assert_eq!(claim_all(paths), Err(clash), "{paths:?}");
        }
    }
}
