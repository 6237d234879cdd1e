//! Remotes over HTTP, by git's own `http-backend`.

use super::story::{Story, make_executable, version};
use crate::harness::{GitHttp, Login};

const SET: &str = "set vision/digits title=Numbers";
const BRANCH: &str = "set/vision/digits/model";

fn point(story: &Story, server: &GitHttp) {
    story.git(&format!(
        "remote set-url origin {}",
        server.url("upstream.git")
    ));
}

fn tip(story: &Story, branch: &str) -> String {
    story.git_in("upstream.git", &format!("rev-parse {branch}"))
}

#[test]
fn a_change_is_fetched_and_pushed_over_http() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    point(&story, &server);
    story.somebody_pushes(
        "models/vision/digits/versions/1.1.0.yaml",
        &version("1.1.0", "staged"),
    );
    let done = story.json("promote vision/digits:1.1.0 --to released");
    assert_eq!(done["base"], tip(&story, "main").as_str());
    assert_eq!(
        done["commit"],
        tip(&story, "promote/vision/digits/1.1.0").as_str()
    );
    assert_eq!(
        story.json(SET)["pushed"]["url"],
        server.url("upstream.git").as_str()
    );
}

#[test]
fn a_hook_that_refuses_is_heard_over_http() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    point(&story, &server);
    story.refusing_hook("pre-receive", "branches need a ticket");
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[push-refused]")
        .says("pre-receive hook declined")
        .says("branches need a ticket");
    let refs = story.git_in("upstream.git", "for-each-ref --format=%(refname)");
    assert_eq!(refs, "refs/heads/main");
    assert_eq!(story.git(&format!("rev-list --count main..{BRANCH}")), "1");
}

#[test]
fn what_a_remote_says_is_passed_on_without_its_control_characters() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    point(&story, &server);
    let hook =
        "#!/bin/sh\nprintf 'Open a pull request:\\n  https://git.example.com/new\\033[2J\\n' >&2\n";
    let place = story.sandbox.write("upstream.git/hooks/post-receive", hook);
    make_executable(&place);
    let done = story.json(SET);
    let said = done["pushed"]["said"].as_str().unwrap();
    assert!(
        said.contains("https://git.example.com/new\\u{1b}[2J"),
        "{said:?}"
    );
}

#[test]
fn a_credential_helper_lets_us_in() {
    let story = Story::cloned();
    let login = Login::new("ada", "hunter2");
    let server = GitHttp::behind(&story.sandbox.path(""), &login);
    point(&story, &server);
    let refused = story.modelyard(SET).run().exits(2);
    let refused = refused
        .says("error[remote-unauthorized]")
        .says("credential helper");
    assert!(!refused.report().contains("hunter2"));

    let told = story.sandbox.path("told");
    let helper = format!(
        "!f() {{ echo $1 >> {}; test $1 = get && echo username=ada && echo password=hunter2; }}; f",
        told.display()
    );
    story
        .sandbox
        .git(["config", "credential.helper", &helper])
        .in_folder("yard")
        .run()
        .success();
    let done = story.json(SET);
    assert_eq!(done["commit"], tip(&story, BRANCH).as_str());
    assert!(story.sandbox.read("told").contains("get\nstore\n"));
}

#[test]
fn a_wrong_password_is_refused_and_forgotten() {
    let story = Story::cloned();
    let server = GitHttp::behind(&story.sandbox.path(""), &Login::new("ada", "hunter2"));
    point(&story, &server);
    let told = story.sandbox.path("told");
    let helper = format!(
        "!f() {{ echo $1 >> {}; test $1 = get && echo username=ada && echo password=wrong7; }}; f",
        told.display()
    );
    story
        .sandbox
        .git(["config", "credential.helper", &helper])
        .in_folder("yard")
        .run()
        .success();
    let outcome = story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[remote-unauthorized]");
    assert!(!outcome.report().contains("wrong7"));
    assert!(story.sandbox.read("told").contains("erase"));
}

#[test]
fn git_askpass_is_asked() {
    let story = Story::cloned();
    let server = GitHttp::behind(&story.sandbox.path(""), &Login::new("ada", "hunter2"));
    point(&story, &server);
    let script = "#!/bin/sh\ncase $1 in Username*) echo ada;; *) echo hunter2;; esac\n";
    let askpass = story.sandbox.write("askpass", script);
    make_executable(&askpass);
    story
        .modelyard(SET)
        .env("GIT_ASKPASS", &askpass)
        .run()
        .success();
    assert_eq!(
        story.git(&format!("rev-parse {BRANCH}")),
        tip(&story, BRANCH)
    );
}

#[test]
fn what_is_no_git_server_is_told() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    story.git(&format!(
        "remote set-url origin {}",
        server.url("nothing.git")
    ));
    story
        .modelyard(SET)
        .run()
        .exits(2)
        .says("error[remote-unreachable]: can't reach http://127.0.0.1:")
        .says("404");
}

#[test]
fn a_shallow_clone_over_http_can_be_changed() {
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    story.somebody_pushes("notes.txt", "one");
    story.somebody_pushes("notes.txt", "two");
    let url = server.url("upstream.git");
    story
        .sandbox
        .git(["clone", "-q", "--depth", "1", &url, "shallow"])
        .run()
        .success();
    story.somebody_pushes("notes.txt", "three");
    let done = story.json_in("shallow", SET);
    assert_eq!(done["commit"], tip(&story, BRANCH).as_str());
    story.git_in("upstream.git", "fsck --strict");
}

#[test]
fn a_yard_is_fetched_over_http_at_its_tip() {
    use modelyard::yard::{Catalog, Depth, Yard};
    let story = Story::cloned();
    let server = GitHttp::serve(&story.sandbox.path(""));
    story.somebody_pushes("notes.txt", "one");
    let yard = Yard::fetched(&server.url("upstream.git"), "/".as_ref(), Depth::Tip).unwrap();
    let catalog = Catalog::new(yard.snapshot(&yard.at_hand()).unwrap());
    let found = catalog.resolve(&"vision/digits".parse().unwrap()).unwrap();
    assert_eq!(found.version.to_string(), "0.9.0");
    let history = yard
        .history(&yard.at_hand(), "models/vision/digits", 10)
        .unwrap();
    assert!(history.shallow);
}
