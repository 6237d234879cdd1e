//! A yard as it is met: a clone with a model, and the remote it came from.

use std::fs;
use std::path::PathBuf;

use crate::harness::{Run, Sandbox};

/// A sandbox whose `yard/` is a yard with the model `vision/digits`.
pub(crate) struct Story {
    pub(crate) sandbox: Sandbox,
}

pub(crate) const MODEL: &str = "\
# Who reads digits.
apiVersion: modelyard.dev/v1
kind: Model
metadata: {namespace: vision, name: digits}
spec:
  title: Digits   # shown in lists
  owners:
  - {team: vision, contact: vision@example.com}
  license: MIT
";

/// A version's record; it is in `lifecycle`.
pub(crate) fn version(version: &str, lifecycle: &str) -> String {
    format!(
        "\
apiVersion: modelyard.dev/v1
kind: ModelVersion
metadata: {{namespace: vision, name: digits, version: {version}}}
spec:
  lifecycle: {lifecycle}   # moves by promotion
  artifact:
    repository: oci-layout:./store/vision/digits
    digest: sha256:{:0>64}
    size: 4
  format: {{name: onnx, version: \"17\"}}
  inputs:
  - {{name: image, datatype: FP32, shape: [-1, 64]}}
  outputs:
  - {{name: label, datatype: INT64, shape: [-1]}}
",
        version.replace(|c: char| !c.is_ascii_digit(), "")
    )
}

/// `modelyard.yaml`, with more of its spec.
pub(crate) fn yard(more: &str) -> String {
    format!(
        "apiVersion: modelyard.dev/v1\nkind: Yard\nmetadata: {{name: acme}}\nspec:\n  stores:\n  \
         - {{name: main, repository: \"oci-layout:./store\"}}\n{more}"
    )
}

pub(crate) const DIRECT: &str = "  publish: {mode: direct}\n";

impl Story {
    /// A yard without a remote: `vision/digits` 1.0.0 staged, 0.9.0 released.
    pub(crate) fn local() -> Self {
        Self::of("")
    }

    /// The same, with more in the spec of its `modelyard.yaml`.
    pub(crate) fn of(more: &str) -> Self {
        Self::in_sandbox(Sandbox::new(), more)
    }

    fn in_sandbox(sandbox: Sandbox, more: &str) -> Self {
        let story = Self { sandbox };
        story.write("modelyard.yaml", &yard(more));
        story.write("models/vision/digits/model.yaml", MODEL);
        story.write(
            "models/vision/digits/versions/0.9.0.yaml",
            &version("0.9.0", "released"),
        );
        story.write(
            "models/vision/digits/versions/1.0.0.yaml",
            &version("1.0.0", "staged"),
        );
        story.git("init -q .");
        story.git("add -A");
        story.git("commit -q -m begin");
        story
    }

    /// The same as a clone of the bare repository `upstream.git` beside it.
    pub(crate) fn cloned() -> Self {
        Self::cloned_of("")
    }

    pub(crate) fn cloned_of(more: &str) -> Self {
        let story = Self::of(more);
        story
            .sandbox
            .git(["clone", "-q", "--bare", "yard", "upstream.git"])
            .run()
            .success();
        let url = story.upstream_url();
        story.git(&format!("remote add origin {url}"));
        story.git("fetch -q origin");
        story.git("branch -q --set-upstream-to=origin/main main");
        story
    }

    /// Where the bare repository is, as a URL.
    pub(crate) fn upstream_url(&self) -> String {
        format!("file://{}", self.sandbox.path("upstream.git").display())
    }

    /// Where the yard is.
    pub(crate) fn folder(&self) -> PathBuf {
        self.sandbox.path("yard")
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        self.sandbox.write(format!("yard/{path}"), content);
    }

    /// Git with these words, in the yard; what it prints.
    #[track_caller]
    pub(crate) fn git(&self, words: &str) -> String {
        self.git_in("yard", words)
    }

    #[track_caller]
    pub(crate) fn git_in(&self, folder: &str, words: &str) -> String {
        let run = self.sandbox.git(words.split(' ')).in_folder(folder);
        run.run().success().line().to_owned()
    }

    /// `modelyard` with these words, in the yard.
    pub(crate) fn modelyard(&self, words: &str) -> Run {
        self.sandbox.modelyard(words.split(' ')).in_folder("yard")
    }

    /// What `modelyard` with these words, in the yard, prints as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &str) -> serde_json::Value {
        self.json_in("yard", words)
    }

    /// The same in another folder.
    #[track_caller]
    pub(crate) fn json_in(&self, folder: &str, words: &str) -> serde_json::Value {
        let words = words.split(' ').chain(["-o", "json"]);
        let run = self.sandbox.modelyard(words).in_folder(folder);
        run.run().success().json()
    }

    /// A hook of the remote that prints this and refuses.
    pub(crate) fn refusing_hook(&self, name: &str, words: &str) {
        let hook = format!("#!/bin/sh\necho '{words}' >&2\nexit 1\n");
        let place = self
            .sandbox
            .write(format!("upstream.git/hooks/{name}"), hook);
        make_executable(&place);
    }

    /// Somebody else's commit on the remote's main, made in a clone of their own.
    pub(crate) fn somebody_pushes(&self, path: &str, content: &str) {
        let url = self.upstream_url();
        if !self.sandbox.path("other").exists() {
            self.sandbox
                .git(["clone", "-q", &url, "other"])
                .run()
                .success();
        }
        self.git_in("other", "pull -q --ff-only");
        self.sandbox.write(format!("other/{path}"), content);
        self.git_in("other", "add -A");
        self.git_in("other", "commit -q -m other");
        self.git_in("other", "push -q origin main");
    }

    /// All that a person sees of their work: files, index, HEAD and what it names.
    pub(crate) fn what_the_user_has(&self) -> String {
        let mut seen = String::new();
        for words in [
            "status --porcelain=v2 --branch --untracked-files=all",
            "ls-files --stage",
            "rev-parse HEAD",
            "stash list",
            "diff",
        ] {
            seen += &self.git(words);
            seen += "\n--\n";
        }
        seen + &fs::read_to_string(self.folder().join(".git/HEAD")).unwrap()
    }
}

pub(crate) fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
