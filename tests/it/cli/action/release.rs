//! What the project's release workflow does, run step by step as its runner does it, but for what
//! builds, and for GitHub itself: programs of a few lines stand in for those. The Action then installs
//! what came of it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Outcome, Sandbox};
use crate::yard::story::make_executable;

const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Builds a program that says which one it is.
const CARGO: &str = r#"#!/bin/sh
echo "cargo $*" >>calls
while [ $# -gt 0 ]; do [ "$1" = --target ] && target=$2; shift; done
mkdir -p "target/$target/release"
printf '#!/bin/sh\necho "%s of %s: $*"\n' "$target" "$MODELYARD_COMMIT" >"target/$target/release/modelyard"
chmod +x "target/$target/release/modelyard"
"#;

const RUSTUP: &str = "#!/bin/sh\necho \"rustup $*\" >>calls\n";

/// Has a release by copying it, and logs in to nothing.
const GH: &str = r#"#!/bin/sh
echo "gh $*" >>calls
case "$1 $2" in
    'release create')
        mkdir -p "releases/$3"
        for word; do case $word in assets/*) cp "$word" "releases/$3" ;; esac; done ;;
esac
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A clone of a repository that has the Action, and the workflow that is run in it.
struct Stage {
    sandbox: Sandbox,
    workflow: Value,
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for file in [
            "action/run",
            "action/assets",
            "action/checksums",
            "Cargo.toml",
        ] {
            let text = fs::read(root().join(file)).unwrap();
            sandbox.write(format!("clone/{file}"), text);
        }
        make_executable(&sandbox.path("clone/action/run"));
        for (name, text) in [("cargo", CARGO), ("rustup", RUSTUP), ("gh", GH)] {
            make_executable(&sandbox.write(format!("bin/{name}"), text));
        }
        let text = fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
        let stage = Self {
            sandbox,
            workflow: serde_saphyr::from_str(&text).unwrap(),
        };
        let origin = ["clone", "--quiet", "--bare", "clone", "origin.git"];
        stage.git(&["init", "--quiet", "."]);
        stage.git(&["add", "action", "Cargo.toml"]);
        stage.git(&["commit", "--quiet", "--message", "A release"]);
        stage.sandbox.git(origin).run().success();
        stage.git(&["remote", "add", "origin", "../origin.git"]);
        stage.git(&["fetch", "--quiet", "origin"]);
        stage
    }

    fn git(&self, words: &[&str]) -> String {
        let run = self.sandbox.git(words).in_folder("clone").run().success();
        run.stdout
    }

    /// Runs every script of a job, in order, until one fails; gives what came of that.
    fn fails(&self, job: &str, variables: &[(&str, &str)]) -> Option<Outcome> {
        let steps = self.workflow["jobs"][job]["steps"].as_array().unwrap();
        for script in steps.iter().filter_map(|step| step["run"].as_str()) {
            // GitHub's `shell: bash` where none is named, but for pipes.
            let words = ["--noprofile", "--norc", "-e", "-c", script];
            let mut run = self.sandbox.program("bash", words).in_folder("clone");
            run = run.path_first(self.sandbox.path("bin"));
            for (name, value) in variables {
                run = run.env(name, value);
            }
            let outcome = run.run();
            if outcome.code != Some(0) {
                return Some(outcome);
            }
        }
        None
    }

    #[track_caller]
    fn done(&self, job: &str, variables: &[(&str, &str)]) {
        if let Some(outcome) = self.fails(job, variables) {
            panic!("{job}: {}", outcome.report());
        }
    }

    /// What a job is told to be built of: targets, and the runners that build them.
    fn assets(&self) -> Vec<(String, String)> {
        let outputs = self.sandbox.write("outputs", "");
        let variables = [
            ("VERSION_TAG", TAG),
            ("GITHUB_OUTPUT", outputs.to_str().unwrap()),
        ];
        self.done("assets", &variables);
        let said = self.sandbox.read("outputs");
        let assets = said.strip_prefix("assets=").unwrap();
        let assets: Vec<Value> = serde_json::from_str(assets).unwrap();
        let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
        let asset = |one: &Value| (text(one, "target"), text(one, "runner"));
        assets.iter().map(asset).collect()
    }
}

#[test]
fn a_tag_that_is_not_the_version_releases_nothing() {
    let stage = Stage::new();
    let outputs = stage.sandbox.write("outputs", "");
    for tag in ["v9.9.9", concat!("v", env!("CARGO_PKG_VERSION"), "-rc.1")] {
        let variables = [
            ("VERSION_TAG", tag),
            ("GITHUB_OUTPUT", outputs.to_str().unwrap()),
        ];
        assert!(stage.fails("assets", &variables).is_some(), "{tag}");
    }
    assert_eq!(stage.sandbox.read("outputs"), "");
}

#[test]
fn what_is_released_is_what_the_action_installs() {
    let stage = Stage::new();
    let assets = stage.assets();
    assert_eq!(assets.len(), 4);
    let commit = "4f2c1e9b7a6d4f2c1e9b7a6d4f2c1e9b7a6d4f2c";
    fs::create_dir(stage.sandbox.path("clone/assets")).unwrap();
    for (target, runner) in &assets {
        // Each is built on a machine of its own kind.
        assert_eq!(
            runner.contains("macos"),
            target.contains("apple"),
            "{runner}"
        );
        let variables = [
            ("VERSION_TAG", TAG),
            ("TARGET", target),
            ("MODELYARD_COMMIT", commit),
        ];
        stage.done("build", &variables);
        let asset = format!("modelyard-{}-{target}.tar.gz", env!("CARGO_PKG_VERSION"));
        let folder = stage.sandbox.path("clone");
        // What uploads and downloads it is GitHub's.
        fs::rename(folder.join(&asset), folder.join("assets").join(&asset)).unwrap();
    }
    let variables = [
        ("VERSION_TAG", TAG),
        ("DEFAULT_BRANCH", "main"),
        ("GH_TOKEN", "t"),
    ];
    stage.done("release", &variables);
    let calls = stage.sandbox.read("clone/calls");
    assert_eq!(calls.matches("cargo build --locked --release").count(), 4);
    let released = format!("gh release create {TAG} --verify-tag");
    assert!(calls.contains(&released), "{calls}");
    assert!(calls.contains("assets/SHA256SUMS"), "{calls}");
    assert!(calls.contains("gh pr create --base main"), "{calls}");

    // What it proposes are the checksums of all of them, and nothing else.
    let branch = format!("origin/checksums-{TAG}");
    stage.git(&["fetch", "--quiet", "origin"]);
    let changed = stage.git(&["diff", "--name-only", "origin/main", &branch]);
    assert_eq!(changed, "action/checksums\n");
    let place = format!("{branch}:action/checksums");
    let checksums = stage.git(&["show", &place]);
    let before = fs::read_to_string(root().join("action/checksums")).unwrap();
    let lines = checksums.strip_prefix(&before).unwrap().lines();
    assert_eq!(lines.count(), 4, "{checksums}");

    // By them, the Action brings the program of this machine, and runs it.
    stage.sandbox.write("clone/action/checksums", &checksums);
    let temporary = stage.sandbox.write("temporary/.keep", "");
    let releases = stage.sandbox.path("clone/releases");
    let no_words: [&str; 0] = [];
    let action = stage.sandbox.path("clone/action/run");
    let run = stage.sandbox.program(action, no_words);
    let outcome = run
        .env(
            "MODELYARD_ACTION_RELEASES",
            format!("file://{}", releases.display()),
        )
        .env("MODELYARD_ACTION_COMMAND", "check")
        .env("RUNNER_TEMP", temporary.parent().unwrap())
        .run()
        .success();
    outcome.prints(&format!(" of {commit}: -C . action"));
    let sums = ["--check", "--strict", "SHA256SUMS"];
    let folder = format!("clone/releases/{TAG}");
    let check = stage.sandbox.program("sha256sum", sums);
    check.in_folder(folder).run().success();
}

#[test]
fn the_images_that_are_pushed_are_those_of_the_dockerfile() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let (file, workflow) = (read("Dockerfile"), read(".github/workflows/release.yml"));
    let stages: Vec<&str> = file
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "))
        .filter_map(|from| from.split_once(" AS "))
        .map(|(_, name)| name)
        .collect();
    let (_, rest) = workflow.split_once("for target in ").unwrap();
    let (targets, _) = rest.split_once("; do").unwrap();
    for target in targets.split(' ') {
        assert!(stages.contains(&target), "{target} of {stages:?}");
    }
    let argument = "--build-arg \"MODELYARD_COMMIT=$COMMIT\"";
    assert!(workflow.contains(argument) && file.contains("\nARG MODELYARD_COMMIT\n"));
    // The compiler is at least the one that Cargo.toml asks for.
    let cargo = read("Cargo.toml");
    let (_, wanted) = cargo.split_once("\nrust-version = \"").unwrap();
    let (wanted, _) = wanted.split_once('"').unwrap();
    assert!(file.contains(&format!("FROM rust:{wanted}-")), "{wanted}");
}
