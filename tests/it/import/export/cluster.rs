//! Manifests of KServe and Seldon.

use std::fs;

use modelyard::check::yaml;

use super::{ENVIRONMENT, copy_files, yard};
use crate::harness::Sandbox;

const DEPLOYMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: diabetes, environment: hospital}
spec:
  model: health/diabetes-progression
  version: champion
  replicas: {min: 2, max: 4}
  resources: {requests: {cpu: 500m, memory: 1Gi}}
  strategy:
    type: canary
    steps: [{weight: 10, approval: true}]
  health: {timeout: 5m}
";

const STORAGE: &str = "--storage-uri=file://{namespace}/{name}/{version}";

#[test]
fn a_version_becomes_what_kubectl_applies() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let words = [
        "export",
        "health/diabetes-progression:champion",
        "--namespace=clinics",
        STORAGE,
    ];
    let done = yard
        .modelyard(words.iter().chain(&["--to=kserve"]))
        .run()
        .success();
    insta::assert_snapshot!(done.stdout, @r"
    apiVersion: serving.kserve.io/v1beta1
    kind: InferenceService
    metadata:
      name: diabetes-progression
      namespace: clinics
      annotations:
        modelyard.dev/model: health/diabetes-progression
        modelyard.dev/version: 1.0.0
    spec:
      predictor:
        model:
          modelFormat:
            name: onnx
          protocolVersion: v2
          storageUri: file://health/diabetes-progression/1.0.0
    ");
    for (to, kind) in [("seldon", "Model"), ("seldon-v1", "SeldonDeployment")] {
        let to = format!("--to={to}");
        let done = yard.modelyard(words.iter().chain(&[&*to])).run().success();
        done.prints(&format!("kind: {kind}\n"))
            .prints("file://health/diabetes-progression/1.0.0");
    }
}

#[test]
fn a_deployment_comes_back_as_it_went_and_what_has_no_field_is_told() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    yard.write("environments/hospital.yaml", ENVIRONMENT);
    yard.write("deployments/hospital/diabetes.yaml", DEPLOYMENT);
    yard.commit("It serves");
    let file = sandbox.path("cluster/services.yaml");
    let path = file.to_str().unwrap();
    let words = [
        "export",
        "hospital/diabetes",
        path,
        "--to=kserve",
        "--namespace=clinics",
        STORAGE,
    ];
    let done = yard.modelyard(words).run().success();
    done.prints("  InferenceService/diabetes")
        .prints("no place for diabetes: health (only Modelyard knows it)");
    let written = fs::read(&file).unwrap();
    let refused = yard.modelyard(words).run().exits(2);
    assert!(
        refused.stderr.contains("error[would-overwrite]"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read(&file).unwrap(), written);

    copy_files(&sandbox, "cluster/health/diabetes-progression/1.0.0");
    let other = Sandbox::new();
    let back = other.yard();
    back.write("environments/hospital.yaml", ENVIRONMENT);
    back.commit("A hospital");
    let map = other.write("map.yaml", "environments: {clinics: hospital}\n");
    let words = [
        "import".to_owned(),
        "--unsigned".to_owned(),
        "--owner=health".to_owned(),
        "--name=back".to_owned(),
        format!("--map={}", map.display()),
        format!("kserve:{}", sandbox.path("cluster").display()),
    ];
    back.modelyard(words).run().success();
    back.merge("import/back");
    let deployment = |text: &str| {
        let mut record = yaml::parse(text.as_bytes()).unwrap().into_value();
        let spec = record["spec"].as_object_mut().unwrap();
        // An alias is a version there.
        spec.shift_remove("version");
        spec.shift_remove("health");
        record
    };
    let came = back.show("main", "deployments/hospital/diabetes.yaml");
    assert_eq!(deployment(&came), deployment(DEPLOYMENT), "{came}");
    assert!(came.contains("version: 1.0.0\n"), "{came}");
}
