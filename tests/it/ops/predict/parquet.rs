//! Parquet, written and read by other people's programs.

use super::{DIABETES, HEAD, diabetes, patient, patients, predict};
use crate::harness::{Sandbox, tools};
use crate::ops::test::yard_with;

/// Writes `rows.csv` as Parquet in each compression, plainly and in dictionaries.
const WRITE: &str = r#"
import pyarrow as pa, pyarrow.csv as csv, pyarrow.parquet as pq
table = csv.read_csv("rows.csv")
for codec in ["none", "snappy", "zstd", "lz4", "gzip"]:
    pq.write_table(table, f"{codec}.parquet", compression=codec, row_group_size=400,
                   use_dictionary=codec != "none", version="1.0" if codec == "gzip" else "2.6")
"#;

/// Tells a result as CSV does.
const READ: &str = r#"
import sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
print(",".join(f"{field.name}:{field.type}" for field in table.schema))
for row in table.to_pylist()[:3]:
    print(row)
print(table.num_rows)
"#;

#[test]
fn what_pyarrow_writes_is_answered_and_what_is_written_pyarrow_reads() {
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    yard.write("rows.csv", &patients(1000));
    let python = tools::path("clients-python");
    let write = sandbox.program(&python, ["-c", WRITE]);
    write.in_folder(yard.path("")).run().success();
    let keep = ["--keep", "patient,age,sex=is_two"];
    predict(&yard, DIABETES, "rows.csv", "rows.out.parquet", &keep).success();
    let read = || sandbox.program(&python, ["-c", READ, "rows.out.parquet"]);
    let told = read().in_folder(yard.path("")).run().success();
    insta::assert_snapshot!(told.stdout, @r#"
    patient:string,age:string,is_two:string,progression:float
    {'patient': 'p1', 'age': '21', 'is_two': '2', 'progression': -23.885696411132812}
    {'patient': 'p2', 'age': '22', 'is_two': '1', 'progression': 7.701934814453125}
    {'patient': 'p3', 'age': '23', 'is_two': '2', 'progression': -9.804412841796875}
    1000
    "#);
    for codec in ["none", "snappy", "zstd", "lz4", "gzip"] {
        let (from, to) = (format!("{codec}.parquet"), format!("{codec}.out.csv"));
        predict(&yard, DIABETES, &from, &to, &["--keep", "patient"]).success();
    }
    predict(
        &yard,
        DIABETES,
        "rows.csv",
        "rows.out.csv",
        &["--keep", "patient"],
    )
    .success();
    let csv = std::fs::read_to_string(yard.path("rows.out.csv")).unwrap();
    for codec in ["none", "snappy", "zstd", "lz4", "gzip"] {
        let same = std::fs::read_to_string(yard.path(&format!("{codec}.out.csv"))).unwrap();
        assert!(same == csv, "{codec}");
    }
    // Parquet's own numbers are kept as numbers.
    predict(
        &yard,
        DIABETES,
        "zstd.parquet",
        "zstd.out.parquet",
        &["--keep", "age,bmi"],
    )
    .success();
    let read = sandbox.program(&python, ["-c", READ, "zstd.out.parquet"]);
    let told = read.in_folder(yard.path("")).run().success();
    insta::assert_snapshot!(told.stdout, @r#"
    age:int64,bmi:double,progression:float
    {'age': 21, 'bmi': 19.5, 'progression': -23.885696411132812}
    {'age': 22, 'bmi': 20.5, 'progression': 7.701934814453125}
    {'age': 23, 'bmi': 21.5, 'progression': -9.804412841796875}
    1000
    "#);
}

/// Images as lists of lists, and columns of all that others write.
const KINDS: &str = r#"
import datetime, decimal, json, pyarrow as pa, pyarrow.parquet as pq
image = json.load(open(IMAGE))
rows = [image[:64], image[192:256]]
at = datetime.datetime(2024, 2, 29, 12, 30, 15, 250000)
table = pa.table({
    "image": pa.array(rows),
    "at": pa.array([at, None], pa.timestamp("us")),
    "ns": pa.array([at, at], pa.timestamp("ns", tz="UTC")),
    "day": pa.array([at.date(), at.date()]),
    "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25")]),
    "big": pa.array([2**64 - 1, 0], pa.uint64()),
    "flag": pa.array([True, None]),
    "of": pa.array([{"a": 1, "b": [None, "x"]}, None]),
})
pq.write_table(table, "kinds.parquet")
pq.write_table(table.slice(0, 0), "none.parquet")
whole = open("kinds.parquet", "rb").read()
open("cut.parquet", "wb").write(whole[: len(whole) // 2])
lying = bytearray(whole)
lying[8:400] = bytes(392)
open("lying.parquet", "wb").write(lying)
"#;

#[test]
fn lists_are_tensors_and_other_kinds_are_kept_as_they_read() {
    let sandbox = Sandbox::new();
    let yard = yard_with(&sandbox, "digits", "1.0.0", "vision/digits");
    let image = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/digits/1.0.0/tests/all-ten-at-once.image.json"
    );
    let script = KINDS.replace("IMAGE", &format!("{image:?}"));
    let write = sandbox.program(tools::path("clients-python"), ["-c", &script]);
    write.in_folder(yard.path("")).run().success();
    let digits = "vision/digits:1.0.0";
    let keep = ["--keep", "at,ns,day,price,big,flag,of"];
    predict(&yard, digits, "kinds.parquet", "kinds.csv", &keep).success();
    let text = std::fs::read_to_string(yard.path("kinds.csv")).unwrap();
    insta::assert_snapshot!(text, @r#"
    at,ns,day,price,big,flag,of,label,label.label,probabilities.0,probabilities.1,probabilities.2,probabilities.3,probabilities.4,probabilities.5,probabilities.6,probabilities.7,probabilities.8,probabilities.9
    2024-02-29T12:30:15.25,2024-02-29T12:30:15.25Z,2024-02-29,1.50,18446744073709551615,true,"{""a"":1,""b"":[null,""x""]}",0,0,0.9260908,0.0019879448,0.004906152,0.0026488863,0.007839481,0.010639845,0.0153953135,0.0011595121,0.010691319,0.01864073
    ,2024-02-29T12:30:15.25Z,2024-02-29,-2.25,0,,,3,3,0.0016132052,0.003549541,0.016599998,0.93355423,0.00033462624,0.008238818,0.0012022161,0.0064642066,0.015195305,0.013247907
    "#);
    let told = ["none", "cut", "lying"].map(|name| {
        let refused = predict(&yard, digits, &format!("{name}.parquet"), "x.csv", &[]).exits(2);
        refused.stderr.lines().next().unwrap().to_owned()
    });
    insta::assert_snapshot!(told.join("\n"), @r#"
    error[not-a-table]: `none.parquet` has no rows
    error[not-a-table]: `cut.parquet` can't be read as Parquet: it does not end as Parquet does, or its end is missing
    error[not-a-table]: `lying.parquet` can't be read as Parquet: Parquet error: Required field compressed_page_size is missing
    "#);
}

/// Runs a command and tells the most memory that it had, in KiB.
const PEAK: &str = r"
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
";

#[test]
fn memory_does_not_grow_with_the_file() {
    /// What the program has that answers a single row, and half as much again.
    const MOST_KIB: u64 = 192 * 1024;
    let sandbox = Sandbox::new();
    let yard = diabetes(&sandbox);
    let note = "and a long story of it ".repeat(1000);
    let mut rows = HEAD.replace("patient", "patient,note");
    for number in 1..=20_000 {
        rows += &patient(number).replacen(',', &format!(",{note},"), 1);
    }
    // Far more than the program may have.
    assert!(rows.len() as u64 > 2 * MOST_KIB * 1024);
    yard.write("rows.csv", &rows);
    drop(rows);
    let program = env!("CARGO_BIN_EXE_modelyard");
    let words = [
        "-c", PEAK, program, "predict", DIABETES, "-f", "rows.csv", "--to", "out.csv",
    ];
    let told = sandbox.program(tools::path("clients-python"), words);
    let peak: u64 = told
        .in_folder(yard.path(""))
        .run()
        .success()
        .line()
        .parse()
        .unwrap();
    assert!(peak < MOST_KIB, "{peak} KiB");
    let result = std::fs::read_to_string(yard.path("out.csv")).unwrap();
    assert_eq!(result.lines().count(), 20_001);
}
