//! Remotes that are not there, are none, refuse, or have moved on.

use super::{BRANCH, state};
use crate::harness::{Answer, Front, Sandbox};

#[test]
fn a_hook_that_refuses_is_heard_and_the_branch_is_kept_for_the_next_time() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    sandbox.files("digits");
    let hook = sandbox.write(
        "upstream.git/hooks/pre-receive",
        "#!/bin/sh\necho branches need a ticket\nexit 1\n",
    );
    sandbox
        .program("chmod", ["+x", &*hook.to_string_lossy()])
        .run()
        .success();
    let upstream = || {
        let words = ["-C", "upstream.git", "for-each-ref", "--format=%(refname)"];
        sandbox.git(words).run().success().stdout
    };
    yard.publish("digits", "vision/digits:1.0.0")
        .exits(2)
        .says("error[push-refused]")
        .says("branches need a ticket")
        .says("your commit is kept on the local branch publish/vision/digits/1.0.0");
    assert_eq!(upstream(), "refs/heads/main\n");
    let kept = yard.git(["rev-parse", BRANCH]).run().success().stdout;
    std::fs::remove_file(hook).unwrap();
    yard.publish("digits", "vision/digits:1.0.0").success();
    assert_eq!(
        upstream(),
        format!("refs/heads/main\nrefs/heads/{BRANCH}\n")
    );
    let pushed = yard.git(["rev-parse", BRANCH]).run().success().stdout;
    assert_eq!(pushed, kept);
}

#[test]
fn a_remote_that_is_gone_or_empty_or_no_git_server_is_told_before_a_byte_is_stored() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    sandbox
        .git(["init", "--quiet", "--bare", "empty.git"])
        .run()
        .success();
    yard.git(["remote", "add", "origin", "../gone.git"])
        .run()
        .success();
    let before = state(&yard);
    let told = |url: &str, code: &str, exit: i32, help: &str| {
        yard.git(["remote", "set-url", "origin", url])
            .run()
            .success();
        yard.publish("digits", "vision/digits:1.0.0")
            .exits(exit)
            .says(&format!("error[{code}]"))
            .says(help);
        assert_eq!(state(&yard), before, "{url}");
    };
    let unreachable = "remote-unreachable";
    told("../gone.git", unreachable, 2, "git remote -v");
    told(
        "../empty.git",
        "remote-has-no-main",
        2,
        "git push -u origin main",
    );
    told(
        "http://127.0.0.1:1/yard.git",
        unreachable,
        3,
        "git remote -v",
    );
    for (answer, code, exit, help) in [
        (
            Answer::status(401),
            "remote-unauthorized",
            2,
            "credential helper",
        ),
        (
            Answer::status(403),
            "remote-unauthorized",
            2,
            "credential helper",
        ),
        (Answer::status(404), unreachable, 2, "git remote -v"),
        (Answer::status(429), unreachable, 3, "git remote -v"),
        (Answer::status(500), unreachable, 3, "git remote -v"),
        (Answer::html(), unreachable, 2, "git remote -v"),
        (Answer::Nothing, unreachable, 3, "git remote -v"),
    ] {
        let front = Front::alone();
        front.always("GET", "", answer);
        told(
            &format!("http://{}/yard.git", front.host()),
            code,
            exit,
            help,
        );
    }
}

#[test]
fn a_main_that_has_moved_on_is_what_the_branch_begins_from() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    sandbox.files("digits");
    sandbox
        .git(["clone", "--quiet", "upstream.git", "other"])
        .run()
        .success();
    sandbox.write("other/notes.txt", "theirs");
    for words in [
        &["add", "--all"][..],
        &["commit", "--quiet", "--message=Notes"],
        &["push", "--quiet"],
    ] {
        sandbox.git(words).in_folder("other").run().success();
    }
    yard.publish("digits", "vision/digits:1.0.0").success();
    let base = yard
        .git(["rev-parse", &format!("{BRANCH}^")])
        .run()
        .success();
    let theirs = sandbox.git(["-C", "other", "rev-parse", "main"]).run();
    assert_eq!(base.line(), theirs.success().line());
}

#[test]
fn a_version_that_somebody_else_proposes_with_other_bytes_stays_theirs() {
    let sandbox = Sandbox::new();
    let yard = sandbox.shared_yard();
    sandbox
        .git(["clone", "--quiet", "upstream.git", "other"])
        .run()
        .success();
    let theirs = sandbox.write("theirs/model.bin", "their weights");
    let theirs = theirs.parent().unwrap().to_string_lossy().into_owned();
    let words = ["publish", &theirs, "--as=vision/digits:1.0.0", "--unsigned"];
    let words = words.into_iter().chain(["--title=T", "--owner=them"]);
    sandbox.modelyard(words).in_folder("other").run().success();
    sandbox.files("digits");
    let before = state(&yard);
    yard.publish("digits", "vision/digits:1.0.0")
        .exits(2)
        .says("error[version-taken]")
        .says("on its branch")
        .says("--bump patch");
    let (refs, status, store) = state(&yard);
    assert_eq!((status, store), (before.1, before.2));
    // All that is new is what is known of the remote.
    let own = |refs: &str| {
        let own = refs.lines().filter(|line| line.contains("refs/heads/"));
        own.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(own(&refs), own(&before.0));
}
