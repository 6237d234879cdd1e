//! Seldon's manifests of v2 and MLServer's folders, in and out again.

use std::fs;

use modelyard::import::export::{Target, to_seldon_v2};
use modelyard::record::yaml::to_yaml;
use serde_json::json;

use super::manifests::{fixtures, goes_round, records, told};

fn fixture(name: &str) -> String {
    format!("seldon:{}", fixtures(&format!("seldon/{name}")).display())
}

#[tokio::test]
async fn models_experiments_and_pipelines_become_versions_and_deployments() {
    insta::assert_snapshot!(told(&fixture("v2.yaml")).await, @r##"
    versions:
      - version: embed 1.0.0
        reference: Model/lab/embed
        fields:
          format:
            name: onnx
        unmapped:
          storageUri: https://models.acme.example/embed/1.0.0/model.onnx
        files: model.onnx from https://models.acme.example/embed/1.0.0/model.onnx
        remarks: [the version 1.0.0 is from the model's address]
      - version: iris 3
        reference: Model/lab/iris
        fields:
          framework:
            name: scikit-learn
          runtime:
            name: mlserver
        unmapped:
          secretName: storage
          storageUri: https://models.acme.example/iris/model.joblib
        files: model.joblib from https://models.acme.example/iris/model.joblib
        remarks: []
      - version: iris-boosted 2.0.0
        reference: Model/lab/iris-boosted
        fields:
          framework:
            name: xgboost
        unmapped:
          requirements: [gpu-of-ours]
          storageUri: https://models.acme.example/iris-boosted/2.0.0/model.bst
        files: model.bst from https://models.acme.example/iris-boosted/2.0.0/model.bst
        remarks: [the version 2.0.0 is from the model's address]
      - version: iris-onnx 1.0.0
        reference: Model/lab/iris-onnx
        fields:
          format:
            name: onnx
        unmapped:
          storageUri: https://models.acme.example/iris-onnx/model.onnx
        files: model.onnx from https://models.acme.example/iris-onnx/model.onnx
        remarks:
          - "nothing says which version it is: it is 1.0.0 at first and the next minor version after that, unless --map or --as says another"
      - version: rank 1.0.0
        reference: Model/lab/rank
        fields:
          format:
            name: onnx
        unmapped:
          storageUri: https://models.acme.example/rank/1.0.0/model.onnx
        files: model.onnx from https://models.acme.example/rank/1.0.0/model.onnx
        remarks: [the version 1.0.0 is from the model's address]
      - version: rank-explained 1.0.0
        reference: Model/lab/rank-explained
        fields: {}
        unmapped:
          storageUri: https://models.acme.example/rank-explained/1.0.0/explainer.dill
        files: explainer.dill from https://models.acme.example/rank-explained/1.0.0/explainer.dill
        remarks: [the version 1.0.0 is from the model's address]
    deployments:
      - deployment: iris-trial
        environment: lab
        spec:
          resources:
            requests:
              memory: 100Ki
          replicas:
            min: 2
          split:
            - model: iris
              weight: 75
              version: "3"
            - model: iris-boosted
              weight: 25
              version: 2.0.0
        unmapped:
          models.iris.logger:
            percent: 50
          models.iris-boosted.replicas:
            min: 1
        remarks: [its weights were made percents]
      - deployment: iris-trial-iris-onnx
        environment: lab
        spec:
          model: iris-onnx
          replicas:
            min: 1
            max: 3
          strategy:
            type: shadow
            steps:
              - weight: 40
          version: 1.0.0
          dependsOn: [iris-trial]
        unmapped: {}
        remarks:
          - "it got a copy of the traffic of iris-trial; here a shadow is a step of a rollout: to compare the two, give iris-trial this version under the strategy `shadow`"
      - deployment: rank-explained
        environment: lab
        spec:
          model: rank-explained
          version: 1.0.0
        unmapped:
          explainer:
            type: anchor_tabular
            modelRef: rank
          dependsOn: [rank]
        remarks: []
      - deployment: search
        environment: lab
        spec:
          model: rank
          resources:
            requests:
              memory: 1Gi
          before:
            - model: embed
              version: 1.0.0
          version: 1.0.0
        unmapped:
          steps.rank.tensorMap:
            embed.outputs.vector: input
          steps.rank.batch:
            size: 8
          steps.rank.inputs: [embed.outputs.vector]
        remarks:
          - the last of its steps, rank, is taken for the model, and those before it for coprocessors
    leftOut:
      - "Experiment/lab/of-nothing (tests/it/import/seldon/v2.yaml:77 (document 12)): its model gone is not there"
      - "Experiment/lab/of-pipelines (tests/it/import/seldon/v2.yaml:72 (document 11)): it is of pipelines; only models can share a deployment's traffic"
      - "Pipeline/lab/joined (tests/it/import/seldon/v2.yaml:66 (document 10)): its steps are no line: they fork or join, which no deployment can"
      - "Pipeline/lab/round (tests/it/import/seldon/v2.yaml:60 (document 9)): its steps embed, rank wait for each other"
      - "Server/lab/mlserver (tests/it/import/seldon/v2.yaml:82 (document 13)): Server has no place in a yard"
    "##);
}

#[tokio::test]
async fn a_folder_of_mlserver_is_a_version_with_all_that_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("iris");
    fs::create_dir_all(&root).unwrap();
    let settings = json!({
        "name": "iris",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4], "parameters": {"content_type": "np"}}],
        "max_batch_size": 16,
        "parameters": {"uri": "./model.joblib", "version": "v0.3.0", "format": "joblib"},
    });
    fs::write(root.join("model-settings.json"), settings.to_string()).unwrap();
    fs::write(root.join("model.joblib"), "m").unwrap();
    let told = told(&format!("seldon:{}", folder.path().display())).await;
    let folder = fs::canonicalize(folder.path()).unwrap();
    insta::assert_snapshot!(told.replace(&folder.display().to_string(), "<folder>"), @r##"
    versions:
      - version: iris v0.3.0
        reference: ModelSettings/iris/iris
        fields:
          framework:
            name: scikit-learn
          runtime:
            name: mlserver
          inputs:
            - name: x
              datatype: FP32
              shape: [-1, 4]
        unmapped:
          inputs.x.parameters:
            content_type: np
          max_batch_size: 16
          parameters:
            format: joblib
        files: <folder>/iris
        remarks: ["its model is ./model.joblib in its folder, all of which is taken"]
    deployments: []
    leftOut: []
    "##);
}

#[tokio::test]
async fn what_is_exported_to_v2_is_read_as_what_it_was() {
    let target = Target::default();
    let (deployments, versions) = records(&fixture("v2.yaml")).await;
    let exported = goes_round("seldon", (deployments, versions), |deployments, find| {
        to_seldon_v2(deployments, find, &target)
    })
    .await;
    let left_out: Vec<_> = exported.left_out.iter().map(|one| &one.what).collect();
    assert_eq!(left_out, [""; 0]);
    let texts: Vec<_> = exported.manifests.iter().map(to_yaml).collect();
    insta::assert_snapshot!(texts.join("---\n"), @r##"
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: iris-trial-iris
      annotations:
        modelyard.dev/model: acme/iris
        modelyard.dev/version: 3.0.0
    spec:
      storageUri: https://models.acme.example/iris/model.joblib
      requirements: [sklearn, mlserver]
      memory: 100Ki
      replicas: 2
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: iris-trial-iris-boosted
      annotations:
        modelyard.dev/model: acme/iris-boosted
        modelyard.dev/version: 2.0.0
    spec:
      storageUri: https://models.acme.example/iris-boosted/2.0.0/model.bst
      requirements: [xgboost]
      memory: 100Ki
      replicas: 2
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: iris-onnx
      annotations:
        modelyard.dev/model: acme/iris-onnx
        modelyard.dev/version: 1.0.0
    spec:
      storageUri: https://models.acme.example/iris-onnx/model.onnx
      requirements: [onnx]
      minReplicas: 1
      maxReplicas: 3
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Experiment
    metadata:
      name: iris-trial
    spec:
      candidates:
        - name: iris-trial-iris
          weight: 75
        - name: iris-trial-iris-boosted
          weight: 25
      default: iris-trial-iris
      mirror:
        name: iris-onnx
        percent: 40
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: rank-explained
      annotations:
        modelyard.dev/model: acme/rank-explained
        modelyard.dev/version: 1.0.0
    spec:
      storageUri: https://models.acme.example/rank-explained/1.0.0/explainer.dill
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: search-embed
      annotations:
        modelyard.dev/model: acme/embed
        modelyard.dev/version: 1.0.0
    spec:
      storageUri: https://models.acme.example/embed/1.0.0/model.onnx
      requirements: [onnx]
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Model
    metadata:
      name: search-rank
      annotations:
        modelyard.dev/model: acme/rank
        modelyard.dev/version: 1.0.0
    spec:
      storageUri: https://models.acme.example/rank/1.0.0/model.onnx
      requirements: [onnx]
      memory: 1Gi
    ---
    apiVersion: mlops.seldon.io/v1alpha1
    kind: Pipeline
    metadata:
      name: search
    spec:
      steps:
        - name: search-embed
        - name: search-rank
          inputs: [search-embed.outputs]
      output:
        steps: [search-rank]
    "##);
}
