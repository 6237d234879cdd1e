//! A yard to work in.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::sandbox::{Outcome, Run, Sandbox};

/// A yard in the sandbox's folder `yard`, with one commit on `main` and its store beside its
/// records, where git does not see it.
pub struct Yard<'a> {
    sandbox: &'a Sandbox,
}

const YARD: &str = "\
apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores:
    - {name: main, repository: \"oci-layout:./store\"}
";

impl Sandbox {
    /// A yard of nobody else's.
    pub fn yard(&self) -> Yard<'_> {
        self.write("yard/modelyard.yaml", YARD);
        self.write("yard/.gitignore", "/store/\n");
        let yard = Yard { sandbox: self };
        yard.git(["init", "--quiet", "--initial-branch=main"])
            .run()
            .success();
        yard.commit("A yard");
        yard
    }

    /// The yard that one of these made.
    pub fn standing_yard(&self) -> Yard<'_> {
        Yard { sandbox: self }
    }

    /// A yard with the bare repository `upstream.git` as its `origin`.
    pub fn shared_yard(&self) -> Yard<'_> {
        let yard = self.yard();
        self.git([
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            "upstream.git",
        ])
        .run()
        .success();
        let upstream = self.path("upstream.git");
        let origin = ["remote", "add", "origin", &*upstream.to_string_lossy()];
        yard.git(origin).run().success();
        yard.git(["push", "--quiet", "--set-upstream", "origin", "main"])
            .run()
            .success();
        yard
    }

    /// A folder of files to publish: weights, a card, and something that editors leave behind.
    pub fn files(&self, folder: &str) -> PathBuf {
        self.write(format!("{folder}/model.bin"), b"\x00weights\x01");
        self.write(format!("{folder}/README.md"), "# A model\n");
        self.write(format!("{folder}/README.md~"), "# A mod\n");
        self.path(folder)
    }
}

impl Yard<'_> {
    /// Its folder.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.sandbox.path("yard").join(relative)
    }

    /// The built program, run in the yard.
    pub fn modelyard<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.sandbox.modelyard(arguments).in_folder("yard")
    }

    /// git, run in the yard.
    pub fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.sandbox.git(arguments).in_folder("yard")
    }

    /// Writes a file of the yard, without a commit.
    pub fn write(&self, relative: &str, content: &str) {
        self.sandbox.write(format!("yard/{relative}"), content);
    }

    /// Commits all there is.
    pub fn commit(&self, message: &str) {
        self.git(["add", "--all"]).run().success();
        self.git(["commit", "--quiet", "--message", message])
            .run()
            .success();
    }

    /// Merges a branch into main, as a forge does.
    pub fn merge(&self, branch: &str) {
        self.git(["merge", "--quiet", "--no-ff", "--no-edit", branch])
            .run()
            .success();
    }

    /// Publishes the folder `files` of the sandbox, unsigned, with what a new model needs.
    pub fn publish(&self, files: &str, reference: &str) -> Outcome {
        let files = self.sandbox.path(files);
        let files = files.to_string_lossy();
        let words = ["publish", &*files, "--as", reference, "--unsigned"];
        self.modelyard(
            words
                .into_iter()
                .chain(["--title=A model", "--owner=vision"]),
        )
        .run()
    }

    /// Every ref and where it points.
    pub fn refs(&self) -> String {
        self.git(["for-each-ref", "--format=%(objectname) %(refname)"])
            .run()
            .success()
            .stdout
    }

    /// What the work tree and the index have that HEAD has not.
    pub fn status(&self) -> String {
        self.git(["status", "--porcelain"]).run().success().stdout
    }

    /// A file on a branch.
    pub fn show(&self, branch: &str, path: &str) -> String {
        self.git(["show", &format!("{branch}:{path}")])
            .run()
            .success()
            .stdout
    }
}
