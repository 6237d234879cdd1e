//! README's tour is run as it stands there.

use std::fs;
use std::path::Path;

use crate::harness::Sandbox;

fn tour() -> &'static str {
    let readme = include_str!("../../README.md");
    let from = readme.find("\n## A tour\n").expect("README has a tour");
    let rest = &readme[from + 1..];
    &rest[..rest[3..].find("\n## ").expect("the tour ends") + 3]
}

/// The tour's blocks in `language`.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    let blocks = tour().match_indices(&begin).map(|(at, begin)| {
        let block = &tour()[at + begin.len()..];
        block.split("```").next().expect("a block has an end")
    });
    blocks.collect()
}

/// The parts of what the tour says is printed: between them, at `…`, something is left out that is
/// another on each machine and day.
fn parts(block: &str) -> Vec<String> {
    let lines: Vec<&str> = block.lines().collect();
    let parts = lines.split(|line| line.trim() == "…");
    parts.map(|lines| lines.join("\n")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_tour_can_be_followed() {
    let sandbox = Sandbox::new();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"),
        &sandbox.path("examples"),
    );
    let program = Path::new(env!("CARGO_BIN_EXE_modelyard"));
    let script = format!("set -euo pipefail\n{}", blocks("sh").concat());
    let outcome = sandbox
        .program("bash", ["-c", &script])
        .path_first(program.parent().unwrap())
        .env("COSIGN_PASSWORD", "a password for the tour")
        .run()
        .success();
    for said in [
        "vision/digits:1.0.0",
        "champion",
        "did you mean `precision`",
    ] {
        assert!(
            outcome.stdout.contains(said),
            "{said}\n{}",
            outcome.report()
        );
    }
    let printed = blocks("text");
    assert!(!printed.is_empty());
    for part in printed.into_iter().flat_map(parts) {
        assert!(
            outcome.stdout.contains(&part),
            "{part}\n{}",
            outcome.report()
        );
    }
    let model = fs::read(sandbox.path("digits/model.onnx")).unwrap();
    assert_eq!(
        model,
        fs::read(sandbox.path("examples/digits/1.0.0/model.onnx")).unwrap()
    );
}
