//! Intel Geti: what a server's projects have for OpenVINO and ONNX.

use std::io::Write as _;

use crate::harness::{Answer, FakeGeti, Front, GETI_TOKEN, Outcome, Sandbox, Yard};

const MODEL: &str = "models/vision/line-3-yolox-openvino-fp16";

/// A small network as OpenVINO writes it.
const NETWORK: &str = r#"<?xml version="1.0"?>
<net name="small" version="11"><layers>
  <layer id="0" name="x" type="Parameter" version="opset1"><data shape="?,3" element_type="f32"/>
    <output><port id="0" precision="FP32" names="image"><dim>-1</dim><dim>3</dim></port></output></layer>
  <layer id="1" name="w" type="Const" version="opset1"><data element_type="f16" shape="2, 3" offset="0" size="12"/></layer>
  <layer id="2" name="mul" type="MatMul" version="opset1">
    <output><port id="2" precision="FP32" names="logits"><dim>-1</dim><dim>2</dim></port></output></layer>
  <layer id="3" name="logits/sink_port_0" type="Result" version="opset1">
    <input><port id="0" precision="FP32"><dim>-1</dim><dim>2</dim></port></input></layer>
</layers><edges><edge from-layer="2" from-port="2" to-layer="3" to-port="0"/></edges>
<rt_info><model_info><labels value="scratch dent"/></model_info></rt_info></net>"#;

/// A zip whose entries are deflated.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let mut deflated =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        deflated.write_all(content).unwrap();
        let deflated = deflated.finish().unwrap();
        let size = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
        let sizes = [size(deflated.len()), size(content.len())].concat();
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let offset = size(bytes.len());
        let method = [&[0; 4][..], &[8, 0], &[0; 8]].concat();
        bytes.extend([&b"PK\x03\x04"[..], &method, &sizes, &name_length, &[0; 2]].concat());
        bytes.extend([name.as_bytes(), &deflated].concat());
        directory.extend([&b"PK\x01\x02"[..], &[0; 2], &method, &sizes, &name_length].concat());
        directory.extend([&[0; 12][..], &offset, name.as_bytes()].concat());
    }
    let place = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let places = [place(directory.len()), place(bytes.len())].concat();
    bytes.extend(directory);
    bytes.extend([&b"PK\x05\x06"[..], &[0; 8], &places, &[0; 2]].concat());
    bytes
}

fn openvino(weights: &[u8]) -> Vec<u8> {
    zip(&[("model.xml", NETWORK.as_bytes()), ("model.bin", weights)])
}

/// Two versions of a detector, of which the second is in use and comes in ONNX, too.
fn filled() -> FakeGeti {
    let geti = FakeGeti::start();
    let mut state = geti.state();
    state.project("p1", "Line 3", "detection");
    for (version, weights) in [(1, b"one---------"), (2, b"two---------")] {
        let model = state.train("p1", "YOLOX", version);
        state.optimize(&model, "OpenVINO", "FP16", openvino(weights));
    }
    state.change("p1-yolox-2", |model| model["active_model"] = true.into());
    state.optimize(
        "p1-yolox-2",
        "ONNX",
        "FP32",
        zip(&[("model.onnx", b"no graph")]),
    );
    drop(state);
    geti
}

impl Yard<'_> {
    fn import_from_geti(&self, host: &str, words: &[&str]) -> Outcome {
        let word = format!("geti:http://{host}");
        let words = [&[&*word, "--name=geti"][..], words].concat();
        self.import(words).env("GETI_TOKEN", GETI_TOKEN).run()
    }
}

