//! A branch that is followed: what changed in the folder is the next version.

use super::{RECORD, Repository};
use crate::harness::{FakeHub, GitHttp, Sandbox};

#[test]
fn a_new_commit_is_the_next_version_and_one_beside_the_folder_is_nothing_new() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    let server = GitHttp::serve(&repository.served());
    let settings = yard.show("main", "modelyard.yaml");
    let source = format!(
        "  sources: [{{name: scripts, type: git, url: \"{}\", path: models/digits, ref: main, map: scripts.yaml}}]\n",
        server.url("models.git")
    );
    yard.write("modelyard.yaml", &format!("{settings}\n{source}"));
    yard.write("scripts.yaml", "namespace: vision\nowner: {team: vision}\n");
    yard.commit("Follow the scripts");
    let follow = || {
        let run = yard.modelyard(["import", "--unsigned", "--follow"]);
        run.run().success()
    };
    follow().prints("imported  vision/digits:1.0.0");
    yard.merge("import/scripts");

    repository.write("notes/large.bin", "something else");
    repository.commit("Nothing of the model");
    follow().prints("unchanged 1 version");
    // What is hidden is not brought: the bytes are the same.
    repository.write("models/digits/.editorconfig", "root = true\n");
    repository.commit("Nothing that is brought");
    let refs = yard.refs();
    follow().prints("unchanged 1 version");
    assert_eq!(yard.refs(), refs);

    repository.write("models/digits/weights/w.bin", "better weights");
    let commit = repository.commit("Train it longer");
    follow().prints("imported  vision/digits:1.1.0");
    yard.merge("import/scripts");
    let record = yard.show("main", &format!("{RECORD}/1.1.0.yaml"));
    assert!(record.contains(&commit), "{record}");
    yard.write(
        "scripts.yaml",
        "namespace: vision\nowner: {team: vision}\nversions: {main: next-major}\n",
    );
    yard.commit("A branch of breaking changes");
    repository.write("models/digits/weights/w.bin", "other weights");
    repository.commit("Train another");
    follow().prints("imported  vision/digits:2.0.0");
    yard.merge("import/scripts");
    follow().prints("unchanged 1 version");
    yard.modelyard(["check"]).run().success();
    // What was there before comes back: it is known, and not a version once more.
    repository.write("models/digits/weights/w.bin", "better weights");
    repository.commit("Go back");
    let refs = yard.refs();
    follow().prints("unchanged 1 version");
    assert_eq!(yard.refs(), refs);
}

#[test]
fn a_tag_that_moved_is_told_and_nothing_is_changed() {
    let sandbox = Sandbox::new();
    let (yard, repository) = (sandbox.yard(), Repository::new(&sandbox));
    repository.tag("v1.0.0", "First");
    let server = GitHttp::serve(&repository.served());
    let word = format!("git:{}#:models/digits", server.url("models.git"));
    let import = || yard.import([&*word, "--name=scripts"]).run();
    import().success();
    yard.merge("import/scripts");
    repository.write("models/digits/weights/w.bin", "others");
    repository.commit("Others");
    repository.git(&[
        "tag",
        "--force",
        "--annotate",
        "v1.0.0",
        "--message",
        "Again",
    ]);
    repository.push();
    let refs = yard.refs();
    import()
        .exits(1)
        .prints("has something else under models/digits@v1.0.0 since");
    assert_eq!(yard.refs(), refs);
    repository.tag("v1.1.0", "Second");
    import().exits(1).prints("imported  vision/digits:1.1.0");
    // Whoever says what it is now has it as that.
    let map = sandbox.write("map.yaml", "versions: {v1.0.0: 1.0.1}\n");
    let map = format!("--map={}", map.display());
    yard.import([&*word, "--name=scripts", &map])
        .run()
        .success()
        .prints("imported  vision/digits:1.0.1");
}

#[test]
fn a_branch_of_a_hub_that_moves_on_is_the_next_version_too() {
    let sandbox = Sandbox::new();
    let (yard, hub) = (sandbox.yard(), FakeHub::start());
    let import = || {
        yard.import(["huggingface:acme/defects", "--name=hub"])
            .env("HF_ENDPOINT", format!("http://{}", hub.host()))
            .run()
            .success()
    };
    hub.push("acme/defects", &[("model.bin", b"one")]);
    import().prints("imported  vision/acme-defects:1.0.0");
    yard.merge("import/hub");
    hub.push("acme/defects", &[("model.bin", b"two")]);
    import().prints("imported  vision/acme-defects:1.1.0");
    yard.merge("import/hub");
    // A commit of the same bytes is nothing new.
    hub.push(
        "acme/defects",
        &[("model.bin", b"two"), (".gitattributes", b"x")],
    );
    import().prints("unchanged 1 version");
    yard.modelyard(["check"]).run().success();
}
