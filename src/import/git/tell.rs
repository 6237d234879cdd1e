//! What a folder of a repository tells of the model in it: the function that serves it, what that
//! needs, and where it comes from.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::printed::Said;
use crate::record::kind::Address;

/// The files in which the function is looked for first, in this order.
const FILES: [&str; 6] = [
    "serve.py",
    "predict.py",
    "inference.py",
    "main.py",
    "model.py",
    "app.py",
];

/// What the function is called, in this order.
const FUNCTIONS: [&str; 2] = ["predict", "main"];

/// The packages that the code needs.
const REQUIREMENTS: &str = "requirements.txt";

/// The Python that it needs, as pyenv and uv have it.
const PYTHON: &str = ".python-version";

/// Whether a file, by its path in the folder, is read for what it tells.
pub(super) fn is_read(path: &str) -> bool {
    path == PYTHON || is_code(path)
}

fn is_code(path: &str) -> bool {
    let is_python = std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "py");
    is_python && !path.contains('/')
}

/// What is told.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    /// Fields of a version.
    pub version: Map<String, Value>,
    /// What a person should know.
    pub remarks: Vec<String>,
}

/// What the folder tells that has these files; `read` are the texts of those that were read.
pub(super) fn code(paths: &[&str], read: &BTreeMap<&str, String>) -> Told {
    let mut told = Told::default();
    match entrypoint(read) {
        Ok(Some((file, function))) => {
            let entrypoint = json!({"file": file, "function": function});
            told.version.insert("entrypoint".to_owned(), entrypoint);
        }
        Ok(None) => {}
        Err(files) => told.remarks.push(format!(
            "{} each have a function that could serve it: none is taken; call the file {}",
            files.join(" and "),
            FILES[0]
        )),
    }
    if paths.contains(&REQUIREMENTS) {
        let mut environment = json!({"language": "python", "requirements": REQUIREMENTS});
        if let Some(version) = read.get(PYTHON).and_then(|text| python(text)) {
            environment["version"] = version.into();
        }
        told.version.insert("environment".to_owned(), environment);
    }
    told
}

/// The file and the function that serves; those among which nothing decides.
fn entrypoint<'a>(
    read: &BTreeMap<&'a str, String>,
) -> Result<Option<(&'a str, &'static str)>, Vec<&'a str>> {
    for function in FUNCTIONS {
        let mut having: Vec<&str> = read
            .iter()
            .filter(|(path, text)| is_code(path) && defines(text, function))
            .map(|(path, _)| *path)
            .collect();
        let place = |path: &&str| FILES.iter().position(|file| file == path);
        having.sort_by_key(|path| place(path).unwrap_or(FILES.len()));
        match having.as_slice() {
            [] => {}
            [first, ..] if having.len() == 1 || FILES.contains(first) => {
                return Ok(Some((first, function)));
            }
            _ => return Err(having),
        }
    }
    Ok(None)
}

/// Whether a text of Python has a function of this name that is no method.
fn defines(text: &str, function: &str) -> bool {
    text.lines().any(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let name = line.strip_prefix("def ").map(str::trim_start);
        name.and_then(|name| name.strip_prefix(function))
            .is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

/// The version in a `.python-version`: `3.11`, `cpython-3.11.4`.
fn python(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let version = line.strip_prefix("cpython-").unwrap_or(line);
    let is_version = version
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_version.then(|| version.to_owned())
}

/// Where it comes from: a commit of the repository at `origin`, and the folder in it.
pub(super) fn lineage(
    origin: Option<&str>,
    commit: &str,
    folder: &str,
) -> Result<Value, Map<String, Value>> {
    let repository = origin.filter(|origin| origin.parse::<Address>().is_ok());
    let Some(repository) = repository else {
        let commit = ("git.commit".to_owned(), json!(commit));
        return Err(Map::from_iter([commit]));
    };
    let mut source = json!({"repository": repository, "commit": commit});
    if !folder.is_empty() {
        source["path"] = folder.into();
    }
    Ok(json!({ "source": source }))
}

/// What the commit, and the tag on it, say of the version.
pub(super) fn words(
    commit: &Said,
    tag: Option<&Said>,
    version: &mut Map<String, Value>,
    unmapped: &mut Map<String, Value>,
) {
    if let Some(time) = commit.time {
        version.insert("createdAt".to_owned(), json!(time));
    }
    // Of a version that somebody named by a tag the tag's words are about it; a commit's are about
    // whatever else changed with it.
    if let Some(tag) = tag.filter(|tag| !tag.message.is_empty()) {
        version.insert("changes".to_owned(), json!(tag.message));
    }
    if let Some(author) = &commit.author {
        unmapped.insert("commit.author".to_owned(), json!(author));
    }
    if !commit.message.is_empty() {
        unmapped.insert("commit.message".to_owned(), json!(commit.message));
    }
}

#[cfg(test)]
mod tests {
    //! What code tells.

    use super::*;

    fn told(files: &[(&'static str, &str)]) -> (Value, Vec<String>) {
        let paths: Vec<_> = files.iter().map(|(path, _)| *path).collect();
        let read = files
            .iter()
            .filter(|(path, _)| is_read(path))
            .map(|(path, text)| (*path, (*text).to_owned()))
            .collect();
        let told = code(&paths, &read);
        (Value::Object(told.version), told.remarks)
    }

    #[test]
    fn the_main_function_is_the_entrypoint_and_requirements_the_environment() {
        let (version, remarks) = told(&[
            ("main.py", "def main():\n    pass\n"),
            (
                "predict.py",
                "import x\n\nasync def predict (inputs):\n    pass\n",
            ),
            ("requirements.txt", "numpy\n"),
            (".python-version", "3.11.4\n"),
        ]);
        assert_eq!(
            version,
            json!({
                "entrypoint": {"file": "predict.py", "function": "predict"},
                "environment": {"language": "python", "requirements": "requirements.txt", "version": "3.11.4"},
            })
        );
        assert_eq!(remarks, [""; 0]);
    }

    #[test]
    fn nothing_is_guessed() {
        let (version, remarks) =
            told(&[("a.py", "def predict(x):\n"), ("b.py", "def predict(x):\n")]);
        assert_eq!(version, json!({}));
        assert!(remarks[0].starts_with("a.py and b.py each"), "{remarks:?}");
        let (version, _) = told(&[
            ("a.py", "class A:\n    def predict(self):\n"),
            ("tools/predict.py", "def predict(x):\n"),
            ("predictor.py", "def predictor(x):\n"),
        ]);
        assert_eq!(version, json!({}));
        let (version, _) = told(&[("only.py", "def main(x):\n")]);
        assert_eq!(version["entrypoint"]["file"], "only.py");
    }

    #[test]
    fn a_place_that_no_record_may_name_is_no_lineage() {
        let source = lineage(Some("https://git.example.com/a.git"), "c", "m/a").unwrap();
        assert_eq!(source["source"]["path"], "m/a");
        assert!(lineage(Some("/srv/a"), "c", "").is_err());
        assert_eq!(lineage(None, "c", "").unwrap_err()["git.commit"], "c");
    }
}
