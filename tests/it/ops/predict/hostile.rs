//! Files that are not what they say.

use super::{DIABETES, HEAD, diabetes, left, patient, patients, predict};
use crate::harness::Sandbox;

#[test]
fn a_file_that_is_none_is_told_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    std::fs::create_dir(yard.path("out")).unwrap();
    let files: [(&str, &[u8]); 12] = [
        ("empty.csv", b""),
        ("only-a-head.csv", HEAD.as_bytes()),
        (
            "twice.csv",
            b"age,age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n1,1,1,1,1,1,1,1,1,1,1\n",
        ),
        (
            "lacking.csv",
            b"age,sex,bmi,bp,s1,s2,s3,s4,s-5,s6\n1,1,1,1,1,1,1,1,1,1\n",
        ),
        ("latin1.csv", b"age,\xe9\n1,2\n"),
        ("empty.jsonl", b"\n \n"),
        ("array.jsonl", b"[1, 2]\n"),
        ("broken.jsonl", b"{\"age\": 1, \n"),
        ("empty.parquet", b""),
        ("text.parquet", b"age,sex\n1,2\nand so on\n"),
        (
            "footer.parquet",
            b"PAR1 and some pages \xff\xff\xff\x7fPAR1",
        ),
        (
            "thrift.parquet",
            b"PAR1 and some pages \x10\x00\x00\x00PAR1",
        ),
    ];
    let told = files.map(|(name, bytes)| {
        std::fs::write(yard.path(name), bytes).unwrap();
        let refused = predict(&yard, DIABETES, name, "out/x.csv", &[]);
        assert_eq!(refused.code, Some(2), "{}", refused.report());
        let first = refused.stderr.lines().take(2);
        format!("{name}\n{}\n", first.collect::<Vec<_>>().join("\n"))
    });
    insta::assert_snapshot!(told.concat(), @r#"
    empty.csv
    error[not-a-table]: `empty.csv` has no rows
      help: there has to be one row at least
    only-a-head.csv
    error[not-a-table]: `only-a-head.csv` has no rows
      help: there has to be one row at least
    twice.csv
    error[not-a-table]: `twice.csv` has several columns `age`
      help: give each column a name of its own
    lacking.csv
    error[not-a-table]: `lacking.csv` has no column `s5`: its columns are `age`, `sex`, `bmi`, `bp`, `s1`, `s2`, `s3`, `s4`, `s-5`, `s6`
      help: is `s-5` meant? See the version's inputs by `modelyard show`
    latin1.csv
    error[not-a-table]: `latin1.csv` can't be read as CSV: its first line is not in UTF-8: incomplete utf-8 byte sequence from index 0
      help: say what it is by --input-format, if its name says otherwise
    empty.jsonl
    error[not-a-table]: `empty.jsonl` has no rows
      help: there has to be one row at least
    array.jsonl
    error[not-a-table]: `array.jsonl` can't be read as JSON Lines: line 1: it is no JSON object: invalid type: sequence, expected a map at column 0
      help: say what it is by --input-format, if its name says otherwise
    broken.jsonl
    error[not-a-table]: `broken.jsonl` can't be read as JSON Lines: line 1: it is no JSON object: EOF while parsing a value at column 0
      help: say what it is by --input-format, if its name says otherwise
    empty.parquet
    error[not-a-table]: `empty.parquet` has no rows
      help: there has to be one row at least
    text.parquet
    error[not-a-table]: `text.parquet` can't be read as Parquet: it does not end as Parquet does, or its end is missing
      help: say what it is by --input-format, if its name says otherwise
    footer.parquet
    error[not-a-table]: `footer.parquet` can't be read as Parquet: its footer is said to be longer than it can be
      help: say what it is by --input-format, if its name says otherwise
    thrift.parquet
    error[not-a-table]: `thrift.parquet` can't be read as Parquet: Parquet error: Required field version is missing
      help: say what it is by --input-format, if its name says otherwise
    "#);
    let missing = predict(&yard, DIABETES, "none.csv", "out/x.csv", &[]);
    assert!(
        missing.stderr.contains("error[file-failed]"),
        "{}",
        missing.stderr
    );
    std::fs::create_dir(yard.path("folder")).unwrap();
    yard.write("folder/text.txt", "no image");
    let none = yard
        .modelyard(["predict", DIABETES, "-f", "folder", "--to", "out/x.csv"])
        .run();
    assert!(
        none.stderr.contains("error[image-input-unclear]"),
        "{}",
        none.stderr
    );
    assert_eq!(left(&yard), [""; 0]);
}

