//! A version's own code: what it has to be, and what is told where it is otherwise.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use super::{Running, folder, said, serving, shared};
use crate::harness::{Sandbox, in_time};
use crate::target::runtime::running::{Answer, posted, read};

const CODE: &str = r#"
import os

LOADED = []


def load(folder):
    LOADED.append(sorted(os.listdir(folder)))
    print("this is for the log")
    return "state"


def predict(state, inputs, parameters):
    if "refuse" in parameters:
        raise ValueError("no such luck")
    if "fail" in parameters:
        raise KeyError("oops")
    if "leave" in parameters:
        raise SystemExit(3)
    if "nonsense" in parameters:
        return {
            "list": [1],
            "keys": {1: [1]},
            "ragged": {"y": [[1], [1, 2]]},
            "thing": {"y": [object()]},
            "nan": {"y": [float("nan")]},
            "mixed": {"y": [1, "a"]},
            "wrong": {"y": {"datatype": "INT8", "shape": [1], "data": [1000]}},
        }[parameters["nonsense"]]
    return {
        "same": {"datatype": "FP32", "shape": [2, 2], "data": inputs["x"]},
        "loads": [len(LOADED)],
        "told": [state, str(parameters)],
        "yes": True,
        "files": LOADED[0],
    }


def other(inputs, parameters):
    return {"kind": [type(inputs["text"][0]).__name__], "text": inputs["text"]}
"#;

const X: &str =
    r#""inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[1, 2.5], [3, 4]]}]"#;

