//! Yards that can't be read, or are not there, and repositories of every shape.

use std::fs;

use super::{MODEL, publish, version_file};
use crate::harness::{Answer, Front, Sandbox, Yard, bad_records};

const RECORD: &str = "models/vision/digits/model.yaml";

/// A yard with vision/digits:1.0.0 on main, whose store lies at one place for all clones.
fn shared(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.shared_yard();
    let store = format!("oci-layout:{}", sandbox.path("bytes").display());
    super::edit(&yard, "modelyard.yaml", "oci-layout:./store", &store);
    yard.git(["push", "--quiet"]).run().success();
    publish(sandbox, &yard, "1.0.0");
    yard.git(["push", "--quiet"]).run().success();
    yard
}

/// Pulls into `out`, from a folder of the sandbox.
#[track_caller]
fn is_pulled(sandbox: &Sandbox, folder: &str) {
    let words = ["pull", "vision/digits:1.0.0", "../out", "--force"];
    let outcome = sandbox.modelyard(words).in_folder(folder).run().success();
    outcome.prints("pulled vision/digits:1.0.0 into [sandbox]/work/out\n");
    assert_eq!(fs::read(sandbox.path("out/model.bin")).unwrap(), MODEL);
    fs::remove_dir_all(sandbox.path("out")).unwrap();
}

#[test]
fn a_record_that_can_not_be_read_is_told_at_its_place_and_nothing_is_fetched() {
    let version = version_file("1.0.0");
    for path in ["modelyard.yaml", &version] {
        for bad in bad_records() {
            let sandbox = Sandbox::new();
            let yard = sandbox.yard();
            publish(&sandbox, &yard, "1.0.0");
            sandbox.write(format!("yard/{path}"), &bad.bytes);
            let place = match bad.place {
                "" => format!("{path}: "),
                place => format!("{path}:{place}: "),
            };
            yard.modelyard(["pull", "vision/digits:1.0.0", "../out"])
                .run()
                .exits(2)
                .says(&format!("error[{}]: {place}", bad.code))
                .says("help: `modelyard check` tells all that is wrong");
            assert!(!sandbox.path("out").exists(), "{} in {path}", bad.name);
        }
    }
}

#[test]
fn an_alias_is_looked_for_in_a_record_that_can_be_read() {
    for bad in bad_records() {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        publish(&sandbox, &yard, "1.0.0");
        sandbox.write(format!("yard/{RECORD}"), &bad.bytes);
        yard.modelyard(["pull", "vision/digits:champion", "../out"])
            .run()
            .exits(2)
            .says(&format!("error[{}]: {RECORD}:", bad.code));
        // Its versions are none the worse for it.
        is_pulled(&sandbox, "yard");
    }
}

#[test]
fn what_the_schema_refuses_is_told_at_its_place_and_what_it_takes_is_taken() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    let path = version_file("1.0.0");
    super::edit(&yard, &path, "lifecycle:", "lifecyle:");
    let pull = ["pull", "vision/digits:1.0.0", "../out"];
    yard.modelyard(pull)
        .run()
        .exits(2)
        .says(&format!("error[unknown-field]: {path}:8:3: "));
    super::edit(&yard, &path, "lifecyle:", "lifecycle:");
    // To JSON Schema, and so to a record, this is a whole number.
    super::edit(&yard, &path, "size: 19\n", "size: 19.0\n");
    is_pulled(&sandbox, "yard");
}

#[test]
fn what_lies_in_the_folder_counts_whatever_is_checked_out() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    publish(&sandbox, &yard, "1.0.0");
    yard.git(["switch", "--quiet", "--detach"]).run().success();
    is_pulled(&sandbox, "yard");
    yard.write(RECORD, "not this one");
    is_pulled(&sandbox, "yard");
    // Nobody has to be known to git, and no remote has to be there.
    sandbox.write_home(".gitconfig", "");
    yard.git(["remote", "add", "origin", "../gone.git"])
        .run()
        .success();
    is_pulled(&sandbox, "yard");
}

