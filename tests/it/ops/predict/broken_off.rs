//! Runs that were broken off go on where they were, or say why not.

use std::fs;

use super::{DIABETES, HEAD, diabetes, left, patient, patients, predict};
use crate::harness::{
    Outcome, Run, Sandbox, Yard, full_at_each_nth_write, killed_at_each_nth_write,
};

/// More than are done before that is made to last.
const ROWS: usize = 5000;

fn words<'a>(to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let words = [
        "predict", DIABETES, "-f", "rows.csv", "--to", to, "--keep", "patient",
    ];
    words.into_iter().chain(more.iter().copied()).collect()
}

/// Kills a run at each few of its writes; each time, the same command then gives what one that was
/// never killed gives, and leaves nothing else.
fn goes_on_wherever_it_is_killed(to: &str, rows: &str, more: &[&str], code: i32, step: usize) {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", rows);
    let result = format!("out/{to}");
    yard.modelyard(words(&result, more)).run().exits(code);
    let files = |yard: &Yard<'_>| {
        let read = |name: String| {
            let bytes = fs::read(yard.path(&format!("out/{name}"))).unwrap();
            (name, bytes)
        };
        left(yard).into_iter().map(read).collect::<Vec<_>>()
    };
    let whole = files(&yard);
    let (mut kills, mut gone_on) = (0, 0);
    let command = || -> Run {
        fs::remove_dir_all(yard.path("out")).unwrap();
        fs::create_dir(yard.path("out")).unwrap();
        yard.modelyard(words(&result, more))
    };
    killed_at_each_nth_write(step, &yard.path("out"), command, |write| {
        kills += 1;
        let again = words(&result, more).into_iter().chain(["--output", "json"]);
        let done = yard.modelyard(again).run().exits(code).json();
        gone_on += u32::from(done["resumed"].as_u64().unwrap() > 0);
        assert_eq!(done["rows"], ROWS);
        assert!(
            files(&yard) == whole,
            "killed at write {write}, it left {:?}",
            left(&yard)
        );
    });
    assert!(kills > 5, "it was killed {kills} times only");
    assert!(gone_on > 3, "of {kills} it went on {gone_on} times only");
}

#[test]
fn a_table_that_was_killed_goes_on() {
    goes_on_wherever_it_is_killed("a.csv", &patients(ROWS), &[], 0, 7);
}

#[test]
fn rows_left_out_are_told_once_whenever_it_is_killed() {
    let rows = patients(ROWS)
        .replace("p7,", "p7,old")
        .replace("p4321,", "p4321,old");
    goes_on_wherever_it_is_killed("b.jsonl", &rows, &["--on-error", "skip"], 1, 9);
}

#[test]
fn a_parquet_file_that_was_killed_goes_on() {
    goes_on_wherever_it_is_killed("c.parquet", &patients(ROWS), &[], 0, 8);
}

#[test]
fn a_run_that_filled_the_disk_goes_on_once_there_is_room() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", &patients(ROWS));
    yard.modelyard(words("whole.csv", &[])).run().success();
    let whole = fs::read(yard.path("whole.csv")).unwrap();
    let mut full = 0;
    let command = || -> Run {
        let _ = fs::remove_dir_all(yard.path("out"));
        fs::create_dir(yard.path("out")).unwrap();
        yard.modelyard(words("out/a.csv", &[]))
    };
    let inspect = |write: u32, outcome: Outcome| {
        full += 1;
        assert!(
            outcome.stderr.contains("error[file-failed]"),
            "{}",
            outcome.report()
        );
        assert!(!yard.path("out/a.csv").exists());
        yard.modelyard(words("out/a.csv", &[])).run().success();
        let same = fs::read(yard.path("out/a.csv")).unwrap() == whole;
        assert!(same, "full at write {write}");
    };
    fs::create_dir(yard.path("out")).unwrap();
    full_at_each_nth_write(11, &yard.path("out"), command, inspect);
    assert!(full > 2, "it was full {full} times only");
}

#[test]
fn what_another_run_writes_is_left_to_it() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    stopped(&yard);
    let partial = yard.path("out/a.csv.partial");
    let other = fs::File::open(&partial).unwrap();
    other.lock().unwrap();
    for more in [&[][..], &["--restart"]] {
        let refused = yard.modelyard(words("out/a.csv", more)).run().exits(3);
        assert!(
            refused.stderr.contains("error[result-in-use]"),
            "{}",
            refused.stderr
        );
    }
    assert!(yard.path("out/a.csv.journal").exists());
}

/// A run that ended at row 3000, which can't be asked.
fn stopped(yard: &Yard<'_>) -> String {
    let rows = patients(ROWS).replace("p3000,", "p3000,old");
    yard.write("rows.csv", &rows);
    let stopped = yard.modelyard(words("out/a.csv", &[])).run().exits(2);
    assert!(
        stopped
            .stderr
            .contains("rows.csv, line 3001, column `age`: `old"),
        "{}",
        stopped.stderr
    );
    assert_eq!(
        left(yard),
        [
            "a.csv.errors.jsonl.partial",
            "a.csv.journal",
            "a.csv.partial"
        ]
    );
    rows
}

