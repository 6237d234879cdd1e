//! What a file is to its model: weights, their configuration, code, data or documentation.
//!
//! Told by what the file holds where that is certain, by its name and folder otherwise, and by a
//! person's [`RoleRule`] above both. The role is part of a layer's media type and so of the
//! manifest's digest: a change of these tables changes the digests of what is packed after it.

use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::codes;
use super::inspect::Content;
use super::path::FilePath;
use crate::record::{Code, Fault};

/// What a file is to its model (ModelPack, "Layer media types").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// What was learned: parameters, trees, whole serialised models.
    #[serde(rename = "weight")]
    Weight,
    /// What is needed to use the weights: architecture, tokenizer, vocabulary, signature.
    #[serde(rename = "weight.config")]
    Config,
    /// What trains, serves or shows the model.
    #[serde(rename = "code")]
    Code,
    /// What it was trained, validated or tested with.
    #[serde(rename = "dataset")]
    Dataset,
    /// What people read.
    #[serde(rename = "doc")]
    Doc,
}

impl Role {
    /// All of them, in ModelPack's order.
    pub const ALL: [Self; 5] = [
        Self::Weight,
        Self::Config,
        Self::Code,
        Self::Dataset,
        Self::Doc,
    ];

    /// ModelPack's word for it, the `<T>` in `application/vnd.cncf.model.<T>.v1.raw`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weight => "weight",
            Self::Config => "weight.config",
            Self::Code => "code",
            Self::Dataset => "dataset",
            Self::Doc => "doc",
        }
    }

    /// The media type of a layer that is one such file, byte for byte.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Weight => "application/vnd.cncf.model.weight.v1.raw",
            Self::Config => "application/vnd.cncf.model.weight.config.v1.raw",
            Self::Code => "application/vnd.cncf.model.code.v1.raw",
            Self::Dataset => "application/vnd.cncf.model.dataset.v1.raw",
            Self::Doc => "application/vnd.cncf.model.doc.v1.raw",
        }
    }

    /// The role of the file at `path`, which holds `content`.
    pub fn tell(path: &FilePath, content: Content) -> Self {
        let name = path.file_name().to_lowercase();
        let extension = extension(&name);
        let among_data = path.folders().any(|folder| {
            let last = folder.rsplit('/').next().unwrap_or(folder);
            is_data_folder(&last.to_lowercase())
        });
        if content.is_weights() {
            return Self::Weight;
        }
        if content.is_serialised() {
            // A pickle, an archive of arrays: weights, unless it lies among data.
            return if among_data {
                Self::Dataset
            } else {
                Self::Weight
            };
        }
        if content.is_table() {
            return Self::Dataset;
        }
        if content.is_program() {
            return Self::Code;
        }
        let is_code = by_extension(extension) == Some(Self::Code);
        let is_setting = matches!(extension, "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf");
        if among_data && !is_code && !is_setting && !is_card(&name) {
            return Self::Dataset;
        }
        by_name(&name)
            .or_else(|| by_extension(extension))
            .unwrap_or(if content.is_text() {
                Self::Doc
            } else {
                Self::Weight
            })
    }
}

/// What stands behind the last dot of `name`; nothing for `.name` and `name`.
fn extension(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension,
        _ => "",
    }
}

fn is_data_folder(name: &str) -> bool {
    matches!(
        name,
        "data"
            | "dataset"
            | "datasets"
            | "train"
            | "training"
            | "val"
            | "valid"
            | "validation"
            | "test"
            | "tests"
            | "requests"
            | "samples"
    )
}

/// What people look for in every folder: never data, wherever it lies.
fn is_card(name: &str) -> bool {
    ["readme", "license", "licence", "notice"]
        .iter()
        .any(|stem| name == *stem || name.starts_with(&format!("{stem}.")))
}

fn by_name(name: &str) -> Option<Role> {
    if is_card(name) {
        return Some(Role::Doc);
    }
    Some(match name {
        "dockerfile" | "makefile" | "requirements.txt" | "pyproject.toml" | "setup.cfg"
        | "environment.yml" | "environment.yaml" | "package.json" => Role::Code,
        "mlmodel" | "vocab.txt" | "vocab.json" | "merges.txt" | "labels.txt" | "classes.txt"
        | "conda.yaml" | "python_env.yaml" => Role::Config,
        "authors" | "changelog" | "copying" | "citation" | "citation.cff" => Role::Doc,
        _ => return None,
    })
}

