//! `modelyard init`: a yard where there was none, and nothing lost where there was something.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::Sandbox;

/// Everything below `folder` but git's own.
fn listed(folder: &Path) -> Vec<String> {
    let mut paths: Vec<_> = walkdir::WalkDir::new(folder)
        .min_depth(1)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".git")
        .map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(folder).unwrap();
            path.display().to_string()
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn an_empty_folder_becomes_a_yard_with_all_of_it_committed_on_main() {
    let sandbox = Sandbox::new();
    let made = sandbox.modelyard(["init", "acme"]).run().success();
    let head = sandbox.git(["-C", "acme", "rev-parse", "HEAD"]).run();
    insta::assert_snapshot!(made.report().replace(&head.line()[..10], "[commit]"), @r"
    $ modelyard init acme
    exit: 0
    --- stdout
    made the yard acme in [sandbox]/work/acme
      + modelyard.yaml
      + README.md
      + models/README.md
      + environments/README.md
      + deployments/README.md
      + policies/README.md
      + keys/README.md
      + CODEOWNERS
      + .github/pull_request_template.md
      + .gitattributes
      + .gitignore
      + .vscode/ (2 files)
      + .zed/settings.json
      + .modelyard/schemas/ (6 files)
    committed as [commit]
    --- stderr
    its README.md tells what lies where, and what to do first
    ");
    sandbox
        .git(["-C", "acme", "log", "--format=%an %d %s"])
        .run()
        .success()
        .prints("Yard Test  (HEAD -> main) yard: begins");
    let status = sandbox
        .git(["-C", "acme", "status", "--porcelain"])
        .run()
        .success();
    assert_eq!(status.stdout, "");
    sandbox
        .git(["-C", "acme", "fsck", "--strict"])
        .run()
        .success();
}

#[test]
fn the_store_is_kept_out_of_git() {
    let sandbox = Sandbox::new();
    sandbox.modelyard(["init", "acme"]).run().success();
    sandbox.write("acme/store/vision/digits/index.json", "{}");
    let status = sandbox
        .git(["-C", "acme", "status", "--porcelain"])
        .run()
        .success();
    assert_eq!(status.stdout, "");
}

#[test]
fn a_second_run_changes_nothing_and_brings_what_is_missing() {
    let sandbox = Sandbox::new();
    let wish = ["init", "acme", "--store", "registry.example.com/acme"];
    sandbox.modelyard(wish).run().success();
    let head = sandbox.git(["-C", "acme", "rev-parse", "HEAD"]).run();

    let again = sandbox.modelyard(["init", "acme"]).run().success();
    insta::assert_snapshot!(again.report(), @r"
    $ modelyard init acme
    exit: 0
    --- stdout
    nothing changed: [sandbox]/work/acme is a yard already
    --- stderr
    ");

    fs::remove_file(sandbox.path("acme/CODEOWNERS")).unwrap();
    sandbox.write("acme/README.md", "# Ours\n");
    let again = sandbox
        .modelyard(["init", "acme", "--output", "json"])
        .run()
        .success()
        .json();
    assert_eq!(again["created"], json!(["CODEOWNERS"]));
    assert_eq!(again["kept"], json!(["README.md"]));
    assert_eq!(again["commit"], json!(null));
    assert_eq!(sandbox.read("acme/README.md"), "# Ours\n");
    let after = sandbox.git(["-C", "acme", "rev-parse", "HEAD"]).run();
    assert_eq!(head.stdout, after.stdout);
}

#[test]
fn a_repository_with_a_history_gets_the_files_and_keeps_its_own() {
    let sandbox = Sandbox::new();
    sandbox.git(["init", "-q", "train"]).run().success();
    sandbox.write("train/README.md", "# Training\n");
    sandbox.write("train/.gitignore", "*.pyc\n");
    sandbox.git(["-C", "train", "add", "."]).run().success();
    sandbox
        .git(["-C", "train", "commit", "-qm", "begin"])
        .run()
        .success();
    let made = sandbox.modelyard(["init", "train"]).run().success();
    insta::assert_snapshot!(made.report(), @r"
    $ modelyard init train
    exit: 0
    --- stdout
    made the yard train in [sandbox]/work/train
      + modelyard.yaml
      + models/README.md
      + environments/README.md
      + deployments/README.md
      + policies/README.md
      + keys/README.md
      + CODEOWNERS
      + .github/pull_request_template.md
      + .gitattributes
      + .vscode/ (2 files)
      + .zed/settings.json
      + .modelyard/schemas/ (6 files)
      + store/.gitignore
    left as they were: README.md, .gitignore
    to commit it:
      git add modelyard.yaml models environments deployments policies keys CODEOWNERS .github .gitattributes .vscode .zed .modelyard store
      git commit -m 'yard: begins'
    --- stderr
    its README.md tells what lies where, and what to do first
    ");
    assert_eq!(sandbox.read("train/README.md"), "# Training\n");
    // Its own .gitignore says nothing of the store, so the store does.
    sandbox.write("train/store/vision/digits/index.json", "{}");
    let commands = made
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  git "));
    for command in commands {
        let script = format!("git {command}");
        sandbox
            .program("sh", ["-c", &script])
            .in_folder("train")
            .run()
            .success();
    }
    let status = sandbox
        .git(["-C", "train", "status", "--porcelain"])
        .run()
        .success();
    assert_eq!(status.stdout, "");
}

#[test]
fn without_an_identity_nothing_is_committed_and_the_way_is_told() {
    let sandbox = Sandbox::without_identity();
    let made = sandbox.modelyard(["init", "acme"]).run().success();
    assert!(
        made.stdout.contains("git config --global user.name"),
        "{}",
        made.report()
    );
    assert!(made.stdout.contains("git commit"), "{}", made.report());
    sandbox
        .git(["-C", "acme", "rev-parse", "HEAD"])
        .run()
        .exits(128);
    // With one, the second run finishes what the first could not.
    sandbox.write_home(".gitconfig", "[user]\nname = A\nemail = a@example.com\n");
    sandbox
        .modelyard(["init", "acme"])
        .run()
        .success()
        .prints("committed as");
    let status = sandbox.git(["-C", "acme", "status", "--porcelain"]).run();
    assert_eq!(status.stdout, "");
}

#[test]
fn a_clone_of_an_empty_repository_gets_its_first_commit() {
    let sandbox = Sandbox::new();
    sandbox
        .git(["init", "-q", "--bare", "upstream.git"])
        .run()
        .success();
    sandbox
        .git(["clone", "-q", "upstream.git", "acme"])
        .run()
        .success();
    sandbox
        .modelyard(["init", "acme"])
        .run()
        .success()
        .prints("committed as");
    sandbox
        .git(["-C", "acme", "push", "-q", "origin", "main"])
        .run()
        .success();
}

#[test]
fn what_somebody_has_staged_is_not_committed_in_passing() {
    let sandbox = Sandbox::new();
    sandbox.git(["init", "-q", "acme"]).run().success();
    sandbox.write("acme/draft.txt", "not yet");
    sandbox
        .git(["-C", "acme", "add", "draft.txt"])
        .run()
        .success();
    sandbox.modelyard(["init", "acme"]).run().success();
    sandbox
        .git(["-C", "acme", "rev-parse", "HEAD"])
        .run()
        .exits(128);
    let staged = sandbox
        .git(["-C", "acme", "diff", "--cached", "--name-only"])
        .run();
    assert_eq!(staged.line(), "draft.txt");
}

#[test]
fn places_where_no_yard_can_be_are_refused_with_a_way_out() {
    let sandbox = Sandbox::new();
    sandbox.modelyard(["init", "yard"]).run().success();
    sandbox
        .git(["init", "-q", "--bare", "bare.git"])
        .run()
        .success();
    sandbox.git(["init", "-q", "other"]).run().success();
    sandbox.write("file", "");
    sandbox.write("downloads/film.mp4", "");
    fs::create_dir(sandbox.path("日本")).unwrap();
    for (folder, code, way_out) in [
        ("yard/inner", "inside-yard", "-C '[sandbox]/work/yard'"),
        (
            "bare.git",
            "bare-repository",
            "git clone '[sandbox]/work/bare.git'",
        ),
        (
            "other/inner",
            "inside-repository",
            "modelyard init '[sandbox]/work/other'",
        ),
        ("file", "file-in-the-way", "name another folder"),
        ("file/yard", "file-in-the-way", "name another folder"),
        ("downloads", "folder-not-empty", "git init -b main"),
        ("日本", "no-yard-name", "--name NAME"),
        ("/proc/yard", "file-failed", ""),
    ] {
        let before = listed(&sandbox.path(""));
        let refused = sandbox.modelyard(["init", folder]).run().exits(2);
        refused.says(&format!("error[{code}]")).says(way_out);
        assert_eq!(listed(&sandbox.path("")), before, "{folder}");
        assert!(!sandbox.path("日本/.git").exists());
    }
    sandbox
        .modelyard(["init", "日本", "--name", "japan"])
        .run()
        .success();
}

#[test]
fn if_one_file_can_not_be_placed_none_is() {
    let sandbox = Sandbox::new();
    sandbox.git(["init", "-q", "acme"]).run().success();
    sandbox.write("acme/policies", "a file where a folder is meant");
    let refused = sandbox.modelyard(["init", "acme"]).run().exits(2);
    refused.says("error[file-in-the-way]: [sandbox]/work/acme/policies");
    assert_eq!(listed(&sandbox.path("acme")), ["policies"]);

    fs::remove_file(sandbox.path("acme/policies")).unwrap();
    #[cfg(unix)]
    {
        fs::create_dir(sandbox.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink("../elsewhere", sandbox.path("acme/keys")).unwrap();
        let refused = sandbox.modelyard(["init", "acme"]).run().exits(2);
        refused.says("error[file-in-the-way]: [sandbox]/work/acme/keys");
        assert_eq!(listed(&sandbox.path("elsewhere")), [""; 0]);
        assert_eq!(listed(&sandbox.path("acme")), ["keys"]);
    }
}

#[test]
fn a_commit_that_can_not_be_signed_takes_everything_back() {
    let sandbox = Sandbox::new();
    let config = fs::read_to_string(sandbox.home().join(".gitconfig")).unwrap();
    let program = "[commit]\ngpgSign = true\n[gpg]\nprogram = /nowhere/gpg\n";
    sandbox.write_home(".gitconfig", config + program);
    let refused = sandbox.modelyard(["init", "acme"]).run().exits(2);
    refused.says("error[commit-not-signed]");
    assert!(!sandbox.path("acme").exists());
}

#[cfg(feature = "real-tools")]
#[test]
fn killed_at_a_write_it_can_be_run_again_to_its_end() {
    use crate::harness::killed_at_each_nth_write;

    let sandbox = Sandbox::new();
    let folder = sandbox.path("acme");
    let stage = || {
        let _ = fs::remove_dir_all(&folder);
        sandbox.modelyard(["init", "acme"])
    };
    // Some 350 writes, most of them of one small file after the other.
    killed_at_each_nth_write(11, &sandbox.path(""), stage, |write| {
        let mut again = sandbox.modelyard(["init", "acme"]).run();
        if again.code == Some(3) {
            // Killed while git held a lock: the error names the file, and what to do with it.
            let (_, named) = again.stderr.split_once("lock file '").unwrap();
            let lock = named.split_once(".lock'").unwrap().0.to_owned() + ".lock";
            again.says("git-locked");
            fs::remove_file(lock).unwrap();
            again = sandbox.modelyard(["init", "acme"]).run();
        }
        assert_eq!(again.code, Some(0), "after {write}: {}", again.report());
        let status = sandbox.git(["-C", "acme", "status", "--porcelain"]).run();
        assert_eq!(status.stdout, "", "after write {write}");
        sandbox
            .git(["-C", "acme", "rev-parse", "main"])
            .run()
            .success();
    });
}
