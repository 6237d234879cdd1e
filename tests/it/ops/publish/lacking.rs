//! An ONNX model with operators that the built-in runtime lacks.

use crate::harness::Sandbox;
use crate::target::runtime::writing::{input, model, node, output};

#[test]
fn operators_that_the_built_in_runtime_lacks_are_told_by_name() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let graph = [
        node("Scaler", "ai.onnx.ml", &["x"], &["a"]),
        node("Relu", "", &["a"], &["y"]),
        input("x", 1, &[-1, 4]),
        output("y", 1, &[-1, 4]),
    ];
    sandbox.write("svm/model.onnx", model(&graph));
    let done = yard.publish("svm", "tabular/svm:1.0.0").success();
    done.prints(
        "beware    the built-in runtime can't serve it, as it lacks ai.onnx.ml:Scaler; name \
         another (`runtime: {name: python}`), or export the model without them",
    );
    yard.merge("publish/tabular/svm/1.0.0");
    let record = "spec:\n  runtime: {name: python}\n";
    let record = sandbox.write(
        "python.yaml",
        format!("apiVersion: modelyard.dev/v1\nkind: ModelVersion\n{record}"),
    );
    let folder = sandbox.path("svm");
    sandbox.write("svm/NOTES.md", "another version");
    let words = [
        "publish",
        folder.to_str().unwrap(),
        "--as",
        "tabular/svm:1.1.0",
        "--unsigned",
    ];
    let words = words
        .into_iter()
        .chain(["--from", record.to_str().unwrap()]);
    yard.modelyard(words)
        .run()
        .success()
        .prints("runtime   python serves it: the built-in one lacks ai.onnx.ml:Scaler");
}
