//! What is laid beside an artifact's files to make a folder of them.

use std::collections::BTreeMap;

use crate::import::LeftOut;
use crate::record::Lifecycle;
use crate::record::kind::{Model, ModelVersion};

/// What a version becomes elsewhere, but for its own files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Laid {
    /// The folder below the exported one that the artifact's files go into; none where they lie
    /// in it themselves.
    pub files_in: Option<&'static str>,
    /// Texts, by where they lie in the exported folder. They stand in for files of the artifact
    /// that lie there.
    pub beside: BTreeMap<String, String>,
    /// What has no place there: the field, and why.
    pub left_out: Vec<LeftOut>,
}

impl Laid {
    /// Lays `text` at `path`.
    pub(super) fn lay(&mut self, path: &str, text: String) {
        self.beside.insert(path.to_owned(), text);
    }

    /// Tells of a field that has no place.
    pub(super) fn no_place(&mut self, field: impl Into<String>, why: &str) {
        self.left_out.push(LeftOut {
            what: field.into(),
            why: why.to_owned(),
        });
    }

    /// Tells of what is the yard's own, and so of no use to others.
    pub(super) fn of_the_yard(&mut self, model: &Model, version: &ModelVersion) {
        let spec = &version.spec;
        if spec.lifecycle != Lifecycle::Staged {
            let field = format!("lifecycle {}", spec.lifecycle);
            self.no_place(field, "a folder has no stage; a registry has");
        }
        let aliases = model.spec.aliases.iter();
        let ours = aliases.filter(|(_, meant)| **meant == version.metadata.version);
        for (alias, _) in ours {
            let field = format!("alias {alias}");
            self.no_place(field, "a folder has no aliases; a registry has");
        }
        if !spec.images.is_empty() {
            self.no_place("images", "they lie in the yard's registry");
        }
    }
}
