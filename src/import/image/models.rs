//! Models in an image: files whose content tells a model's format, and what belongs to them.
//!
//! The folder that such a file lies in is the model, with everything below it; a folder within
//! another is part of that one. `models/fraud/3/…`, as TensorFlow Serving and Triton keep versions,
//! is version 3 of `fraud`. Where the folder is the image's root, the file alone is the model.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Place, Tree};
use crate::artifact::pack::FilePath;
use crate::artifact::pack::inspect::Content;
use crate::import::MAX_FILES;

/// A model in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Model {
    /// The folder or file that it is, from the image's root.
    pub(super) path: String,
    /// The version that its folder is named for.
    pub(super) number: Option<u64>,
    /// Where its files are, by their places among them.
    pub(super) files: BTreeMap<FilePath, Place>,
}

/// Folders whose names say nothing of what is in them.
const UNTELLING: [&str; 9] = [
    "model",
    "models",
    "app",
    "mnt",
    "opt",
    "srv",
    "artifacts",
    "model_repository",
    "model-store",
];

/// The models in `tree`, by their paths; and what a person should know.
pub(super) fn find(tree: &Tree) -> (Vec<Model>, Vec<String>) {
    let blobs: BTreeSet<&str> = tree.targets().collect();
    let marks: Vec<&str> = tree
        .files()
        // What a link names is told by the link.
        .filter(|(path, place)| is_model(path, place.content) && !blobs.contains(path))
        .map(|(path, _)| path)
        .collect();
    let folders: BTreeSet<&str> = marks.iter().map(|path| above(path)).collect();
    let mut models = Vec::new();
    let mut remarks = Vec::new();
    for folder in &folders {
        if folder.is_empty() {
            for path in marks.iter().filter(|path| !path.contains('/')) {
                models.extend(model(tree, path, &mut remarks));
            }
            continue;
        }
        let mut outer = folder.match_indices('/').map(|(at, _)| &folder[..at]);
        if !outer.any(|outer| folders.contains(outer)) {
            models.extend(model(tree, folder, &mut remarks));
        }
    }
    (models, remarks)
}

fn model(tree: &Tree, path: &str, remarks: &mut Vec<String>) -> Option<Model> {
    let below = format!("{path}/");
    let mut files = BTreeMap::new();
    for (file, place) in tree.files() {
        let inner = match file.strip_prefix(&below) {
            Some(inner) => inner,
            None if file == path => file,
            None => continue,
        };
        match inner.parse::<FilePath>() {
            Ok(inner) => {
                files.insert(inner, place.clone());
            }
            Err(error) => remarks.push(format!("{file} is left out: {}", error.reason)),
        }
    }
    if files.len() > MAX_FILES {
        remarks.push(format!(
            "/{path} has a model's file in it, and {} files, more than a version has",
            files.len()
        ));
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    Some(Model {
        path: path.to_owned(),
        number: name
            .parse()
            .ok()
            .filter(|_| is_number && path.contains('/')),
        files,
    })
}

impl Model {
    /// What it is called, where its folder says so.
    pub(super) fn name(&self) -> Option<&str> {
        let mut parts = self.path.rsplit('/');
        let mut name = parts.next()?;
        if self.number.is_some() {
            name = parts.next()?;
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        (!stem.is_empty() && !UNTELLING.contains(&stem)).then_some(stem)
    }
}

/// What stands before the last slash.
fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a file of this content at `path` is a model, or the part of one that tells it.
fn is_model(path: &str, content: Content) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if matches!(name, "saved_model.pb" | "MLmodel") {
        return true;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let extension = extension.to_ascii_lowercase();
    match content {
        // Its first bytes alone are not enough to be sure.
        Content::Onnx => matches!(extension.as_str(), "onnx" | "ort"),
        Content::OpenVino => true,
        Content::Zip => extension == "mar",
        Content::Pickle | Content::Rds | Content::Hdf5 => matches!(
            extension.as_str(),
            "pkl" | "pickle" | "joblib" | "rds" | "h5" | "hdf5" | "pt" | "pth" | "bin" | "ckpt"
        ),
        content => content.is_weights(),
    }
}

#[cfg(test)]
mod tests {
    //! What is a model, and what belongs to it.

    use super::*;
    use crate::import::tar::Tar;
    use crate::import::tar::writing::Writing;

    const GGUF: &[u8] = b"GGUF\x03\0\0\0\0\0\0\0";
    const PICKLE: &[u8] = b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07builtinsN.";

    fn found(writing: Writing) -> Vec<String> {
        let bytes = writing.end();
        let mut tree = Tree::new(Vec::new());
        let mut layer = tree.layer(0);
        let mut tar = Tar::new(bytes.as_slice());
        while let Some(entry) = tar.next().unwrap() {
            layer.take(&entry, &mut tar).unwrap();
        }
        tree.apply(layer);
        let (models, _) = find(&tree);
        let told = |model: &Model| {
            let files: Vec<_> = model.files.keys().map(ToString::to_string).collect();
            let name = model.name().unwrap_or("-");
            let number = model.number.map(|number| format!(" {number}"));
            let number = number.unwrap_or_default();
            format!("{} {name}{number}: {}", model.path, files.join(" "))
        };
        models.iter().map(told).collect()
    }

    #[test]
    fn folders_with_models_are_models_with_all_that_is_in_them() {
        let writing = Writing::new()
            .file("models/fraud/model.gguf", GGUF)
            .file("models/fraud/README.md", b"# Fraud")
            .file("models/fraud/parts/extra.gguf", GGUF)
            .file("models/digits/3/saved_model.pb", b"x")
            .file("models/digits/3/variables/variables.index", b"x")
            .file("app/serve.py", b"print()")
            .file("tiny.gguf", GGUF)
            .file("other", b"x");
        assert_eq!(
            found(writing),
            [
                "tiny.gguf tiny: tiny.gguf",
                "models/digits/3 digits 3: saved_model.pb variables/variables.index",
                "models/fraud fraud: README.md model.gguf parts/extra.gguf",
            ]
        );
    }

    #[test]
    fn what_is_uncertain_needs_a_name() {
        let writing = Writing::new()
            .file("app/cache.dat", PICKLE)
            .file("app/notes.txt", b"GG")
            .file("srv/model.pkl", PICKLE);
        assert_eq!(found(writing), ["srv -: model.pkl"]);
    }

    #[test]
    fn what_links_lead_to_is_told_once() {
        let writing = Writing::new()
            .file("hub/blobs/abc", GGUF)
            .symbolic_link("hub/snapshots/1f/model.gguf", "../../blobs/abc");
        assert_eq!(found(writing), ["hub/snapshots/1f 1f: model.gguf"]);
    }
}
