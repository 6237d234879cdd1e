//! `modelyard check` of 10,000 and 100,000 version records, against check-jsonschema on the same
//! files.
//!
//! The yard has a hundred versions a model, nine of ten models need a file of the tenth, and every
//! model is served in an environment with fifty others; it is committed and packed as in a clone.
//! check-jsonschema holds the version records against their schema, in batches of files that a
//! command line holds; modelyard does that too, and all it does besides.
//!
//! - Everything: the work tree, and a commit. At least 50 times as fast as check-jsonschema.
//! - One file: a commit that changes one version's record, against its parent; and the same in the
//!   work tree. Under 200 ms for 100,000 versions at a commit, with the parent's index at hand. Cold
//!   (no index of any commit), with that of another commit, and a change of a version that 900
//!   others name are told.
//! - The most memory that everything and one file take.
//!
//! The number of versions can be given: `cargo bench --bench check -- 10000`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures, and tells what it measured; clippy.toml is for what ships"
)]

#[path = "../../tests/it/harness/mod.rs"]
mod harness;
#[path = "../transfer/peak.rs"]
mod peak;

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use harness::{Run, Sandbox, Yard};

/// How many versions the yards have.
const SIZES: [usize; 2] = [10_000, 100_000];

/// How many versions a model has.
const VERSIONS: usize = 100;

/// How many deployments an environment has.
const DEPLOYMENTS: usize = 50;

/// How often each way goes; the median counts. check-jsonschema goes once for the large yard: it
/// takes minutes, and a tenth of it either way decides nothing.
const ROUNDS: usize = 5;

/// How many files check-jsonschema is given at a time: a command line's worth.
const BATCH: usize = 10_000;

/// How many times as fast everything has to be checked.
const TIMES_AT_LEAST: f64 = 50.0;

/// How long one file may take, with the index at hand.
const ONE_FILE_AT_MOST: Duration = Duration::from_millis(200);

const EVERYTHING: [(&str, &[&str]); 2] = [
    ("work tree", &["check"]),
    ("commit", &["check", "--at", "HEAD"]),
];

const ONE_FILE: [(&str, &[&str]); 2] = [
    ("commit", &["check", "--at", "HEAD", "--base", "HEAD~1"]),
    ("work tree", &["check", "--base", "HEAD~1"]),
];

fn main() -> ExitCode {
    let given = std::env::args().filter_map(|word| word.parse().ok());
    let given: Vec<usize> = given.collect();
    let sizes = if given.is_empty() {
        SIZES.to_vec()
    } else {
        given
    };
    let held: Vec<bool> = sizes.into_iter().map(measured).collect();
    match held.iter().all(|held| *held) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Measures a yard of that many versions, and whether it held what it has to.
fn measured(versions: usize) -> bool {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let records = fill(&yard, versions);
    println!("{versions} versions");
    let theirs = theirs(&sandbox, &records);
    println!("  check-jsonschema: {theirs:.2?}");
    let mut held = true;
    for (name, words) in EVERYTHING {
        let ours = median((0..ROUNDS).map(|_| took(yard.modelyard(words))));
        let times = theirs.as_secs_f64() / ours.as_secs_f64();
        println!(
            "  everything, {name}: {ours:.2?}, {times:.0} times as fast (at least {TIMES_AT_LEAST})"
        );
        held &= times >= TIMES_AT_LEAST;
    }
    let kept = sandbox.home().join(".cache/modelyard/referrers");
    for (name, words) in ONE_FILE {
        let cold = median((0..3).map(|_| {
            // None is there the first time.
            let _ = fs::remove_dir_all(&kept);
            took(yard.modelyard(words))
        }));
        let warm = median((0..ROUNDS).map(|_| took(yard.modelyard(words))));
        println!("  one file, {name}: {warm:.2?}; cold {cold:.2?}");
        held &= name != "commit" || warm <= ONE_FILE_AT_MOST;
    }
    let named = ["check", "--at", "HEAD~1", "--base", "HEAD~2"];
    let other = took(yard.modelyard(named));
    println!("  one file that 900 others name, with another commit's index: {other:.2?}");
    let warm = median((0..ROUNDS).map(|_| took(yard.modelyard(named))));
    println!("  one file that 900 others name: {warm:.2?}");
    for (what, words) in [("everything", EVERYTHING[1].1), ("one file", ONE_FILE[0].1)] {
        let mib = peak::mib(yard.modelyard(words));
        println!("  memory, {what}, commit: {mib} MiB");
    }
    held
}

fn theirs(sandbox: &Sandbox, records: &[String]) -> Duration {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/schemas/model-version.schema.json"
    );
    let once = || {
        let batches = records.chunks(BATCH).map(|batch| {
            let words = ["--schemafile", schema].into_iter();
            let words = words.chain(batch.iter().map(String::as_str));
            took(sandbox.tool("check-jsonschema", words).in_folder("yard"))
        });
        batches.sum()
    };
    let rounds = if records.len() > BATCH { 1 } else { 3 };
    median((0..rounds).map(|_| once()))
}