#[test]
fn a_line_without_an_end_is_not_read_to_it() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    for format in ["csv", "jsonl"] {
        let words = ["--input-format", format];
        let refused = predict(&yard, DIABETES, "/dev/zero", "out/x.csv", &words).exits(2);
        assert!(
            refused
                .stderr
                .contains("line 1: the row has more than 16777216 bytes"),
            "{}",
            refused.stderr
        );
    }
    // A quote that is never closed swallows the rest, up to what a row may have.
    let rest = patient(1).repeat(500_000);
    yard.write("quote.csv", &format!("{HEAD}{}\"{rest}", patient(1)));
    let refused = predict(&yard, DIABETES, "quote.csv", "out/x.csv", &[]).exits(2);
    assert!(
        refused.stderr.contains("line 3: the row has more than"),
        "{}",
        refused.stderr
    );
}

#[test]
fn rows_that_can_not_be_asked_are_told_one_by_one() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    let mut rows = patients(2).into_bytes();
    rows.extend(b"ragged,1,2\n");
    rows.extend(patient(4).replace("130", "high \x1b[31m").into_bytes());
    rows.extend(patient(5).replace("130", "").into_bytes());
    rows.extend(b"\xff\xfe,25,2,22.6,85,130,71,48,3,4.0073,81\n");
    rows.extend(b"\xff,25,2,22.6,85,1\xff0,71,48,3,4.0073,81\n");
    rows.extend(b"\"two\nlines\",25,2,22.6,85,130,71,48,3,4.0073,81\n");
    rows.extend(patient(9).replace("130", "1e99").into_bytes());
    rows.extend(patient(10).replace("130", "nan").into_bytes());
    std::fs::write(yard.path("rows.csv"), rows).unwrap();
    let stopped = predict(&yard, DIABETES, "rows.csv", "out/x.csv", &[]).exits(2);
    insta::assert_snapshot!(stopped.stderr, @r#"
    error[not-a-table]: rows.csv, line 4: 3 cells, and the head has 11
      help: correct the row, or leave it out; --on-error skip leaves such rows out
      more: modelyard explain not-a-table
    "#);
    let skip = ["--on-error", "skip", "--keep", "patient"];
    predict(&yard, DIABETES, "rows.csv", "out/x.csv", &skip).exits(1);
    let read = |name: &str| std::fs::read_to_string(yard.path(name)).unwrap();
    insta::assert_snapshot!(read("out/x.csv"), @r#"
    patient,progression
    p1,-23.885696
    p2,7.701935
    "two
    lines",89.63045
    p10,NaN
    "#);
    insta::assert_snapshot!(read("out/x.csv.errors.jsonl"), @r#"
    {"row":3,"line":4,"code":"not-a-table","error":"3 cells, and the head has 11"}
    {"row":4,"line":5,"column":"s1","code":"not-a-table","error":"`high \\u{1b}[31m` is no FP32"}
    {"row":5,"line":6,"column":"s1","code":"not-a-table","error":"it is empty, and has to be FP32"}
    {"row":6,"line":7,"code":"not-a-table","error":"it is not in UTF-8"}
    {"row":7,"line":8,"code":"not-a-table","error":"it is not in UTF-8"}
    {"row":9,"line":11,"column":"s1","code":"not-a-table","error":"`1e99` is no FP32"}
    "#);

    let lines = [
        r#"{"age": 25, "sex": 2, "bmi": 22.6, "bp": 85, "s1": 130, "s2": 71, "s3": 48, "s4": 3, "s5": 4, "s6": 81}"#,
        r#"{"age": "25", "sex": 2, "bmi": 22.6, "bp": 85, "s1": 130, "s2": 71, "s3": 48, "s4": 3, "s5": 4, "s6": 81}"#,
        r#"{"sex": 2}"#,
        r#"{"age": [25, 26], "sex": 2, "bmi": 22.6, "bp": 85, "s1": 130, "s2": 71, "s3": 48, "s4": 3, "s5": 4, "s6": 81}"#,
        "not even JSON",
        "7",
        r#"{"age": NaN}"#,
    ];
    yard.write("rows.jsonl", &lines.join("\n"));
    predict(&yard, DIABETES, "rows.jsonl", "out/y.csv", &skip[..2]).exits(1);
    insta::assert_snapshot!(read("out/y.csv.errors.jsonl"), @r#"
    {"row":2,"line":2,"column":"age","code":"not-a-table","error":"`25` is no FP32"}
    {"row":3,"line":3,"column":"age","code":"not-a-table","error":"it is empty, and has to be FP32"}
    {"row":4,"line":4,"column":"age","code":"not-a-table","error":"a list of 2, where a sample of input `age` has 1"}
    {"row":5,"line":5,"code":"not-a-table","error":"it is no JSON object: expected ident at column 2"}
    {"row":6,"line":6,"code":"not-a-table","error":"it is no JSON object: invalid type: integer `7`, expected a map at column 1"}
    {"row":7,"line":7,"code":"not-a-table","error":"it is no JSON object: expected value at column 9"}
    "#);
    assert_eq!(read("out/y.csv").lines().count(), 2);
}
