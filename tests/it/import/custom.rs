//! A program as a source: what is new, what moved, what is refused.

use serde_json::{Value, json};

use super::{Program, two};
use crate::harness::{Sandbox, Yard};

const MODEL: &str = "models/vision/surface-defects/model.yaml";

fn version(number: u32) -> String {
    format!("models/vision/surface-defects/versions/{number}.0.0.yaml")
}

/// A yard that has imported [`two`] and merged them.
fn merged<'a>(sandbox: &'a Sandbox, program: &Program<'_>) -> Yard<'a> {
    let yard = sandbox.yard();
    program.lists(&two());
    program.has("d1", b"one", &json!({}));
    program.has("d2", b"two", &json!({"precision": "fp32"}));
    let outcome = yard
        .import([&*program.word(), "--name=lab"])
        .run()
        .success();
    outcome
        .prints("imported  vision/surface-defects:1.0.0 (renamed) from d1")
        .prints("imported  vision/surface-defects:2.0.0 (renamed) from d2")
        .prints("moved     vision/surface-defects:champion: nothing -> 2.0.0");
    yard.merge("import/lab");
    yard
}

#[test]
fn versions_come_with_their_stages_and_aliases_and_a_second_run_changes_nothing() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = merged(&sandbox, &program);
    insta::assert_snapshot!(yard.show("main", MODEL), @r"
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata:
      namespace: vision
      name: surface-defects
    spec:
      title: Surface Defects
      owners:
        - team: vision
      aliases:
        champion: 2.0.0
    ");
    let record = yard.show("main", &version(2));
    let record = record.replace(&program.word(), "custom:give");
    let record = record.replace(&sandbox.path("source").display().to_string(), "source");
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: surface-defects
      version: 2.0.0
    spec:
      lifecycle: released
      createdAt: "2026-11-01T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/surface-defects
        digest: sha256:0fea21436cd023e01a1b31270af7e258ac7b654b739ab287712ec8591b9a880b
        size: 3
      format:
        name: custom
      precision: fp32
      imported:
        from: custom
        place: source/give
        reference: d2
        revision: b
        stage: Production
        unmapped:
          told: by nobody else
        aliases:
          - champion
    "#);
    assert!(
        yard.show("main", &version(1))
            .contains("lifecycle: deprecated")
    );

    let (refs, calls) = (yard.refs(), program.calls().len());
    let again = yard
        .import([&*program.word(), "--name=lab"])
        .run()
        .success();
    again.prints("unchanged 2 versions that are here already");
    assert_eq!(yard.refs(), refs);
    assert_eq!(program.calls()[calls..], ["list"]);
    yard.modelyard(["check"]).run().success();
}

#[test]
fn what_moved_in_the_source_moves_here_unless_it_moved_here_too() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = merged(&sandbox, &program);
    let mut listed = two();
    listed[1]["stage"] = "Archived".into();
    listed[1]["aliases"] = json!(["shadow"]);
    listed[0]["aliases"] = json!(["champion"]);
    program.lists(&listed.clone());
    let outcome = yard
        .import([&*program.word(), "--name=lab"])
        .run()
        .success();
    outcome
        .prints("moved     vision/surface-defects:2.0.0: released -> deprecated")
        .prints("moved     vision/surface-defects:champion: 2.0.0 -> 1.0.0")
        .prints("moved     vision/surface-defects:shadow: nothing -> 2.0.0");
    yard.merge("import/lab");
    let model = yard.show("main", MODEL);
    assert!(model.contains("champion: 1.0.0"), "{model}");
    assert!(model.contains("shadow: 2.0.0"), "{model}");
    assert!(yard.show("main", &version(2)).contains("stage: Archived"));

    // Somebody points it elsewhere here, and the source does so, too.
    yard.write(MODEL, &model.replace("shadow: 2.0.0", "shadow: 1.0.0"));
    yard.commit("Ours");
    listed[1]["aliases"] = json!([]);
    program.lists(&listed);
    let refs = yard.refs();
    let shown = yard
        .import([&*program.word(), "--name=lab"])
        .run()
        .success();
    shown.prints("shadow: 2.0.0 -> nothing, left as it is: it means 1.0.0 here");
    assert_eq!(yard.refs(), refs);
}