#[test]
fn a_row_that_was_mended_and_rows_behind_it_are_answered_next() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", &patients(ROWS + 10));
    yard.modelyard(words("whole.csv", &[])).run().success();
    stopped(&yard);
    yard.write("rows.csv", &patients(ROWS + 10));
    let done = yard.modelyard(words("out/a.csv", &[])).run().success();
    assert!(
        done.stdout
            .contains(", 2944 rows of them by an earlier run\n"),
        "{}",
        done.stdout
    );
    assert_eq!(left(&yard), ["a.csv"]);
    let read = |name: &str| fs::read(yard.path(name)).unwrap();
    assert!(read("out/a.csv") == read("whole.csv"));
}

#[test]
fn what_was_changed_in_between_is_refused() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    let rows = stopped(&yard);
    let journal = yard.path("out/a.csv.journal");
    let before = fs::read_to_string(&journal).unwrap();
    let refused = || {
        yard.modelyard(words("out/a.csv", &[]))
            .run()
            .exits(2)
            .stderr
    };

    yard.write("rows.csv", &rows.replace("p17,", "p-17,"));
    let row = refused();
    yard.write("rows.csv", &format!("{HEAD}{}", patient(1)));
    let shorter = refused();
    yard.write("rows.csv", &rows);
    let keep = predict(
        &yard,
        DIABETES,
        "rows.csv",
        "out/a.csv",
        &["--keep", "sex,age"],
    )
    .exits(2)
    .stderr;
    fs::write(
        &journal,
        before.replace("\"digest\":\"sha256:", "\"digest\":\"sha256:0"),
    )
    .unwrap();
    let version = refused();
    fs::write(&journal, before.replace("health/", "vision/")).unwrap();
    let model = refused();
    fs::write(&journal, "{}").unwrap();
    let nonsense = refused();
    let errors = [row, shorter, keep, version, model, nonsense].map(|error| {
        assert!(error.contains("error[begun-otherwise]"), "{error}");
        let first = error.lines().next().unwrap();
        let digests = first.split(' ').filter(|word| !word.starts_with("sha256:"));
        digests.collect::<Vec<_>>().join(" ")
    });
    insta::assert_snapshot!(errors.join("\n").replace(&*sandbox.root().to_string_lossy(), "[sandbox]"), @r#"
    error[begun-otherwise]: an earlier run can't be gone on with: the first 2944 rows of rows.csv are other ones by now
    error[begun-otherwise]: an earlier run can't be gone on with: the first 2944 rows of rows.csv are other ones by now
    error[begun-otherwise]: an earlier run can't be gone on with: it was begun to keep `patient`, and this keeps `sex`, `age`
    error[begun-otherwise]: another version answers than before: 1.0.0 now, 1.0.0 before
    error[begun-otherwise]: an earlier run can't be gone on with: it was begun with vision/diabetes-progression, and this is health/diabetes-progression
    error[begun-otherwise]: an earlier run can't be gone on with: [sandbox]/work/yard/out/a.csv.journal is no journal of ours
    "#);

    // Nothing was lost by that.
    fs::write(&journal, &before).unwrap();
    yard.write("rows.csv", &patients(ROWS));
    let done = yard.modelyard(words("out/a.csv", &[])).run().success();
    assert!(
        done.stdout.contains("2944 rows of them by an earlier run"),
        "{}",
        done.stdout
    );
    // What is there is replaced only when it is said.
    let there = yard.modelyard(words("out/a.csv", &[])).run().exits(2);
    assert!(
        there.stderr.contains("error[result-exists]"),
        "{}",
        there.stderr
    );
    yard.write("rows.csv", &patients(2));
    yard.modelyard(words("out/a.csv", &["--restart"]))
        .run()
        .success();
    assert_eq!(
        fs::read_to_string(yard.path("out/a.csv"))
            .unwrap()
            .lines()
            .count(),
        3
    );
    assert_eq!(left(&yard), ["a.csv"]);
}

#[test]
fn a_bad_row_may_be_left_out_by_the_next_run() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    stopped(&yard);
    let done = yard
        .modelyard(words("out/a.csv", &["--on-error", "skip"]))
        .run()
        .exits(1);
    assert!(
        done.stdout.contains("\n1 row could not be answered: see "),
        "{}",
        done.stdout
    );
    let errors = fs::read_to_string(yard.path("out/a.csv.errors.jsonl")).unwrap();
    assert!(
        errors.starts_with(r#"{"row":3000,"line":3001,"column":"age""#),
        "{errors}"
    );
    let result = fs::read_to_string(yard.path("out/a.csv")).unwrap();
    assert_eq!(result.lines().count(), ROWS);
    assert!(!result.contains("p3000,"));
}