/// Fills the yard in three commits, of which the last ones change a version each, and gives the paths
/// of its version records.
fn fill(yard: &Yard, versions: usize) -> Vec<String> {
    let record = version_record();
    let mut records = Vec::new();
    for model in 0..versions.div_ceil(VERSIONS) {
        let name = format!("defects-{model}");
        let namespace = format!("team-{}", model / 100);
        let folder = format!("models/{namespace}/{name}");
        yard.write(
            &format!("{folder}/model.yaml"),
            &model_record(&namespace, &name),
        );
        // Nine of ten models need a file of the tenth.
        let needs = format!(
            "  dependencies:\n    models:\n    - {{name: plate, producedBy: {{model: \
             {namespace}/defects-{}, version: champion, file: plate.txt}}}}\n",
            model - model % 10
        );
        let record = match model % 10 {
            0 => record.clone(),
            _ => record.replace("  dependencies:\n", &needs),
        };
        for version in 0..VERSIONS {
            let version = format!("1.{version}.0");
            let path = format!("{folder}/versions/{version}.yaml");
            let record = record.replace(
                "namespace: vision, name: defects, version: 1.4.0",
                &format!("namespace: {namespace}, name: {name}, version: {version}"),
            );
            yard.write(&path, &record.replace("models/vision/defects", &folder));
            records.push(path);
        }
        let environment = format!("line-{}", model / DEPLOYMENTS);
        yard.write(
            &format!("environments/{environment}.yaml"),
            &format!(
                "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {{name: \
                 {environment}}}\nspec:\n  target: {{type: process}}\n"
            ),
        );
        yard.write(
            &format!("deployments/{environment}/{name}.yaml"),
            &format!(
                "apiVersion: modelyard.dev/v1\nkind: Deployment\nmetadata: {{name: {name}, \
                 environment: {environment}}}\nspec:\n  model: {namespace}/{name}\n  version: champion\n"
            ),
        );
    }
    // git would begin to pack by itself, at a time of its own.
    yard.git(["config", "maintenance.auto", "false"])
        .run()
        .success();
    yard.commit("All of it");
    for (model, title) in [(0, "One that many name"), (1, "One file")] {
        let path = format!("models/team-0/defects-{model}/versions/1.99.0.yaml");
        let source = fs::read_to_string(yard.path(&path)).expect("it was written");
        let changed = source.replace("lifecycle: released", "lifecycle: deprecated");
        assert_ne!(changed, source, "something changes");
        yard.write(&path, &changed);
        yard.commit(title);
    }
    yard.git(["gc", "--quiet"]).run().success();
    records
}

fn model_record(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: modelyard.dev/v1
kind: Model
metadata: {{namespace: {namespace}, name: {name}}}
spec:
  title: Surface defects
  owners: [{{team: vision}}]
  license: Apache-2.0
  aliases: {{champion: 1.99.0}}
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

fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort();
    times[times.len() / 2]
}