#[test]
fn one_that_can_not_be_imported_holds_up_no_other() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = sandbox.yard();
    let mut listed = two();
    let more: &mut Vec<Value> = listed.as_array_mut().unwrap();
    let one = |model: &str, reference: &str| json!({"model": model, "label": "1", "reference": reference, "revision": "a"});
    more.extend([
        one("twin", "t1"),
        one("Twin", "t2"),
        one("liar", "l1"),
        one("climber", "c1"),
        one("wrong", "w1"),
        one("pickled", "p1"),
    ]);
    program.lists(&listed);
    for reference in ["d1", "d2", "t1", "t2"] {
        program.has(reference, reference.as_bytes(), &json!({}));
    }
    program.has(
        "w1",
        b"w",
        &json!({"metrics": [{"name": "accuracy", "value": "high"}]}),
    );
    program.has(
        "p1",
        b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07builtinsN.",
        &json!({}),
    );
    let files = |path: &str, size: u64| {
        json!({"files": [{"path": path, "key": "d1.bin", "sizeBytes": size}]}).to_string()
    };
    sandbox.write("source/candidate-l1.json", files("model.bin", 1));
    sandbox.write("source/candidate-c1.json", files("../../climbed", 2));
    let rules = "  trust: {rules: [{require: {formats: {deny: [pickle]}}}]}\n";
    let settings = yard.show("main", "modelyard.yaml");
    yard.write("modelyard.yaml", &format!("{settings}\n{rules}"));
    yard.commit("No pickles");

    let outcome = yard.import([&*program.word(), "--name=lab"]).run().exits(1);
    outcome
        .prints("imported  vision/surface-defects:2.0.0 (renamed) from d2")
        .prints("refused   t1: t1 and t2 would all be vision/twin:1.0.0")
        .prints("refused   l1: model.bin of")
        .prints("more bytes are sent than it has")
        .prints("refused   c1:")
        .prints("refused   w1:")
        .prints("refused   p1: vision/pickled:1.0.0 has the format pickle");
    assert!(!sandbox.path("climbed").exists());
    yard.merge("import/lab");
    yard.modelyard(["check"]).run().success();
    let models = yard.modelyard(["list", "--output=name"]).run().success();
    assert_eq!(models.stdout, "vision/surface-defects\n");
}

#[test]
fn a_source_that_goes_away_leaves_what_was_brought_and_the_next_run_goes_on() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = sandbox.yard();
    program.lists(&two());
    program.has("d1", b"one", &json!({}));
    program.has("d2", &[7; 100_000], &json!({}));
    // All of the first version, and half of the second one's file.
    sandbox.write("source/d2.bin", [7; 50_000]);
    let away = yard.import([&*program.word(), "--name=lab"]).run().exits(3);
    away.says("it ended after 50000 of 100000 bytes")
        .prints("vision/surface-defects:1.0.0");
    sandbox.write("source/d2.bin", [7; 100_000]);
    let outcome = yard
        .import([&*program.word(), "--name=lab"])
        .run()
        .success();
    outcome.prints("imported  vision/surface-defects:2.0.0");
    let calls = program.calls();
    let opened: Vec<_> = calls
        .iter()
        .skip(calls.len() - 2)
        .filter(|call| call.starts_with("open"))
        .collect();
    assert_eq!(opened, ["open d2.bin 50000"]);
    yard.merge("import/lab");
    let versions = yard.modelyard(["list", "versions", "--output=name"]).run();
    let versions = versions.success();
    assert_eq!(versions.stdout.lines().count(), 2, "{}", versions.stdout);
    let kept = std::fs::read_dir(sandbox.home().join(".cache/modelyard/imports"));
    assert_eq!(kept.map_or(0, Iterator::count), 0, "{calls:?}");
}

#[test]
fn only_what_is_selected_is_imported_and_a_list_says_how_all_stands() {
    let sandbox = Sandbox::new();
    let program = Program::new(&sandbox);
    let yard = sandbox.yard();
    program.lists(&two());
    program.has("d1", b"one", &json!({}));
    program.has("d2", b"two", &json!({}));
    let word = program.word();
    let only = [&*word, "--name=lab", "--select=stage=Prod*"];
    yard.import(only).run().success();
    yard.merge("import/lab");
    let listed = yard.import([&*word, "--list"]).run().success();
    let table: Vec<String> = listed
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    REFERENCE STAGE ALIASES STATE HERE
    d1 Archived - new vision/surface-defects:1.0.0 (renamed)
    d2 Production champion imported vision/surface-defects:2.0.0 (renamed)
    ");
    let json = yard
        .import([&*word, "--list", "--output=json"])
        .run()
        .success();
    assert_eq!(json.json()[0]["versions"][1]["state"], "imported");
    let rehearsed = yard.import([&*word, "--dry-run"]).run().success();
    rehearsed
        .prints("Would import d1 as vision/surface-defects:1.0.0 (renamed)")
        .prints("no field  told: by nobody else");
    yard.import([&*word, "--select=d1"])
        .run()
        .exits(2)
        .says("selects nothing");
}
