//! A folder with records, card and files.

use std::fs;

use modelyard::check::yaml;

use super::{CARD, MODEL, RECORD, fields, files, imported, yard};
use crate::harness::Sandbox;

#[test]
fn a_folder_comes_back_as_the_records_the_card_and_the_digest_that_went() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let out = sandbox.path("out/diabetes");
    let path = out.to_str().unwrap();
    let words = [
        "export",
        "health/diabetes-progression:champion",
        path,
        "--to=folder",
    ];

    let planned = yard
        .modelyard(words.iter().chain(&["--dry-run"]))
        .run()
        .success();
    assert!(!out.exists());
    let told = planned
        .stdout
        .replace(&sandbox.root().display().to_string(), "[sandbox]");
    insta::assert_snapshot!(told, @r"
    would export health/diabetes-progression:1.0.0 into [sandbox]/work/out/diabetes

      README.md                              1.20 KiB  for the export
      files/README.md                        1.20 KiB
      files/metrics.json                        120 B
      files/model.onnx                       1.42 KiB
      files/requests/one-patient.json           581 B
      files/requests/three-patients.json        665 B
      model.yaml                                487 B  for the export
      version.yaml                           4.38 KiB  for the export
    ");
    let done = yard
        .modelyard(words.iter().chain(&["--output=json"]))
        .run()
        .success()
        .json();
    assert_eq!(done["to"], "folder");
    assert_eq!(done["version"], "1.0.0");
    assert_eq!(done["leftOut"], serde_json::json!([]));
    assert_eq!(done["files"].as_array().unwrap().len(), files(&out).len());
    let due = done["files"].as_array().unwrap().iter();
    let due: Vec<_> = due.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files(&out), due);
    let record = fs::read_to_string(out.join("version.yaml")).unwrap();
    let record = yaml::parse(record.as_bytes()).unwrap().into_value();
    let ours = yaml::parse(yard.show("main", RECORD).as_bytes()).unwrap();
    assert_eq!(record, ours.into_value());

    // Again it finds all of it there.
    yard.modelyard(words).run().success();

    let other = Sandbox::new();
    let back = imported(&other, path, &[]);
    for record in [RECORD, MODEL] {
        assert_eq!(fields(&back, record), fields(&yard, record));
    }
    assert_eq!(back.show("main", CARD), yard.show("main", CARD));

    // Out and in once more nothing is lost on the way, and where it came from first stays.
    let again = other.path("again");
    let path = again.to_str().unwrap();
    back.modelyard(["export", "health/diabetes-progression", path, "--to=folder"])
        .run()
        .success();
    let third = Sandbox::new();
    let thrice = imported(&third, path, &[]);
    assert_eq!(fields(&thrice, RECORD), fields(&yard, RECORD));
    let record = thrice.show("main", RECORD);
    assert!(
        record.contains("imported.reference: health/diabetes-progression:1.0.0"),
        "{record}"
    );
}

#[test]
fn a_retired_version_comes_back_as_one() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let record = yard.show("main", RECORD);
    yard.write(
        RECORD,
        &record.replace("lifecycle: released", "lifecycle: retired"),
    );
    yard.commit("It is retired");
    let out = sandbox.path("out");
    let path = out.to_str().unwrap();
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        path,
        "--to=folder",
    ];
    yard.modelyard(words).run().success();
    let other = Sandbox::new();
    let back = imported(&other, path, &[]);
    assert_eq!(fields(&back, RECORD), fields(&yard, RECORD));
    back.modelyard(["check"]).run().success();
}
