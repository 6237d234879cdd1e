//! What an environment has to have, and the key that it is built once for.
//!
//! The key is of everything that says what will be in it: the interpreter, what is installed beside
//! the file's packages, and the texts of the file and of those that it refers to (`-r`, `-c`), with
//! the content of the packages that lie in the version's folder.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::PythonError;
use super::interpreter::Interpreter;
use crate::platform::atomic::read_at_most;

/// The largest file of requirements.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The largest package that lies in a version's folder.
const MAX_PACKAGE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How many files may refer to each other.
const MAX_FILES: usize = 64;
/// What is built differently has another number here.
const LAYOUT: &[u8] = b"1";

/// What is to be installed.
#[derive(Debug)]
pub(super) struct Requirements {
    /// The file, if there is one.
    pub(super) file: Option<PathBuf>,
    /// What is installed beside it.
    pub(super) packages: Vec<String>,
    /// All texts that count.
    texts: Vec<Vec<u8>>,
}

impl Requirements {
    /// None at all.
    pub(super) const fn none() -> Self {
        Self {
            file: None,
            packages: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Those of a file, and of those that it refers to.
    ///
    /// # Errors
    /// If it can't be read, or what it says can't be known by its text.
    pub(super) fn read(file: PathBuf) -> Result<Self, PythonError> {
        let mut requirements = Self::none();
        let mut ahead = vec![file.clone()];
        let mut seen = Vec::new();
        while let Some(path) = ahead.pop() {
            if seen.contains(&path) {
                continue;
            }
            if seen.len() == MAX_FILES {
                let reason = format!("more than {MAX_FILES} files refer to each other");
                return Err(PythonError::Requirements { path, reason });
            }
            let text = read_at_most(&path, MAX_FILE_BYTES)?;
            for line in String::from_utf8_lossy(&text).lines() {
                requirements.follow(line.trim(), &path, &file, &mut ahead)?;
            }
            requirements.texts.push(text);
            seen.push(path);
        }
        requirements.file = Some(file);
        Ok(requirements)
    }

    /// Goes after what a line refers to.
    fn follow(
        &mut self,
        line: &str,
        path: &Path,
        first: &Path,
        ahead: &mut Vec<PathBuf>,
    ) -> Result<(), PythonError> {
        let folder = |of: &Path| of.parent().unwrap_or(Path::new(".")).to_owned();
        let refused = |reason: &str| PythonError::Requirements {
            path: path.to_owned(),
            reason: format!("`{}`: {reason}", line.escape_debug()),
        };
        if option(line, &["-e", "--editable"]).is_some() {
            return Err(refused(
                "what is installed has to stay as it is: build a wheel of it",
            ));
        }
        if let Some(other) = option(line, &["-r", "--requirement", "-c", "--constraint"]) {
            // What is elsewhere is the installer's to find.
            if !other.contains("://") {
                ahead.push(folder(path).join(other));
            }
            return Ok(());
        }
        let own = line.strip_prefix("file:").unwrap_or(line);
        if !own.starts_with('.') && !own.starts_with('/') {
            return Ok(());
        }
        let own = own.split([' ', ';', '#']).next().unwrap_or(own);
        let place = folder(first).join(own);
        if place.is_dir() {
            return Err(refused(
                "a folder of sources is not told by its text: build a wheel of it",
            ));
        }
        let package = read_at_most(&place, MAX_PACKAGE_BYTES)?;
        self.texts.push(Sha256::digest(&package).to_vec());
        Ok(())
    }

    /// Sees to it that there is a package that the runtime itself needs.
    pub(super) fn need(&mut self, package: &str) {
        if !self.names(package) {
            self.packages.push(package.to_owned());
        }
    }

    /// Whether one of the texts asks for a package of this name.
    pub(super) fn names(&self, package: &str) -> bool {
        let lines = self.texts.iter().map(|text| String::from_utf8_lossy(text));
        lines
            .into_iter()
            .any(|text| text.lines().any(|line| name(line) == package))
    }

    /// Whether nothing is to be installed.
    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.file.is_none()
    }

    /// What the environment is called that has all this for `interpreter`.
    pub(super) fn key(&self, interpreter: &Interpreter) -> String {
        let mut hash = Sha256::new();
        let own = [LAYOUT, interpreter.identity.as_bytes()].map(<[u8]>::to_vec);
        let packages = self
            .packages
            .iter()
            .map(|package| package.clone().into_bytes());
        for part in own
            .into_iter()
            .chain(packages)
            .chain(self.texts.iter().cloned())
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The value of an option that a line sets.
fn option<'a>(line: &'a str, names: &[&str]) -> Option<&'a str> {
    let value = names.iter().find_map(|name| line.strip_prefix(name))?;
    let value = value.strip_prefix('=').unwrap_or(value);
    Some(value.trim())
}

/// The package that a line asks for, as indexes call it.
fn name(line: &str) -> String {
    let line = line.trim();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    let name = &line[..end.unwrap_or(line.len())];
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(folder: &Path) -> Result<String, String> {
        let interpreter = Interpreter {
            program: PathBuf::new(),
            version: "3.12.1".to_owned(),
            identity: "3.12.1".to_owned(),
        };
        let read = Requirements::read(folder.join("requirements.txt"));
        let told = |error: PythonError| {
            let place = folder.display().to_string();
            error.to_string().replace(&place, ".")
        };
        read.map(|read| read.key(&interpreter)).map_err(told)
    }

    #[test]
    fn the_key_is_of_all_that_is_referred_to() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("requirements.txt", "-r more.txt\n./own.whl\nnumpy==2\n");
        write("more.txt", "--constraint=bounds.txt\n-r requirements.txt\n");
        write("bounds.txt", "scipy<2\n");
        write("own.whl", "a");
        let first = key(folder.path()).unwrap();
        assert_eq!(key(folder.path()), Ok(first.clone()));
        for (name, text) in [("own.whl", "b"), ("bounds.txt", "scipy<3\n")] {
            let before = std::fs::read_to_string(folder.path().join(name)).unwrap();
            write(name, text);
            assert_ne!(key(folder.path()), Ok(first.clone()), "{name}");
            write(name, &before);
        }
        assert_eq!(key(folder.path()), Ok(first));
    }

    #[test]
    fn what_is_not_told_by_its_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let with = |line: &str| {
            std::fs::write(folder.path().join("requirements.txt"), line).unwrap();
            key(folder.path()).unwrap_err()
        };
        insta::assert_snapshot!(with("-e ."), @"./requirements.txt: `-e .`: what is installed has to stay as it is: build a wheel of it");
        insta::assert_snapshot!(with("."), @"./requirements.txt: `.`: a folder of sources is not told by its text: build a wheel of it");
        insta::assert_snapshot!(with("-r none.txt"), @"can't read ./none.txt");
    }

    #[test]
    fn what_the_runtime_needs_is_added_unless_it_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.txt");
        std::fs::write(&file, "Scikit_Learn==1.9\nonnxruntime[x] >= 1 # for us\n").unwrap();
        let mut requirements = Requirements::read(file).unwrap();
        for package in ["scikit-learn", "onnxruntime", "onnx"] {
            requirements.need(package);
        }
        assert_eq!(requirements.packages, ["onnx"]);
    }
}