#[test]
fn models_come_with_their_files_score_precision_and_labels() {
    let sandbox = Sandbox::new();
    let (yard, geti) = (sandbox.yard(), filled());
    let import = || yard.import_from_geti(&geti.host(), &["--select=tag.format=OpenVINO"]);
    import()
        .success()
        .prints("imported  vision/line-3-yolox-openvino-fp16:1.0.0 (renamed)")
        .prints("imported  vision/line-3-yolox-openvino-fp16:2.0.0 (renamed)")
        .prints("openvino-fp16:active: nothing -> 2.0.0");
    let record = yard.show("import/geti", &format!("{MODEL}/versions/2.0.0.yaml"));
    let record = record.replace(&geti.host(), "geti.acme.example");
    insta::assert_snapshot!(record, @r#"
    apiVersion: modelyard.dev/v1
    kind: ModelVersion
    metadata:
      namespace: vision
      name: line-3-yolox-openvino-fp16
      version: 2.0.0
    spec:
      lifecycle: staged
      createdAt: "2026-10-20T08:00:00Z"
      artifact:
        repository: oci-layout:./store/vision/line-3-yolox-openvino-fp16
        digest: sha256:864d769de87ec328ccdd54c8e17525240d88fd7e458f7a0e3ea9ce70ec881ca6
        size: 898
      format:
        name: openvino
        version: "11"
        code: []
      framework:
        name: otx
        version: 2.4.0
      precision: fp16
      parameterCount: 6
      inputs:
        - name: image
          datatype: FP32
          shape: [-1, 3]
      outputs:
        - name: logits
          datatype: FP32
          shape: [-1, 2]
      properties:
        architecture: YOLOX
        labels: [scratch, dent]
      metrics:
        - name: score
          value: 0.96
          higherIsBetter: true
          score: true
      lineage:
        run:
          system: geti
          id: p1-yolox-2
        datasets:
          - name: Line 3/Line 3
      imported:
        from: geti
        place: http://geti.acme.example
        reference: p1/p1-yolox/p1-yolox-2/p1-yolox-2-openvino-fp16
        revision: p1-yolox-2-openvino-fp16
        unmapped:
          geti.training_dataset_info:
            dataset_storage_id: p1-set
            dataset_revision_id: r
            n_samples: 120
          geti.learning_approach: fully_supervised
          geti.label_schema_in_sync: true
          geti.optimization_type: MO
          geti.name: OpenVINO FP16
        aliases:
          - active
    "#);
    let model = yard.show("import/geti", &format!("{MODEL}/model.yaml"));
    for said in [
        "title: Line 3/YOLOX/OpenVINO FP16",
        "task: object-detection",
        "active: 2.0.0",
    ] {
        assert!(model.contains(said), "{model}");
    }
    yard.merge("import/geti");
    yard.modelyard(["check"]).run().success();

    // Again it hands nothing out; what is used now is followed, and what is new is brought.
    let asked = geti.state().asked.len();
    import().success().prints("unchanged 2 versions");
    let handed = |from: usize| {
        let state = geti.state();
        let asked = state.asked[from..].iter();
        asked.filter(|line| line.ends_with("/export")).count()
    };
    assert_eq!(handed(asked), 0);
    let mut state = geti.state();
    let model = state.train("p1", "YOLOX", 3);
    state.optimize(&model, "OpenVINO", "FP16", openvino(b"three-------"));
    state.change("p1-yolox-2", |model| model["active_model"] = false.into());
    state.change(&model, |model| model["active_model"] = true.into());
    drop(state);
    let asked = geti.state().asked.len();
    import()
        .success()
        .prints("imported  vision/line-3-yolox-openvino-fp16:3.0.0")
        .prints("openvino-fp16:active: 2.0.0 -> 3.0.0");
    assert_eq!(handed(asked), 1);
}

#[test]
fn what_can_not_be_brought_is_told() {
    let sandbox = Sandbox::new();
    let (yard, geti) = (sandbox.yard(), filled());
    let mut state = geti.state();
    for (id, name) in [("p2", "Anomalies"), ("p3", "数字")] {
        state.project(id, name, "anomaly");
        state.train(id, "PADIM", 1);
    }
    state.optimize("p3-padim-1", "OpenVINO", "FP16", openvino(b"x"));
    state.change("p1-yolox-1", |model| {
        model["purge_info"]["is_purged"] = true.into();
    });
    let failed = state.train("p1", "YOLOX", 4);
    state.optimize(&failed, "OpenVINO", "INT8", Vec::new());
    state.change(&failed, |model| {
        for made in model["optimized_models"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            made["model_status"] = "FAILED".into();
        }
    });
    drop(state);
    let listed = yard.import_from_geti(&geti.host(), &["--list"]).success();
    listed
        .prints("its files were removed there")
        .prints("what is made of it is not ready")
        .prints("nothing was made of it for OpenVINO or ONNX")
        .prints("line-3-yolox-onnx-fp32")
        // Letters of no name leave the rest of it.
        .prints("vision/padim-openvino-fp16:1.0.0 (renamed)");
    // Three projects in pages of two.
    let pages = |state: &[String]| state.iter().filter(|line| line.contains("skip=")).count();
    assert_eq!(pages(&geti.state().asked), 2);
}

#[test]
fn a_server_that_refuses_goes_away_or_lies_is_told() {
    let sandbox = Sandbox::new();
    let (yard, geti) = (sandbox.yard(), filled());
    let word = format!("geti:http://{}", geti.host());
    let run = yard
        .import([&*word])
        .env("GETI_TOKEN", "geti_pat_wrong")
        .run();
    let refused = run
        .exits(2)
        .says("The token is not valid.")
        .says("GETI_TOKEN");
    assert!(
        !refused.stderr.contains("geti_pat_wrong"),
        "{}",
        refused.stderr
    );
    yard.import([&*word]).run().exits(2).says("GETI_TOKEN");
    yard.import(["geti:./here"])
        .run()
        .exits(2)
        .says("it is no address of a server");

    geti.state().is_endless = true;
    yard.import_from_geti(&geti.host(), &[])
        .exits(2)
        .says("its pages of projects never end");
    geti.state().is_endless = false;

    // A zip that is cut off is gone on with or fetched anew; nothing of it is taken for the whole.
    let front = Front::before(&geti.host());
    front.always("GET", "/export", Answer::CutAfter(30));
    yard.import_from_geti(&front.host(), &[])
        .exits(3)
        .says("can't be reached");
    front.is_faithful();
    front.times(1, "GET", "/export", Answer::CutAfter(30));
    front.times(1, "GET", "/model_groups", Answer::status(503));
    let select = ["--select=version=1"];
    yard.import_from_geti(&front.host(), &select).success();
    assert_eq!(front.carried("authorization"), [""; 0]);

    // A key goes to its host alone.
    let other = Front::alone();
    let away = Answer::status(302).with_header("Location", &format!("http://{}/x", other.host()));
    front.always("GET", "/export", away);
    let select = ["--select=tag.format=ONNX"];
    yard.import_from_geti(&front.host(), &select).exits(1);
    assert_eq!(other.carried("x-api-key"), [""; 0]);
}

#[test]
fn a_zip_that_climbs_lies_or_is_none_brings_nothing() {
    let sandbox = Sandbox::new();
    let (yard, geti) = (sandbox.yard(), FakeGeti::start());
    let mut lying = openvino(b"weights");
    // Its directory says another size than its entry has.
    let at = lying
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    lying[at + 24] = 3;
    let mut state = geti.state();
    state.project("p1", "Line 3", "classification");
    for (version, bytes) in (1..).zip([
        zip(&[("../../climbed", b"x")]),
        b"no zip".to_vec(),
        lying,
        zip(&[]),
    ]) {
        let model = state.train("p1", "B0", version);
        state.optimize(&model, "OpenVINO", "FP16", bytes);
    }
    drop(state);
    let outcome = yard.import_from_geti(&geti.host(), &[]).exits(1);
    outcome
        .prints("../../climbed")
        .prints("no whole zip")
        .prints("more bytes are sent than it has")
        .prints("is empty");
    assert!(!sandbox.path("climbed").exists());
    assert!(!yard.refs().contains("import/geti"));
}

#[cfg(feature = "real-tools")]
#[test]
fn what_is_imported_is_a_pull_request_with_what_found_no_place() {
    let (desk, geti) = (crate::import::reviewed::Desk::new(), filled());
    let word = format!("geti:http://{}", geti.host());
    let words = ["--select=alias=active", "--select=tag.precision=FP16"];
    let told = desk.pull_request(&word, &words, &[("GETI_TOKEN", GETI_TOKEN)]);
    for line in [
        "Import vision/line-3-yolox-openvino-fp16:2.0.0 from geti:",
        "\np1/p1-yolox/p1-yolox-2/p1-yolox-2-openvino-fp16 -> vision/line-3-yolox-openvino-fp16:2.0.0 (renamed)\n",
        "geti.training_dataset_info",
        "openvino-fp16:active: nothing -> 2.0.0",
    ] {
        assert!(told.contains(line), "no «{line}» in\n{told}");
    }
}
