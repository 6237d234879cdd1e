//! Files that the built-in ONNX runtime can't serve, and why.

use std::path::Path;

use super::writing::{input, model, node, output};
use crate::harness::Sandbox;

/// What is said of `place`, which can't be served.
#[track_caller]
fn refusal(sandbox: &Sandbox, place: &Path) -> String {
    let run = sandbox.modelyard(["runtime", "onnx", place.to_str().unwrap(), "--name", "x"]);
    let done = run.run();
    assert_eq!(done.code, Some(2), "{}", done.stderr);
    done.stderr
        .replace(sandbox.root().to_str().unwrap(), "[sandbox]")
}

#[test]
fn a_file_that_is_no_onnx_is_told() {
    let sandbox = Sandbox::new();
    let pointer = sandbox.write("model.onnx", "version https://git-lfs.github.com/spec/v1\n");
    insta::assert_snapshot!(refusal(&sandbox, &pointer), @r"
    error[not-onnx]: [sandbox]/work/model.onnx is no ONNX model
      caused by: failed to decode Protobuf message: invalid wire type value: 6
      help: export the model anew, and check it by `onnx.checker`
      more: modelyard explain not-onnx
    ");
    let empty = sandbox.write("empty.onnx", "");
    assert!(refusal(&sandbox, &empty).contains("error[not-onnx]"));
    let whole = std::fs::read(super::running::sample("digits/1.0.0/model.onnx")).unwrap();
    let half = sandbox.write("half.onnx", &whole[..whole.len() / 2]);
    assert!(refusal(&sandbox, &half).contains("error[not-onnx]"));
    let nothing = sandbox.path("");
    std::fs::create_dir(nothing.join("folder")).unwrap();
    assert!(refusal(&sandbox, &nothing.join("folder")).contains("error[no-onnx-file]"));
    assert!(refusal(&sandbox, &nothing.join("missing")).contains("missing"));
}

#[test]
fn operators_that_are_lacking_are_told_all_at_once() {
    let sandbox = Sandbox::new();
    let graph = [
        node("Scaler", "ai.onnx.ml", &["x"], &["a"]),
        node("Relu", "", &["a"], &["b"]),
        node("SVMClassifier", "ai.onnx.ml", &["b"], &["c", "d"]),
        node("ZipMap", "ai.onnx.ml", &["d"], &["e"]),
        input("x", 1, &[-1, 4]),
        output("c", 7, &[-1]),
    ];
    let file = sandbox.write("model.onnx", model(&graph));
    insta::assert_snapshot!(refusal(&sandbox, &file), @r"
    error[operators-lacking]: [sandbox]/work/model.onnx uses operators that the built-in runtime lacks: ai.onnx.ml:SVMClassifier, ai.onnx.ml:Scaler, ai.onnx.ml:ZipMap
      help: serve it in the runtime `python` with onnxruntime (`runtime: {name: python}` in the version's record), or export it without them (scikit-learn: `zipmap=False`)
      more: modelyard explain operators-lacking
    ");
}

#[test]
fn a_model_that_contradicts_itself_is_told() {
    let sandbox = Sandbox::new();
    let graph = [
        node("MatMul", "", &["x", "y"], &["z"]),
        input("x", 1, &[2, 3]),
        input("y", 1, &[4, 5]),
        output("z", 1, &[2, 5]),
    ];
    let file = sandbox.write("model.onnx", model(&graph));
    let told = refusal(&sandbox, &file);
    assert!(told.contains("error[onnx-not-loadable]"), "{told}");
}

#[test]
fn an_address_that_another_has_is_told() {
    let sandbox = Sandbox::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let model = super::running::sample("digits/1.0.0");
    let arguments = [
        "runtime",
        "onnx",
        model.to_str().unwrap(),
        "--name",
        "x",
        "--listen",
        &address,
    ];
    let done = sandbox.modelyard(arguments).run();
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr.contains("error[address-unavailable]"),
        "{}",
        done.stderr
    );
}