fn by_extension(extension: &str) -> Option<Role> {
    Some(match extension {
        "onnx" | "safetensors" | "gguf" | "ggml" | "pt" | "pth" | "ckpt" | "bin" | "h5"
        | "hdf5" | "keras" | "pb" | "tflite" | "joblib" | "pkl" | "pickle" | "npz" | "npy"
        | "msgpack" | "params" | "ubj" | "bst" | "xgb" | "cbm" | "pmml" | "engine" | "plan"
        | "nemo" | "mar" | "mlmodel" | "llamafile" | "data" | "onnx_data" | "index" => Role::Weight,
        "json" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "config" | "jinja"
        | "jinja2" | "xml" | "proto" | "pbtxt" | "model" | "tiktoken" | "env" => Role::Config,
        "py" | "ipynb" | "sh" | "bash" | "r" | "rmd" | "jl" | "js" | "mjs" | "ts" | "java"
        | "scala" | "kt" | "go" | "rs" | "c" | "h" | "cc" | "cpp" | "hpp" | "cu" | "cuh"
        | "sql" | "m" | "lua" | "whl" | "jar" | "so" | "dylib" | "dll" | "exe" | "bat" | "ps1" => {
            Role::Code
        }
        "csv" | "tsv" | "parquet" | "arrow" | "feather" | "orc" | "avro" | "jsonl" | "ndjson"
        | "tfrecord" | "tfrecords" | "mat" | "xlsx" | "xls" | "sqlite" | "db" | "wav" | "mp3"
        | "flac" | "ogg" | "mp4" | "avi" | "mkv" | "zip" | "tar" | "gz" | "tgz" | "zst" | "xz"
        | "bz2" => Role::Dataset,
        "md" | "markdown" | "rst" | "txt" | "pdf" | "html" | "htm" | "adoc" | "tex" | "bib"
        | "docx" | "pptx" | "odt" | "svg" | "png" | "jpg" | "jpeg" | "gif" | "webp" | "log" => {
            Role::Doc
        }
        _ => return None,
    })
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A person's word on the roles of files: `GLOB=ROLE`, as in `notes/*.txt=dataset`.
///
/// A glob without a slash is held against file names in every folder, one with a slash against
/// the whole path; `*` stops at a slash, `**` doesn't. Of several rules the last one that fits
/// counts.
#[derive(Debug, Clone)]
pub struct RoleRule {
    text: String,
    glob: GlobMatcher,
    whole_path: bool,
    role: Role,
}

/// Why a text is no [`RoleRule`].
#[derive(Debug, thiserror::Error)]
pub enum RoleRuleError {
    /// Not `GLOB=ROLE`.
    #[error("`{}` is not a role rule: it has to be GLOB=ROLE", .0.escape_debug())]
    Shape(String),
    /// No such role.
    #[error("`{}` is not a role", .0.escape_debug())]
    Role(String),
    /// The glob can't be read.
    #[error("`{}` is not a glob", text.escape_debug())]
    Glob {
        /// The glob as it was given.
        text: String,
        /// What is wrong with it.
        #[source]
        source: globset::Error,
    },
}

impl Fault for RoleRuleError {
    fn code(&self) -> &'static Code {
        &codes::INVALID_ROLE_RULE
    }

    fn help(&self) -> Option<String> {
        Some(
            "write it as in `notes/*.txt=dataset`; the roles are weight, config, code, dataset \
             and doc"
                .to_owned(),
        )
    }
}

impl RoleRule {
    /// The role that the rule gives.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether the rule speaks of the file at `path`.
    pub fn fits(&self, path: &FilePath) -> bool {
        if self.whole_path {
            self.glob.is_match(path.as_str())
        } else {
            self.glob.is_match(path.file_name())
        }
    }
}

impl FromStr for RoleRule {
    type Err = RoleRuleError;

