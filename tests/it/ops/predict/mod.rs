//! `modelyard predict`: a version is asked for a prediction, or for a whole file of them.

#[cfg(feature = "real-tools")]
mod broken_off;
mod formats;
mod gateway;
mod hostile;
mod images;
#[cfg(feature = "real-tools")]
mod parquet;

use std::fmt::Write;

use serde_json::json;

use super::test::yard_with;
use crate::harness::{Outcome, Sandbox, Yard};

const DIABETES: &str = "health/diabetes-progression:1.0.0";
const HEAD: &str = "patient,age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n";

fn diabetes(sandbox: &Sandbox) -> Yard<'_> {
    yard_with(sandbox, "diabetes", "1.0.0", "health/diabetes-progression")
}

/// The line of one patient, who differs from all others.
fn patient(number: usize) -> String {
    let (age, bmi, bp) = (20 + number % 60, 18 + number % 23, 60 + number % 61);
    let s5 = 3.0 + (number % 977) as f64 / 300.0;
    format!(
        "p{number},{age},{},{bmi}.5,{bp},130,71,48,3,{s5:.4},81\n",
        1 + number % 2
    )
}

fn patients(count: usize) -> String {
    let mut table = HEAD.to_owned();
    for number in 1..=count {
        write!(table, "{}", patient(number)).unwrap();
    }
    table
}

/// `modelyard predict MODEL -f FILE --to RESULT`, and more words.
fn predict(yard: &Yard<'_>, model: &str, file: &str, to: &str, more: &[&str]) -> Outcome {
    let words = ["predict", model, "-f", file, "--to", to];
    yard.modelyard(words.iter().chain(more)).run()
}

/// What lies in the folder `out` of the yard, but for temporary files of runs that were killed.
fn left(yard: &Yard<'_>) -> Vec<String> {
    let entries = std::fs::read_dir(yard.path("out")).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.retain(|name| !name.starts_with(".modelyard-"));
    names.sort();
    names
}

#[test]
fn a_request_is_answered_as_the_protocol_has_it() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let request = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/requests/a-three.json"
    );
    let words = ["predict", "vision/digits:1.0.0", "-f", request];
    let done = yard.modelyard(words).run().success();
    insta::assert_snapshot!(done.stdout, @r#"
    label  probabilities
    3      0.0016132052 0.003549541 0.016599998 0.93355423 0.00033462624 0.008238818 0.0012022161 0.0064642066 0.015195305 0.013247907
    "#);
    let words = [
        "predict",
        "vision/digits:1.0.0",
        "-f",
        "-",
        "--output",
        "json",
    ];
    let done = yard
        .modelyard(words)
        .input(std::fs::read(request).unwrap())
        .run()
        .success();
    let answer: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(answer["model_name"], "digits");
    assert_eq!(answer["model_version"], "1.0.0");
    assert_eq!(answer["outputs"][0]["data"], json!([3]));
}

#[test]
fn the_rows_of_a_table_are_answered_one_by_one() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "diabetes", "1.0.0", "health/diabetes-progression");
    let head = "patient,age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n";
    let one = "a,25,2,22.6,85,130,71,48,3,4.0073,81\n";
    let table = sandbox.write(
        "patients.csv",
        format!("{head}{one}{}", one.replace("22.6", "38")),
    );
    let words = [
        "predict",
        "health/diabetes-progression:1.0.0",
        "-f",
        table.to_str().unwrap(),
    ];
    let done = yard.modelyard(words).run().success();
    insta::assert_snapshot!(done.stdout, @r#"
    progression
    89.63045
    179.55792
    "#);

    let wrong = sandbox.write("wrong.csv", format!("{head}{}", one.replace("85", "high")));
    let words = [
        "predict",
        "health/diabetes-progression:1.0.0",
        "-f",
        wrong.to_str().unwrap(),
    ];
    let refused = yard.modelyard(words).run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(refused.stderr, @r#"
    error[not-a-table]: line 2, column `bp`: `high` is no FP32
      help: correct the cell, or leave out its row
      more: modelyard explain not-a-table
    "#);
}

#[test]
fn a_request_that_does_not_fit_is_refused_before_anything_starts() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let asked = |request: &str| {
        let words = ["predict", "vision/digits:1.0.0", "-f", "-"];
        let done = yard.modelyard(words).input(request).run();
        assert_eq!(done.code, Some(2));
        done.stderr
    };
    let shape =
        json!({"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 2], "data": [0, 0]}]});
    insta::assert_snapshot!(asked(&shape.to_string()), @r#"
    error[request-mismatch]: the request is not what the model takes: input `image` has the shape [1, 2], and has to have [-1, 1, 8, 8]
      help: see the model's inputs by `GET /v2/models/NAME`, or `modelyard show`
      more: modelyard explain request-mismatch
    "#);
    assert!(asked("<html>").contains("error[invalid-request]"));
    let missing = yard
        .modelyard(["predict", "vision/digits:1.0.0", "-f", "none.json"])
        .run();
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("none.json"), "{}", missing.stderr);
}