fn asked(runtime: &Running, parameters: &str) -> Answer {
    runtime.infer(format!(r#"{{"id": "7", "parameters": {parameters}, {X}}}"#))
}

#[test]
fn own_code_is_loaded_once_and_asked_for_each_request() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, CODE);
    let runtime = serving(&sandbox, &folder, &[]);
    asked(&runtime, "{}");
    let answer = asked(&runtime, r#"{"top": 3}"#);
    insta::assert_snapshot!(answer.json(), @r#"{"model_name":"digits","model_version":"1.0.0","id":"7","outputs":[{"name":"same","shape":[2,2],"datatype":"FP32","data":[1.0,2.5,3.0,4.0]},{"name":"loads","shape":[1],"datatype":"INT64","data":[1]},{"name":"told","shape":[2],"datatype":"BYTES","data":["state","{'top': 3}"]},{"name":"yes","shape":[],"datatype":"BOOL","data":[true]},{"name":"files","shape":[1],"datatype":"BYTES","data":["serve.py"]}]}"#);
    // The version's files stay as they are.
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    insta::assert_snapshot!(runtime.get("/v2/models/digits").json(), @r#"{"name":"digits","versions":["1.0.0"],"platform":"python","inputs":[],"outputs":[]}"#);
    insta::assert_snapshot!(runtime.get("/v2").json()["name"], @r#""modelyard-python""#);
}

#[test]
fn another_function_of_another_file_is_called() {
    let sandbox = Sandbox::new();
    sandbox.write("model/src/beside.py", "VALUE = 1\n");
    let file = sandbox.write("model/src/own.py", format!("import beside\n{CODE}"));
    let folder = file.ancestors().nth(2).unwrap().to_owned();
    let options = ["--entrypoint", "src/own.py", "--function", "other"];
    let runtime = serving(&sandbox, &folder, &options);
    let answer = runtime.infer(
        r#"{"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["ä", ""]}]}"#,
    );
    insta::assert_snapshot!(answer.json()["outputs"], @r#"[{"name":"kind","shape":[1],"datatype":"BYTES","data":["bytes"]},{"name":"text","shape":[2],"datatype":"BYTES","data":["ä",""]}]"#);
}

#[test]
fn what_goes_wrong_is_told_and_nothing_ends() {
    let sandbox = Sandbox::new();
    let runtime = serving(&sandbox, &folder(&sandbox, CODE), &[]);
    let mut told = String::new();
    let mut tell = |answer: Answer| told += &(answer.refusal() + "\n");
    for word in ["refuse", "fail", "leave"] {
        tell(asked(&runtime, &format!(r#"{{"{word}": true}}"#)));
    }
    for word in ["list", "keys", "ragged", "thing", "nan", "mixed", "wrong"] {
        tell(asked(&runtime, &format!(r#"{{"nonsense": "{word}"}}"#)));
    }
    for body in [
        "{",
        "[]",
        r#"{"inputs": []}"#,
        r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [NaN, 1]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1e300, 1]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "INT8", "data": [1, 200]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [2], "datatype": "INT8", "data": [1, true]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [3], "datatype": "INT8", "data": [1]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [-1], "datatype": "INT8", "data": [1]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT9", "data": [1]}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "INT8"}]}"#,
        r#"{"inputs": [{"name": "x", "shape": [0], "datatype": "INT8", "data": []}, {"name": "x", "shape": [0], "datatype": "INT8", "data": []}]}"#,
    ] {
        tell(runtime.infer(body));
    }
    let deep = format!(r#"{{"inputs": {}1"#, "[".repeat(100_000));
    tell(runtime.infer(deep));
    tell(runtime.get("/v2/models/other"));
    tell(runtime.get("/v2/models/digits/versions/2.0.0"));
    tell(runtime.get("/"));
    tell(runtime.get("/v2/models/digits/infer"));
    tell(runtime.post(
        "/v2/models/digits/infer",
        "Content-Length: 1000000000\r\n",
        "",
    ));
    insta::assert_snapshot!(told, @r#"
    400 the model refuses the request: no such luck
    500 the model failed: KeyError: 'oops'
    500 the model failed: SystemExit: 3
    500 `predict` of `serve.py` has to give a mapping from outputs' names to arrays, and gives a list
    500 `predict` of `serve.py` has to give a mapping from outputs' names to arrays, and gives a mapping whose keys are not all texts
    500 output `y`: its lists are not all equally long
    500 output `y`: no tensor has elements of object
    500 output `y` has a NaN, an infinity or bytes that are no text, which JSON can't say (ask for it as raw bytes, with `binary_data` or `binary_data_output`)
    500 output `y`: no tensor has elements of int and str
    500 output `y`: an element is no whole number from -128 to 127
    400 the request is not one of the Open Inference Protocol: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)
    400 the request is not one of the Open Inference Protocol: an object with `inputs`
    400 input `x` is missing
    400 the request is not one of the Open Inference Protocol: JSON knows no NaN: send it as raw bytes, with `binary_data_size`
    400 input `x`: an element is too large for its datatype
    400 input `x`: an element is no whole number from -128 to 127
    400 input `x`: element 1: true is not a whole number
    400 input `x`: its shape [3] makes 3 elements, and it has 1
    400 input `x`: [-1] is no tensor's shape
    400 input `x`: `INT9` is no datatype
    400 input `x`: it has neither `data` nor `binary_data_size`
    400 input `x` comes twice
    400 the request is not one of the Open Inference Protocol: maximum recursion depth exceeded while decoding a JSON array from a unicode string
    404 no model of this name is served here, but `digits`
    404 no such version of `digits` is served here, but `1.0.0`
    404 there is nothing here
    405 only POST is answered here
    413 the body is larger than 67108864 bytes
    "#);
    assert_eq!(asked(&runtime, "{}").status, 200);
}

#[test]
fn raw_bytes_come_and_go_behind_the_header() {
    let sandbox = Sandbox::new();
    let runtime = serving(&sandbox, &folder(&sandbox, CODE), &[]);
    let head = r#"{"inputs": [{"name": "x", "shape": [2, 2], "datatype": "FP32", "parameters": {"binary_data_size": 16}}], "outputs": [{"name": "same", "parameters": {"binary_data": true}}, {"name": "loads"}]}"#;
    let numbers: Vec<u8> = [1.0_f32, 2.5, 3.0, 4.0]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    let body = [head.as_bytes(), &numbers].concat();
    let length = format!("Inference-Header-Content-Length: {}\r\n", head.len());
    let answer = runtime.post("/v2/models/digits/infer", &length, &body);
    let length = answer.header("inference-header-content-length").unwrap();
    let (head, behind) = answer.body.split_at(length.parse().unwrap());
    insta::assert_snapshot!(String::from_utf8_lossy(head), @r#"{"model_name": "digits", "model_version": "1.0.0", "outputs": [{"name": "same", "shape": [2, 2], "datatype": "FP32", "parameters": {"binary_data_size": 16}}, {"name": "loads", "shape": [1], "datatype": "INT64", "data": [1]}]}"#);
    assert_eq!(behind, numbers);
    let torn = runtime.post(
        "/v2/models/digits/infer",
        "Inference-Header-Content-Length: 9999\r\n",
        &body,
    );
    insta::assert_snapshot!(torn.refusal(), @"400 the header is announced with 9999 bytes, and all of the request has 207");
}

#[test]
fn code_that_can_not_be_loaded_ends_and_tells_why() {
    let sandbox = Sandbox::new();
    let mut told = String::new();
    for code in [
        "def load(folder):\n    raise RuntimeError('no weights')\ndef predict(inputs, parameters): pass\n",
        "import nothing_like_this\n",
        "def predict(inputs): pass\n",
        "def answer(inputs, parameters): pass\n",
        "def predict(:\n",
        "import sys\nsys.exit(0)\n",
    ] {
        let folder = folder(&sandbox, code);
        let (status, words) = said(&mut shared(&sandbox, "python", &folder, &[]));
        assert_eq!(status, Some(2), "{words}");
        let last = words.lines().last().unwrap();
        told += &format!("{last}\n").replace(folder.to_str().unwrap(), "[folder]");
    }
    insta::assert_snapshot!(told, @r#"
    the model can't be loaded: no weights
    the model can't be loaded: No module named 'nothing_like_this'
    the model can't be loaded: `predict` of `serve.py` has to take `inputs, parameters`, or `state, inputs, parameters`
    the model can't be loaded: `serve.py` has no function `predict`
    the model can't be loaded: invalid syntax (serve.py, line 1)
    the model can't be loaded: 0
    "#);
}

/// A model that says when it begins, and waits until it may end.
fn slow(sandbox: &Sandbox) -> String {
    let [began, go] = ["began", "go"].map(|name| sandbox.path(name).display().to_string());
    format!(
        "import os, time\n\ndef predict(inputs, parameters):\n    open({began:?}, 'w').close()\n    \
         while not os.path.exists({go:?}):\n        time.sleep(0.01)\n    return {{'y': [1]}}\n"
    )
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        in_time(began);
    }
}

#[test]
fn what_it_has_is_answered_before_it_ends() {
    use std::io::Write as _;
    let sandbox = Sandbox::new();
    let mut runtime = serving(&sandbox, &folder(&sandbox, &slow(&sandbox)), &[]);
    let mut asking = runtime.connect();
    let body = br#"{"inputs": []}"#;
    asking
        .write_all(&posted("/v2/models/digits/infer", "", body))
        .unwrap();
    wait_for(&sandbox.path("began"));
    runtime.terminate();
    // It no longer takes anybody.
    let began = Instant::now();
    while std::net::TcpStream::connect(&runtime.address).is_ok() {
        in_time(began);
    }
    sandbox.write("go", "");
    assert_eq!(read(&asking).json()["outputs"][0]["data"][0], 1);
    assert_eq!(runtime.ended().code(), Some(0));
}

#[test]
fn what_takes_too_long_or_is_too_much_is_told() {
    use std::io::Write as _;
    let sandbox = Sandbox::new();
    let options = ["--request-timeout", "1", "--waiting", "1"];
    let runtime = serving(&sandbox, &folder(&sandbox, &slow(&sandbox)), &options);
    let body = br#"{"inputs": []}"#;
    let ask = || {
        let mut asking = runtime.connect();
        asking
            .write_all(&posted("/v2/models/digits/infer", "", body))
            .unwrap();
        asking
    };
    let first = ask();
    wait_for(&sandbox.path("began"));
    let others = [ask(), ask()];
    let mut told: Vec<_> = others.iter().map(|asking| read(asking).refusal()).collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r#"
    429 the model is busy, and the queue before it is full
    504 the model took longer than a request may
    "#);
    insta::assert_snapshot!(read(&first).refusal(), @"504 the model took longer than a request may");
    sandbox.write("go", "");
    let began = Instant::now();
    while runtime.infer(body).status != 200 {
        in_time(began);
    }
}

#[test]
fn it_ends_when_whoever_started_it_is_gone() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, CODE);
    let mut command = shared(&sandbox, "python", &folder, &["--with-parent"]);
    let mut runtime = Running::of(command.stdin(Stdio::piped())).once_ready();
    runtime.end_input();
    assert_eq!(runtime.ended().code(), Some(0));
}
