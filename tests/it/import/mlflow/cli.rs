//! `modelyard import mlflow:…`, as a person runs it against a real server.

use super::lab::lab;
use crate::harness::Sandbox;

const MAP: &str = "\
models:
  Schnee*: {name: snow, title: Snow}
  of a failed run: {name: odd}
  a single file: {name: single}
  plain: {skip: true}
";

#[test]
fn versions_become_records_and_a_second_run_changes_nothing() {
    for major in [3, 2] {
        let word = format!("mlflow:http://{}", lab(major).server.host());
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.write("yard/names.yaml", MAP);
        let words = [&*word, "--name=lab", "--map=names.yaml"];
        yard.import(words.into_iter().chain(["--list"]))
            .run()
            .success()
            .prints("vision/snow:2.0.0");
        let outcome = yard.import(words).run().success();
        outcome
            .prints("imported  vision/snow:1.0.0")
            .prints("imported  vision/snow:2.0.0")
            .prints("imported  vision/snow:4.0.0")
            .prints("imported  vision/boosted:1.0.0")
            .prints("imported  vision/diabetes.onnx:1.0.0")
            .prints("imported  vision/odd:1.0.0")
            .prints("imported  vision/single:4.0.0")
            .prints("moved     vision/snow:champion: nothing -> 2.0.0");
        yard.merge("import/lab");
        let version = |name: &str| yard.show("main", &format!("models/vision/{name}.yaml"));
        let record = version("snow/versions/2.0.0");
        for line in [
            "  lifecycle: released",
            "  notes: C = 1.0",
            "    commit: 4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
            "    reference: models:/Schnee ☃ Klassifikator/2",
            "    stage: Production",
            "      run.run_name: strength 1.0",
        ] {
            assert!(record.contains(line), "no «{line}» in\n{record}");
        }
        assert!(version("snow/versions/1.0.0").contains("lifecycle: deprecated"));
        assert!(version("snow/versions/4.0.0").contains("lifecycle: staged"));
        assert!(version("diabetes.onnx/versions/1.0.0").contains("name: onnx"));
        for number in 1..=4 {
            let record = version(&format!("single/versions/{number}.0.0"));
            for line in ["name: onnx", "    - name: bmi", "    size: 1455"] {
                assert!(record.contains(line), "no «{line}» in\n{record}");
            }
        }
        assert!(version("snow/model").contains("champion: 2.0.0"));
        yard.modelyard(["check"]).run().success();

        let refs = yard.refs();
        let again = yard.import(words).run().success();
        again.prints("unchanged 10 versions that are here already");
        assert_eq!(yard.refs(), refs);
    }
}