#[test]
fn bare_shallow_and_partial_ones_are_enough() {
    let sandbox = Sandbox::new();
    shared(&sandbox);
    let words = ["-C", "upstream.git", "config", "uploadpack.allowFilter"];
    sandbox
        .git(words.into_iter().chain(["true"]))
        .run()
        .success();
    is_pulled(&sandbox, "upstream.git");
    let url = format!("file://{}", sandbox.path("upstream.git").display());
    for option in ["--depth=1", "--filter=blob:none"] {
        let clone = ["clone", "--quiet", option, &url, "clone"];
        sandbox.git(clone).run().success();
        is_pulled(&sandbox, "clone");
        fs::remove_dir_all(sandbox.path("clone")).unwrap();
    }
    let clone = ["clone", "--quiet", "--bare", "--filter=blob:none", &url];
    let clone = clone.into_iter().chain(["lacking.git"]);
    sandbox.git(clone).run().success();
    sandbox
        .modelyard(["pull", "vision/digits:1.0.0", "../out"])
        .in_folder("lacking.git")
        .run()
        .exits(2)
        .says("error[object-missing]")
        .says("git fetch --refetch --no-filter");
}

#[test]
fn one_with_nothing_in_it_says_what_there_is_not() {
    let sandbox = Sandbox::new();
    let pull = |folder: &str| {
        let words = ["pull", "vision/digits:1.0.0", "out"];
        sandbox.modelyard(words).in_folder(folder).run().exits(2)
    };
    pull("").says("error[pull-without-yard]").says("--yard URL");
    sandbox.git(["init", "--quiet", "none"]).run().success();
    pull("none").says("error[pull-without-yard]");
    sandbox.write("none/modelyard.yaml", {
        let yard = Sandbox::new();
        yard.yard();
        yard.read("yard/modelyard.yaml")
    });
    pull("none")
        .says("error[no-such-model]")
        .says("modelyard list");
    assert!(!sandbox.path("none/out").exists());
}

#[test]
fn a_yard_far_away_that_is_gone_or_none_is_told_and_nothing_is_kept() {
    let sandbox = Sandbox::new();
    for name in ["empty.git", "other.git"] {
        let words = ["init", "--quiet", "--bare", "--initial-branch=main", name];
        sandbox.git(words).run().success();
    }
    let yard = sandbox.yard();
    fs::remove_file(yard.path("modelyard.yaml")).unwrap();
    yard.commit("No yard any more");
    yard.git(["push", "--quiet", "../other.git", "main"])
        .run()
        .success();
    let told = |url: &str, code: &str, exit: i32| {
        let words = ["pull", "vision/digits:1.0.0", "out", "--yard", url];
        sandbox
            .modelyard(words)
            .run()
            .exits(exit)
            .says(&format!("error[{code}]"))
            .says("help: ");
        assert!(!sandbox.path("out").exists(), "{url}");
        let left = fs::read_dir(sandbox.root().join("tmp")).unwrap();
        assert_eq!(left.count(), 0, "{url}");
    };
    let unreachable = "remote-unreachable";
    told("gone.git", unreachable, 2);
    told("./empty.git", "remote-has-no-main", 2);
    told("other.git", "no-yard", 2);
    told("http://127.0.0.1:1/yard.git", unreachable, 3);
    for (answer, code, exit) in [
        (Answer::status(401), "remote-unauthorized", 2),
        (Answer::status(403), "remote-unauthorized", 2),
        (Answer::status(404), unreachable, 2),
        (Answer::status(429), unreachable, 3),
        (Answer::status(500), unreachable, 3),
        (Answer::html(), unreachable, 2),
        (Answer::Nothing, unreachable, 3),
    ] {
        let front = Front::alone();
        front.always("GET", "", answer);
        told(&format!("http://{}/yard.git", front.host()), code, exit);
    }
    let empty = ["pull", "vision/digits:1.0.0", "--yard="];
    sandbox
        .modelyard(empty)
        .run()
        .exits(2)
        .says("a value is required");
}

#[test]
fn paths_are_relative_to_the_folder_that_is_named_and_told_without_detours() {
    let sandbox = Sandbox::new();
    shared(&sandbox);
    fs::create_dir_all(sandbox.path("elsewhere/deep")).unwrap();
    let words = ["-C", "elsewhere/deep", "pull", "vision/digits:1.0.0"];
    let more = ["../out", "--yard", "../../upstream.git"];
    sandbox
        .modelyard(words.into_iter().chain(more))
        .run()
        .success()
        .prints("into [sandbox]/work/elsewhere/out\n");
    assert_eq!(sandbox.read("elsewhere/out/README.md"), "# A model\n");
    sandbox
        .modelyard(["-C", "nowhere", "pull", "vision/digits:1.0.0"])
        .run()
        .exits(2)
        .says("can't find the folder [sandbox]/work/nowhere")
        .says("check that the path is right");
}
