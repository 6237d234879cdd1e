//! GTO's repositories, made by GTO itself.

use super::git::Repository;
use super::reviewed::Desk;
use crate::harness::{GitHttp, Sandbox, Yard, tools};

const MODEL: &str = "models/vision/churn/model.yaml";

fn record(number: &str) -> String {
    format!("models/vision/churn/versions/{number}.yaml")
}

impl Repository<'_> {
    /// Runs `gto` in the work tree. Tags say when they were made by the second, which is what
    /// orders them: each call has a minute of its own.
    fn gto(&self, minute: u32, words: &[&str]) {
        let tags = || self.git(&["tag"]);
        let before = tags();
        let before: Vec<_> = before.lines().collect();
        let run = self.sandbox().program(tools::path("gto"), words);
        run.in_folder(self.folder()).run().success();
        let time = format!("2026-11-01T08:{minute:02}:00Z");
        for tag in tags().lines().filter(|tag| !before.contains(tag)) {
            let name = format!("refs/tags/{tag}");
            let message = self.git(&["for-each-ref", "--format=%(contents)", &name]);
            let commit = self.git(&["rev-parse", &format!("{name}^{{}}")]);
            let words = [
                "tag",
                "--force",
                "--annotate",
                tag,
                &commit,
                "--message",
                &message,
            ];
            let run = self.sandbox().git(words).in_folder(self.folder());
            run.env("GIT_COMMITTER_DATE", &time).run().success();
        }
    }
}

/// Two versions of `churn`, of which the second is in production and the first was.
fn registry(sandbox: &Sandbox) -> Repository<'_> {
    let repository = Repository::empty(sandbox);
    repository.write("models/churn/model.bin", "one");
    repository.write(
        "models/churn/predict.py",
        "def predict(inputs):\n    pass\n",
    );
    repository.write(
        "artifacts.yaml",
        "churn:\n  type: model\n  path: models/churn\n  labels: [tabular]\n  description: Who is about to leave.\n",
    );
    repository.commit("Annotate churn");
    let message = "--message=Retrained in October.";
    repository.gto(2, &["register", "churn", "--version=v1.0.0", message]);
    repository.gto(3, &["assign", "churn", "--version=v1.0.0", "--stage=prod"]);
    repository.write("models/churn/model.bin", "two");
    repository.commit("Train it again");
    repository.gto(4, &["register", "churn", "--version=v1.1.0"]);
    repository.gto(5, &["assign", "churn", "--version=v1.1.0", "--stage=dev"]);
    repository.gto(6, &["assign", "churn", "--version=v1.1.0", "--stage=prod"]);
    repository.push();
    repository
}

/// The lifecycle in a version's record.
fn lifecycle(yard: &Yard<'_>, branch: &str, version: &str) -> String {
    let record = yard.show(branch, &record(version));
    let line = record
        .lines()
        .find_map(|line| line.strip_prefix("  lifecycle: "));
    line.unwrap_or_default().to_owned()
}

#[test]
fn versions_come_with_their_stages_history_labels_and_the_files_of_their_commits() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), registry(&sandbox));
    let server = GitHttp::serve(&repository.served());
    let word = format!("gto:{}", server.url("models.git"));
    let import = || yard.import([&*word, "--name=registry"]).run();
    import()
        .success()
        .prints("imported  vision/churn:1.0.0 from churn@v1.0.0")
        .prints("imported  vision/churn:1.1.0 from churn@v1.1.0");
    let first = yard.show("import/registry", &record("1.0.0"));
    let commit = repository.git(&["rev-parse", "HEAD~1"]);
    let first = first
        .replace(&server.host(), "git.acme.example")
        .replace(&commit, "[commit]");
    insta::assert_snapshot!(first, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: churn
      version: 1.0.0
    spec:
      lifecycle: staged
      changes: Retrained in October.
      createdAt: "2026-11-01T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/churn
        digest: sha256:d25e441f5fbe4442f8f5c25e4150bd8a4472b21d678f24ba6ed97f6f3c2dcd2c
        size: 33
      format:
        name: custom
      entrypoint:
        file: predict.py
        function: predict
      properties:
        type: model
        labels: [tabular]
      lineage:
        source:
          repository: http://git.acme.example/models.git
          commit: [commit]
          path: models/churn
      imported:
        from: gto
        place: http://git.acme.example/models.git
        reference: churn@v1.0.0
        revision: [commit]
        unmapped:
          commit.author: Yard Test
          commit.message: Annotate churn
          gto.history:
            - tag: churn@v1.0.0
              at: "2026-11-01T08:02:00Z"
              by: Yard Test
              says: Retrained in October.
            - tag: churn#prod#1
              at: "2026-11-01T08:03:00Z"
              by: Yard Test
              says: Assigning stage prod to artifact churn version v1.0.0
    "#);
    assert_eq!(lifecycle(&yard, "import/registry", "1.1.0"), "released");
    let second = yard.show("import/registry", &record("1.1.0"));
    assert!(second.contains("stage: prod"), "{second}");
    let model = yard.show("import/registry", MODEL);
    assert!(
        model.contains("description: Who is about to leave."),
        "{model}"
    );
    yard.merge("import/registry");
    yard.modelyard(["check"]).run().success();
    let refs = yard.refs();
    import().success().prints("unchanged 2 versions");
    assert_eq!(yard.refs(), refs);

    yard.import([
        &*word,
        "--select=tag.type=model",
        "--select=stage=prod",
        "--list",
    ])
    .run()
    .success()
    .prints("churn@v1.1.0");
}

