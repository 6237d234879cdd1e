//! Folders of a repository become models, and its tags their versions.

use super::{RECORD, Repository};
use crate::harness::{GitHttp, Login, Sandbox};

#[test]
fn a_folder_at_a_tag_is_a_version_with_its_commit_its_function_and_its_packages() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    repository.tag("v1.2.0", "Retrained with line 3 images.");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    repository.write("models/digits/weights/w.bin", "later");
    repository.commit("Work in progress");
    let server = GitHttp::serve(&repository.served());
    let word = format!("git:{}#:models/digits", server.url("models.git"));
    let outcome = yard.import([&*word, "--name=scripts"]).run().success();
    outcome.prints("imported  vision/digits:1.2.0 from models/digits@v1.2.0");
    let record = yard.show("import/scripts", &format!("{RECORD}/1.2.0.yaml"));
    let record = record
        .replace(&server.host(), "git.acme.example")
        .replace(&commit, "[commit]");
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: digits
      version: 1.2.0
    spec:
      lifecycle: staged
      changes: Retrained with line 3 images.
      createdAt: "2026-11-01T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/digits
        digest: sha256:2e16611940d1290b06ded008c97f04fafb2c3ae905170798d37bee8c87875b5a
        size: 48
      format:
        name: custom
      entrypoint:
        file: predict.py
        function: predict
      environment:
        language: python
        version: "3.11"
        requirements: requirements.txt
      lineage:
        source:
          repository: http://git.acme.example/models.git
          commit: [commit]
          path: models/digits
      imported:
        from: git
        place: http://git.acme.example/models.git
        reference: models/digits@v1.2.0
        revision: [commit]
        unmapped:
          commit.author: Yard Test
          commit.message: Train it
    "#);
    yard.merge("import/scripts");
    yard.modelyard(["check"]).run().success();
    let refs = yard.refs();
    yard.import([&*word, "--name=scripts"])
        .run()
        .success()
        .prints("unchanged 1 version");
    assert_eq!(yard.refs(), refs);
    let listed = yard.import([&*word, "--list"]).run().success();
    listed.prints("models/digits@main");
}

#[test]
fn only_what_the_model_needs_is_asked_of_the_server() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    repository.write("models/digits/weights/w.bin", "later");
    repository.commit("Again");
    // A server that lost the bytes of everything else, of the history, too, can still give it.
    for lost in ["HEAD:notes/large.bin", "HEAD~1:models/digits/weights/w.bin"] {
        let object = repository.git(&["rev-parse", lost]);
        let path = format!("models.git/objects/{}/{}", &object[..2], &object[2..]);
        std::fs::remove_file(repository.served().join(path)).unwrap();
    }
    let server = GitHttp::serve(&repository.served());
    let word = format!("git:{}#main:models/digits", server.url("models.git"));
    yard.import([&*word, "--name=scripts"])
        .run()
        .success()
        .prints("imported  vision/digits:1.0.0");
}

#[test]
fn each_folder_of_a_folder_is_a_model_with_tags_of_its_own() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    repository.tag("v1.0.0", "All");
    repository.write("models/letters/model.onnx", "not one");
    repository.write("models/README.md", "# Ours\n");
    repository.write("models/数字/w.bin", "w");
    repository.commit("Letters");
    repository.tag("letters-v0.1.0", "Letters");
    repository.git(&["tag", "best"]);
    repository.push();
    // A repository of this machine is read where it is.
    let word = format!("git:{}#:models/*", repository.folder().display());
    let outcome = yard.import([&*word, "--name=scripts"]).run().exits(1);
    outcome
        .prints("imported  vision/digits:1.0.0 from models/digits@v1.0.0")
        .prints("imported  vision/letters:0.1.0 from models/letters@letters-v0.1.0")
        .prints("no letter a-z and no digit is in it");
    let listed = yard.import([&*word, "--list"]).run().success();
    listed
        .prints("models/数字@v1.0.0")
        .prints("it has no such folder");
}

#[test]
fn a_folder_of_a_clone_is_meant_by_its_path_and_a_file_by_itself() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let folder = repository.folder();
    let word = format!("git:{}", folder.join("models/digits").display());
    repository.write("models/digits/uncommitted", "nobody's");
    yard.import([&*word, "--name=clone"])
        .run()
        .success()
        .prints("imported  vision/digits:1.0.0");
    let record = yard.show("import/clone", &format!("{RECORD}/1.0.0.yaml"));
    assert!(record.contains("entrypoint:"), "{record}");
    // The path of this machine is nothing to others; the remote's is one, too.
    assert!(
        !record.contains(&sandbox.root().display().to_string()),
        "{record}"
    );
    let file = format!("git:{}#main:models/digits/weights/w.bin", folder.display());
    yard.import([&*file, "--name=file", "--as=vision/weights"])
        .run()
        .success()
        .prints("imported  vision/weights:1.0.0");
    yard.import(["git:.", "--list"]).run().success();
    let nowhere = sandbox.path("source/plain");
    std::fs::create_dir_all(&nowhere).unwrap();
    yard.import([&format!("git:{}", nowhere.display())])
        .run()
        .exits(2)
        .says("not a git repository");
}

#[test]
fn a_private_repository_opens_to_git_s_helpers_and_to_the_token_that_the_yard_names() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let login = Login::new("oauth2", "s3cret-token");
    let server = GitHttp::behind(&repository.served(), &login);
    let word = format!("git:{}#:models/digits", server.url("models.git"));
    yard.import([&*word, "--name=scripts"])
        .run()
        .exits(2)
        .says("doesn't let us")
        .says("git's credential helper");
    sandbox.write_home(
        "credentials",
        format!("http://oauth2:s3cret-token@{}\n", server.host()),
    );
    let helper = format!(
        "store --file={}",
        sandbox.home().join("credentials").display()
    );
    let listed = yard
        .import([&*word, "--list"])
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "credential.helper")
        .env("GIT_CONFIG_VALUE_0", helper);
    listed.run().success().prints("models/digits@");

    let settings = yard.show("main", "modelyard.yaml");
    let source = format!(
        "  sources: [{{name: scripts, type: git, url: \"{}\", path: models/digits, ref: main, token: {{env: SCRIPTS_TOKEN}}}}]\n",
        server.url("models.git")
    );
    yard.write("modelyard.yaml", &format!("{settings}\n{source}"));
    yard.commit("Follow the scripts");
    let follow = || yard.import(["--follow", "scripts"]);
    let refused = follow().env("SCRIPTS_TOKEN", "wrong-token").run().exits(2);
    assert!(
        !refused.stderr.contains("wrong-token"),
        "{}",
        refused.stderr
    );
    let outcome = follow()
        .env("SCRIPTS_TOKEN", "s3cret-token")
        .run()
        .success();
    outcome.prints("imported  vision/digits:1.0.0");
    let record = yard.show("import/scripts", &format!("{RECORD}/1.0.0.yaml"));
    assert!(!record.contains("s3cret"), "{record}");

    // A password in an address is in nothing that is written or shown.
    let address = format!(
        "git:http://oauth2:s3cret-token@{}/models.git#:models/digits",
        server.host()
    );
    let outcome = yard
        .import([&*address, "--as=vision/other"])
        .run()
        .success();
    for said in [&outcome.stdout, &outcome.stderr, &yard.refs()] {
        assert!(!said.contains("s3cret"), "{said}");
    }
}