    fn from_str(text: &str) -> Result<Self, RoleRuleError> {
        // The last `=`, because a glob may have one and a role has none.
        let (pattern, role) = text
            .rsplit_once('=')
            .filter(|(pattern, _)| !pattern.is_empty())
            .ok_or_else(|| RoleRuleError::Shape(text.to_owned()))?;
        let role = match role {
            "weight" | "weights" => Role::Weight,
            "config" | "configuration" | "weight.config" => Role::Config,
            "code" => Role::Code,
            "dataset" | "data" => Role::Dataset,
            "doc" | "docs" | "documentation" => Role::Doc,
            other => return Err(RoleRuleError::Role(other.to_owned())),
        };
        let glob = GlobBuilder::new(pattern.trim_start_matches('/'))
            .literal_separator(true)
            .build()
            .map_err(|source| RoleRuleError::Glob {
                text: pattern.to_owned(),
                source,
            })?;
        Ok(Self {
            text: text.to_owned(),
            glob: glob.compile_matcher(),
            whole_path: pattern.contains('/'),
            role,
        })
    }
}

impl fmt::Display for RoleRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, content: &[u8]) -> Role {
        Role::tell(&path.parse().unwrap(), Content::tell(content))
    }

    #[test]
    fn names_tell_the_role_of_ordinary_text() {
        for (path, role) in [
            ("config.json", Role::Config),
            ("tokenizer.model", Role::Config),
            ("MLmodel", Role::Config),
            ("vocab.txt", Role::Config),
            ("train.py", Role::Code),
            ("requirements.txt", Role::Code),
            ("Dockerfile", Role::Code),
            ("README.md", Role::Doc),
            ("LICENSE", Role::Doc),
            ("notes.txt", Role::Doc),
            ("rows.csv", Role::Dataset),
            ("data/labels.json", Role::Dataset),
            ("data/README.md", Role::Doc),
            ("data/prepare.py", Role::Code),
            ("Training/a/notes.txt", Role::Dataset),
            ("something", Role::Doc),
            ("tests/clean.json", Role::Dataset),
        ] {
            assert_eq!(told(path, b"some text\n"), role, "{path}");
        }
    }

    #[test]
    fn what_a_file_holds_counts_more_than_its_name() {
        let safetensors = b"\x10\0\0\0\0\0\0\0{\"a\":{}}        ";
        let pickle = b"\x80\x04\x95\x10\0\0\0\0\0\0\0";
        for (path, content, role) in [
            ("notes.txt", &safetensors[..], Role::Weight),
            ("data/stored.txt", safetensors, Role::Weight),
            (
                "model.json",
                b"{\"learner\":{\"attributes\":{}}}",
                Role::Weight,
            ),
            ("model.txt", b"tree\nversion=v4\n", Role::Weight),
            ("model.py", pickle, Role::Weight),
            ("data/rows.pkl", pickle, Role::Dataset),
            ("start", b"#!/bin/sh\n", Role::Code),
            ("rows", b"PAR1\0\0", Role::Dataset),
            ("blob", b"\xff\xfe\0\x01", Role::Weight),
            ("data/1.png", b"\x89PNG\r\n\x1a\n", Role::Dataset),
            ("curve.png", b"\x89PNG\r\n\x1a\n", Role::Doc),
        ] {
            assert_eq!(told(path, content), role, "{path}");
        }
    }

    #[test]
    fn a_rule_without_a_slash_is_about_names() {
        let fits = |rule: &str, path: &str| {
            let rule: RoleRule = rule.parse().unwrap();
            rule.fits(&path.parse().unwrap())
        };
        assert!(fits("*.txt=dataset", "a/b/c.txt"));
        assert!(fits("notes/*.txt=doc", "notes/a.txt"));
        assert!(!fits("notes/*.txt=doc", "notes/a/b.txt"));
        assert!(fits("notes/**=doc", "notes/a/b.txt"));
        assert!(fits("/top.txt=doc", "top.txt"));
        assert!(!fits("/top.txt=doc", "a/top.txt"));
    }

    #[test]
    fn a_broken_rule_says_what_is_missing() {
        for bad in ["*.txt", "=doc", "*.txt=", "*.txt=weird", "a[=doc"] {
            assert!(bad.parse::<RoleRule>().is_err(), "{bad:?} was taken");
        }
        let rule: RoleRule = "a=b.txt=documentation".parse().unwrap();
        assert_eq!(rule.role(), Role::Doc);
    }
}
