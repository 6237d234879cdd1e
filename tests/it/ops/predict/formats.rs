//! Files of text in, files of text out.

use serde_json::Value;

use super::{DIABETES, HEAD, diabetes, left, patient, patients, predict};
use crate::harness::Sandbox;
use crate::ops::test::yard_with;

#[test]
fn each_row_is_answered_in_its_place_whatever_the_format() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", &patients(300));
    yard.write("rows.tsv", &patients(300).replace(',', "\t"));
    let head: Vec<_> = HEAD.trim().split(',').collect();
    let object = |number| {
        let line = patient(number);
        let cells = line
            .trim()
            .split(',')
            .enumerate()
            .map(|(index, cell)| match index {
                0 => format!("\"patient\": \"{cell}\""),
                _ => format!("\"{}\": {cell}", head[index]),
            });
        format!("{{{}}}\n", cells.collect::<Vec<_>>().join(", "))
    };
    let lines: String = (1..=300).map(object).collect();
    // A mark at the beginning, and blank lines, are none of the rows.
    yard.write(
        "rows.ndjson",
        &format!("\u{feff}{}", lines.replace("}\n", "}\n\n")),
    );
    let keep = ["--keep", "patient=who", "--batch-size", "7"];
    for (from, to) in [
        ("rows.csv", "a.csv"),
        ("rows.tsv", "b.csv"),
        ("rows.ndjson", "c.csv"),
    ] {
        predict(&yard, DIABETES, from, &format!("out/{to}"), &keep).success();
    }
    let read = |name: &str| std::fs::read_to_string(yard.path(name)).unwrap();
    let csv = read("out/a.csv");
    let begin: Vec<_> = csv.lines().take(3).collect();
    insta::assert_snapshot!(begin.join("\n"), @r#"
    who,progression
    p1,-23.885696
    p2,7.701935
    "#);
    assert_eq!(csv.lines().count(), 301);
    assert!(csv.lines().last().unwrap().starts_with("p300,"), "{csv}");
    assert_eq!(read("out/b.csv"), csv);
    assert_eq!(read("out/c.csv"), csv);

    predict(&yard, DIABETES, "rows.csv", "out/d.tsv", &keep).success();
    assert_eq!(read("out/d.tsv"), csv.replace(',', "\t"));
    predict(&yard, DIABETES, "rows.csv", "out/e.jsonl", &keep).success();
    for (object, line) in read("out/e.jsonl").lines().zip(csv.lines().skip(1)) {
        let object: Value = serde_json::from_str(object).unwrap();
        let told = format!(
            "{},{}",
            object["who"].as_str().unwrap(),
            object["progression"]
        );
        assert_eq!(told, line);
    }
    assert_eq!(left(&yard), ["a.csv", "b.csv", "c.csv", "d.tsv", "e.jsonl"]);
}

#[test]
fn a_summary_tells_who_answered_what() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    let words = [
        "predict",
        DIABETES,
        "-f",
        "-",
        "--input-format",
        "csv",
        "--to",
        "all.csv",
    ];
    let piped = yard.modelyard(words).input(patients(3)).run().success();
    assert!(
        piped
            .stdout
            .contains("all.csv: 3 rows answered by health/diabetes-progression:1.0.0 in "),
        "{}",
        piped.stdout
    );
    assert_eq!(piped.stderr, "");
    let words = words.into_iter().chain(["--restart", "--output", "json"]);
    let told = yard
        .modelyard(words)
        .input(patients(3))
        .run()
        .success()
        .json();
    assert_eq!(told["rows"], 3);
    assert_eq!(told["failed"], 0);
    assert_eq!(told["version"], "1.0.0");
    assert!(told["digest"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn every_column_may_be_kept_and_classes_are_told_by_their_labels() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let request = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/requests/a-three.json"
    );
    let request: Value = serde_json::from_str(&std::fs::read_to_string(request).unwrap()).unwrap();
    let data = &request["inputs"][0]["data"];
    let line = format!("{{\"id\": 1, \"of\": {{\"a\": [2]}}, \"image\": {data}}}\n");
    yard.write("rows.jsonl", &line);
    let keep = ["--keep", "id,of"];
    predict(
        &yard,
        "vision/digits:1.0.0",
        "rows.jsonl",
        "out/labels.csv",
        &keep,
    )
    .success();
    let labels = std::fs::read_to_string(yard.path("out/labels.csv")).unwrap();
    insta::assert_snapshot!(labels, @r#"
    id,of,label,label.label,probabilities.0,probabilities.1,probabilities.2,probabilities.3,probabilities.4,probabilities.5,probabilities.6,probabilities.7,probabilities.8,probabilities.9
    1,"{""a"":[2]}",3,3,0.0016132052,0.003549541,0.016599998,0.93355423,0.00033462624,0.008238818,0.0012022161,0.0064642066,0.015195305,0.013247907
    "#);
}

#[test]
fn what_asks_for_no_rows_is_told_what_does() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", &patients(3));
    yard.write("request.json", "{}");
    let told = [
        predict(&yard, DIABETES, "request.json", "out/a.csv", &[]),
        predict(&yard, DIABETES, "rows.csv", "out/a.txt", &[]),
        predict(
            &yard,
            DIABETES,
            "rows.csv",
            "out/a.csv",
            &["--keep", "pateint"],
        ),
        predict(
            &yard,
            DIABETES,
            "rows.csv",
            "out/a.csv",
            &["--keep", "patient=progression"],
        ),
        predict(
            &yard,
            DIABETES,
            "-",
            "out/a.csv",
            &["--input-format", "parquet"],
        ),
    ]
    .map(|outcome| {
        assert_eq!(outcome.code, Some(2));
        outcome.stderr
    });
    insta::assert_snapshot!(told.join(""), @r#"
    error[no-rows-asked]: request.json is one request, and --to writes a row for each row of a file
      help: say by --input-format what it is, or leave --to out and add --output json
      more: modelyard explain no-rows-asked
    error[no-rows-asked]: the name of out/a.txt does not say what it is to be
      help: end it with .csv, .tsv, .jsonl or .parquet
      more: modelyard explain no-rows-asked
    error[not-a-table]: `rows.csv` has no column `pateint`: its columns are `patient`, `age`, `sex`, `bmi`, `bp`, `s1`, `s2`, `s3`, `s4`, `s5`, `s6`
      help: is `patient` meant? See the version's inputs by `modelyard show`
      more: modelyard explain not-a-table
    error[not-a-table]: the result would have two columns `progression`
      help: keep it under another name: --keep 'progression=NAME'
      more: modelyard explain not-a-table
    error[not-a-table]: Parquet can't be read from standard input
      help: name the file
      more: modelyard explain not-a-table
    "#);
    assert!(!yard.path("out").exists());
}
