//! `modelyard demo`: the story is played to its end, and a story that goes wrong is told as such.

use std::fs;

use crate::harness::Sandbox;

#[test]
fn a_models_life_is_told_and_everything_comes_to_what_is_told() {
    // Not even who commits has to be known to git.
    let sandbox = Sandbox::without_identity();
    let told = sandbox.modelyard(["demo", "story"]).run().success();
    assert_eq!(told.stderr, "", "{}", told.report());
    let mut rest = told.stdout.as_str();
    for part in [
        "$ modelyard init yard",
        "yard$ modelyard keys generate",
        "yard$ modelyard publish ../digits/1.0.0 --as vision/digits:1.0.0",
        "yard$ modelyard check --at publish/vision/digits/1.0.0 --base main --evidence",
        "yard$ git merge",
        "yard$ modelyard promote vision/digits:1.0.0 --to released --alias champion",
        "yard$ modelyard plan --at promote/vision/digits/1.0.0 --base main",
        "Merging this changes nothing that runs",
        "yard$ modelyard pull vision/digits:champion ../champion",
        "yard$ modelyard publish ../digits/1.1.0",
        "error[unknown-field]",
        "did you mean `targetDevices`?",
        "error[version-taken]",
        "error[digest-changed]",
        "error[digest-mismatch]",
        "yard$ modelyard deploy vision/digits:champion --to host",
        "yard$ modelyard serve --environment host",
        "digits  healthy  vision/digits 1.0.0",
        "yard$ modelyard predict vision/digits --environment host",
        "yard$ modelyard plan --at promote/vision/digits/1.1.0 --base main",
        "vision/digits 1.0.0 → vision/digits 1.1.0 by canary: 25 % → 50 % → 100 %",
        "plan sha256:",
        "vision/digits 1.1.0 25 %",
        "yard$ kill -9 ",
        "vision/digits 1.1.0 50 %",
        "digits  healthy  vision/digits 1.1.0",
        "--promote champion",
        "digits  degraded  vision/digits 1.1.0",
        "vision/digits 1.2.0 fails its golden tests",
        "+    champion: 1.1.0",
        "All the while: 1.0.0 answered ",
        "4 of them to a refusal",
        "rm -rf",
    ] {
        let Some((_, behind)) = rest.split_once(part) else {
            panic!("«{part}» is not told where it should be\n{}", told.report());
        };
        rest = behind;
    }
    // Nothing of a person's own was touched, and what is left is what was told.
    let home: Vec<_> = fs::read_dir(sandbox.home()).unwrap().collect();
    assert!(home.is_empty(), "{home:?}");
    let branches = sandbox
        .git(["-C", "story/upstream.git", "log", "--format=%s", "main"])
        .run()
        .success();
    assert!(branches.stdout.contains("yard: begins"));
    let model = fs::read(sandbox.path("story/champion/model.onnx")).unwrap();
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/model.onnx"
    );
    assert!(model == fs::read(sample).unwrap());
}

#[test]
fn the_commands_that_it_ends_with_can_be_typed() {
    let sandbox = Sandbox::new();
    let told = sandbox.modelyard(["demo", "story"]).run().success();
    let (_, advice) = told.stdout.split_once("Look around in").unwrap();
    let commands = advice.lines().filter_map(|line| line.strip_prefix("  "));
    let script = format!("set -e\n{}", commands.collect::<Vec<_>>().join("\n"));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_modelyard"));
    sandbox
        .program("sh", ["-c", &script])
        .path_first(program.parent().unwrap())
        .in_folder("story")
        .run()
        .success();
}

#[test]
fn a_story_that_goes_otherwise_is_an_error() {
    let sandbox = Sandbox::new();
    let git = sandbox.git(["--exec-path"]).run().success();
    let real = format!("{}/git", git.line());
    // A forge that says it merged, and did not.
    let forge = format!("#!/bin/sh\n[ \"$1\" = merge ] || exec '{real}' \"$@\"\n");
    let path = sandbox.write("bin/git", forge);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    sandbox
        .modelyard(["demo", "story"])
        .path_first(sandbox.path("bin"))
        .run()
        .exits(2)
        .says("error[demo-not-as-told]");
}

#[test]
fn without_git_or_with_somebodys_files_it_says_what_to_do() {
    let sandbox = Sandbox::new();
    sandbox
        .modelyard(["demo", "story"])
        .env("PATH", "/nowhere")
        .run()
        .exits(2)
        .says("error[demo-program-missing]: can't run `git`");
    sandbox.write("mine/file", "");
    sandbox
        .modelyard(["demo", "mine"])
        .run()
        .exits(2)
        .says("error[folder-not-empty]");
}

#[test]
fn a_machine_gets_one_document() {
    let sandbox = Sandbox::new();
    let played = sandbox.modelyard(["demo", "--output", "json"]).run();
    let played = played.success().json();
    assert_eq!(played["refusals"], 4);
    let folder = played["folder"].as_str().unwrap();
    let temporary = sandbox.root().join("tmp");
    assert!(folder.starts_with(temporary.to_str().unwrap()), "{folder}");
}
