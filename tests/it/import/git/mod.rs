//! Git repositories: folders at commits, branches that move on, large files kept elsewhere.

mod faults;
mod folders;
mod follow;
mod forge;
mod lfs;
mod manifests;

use std::path::PathBuf;

use crate::harness::Sandbox;

/// A repository that somebody else keeps, in the sandbox's folder `served/models.git`.
pub(in crate::import) struct Repository<'a> {
    sandbox: &'a Sandbox,
}

impl<'a> Repository<'a> {
    /// One that has a model in `models/digits`, and beside it what is none.
    pub(in crate::import) fn new(sandbox: &'a Sandbox) -> Self {
        let repository = Self::empty(sandbox);
        repository.write(
            "models/digits/predict.py",
            "def predict(inputs):\n    pass\n",
        );
        repository.write("models/digits/requirements.txt", "numpy==2.3\n");
        repository.write("models/digits/.python-version", "3.11\n");
        repository.write("models/digits/weights/w.bin", "weights");
        repository.write("notes/large.bin", "for others");
        repository.commit("Train it");
        repository
    }

    /// One with nothing in it.
    pub(in crate::import) fn empty(sandbox: &'a Sandbox) -> Self {
        let served = sandbox.path("served/models.git");
        let repository = Self { sandbox };
        let words = ["init", "--quiet", "--initial-branch=main"];
        let folder = repository.folder();
        std::fs::create_dir_all(&folder).unwrap();
        sandbox.git(words).in_folder(&folder).run().success();
        let served = served.display().to_string();
        for words in [
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                &served,
            ][..],
            &["-C", &served, "config", "uploadpack.allowFilter", "true"],
            &["remote", "add", "origin", &served],
        ] {
            sandbox.git(words).in_folder(&folder).run().success();
        }
        repository
    }

    /// The sandbox that it is in.
    pub(in crate::import) const fn sandbox(&self) -> &'a Sandbox {
        self.sandbox
    }

    /// The work tree of whoever writes to it.
    pub(in crate::import) fn folder(&self) -> PathBuf {
        self.sandbox.path("author")
    }

    pub(in crate::import) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.sandbox.write(format!("author/{path}"), content);
    }

    /// Runs git in the work tree, and gives what it prints.
    pub(in crate::import) fn git(&self, words: &[&str]) -> String {
        let run = self.sandbox.git(words).in_folder(self.folder());
        let run = run
            .env("GIT_AUTHOR_DATE", "2026-11-01T08:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-11-01T08:00:00Z");
        run.run().success().stdout.trim().to_owned()
    }

    /// Commits and pushes all there is; gives the commit.
    pub(in crate::import) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
        self.push();
        self.git(&["rev-parse", "HEAD"])
    }

    /// Names the newest commit by an annotated tag.
    pub(in crate::import) fn tag(&self, name: &str, message: &str) {
        self.git(&["tag", "--annotate", name, "--message", message]);
        self.push();
    }

    pub(in crate::import) fn push(&self) {
        self.git(&["push", "--quiet", "--all", "origin"]);
        self.git(&["push", "--quiet", "--force", "--tags", "origin"]);
    }

    /// The folder that a server serves.
    pub(in crate::import) fn served(&self) -> PathBuf {
        self.sandbox.path("served")
    }
}

const RECORD: &str = "models/vision/digits/versions";
