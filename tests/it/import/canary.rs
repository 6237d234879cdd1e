//! A canary of KServe, beside a service whose model can't be had from here.

use crate::harness::Sandbox;

/// Two services of KServe whose models lie beside them, and what is called what here.
fn manifests(sandbox: &Sandbox) {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/diabetes/1.0.0/model.onnx"
    );
    let bytes = std::fs::read(model).unwrap();
    sandbox.write("deploy/models/defects/1.4.0/model.onnx", &bytes);
    sandbox.write(
        "deploy/models/notes/1.0.0/notes.txt",
        "no model of anybody's",
    );
    let service = |name: &str, format: &str, uri: &str, more: &str| {
        format!(
            "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n\
             metadata: {{name: {name}, namespace: models-prod}}\nspec:\n  predictor:\n    {more}\n    \
             model:\n      modelFormat: {{name: {format}}}\n      storageUri: {uri}\n"
        )
    };
    let defects = service(
        "defects",
        "onnx",
        "models/defects/1.4.0",
        "canaryTrafficPercent: 20",
    );
    let away = service(
        "away",
        "sklearn",
        "s3://models/away",
        "serviceAccountName: x",
    );
    sandbox.write("deploy/all.yaml", format!("{defects}---\n{away}"));
    sandbox.write("map.yaml", "environments: {models-prod: factory}\n");
}

#[test]
fn a_canary_comes_along_and_what_cant_be_had_holds_up_nothing() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    yard.write(
        "environments/factory.yaml",
        "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata:\n  name: factory\nspec:\n  \
         target:\n    type: process\n",
    );
    yard.commit("an environment");
    manifests(&sandbox);
    let word = format!("kserve:{}", sandbox.path("deploy/all.yaml").display());
    let map = format!("--map={}", sandbox.path("map.yaml").display());
    // What can't be had from here is told, and holds up nothing else.
    let outcome = yard
        .import([word.as_str(), "--name=cluster", &map])
        .run()
        .exits(1);
    outcome
        .prints("imported  vision/defects:1.4.0")
        .prints("s3://models/away");
    let record = yard.show(
        "import/cluster",
        "models/vision/defects/versions/1.4.0.yaml",
    );
    assert!(
        record.contains("reference: InferenceService/models-prod/defects"),
        "{record}"
    );
    insta::assert_snapshot!(
        yard.show("import/cluster", "deployments/factory/defects.yaml"),
        @r##"
    apiVersion: modelyard.dev/v1
    kind: Deployment
    metadata:
      name: defects
      environment: factory
    spec:
      model: vision/defects
      version: 1.4.0
      strategy:
        type: canary
        steps:
          - weight: 20
            approval: true
    "##
    );
    yard.merge("import/cluster");
    let again = yard.import([word.as_str(), "--name=cluster", &map]).run();
    again
        .exits(1)
        .prints("unchanged 1 version that is here already");
}
