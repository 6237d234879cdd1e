//! A folder of this machine.

use crate::harness::Sandbox;

#[test]
fn an_mlflow_folder_becomes_a_version_that_says_what_mlmodel_said() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/diabetes/1.0.0/model.onnx"
    );
    let bytes = std::fs::read(model).unwrap();
    sandbox.write("old/model.onnx", &bytes);
    sandbox.write(
        "old/MLmodel",
        "flavors:\n  onnx: {onnx_version: 1.19.0, data: model.onnx}\n  python_function: {python_version: 3.12.1, loader_module: mlflow.onnx}\nmlflow_version: 3.17.0\nutc_time_created: '2026-11-01 09:30:00.5'\n",
    );
    let old = sandbox.path("old");
    let old = old.to_str().unwrap();

    let shown = yard.import([old, "--dry-run"]).run().success();
    shown.prints("Would import old as vision/old:1.0.0");

    let import = [old, "--name=old", "--as=vision/diabetes:2.1.0"];
    let outcome = yard.import(import).run().success();
    outcome
        .prints("imported  vision/diabetes:2.1.0 from old")
        .prints("kept, with no field for it: MLmodel.flavors.onnx");
    let record = yard.show("import/old", "models/vision/diabetes/versions/2.1.0.yaml");
    let (_, record) = record.split_once("  runtime:").unwrap();
    insta::assert_snapshot!(record, @r"
        name: onnx
      imported:
        from: folder
        reference: old
        unmapped:
          MLmodel.flavors.onnx:
            onnx_version: 1.19.0
            data: model.onnx
          MLmodel.flavors.python_function:
            python_version: 3.12.1
            loader_module: mlflow.onnx
          MLmodel.mlflow_version: 3.17.0
    ");

    yard.merge("import/old");
    let again = yard.import(import).run().success();
    again.prints("unchanged 1 version that is here already");

    // Other bytes under the same version are refused, and nothing changes.
    sandbox.write("old/more.txt", "more");
    let refs = yard.refs();
    let refused = yard.import(import).run().exits(1);
    refused.prints("vision/diabetes:2.1.0 exists with other bytes");
    assert_eq!(yard.refs(), refs);

    // Under another one they are that one, and known as it.
    let import = [old, "--name=old", "--as=vision/diabetes:3.0.0"];
    let outcome = yard.import(import).run().success();
    outcome.prints("imported  vision/diabetes:3.0.0 from old");
    yard.merge("import/old");
    let again = yard.import(import).run().success();
    again.prints("unchanged 1 version that is here already");
}

#[test]
fn what_can_not_be_imported_says_what_to_do() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let files = sandbox.files("数字");
    let files = files.to_str().unwrap();
    yard.import([files])
        .run()
        .exits(1)
        .prints("can't be a model's name here")
        .prints("models: {");
    let words = [
        "import",
        "--unsigned",
        "--namespace=vision",
        files,
        "--as=vision/x",
    ];
    yard.modelyard(words)
        .run()
        .exits(1)
        .prints("vision/x is new, and nothing says who answers for it")
        .prints("--owner TEAM");
    yard.import(["./nowhere"]).run().exits(2).says("nowhere");
    yard.import(["mlfow:https://x.example"])
        .run()
        .exits(2)
        .says("begins with no kind of source");
}

#[test]
fn two_sources_that_claim_one_version_are_told_and_the_first_one_stays() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.write("one/defects/model.bin", b"\x00one\x01");
    sandbox.write("two/defects/model.bin", b"\x00two\x01");
    let place = |name: &str| sandbox.path(name).display().to_string();
    let (one, two) = (place("one/defects"), place("two/defects"));

    // In one run, on one branch.
    let both = yard.import([&*one, &two, "--name=both"]).run().exits(1);
    both.prints("imported  vision/defects:1.0.0 from defects")
        .prints("refused   defects: vision/defects:1.0.0 exists with other bytes");
    // On branches of their own, of which none is merged.
    let refs = yard.refs();
    let alone = yard.import([&*two, "--name=two"]).run().exits(1);
    alone.prints("refused   defects: vision/defects:1.0.0 exists with other bytes");
    assert_eq!(yard.refs(), refs);
    yard.merge("import/both");
    yard.import([&*two, "--name=two"])
        .run()
        .exits(1)
        .prints("exists with other bytes");
    yard.import([&*one, "--name=one"])
        .run()
        .success()
        .prints("unchanged 1 version that is here already");
}
