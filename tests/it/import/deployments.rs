//! How models run elsewhere, as deployments here.

use std::fs;

use super::ENVIRONMENT;
use crate::harness::Sandbox;

const SERVICE: &str = "\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: diabetes
  namespace: clinics
  annotations: {owner: ward-3}
spec:
  predictor:
    minReplicas: 2
    maxReplicas: 4
    model:
      modelFormat: {name: onnx}
      storageUri: file://models/diabetes
      resources: {requests: {cpu: 500m, memory: 1Gi}}
      env:
        - {name: THREADS, value: \"2\"}
";

#[test]
fn an_inference_service_becomes_a_version_and_a_deployment_of_it() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    yard.write("environments/hospital.yaml", ENVIRONMENT);
    yard.commit("A hospital");
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/diabetes/1.0.0/model.onnx"
    );
    let bytes = fs::read(model).unwrap();
    sandbox.write("cluster/models/diabetes/model.onnx", &bytes);
    sandbox.write("cluster/services.yaml", SERVICE);
    let source = format!("kserve:{}", sandbox.path("cluster").display());

    // Where it runs is nowhere here, yet: the model comes, the deployment is told.
    let import = yard.import([&*source, "--name=cluster"]).run().exits(1);
    import
        .prints("imported  vision/diabetes:1.0.0")
        .prints("`clinics` can't be an environment here")
        .prints("environments: {\"clinics\": …}");
    let map = sandbox.write("map.yaml", "environments: {clinics: hospital}\n");
    let map = format!("--map={}", map.display());
    let words = [&*source, "--name=cluster", &*map];
    yard.import(words)
        .run()
        .success()
        .prints("deploys   hospital/diabetes from");
    yard.merge("import/cluster");
    insta::assert_snapshot!(yard.show("main", "deployments/hospital/diabetes.yaml"), @r#"
    apiVersion: modelyard.dev/v1
    kind: Deployment
    metadata:
      name: diabetes
      environment: hospital
    spec:
      model: vision/diabetes
      version: 1.0.0
      replicas:
        min: 2
        max: 4
      resources:
        requests:
          cpu: 500m
          memory: 1Gi
      runtime:
        env:
          THREADS: "2"
    "#);
    yard.modelyard(["check"]).run().success();

    let refs = yard.refs();
    yard.import(words).run().success();
    assert_eq!(yard.refs(), refs);
}

#[test]
fn what_a_manifest_has_later_is_another_version() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    yard.write("environments/hospital.yaml", ENVIRONMENT);
    yard.commit("A hospital");
    let map = sandbox.write("map.yaml", "environments: {clinics: hospital}\n");
    let map = format!("--map={}", map.display());
    let source = format!("kserve:{}", sandbox.path("cluster").display());
    let import = |folder: &str, content: &str| {
        sandbox.write(format!("cluster/{folder}/notes.txt"), content);
        let service = SERVICE.replace("models/diabetes", folder);
        sandbox.write("cluster/services.yaml", service);
        let words = [&*source, "--name=cluster", &*map];
        let outcome = yard.import(words).run().success();
        yard.merge("import/cluster");
        outcome
    };
    // What nothing calls by a version counts up.
    import("first", "one").prints("imported  vision/diabetes:1.0.0");
    import("second", "two").prints("imported  vision/diabetes:1.1.0");
    import("first", "one").prints("unchanged 1 version");
    // What its address calls by one is that.
    import("models/2.3.0", "three").prints("imported  vision/diabetes:2.3.0");
    import("models/2.2.0", "four").prints("imported  vision/diabetes:2.2.0");
    import("models/2.3.0", "three").prints("unchanged 1 version");
    yard.modelyard(["check"]).run().success();
}