#[test]
fn stages_that_move_move_here_and_what_is_taken_back_is_deprecated() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), registry(&sandbox));
    let server = GitHttp::serve(&repository.served());
    let word = format!("gto:{}", server.url("models.git"));
    let import = || {
        let run = yard.import([&*word, "--name=registry"]).run();
        let outcome = run.success();
        yard.merge("import/registry");
        outcome
    };
    import();
    repository.gto(7, &["deprecate", "churn", "v1.1.0", "prod"]);
    repository.gto(8, &["deprecate", "churn", "v1.0.0"]);
    repository.push();
    // Back to staging is no step of a version that was released; the other may go.
    import()
        .prints("vision/churn:1.0.0: staged -> deprecated")
        .prints("vision/churn:1.1.0: released -> staged, left as it is");
    repository.gto(9, &["deprecate", "churn"]);
    repository.push();
    import().prints("vision/churn:1.1.0: released -> deprecated");
    assert_eq!(lifecycle(&yard, "main", "1.1.0"), "deprecated");
    yard.modelyard(["check"]).run().success();
}

#[test]
fn what_is_in_no_commit_is_left_out_with_its_reason() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), registry(&sandbox));
    repository.write("models/kept.bin.dvc", "outs: []\n");
    repository.write(
        "artifacts.yaml",
        "churn: {path: models/churn}\nkept: {path: models/kept.bin}\nclimber: {path: ../../etc}\nbare: {}\ngone: {path: models/gone}\n",
    );
    repository.commit("Others");
    for (minute, name) in (10..).zip(["kept", "climber", "bare", "gone", "unknown"]) {
        repository.gto(minute, &["register", name, "--version=v1.0.0"]);
    }
    repository.git(&["tag", "light@v1.0.0"]);
    repository.write("artifacts.yaml", "- wrong\n");
    repository.commit("A slip");
    repository.git(&["tag", "--annotate", "broken@v1.0.0", "--message", "x"]);
    repository.git(&["tag", "--annotate", "churn#canary", "--message", "x"]);
    repository.push();
    let word = format!("gto:{}", repository.folder().display());
    let listed = yard.import([&*word, "--list"]).run().success();
    listed
        .prints("churn@v1.1.0")
        .prints("models/kept.bin is kept by DVC: check out kept@v1.0.0")
        .prints("`.` or `..` as a part")
        .prints("doesn't say its path")
        .prints("its commit has no models/gone")
        .prints("light@v1.0.0")
        .prints("artifacts.yaml can't be read")
        .prints("no version is registered at its commit");
    yard.import([&format!("{word}#main")])
        .run()
        .exits(2)
        .says("choose of them with --select");
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    let plain = sandbox.path("plain");
    std::fs::create_dir_all(&plain).unwrap();
    sandbox
        .git(["init", "--quiet"])
        .in_folder(&plain)
        .run()
        .success();
    yard.import([&format!("gto:{}", plain.display())])
        .run()
        .exits(2)
        .says("has no tag of GTO's");
}

#[test]
fn what_is_imported_is_a_pull_request_with_stages_and_what_found_no_place() {
    let desk = Desk::new();
    let repository = registry(desk.sandbox());
    let server = GitHttp::serve(&repository.served());
    let word = format!("gto:{}", server.url("models.git"));
    let told = desk.pull_request(&word, &[], &[]);
    for line in [
        "Import 2 versions of vision/churn from gto:",
        "\nchurn@v1.1.0 -> vision/churn:1.1.0\n",
        "\n  prod -> released\n",
        "\n  found no field: commit.author, commit.message, gto.history\n",
    ] {
        assert!(told.contains(line), "no «{line}» in\n{told}");
    }
}
