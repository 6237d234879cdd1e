//! `modelyard check` of 10,000 version records, against check-jsonschema on the same files.
//!
//! The yard has 100 models with 100 versions each, committed and packed as in a clone.
//! check-jsonschema holds the version records against their schema; modelyard does that too, and
//! all it does besides: it reads the work tree, or a commit, and holds every rule against every
//! record. Both go in turn and the medians are compared: modelyard has to be at least 50 times as
//! fast, whichever way it reads the yard.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and tells what it measured; clippy.toml is for what ships"
)]

#[path = "../../tests/it/harness/mod.rs"]
mod harness;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::{Run, Sandbox, Yard};

const MODELS: usize = 100;
const VERSIONS: usize = 100;

/// How often each goes; the median counts.
const ROUNDS: usize = 3;

/// How many times as fast modelyard has to be.
const TIMES_AT_LEAST: f64 = 50.0;

const WAYS: [(&str, &[&str]); 3] = [
    ("the work tree", &["check"]),
    ("a commit", &["check", "--at", "HEAD"]),
    (
        "a commit and its base",
        &["check", "--at", "HEAD", "--base", "HEAD~1"],
    ),
];

fn main() -> ExitCode {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let records = fill(&yard);
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/schemas/model-version.schema.json"
    );
    let mut theirs = Vec::new();
    let mut ours = [const { Vec::new() }; WAYS.len()];
    for _ in 0..ROUNDS {
        let words = ["--schemafile", schema].into_iter();
        let words = words.chain(records.iter().map(String::as_str));
        theirs.push(took(
            sandbox.tool("check-jsonschema", words).in_folder("yard"),
        ));
        for ((_, words), times) in WAYS.iter().zip(&mut ours) {
            times.push(took(yard.modelyard(*words)));
        }
    }
    let theirs = median(theirs);
    println!(
        "check-jsonschema of {} version records: {theirs:.2?}",
        records.len()
    );
    let mut held = true;
    for ((way, _), times) in WAYS.iter().zip(ours) {
        let ours = median(times);
        let times = theirs.as_secs_f64() / ours.as_secs_f64();
        println!(
            "check of {way}: {ours:.2?}, {times:.0} times as fast (at least {TIMES_AT_LEAST})"
        );
        held &= times >= TIMES_AT_LEAST;
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Fills the yard in two commits, and gives the paths of its version records.
fn fill(yard: &Yard) -> Vec<String> {
    let record = version_record();
    let mut records = Vec::new();
    for model in 0..MODELS {
        let name = format!("defects-{model}");
        let folder = format!("models/vision/{name}");
        yard.write(&format!("{folder}/model.yaml"), &model_record(&name));
        for version in 0..VERSIONS {
            let version = format!("1.{version}.0");
            let path = format!("{folder}/versions/{version}.yaml");
            let record = record
                .replace(
                    "name: defects, version: 1.4.0",
                    &format!("name: {name}, version: {version}"),
                )
                .replace("models/vision/defects", &folder);
            yard.write(&path, &record);
            records.push(path);
        }
    }
    // git would begin to pack by itself, at a time of its own.
    yard.git(["config", "maintenance.auto", "false"])
        .run()
        .success();
    yard.commit("Ten thousand versions");
    yard.write("README.md", "# A yard\n");
    yard.commit("And one more change");
    yard.git(["gc", "--quiet"]).run().success();
    records
}

fn model_record(name: &str) -> String {
    format!(
        "apiVersion: modelyard.dev/v1
kind: Model
metadata: {{namespace: vision, name: {name}}}
spec:
  title: Surface defects
  owners: [{{team: vision}}]
  license: Apache-2.0
"
    )
}

/// The tests' record that has every field, without the models of other teams.
fn version_record() -> String {
    let record = include_str!("../../tests/it/record/fixtures/model-version.yaml");
    let own = record
        .lines()
        .filter(|line| !line.contains("producedBy") && *line != "    models:");
    own.flat_map(|line| [line, "\n"]).collect()
}

fn took(run: Run) -> Duration {
    let began = Instant::now();
    run.run().success();
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
