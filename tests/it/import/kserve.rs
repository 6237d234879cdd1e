//! KServe's manifests, in and out again.

use modelyard::import::export::{Target, to_kserve, to_seldon_v1, to_seldon_v2};
use modelyard::record::yaml::to_yaml;

use super::manifests::{fixtures, goes_round, records, told};

fn fixture(name: &str) -> String {
    format!("kserve:{}", fixtures(&format!("kserve/{name}")).display())
}

#[tokio::test]
async fn services_become_versions_and_deployments() {
    insta::assert_snapshot!(told(&fixture("services.yaml")).await, @r##"
    versions:
      - version: captions 2.1
        reference: InferenceService/models-prod/captions
        error: "InferenceService/models-prod/captions of <fixtures>/kserve/services.yaml can't be read: its model is in the container image registry.acme.example/captions:2.1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855; import it by itself, as in `modelyard import image:registry.acme.example/captions:2.1@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`"
      - version: defects 1.4.0
        reference: InferenceService/models-prod/defects
        tags:
          line: "3"
          serving.kserve.io/deploymentMode: RawDeployment
        fields:
          format:
            name: onnx
        unmapped:
          modelFormat.version: "1"
          storageUri: https://models.acme.example/defects/1.4.0/model.onnx
        files: model.onnx from https://models.acme.example/defects/1.4.0/model.onnx
        remarks: [the version 1.4.0 is from the model's address]
      - version: iris v2
        reference: InferenceService/models-test/iris
        error: "the model at models/iris/v2 of <fixtures>/kserve/services.yaml can't be read: there is no such file or folder in <yard>"
      - version: risk/fraud 3.1.0
        reference: InferenceService/models-prod/fraud
        error: "the model at s3://models/fraud of <fixtures>/kserve/services.yaml can't be read: it is read with keys alone: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile that has some"
    deployments:
      - deployment: captions
        environment: models-prod
        spec:
          model: captions
          version: "2.1"
        unmapped:
          predictor.containers.0.ports:
            - containerPort: 9000
        remarks: []
      - deployment: defects
        environment: models-prod
        spec:
          model: defects
          runtime:
            name: mlserver
            version: 1.6.1
            env:
              THREADS: "2"
            secrets:
              - env: TOKEN
                from:
                  secret: defects
                  key: token
          resources:
            requests:
              cpu: "1"
              memory: 2Gi
            limits:
              memory: 4Gi
              gpu: 1
          replicas:
            min: 2
            max: 8
            metric: concurrency
            target: 10
          strategy:
            type: canary
            steps:
              - weight: 10
                approval: true
          before:
            - container:
                image: registry.acme.example/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          after:
            - container:
                image: registry.acme.example/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          version: 1.4.0
        unmapped:
          metadata.tags:
            line: "3"
            serving.kserve.io/deploymentMode: RawDeployment
          predictor.model.args: ["--verbose"]
          predictor.model.resources:
            requests:
              ephemeral-storage: 1Gi
          predictor.model.env:
            - name: NODE
              valueFrom:
                fieldRef:
                  fieldPath: spec.nodeName
          predictor.serviceAccountName: models
          predictor.logger:
            mode: all
            url: http://logs.acme.example
          transformer.minReplicas: 1
          transformer.containers:
            - env:
                - name: LABELS
                  value: three
          explainer:
            containers:
              - name: kserve-container
                image: registry.acme.example/explain:1
        remarks:
          - "the variable DB_PASSWORD looks like a secret that is written out, and was left out: put it into a secret and refer to it"
          - 10 % of the traffic were its newest version's, the rest that of the version before, which the manifest doesn't name
          - a transformer of KServe calls the model itself; as a coprocessor its image has to answer by Open Inference with what it was given, changed
      - deployment: fraud
        environment: models-prod
        spec:
          model: risk/fraud
          resources:
            requests:
              cpu: "1"
              memory: 1Gi
          runtime:
            env:
              LEVEL: info
              THREADS: "8"
            name: acme-xgboost
          version: 3.1.0
        unmapped:
          runtime.image: registry.acme.example/xgboost:1
          runtime.args: ["--model_dir=/mnt/models"]
        remarks: []
      - deployment: iris
        environment: models-test
        spec:
          model: iris
          replicas:
            min: 0
          strategy:
            type: recreate
          version: v2
        unmapped:
          predictor.scaleTarget: 5
        remarks: []
    leftOut:
      - "ServingRuntime/models-prod/unused (tests/it/import/kserve/services.yaml:98 (document 6)): no InferenceService here is served by it"
      - "TrainedModel/models-prod/shared (tests/it/import/kserve/services.yaml:104 (document 7)): TrainedModel has no place in a yard"
    "##);
}

#[tokio::test]
async fn a_graph_that_splits_traffic_is_one_deployment() {
    insta::assert_snapshot!(told(&fixture("split.yaml")).await, @r##"
    versions:
      - version: iris-new 2.0.0
        reference: InferenceService/lab/iris-new
        fields:
          framework:
            name: lightgbm
        unmapped:
          storageUri: https://models.acme.example/iris/2.0.0/model.txt
        files: model.txt from https://models.acme.example/iris/2.0.0/model.txt
        remarks: [the version 2.0.0 is from the model's address]
      - version: iris-old 1.0.0
        reference: InferenceService/lab/iris-old
        fields:
          framework:
            name: scikit-learn
        unmapped:
          storageUri: https://models.acme.example/iris/1.0.0/model.joblib
        files: model.joblib from https://models.acme.example/iris/1.0.0/model.joblib
        remarks: [the version 1.0.0 is from the model's address]
    deployments:
      - deployment: iris
        environment: lab
        spec:
          replicas:
            min: 2
          split:
            - model: iris-old
              weight: 80
              version: 1.0.0
            - model: iris-new
              weight: 20
              version: 2.0.0
        unmapped:
          steps.iris-new.condition: always
          services.iris-new.replicas:
            min: 1
        remarks: []
    leftOut:
      - "InferenceGraph/lab/chained (tests/it/import/kserve/split.yaml:27 (document 4)): it does more than to split traffic, which no deployment can"
    "##);
}

/// Holds `manifests` against the models of KServe's own client.
#[cfg(feature = "real-tools")]
fn taken_by_kserve(manifests: &[serde_json::Value]) {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let mut python = Command::new(crate::harness::tools::path("kserve-python"))
        .arg(fixtures("kserve/models.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(manifests).unwrap();
    python.stdin.take().unwrap().write_all(&text).unwrap();
    let output = python.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = format!("{} objects are what KServe's models say\n", manifests.len());
    assert_eq!(said, expected);
}

#[tokio::test]
async fn what_is_exported_is_read_as_what_it_was() {
    let target = Target::default();
    for name in ["services.yaml", "split.yaml"] {
        let (mut deployments, versions) = records(&fixture(name)).await;
        let has_bytes = |one: &modelyard::record::kind::Deployment| {
            one.spec.shares().iter().all(|share| {
                versions
                    .iter()
                    .any(|served| served.record.model_name() == share.model)
            })
        };
        deployments.retain(has_bytes);
        assert!(!deployments.is_empty());
        let exported = goes_round("kserve", (deployments, versions), |deployments, find| {
            to_kserve(deployments, find, &target)
        })
        .await;
        assert_eq!(exported.left_out, []);
        #[cfg(feature = "real-tools")]
        taken_by_kserve(&exported.manifests);
        if name == "split.yaml" {
            let texts: Vec<_> = exported.manifests.iter().map(to_yaml).collect();
            insta::assert_snapshot!(texts.join("---\n"), @r##"
            apiVersion: serving.kserve.io/v1beta1
            kind: InferenceService
            metadata:
              name: iris-iris-old
              annotations:
                modelyard.dev/model: acme/iris-old
                modelyard.dev/version: 1.0.0
            spec:
              predictor:
                model:
                  modelFormat:
                    name: sklearn
                  protocolVersion: v2
                  storageUri: https://models.acme.example/iris/1.0.0/model.joblib
                minReplicas: 2
            ---
            apiVersion: serving.kserve.io/v1beta1
            kind: InferenceService
            metadata:
              name: iris-iris-new
              annotations:
                modelyard.dev/model: acme/iris-new
                modelyard.dev/version: 2.0.0
            spec:
              predictor:
                model:
                  modelFormat:
                    name: lightgbm
                  protocolVersion: v2
                  storageUri: https://models.acme.example/iris/2.0.0/model.txt
                minReplicas: 2
            ---
            apiVersion: serving.kserve.io/v1alpha1
            kind: InferenceGraph
            metadata:
              name: iris
            spec:
              nodes:
                root:
                  routerType: Splitter
                  steps:
                    - serviceName: iris-iris-old
                      weight: 80
                    - serviceName: iris-iris-new
                      weight: 20
            "##);
        }
    }
}

#[tokio::test]
async fn what_has_no_field_there_is_told() {
    let (mut deployments, versions) = records(&fixture("split.yaml")).await;
    let spec = serde_json::json!({
        "model": "acme/iris-old",
        "version": "1.0.0",
        "pool": "cpu",
        "replicas": {"min": 1, "max": 2, "metric": "rps", "target": 0.5, "scaleDownDelay": "1m"},
        "resources": {"limits": {"cpu": "1"}},
        "runtime": {"secrets": [{"env": "TOKEN", "from": {"env": "OURS"}}]},
        "before": [{"model": "acme/gone", "version": "1.0.0"}],
        "after": [{"model": "acme/iris-new", "version": "2.0.0"}],
        "route": {"path": "/iris"},
        "strategy": {"type": "canary", "steps": [{"weight": 5, "for": "10m"}, {"weight": 50}]},
        "health": {"timeout": "5m"},
        "dependsOn": ["other"],
    });
    deployments[0].spec = serde_json::from_value(spec).unwrap();
    let find = |model: &modelyard::record::ModelName, _: Option<&modelyard::record::Selector>| {
        let is_it = |one: &&modelyard::import::export::Served| one.record.model_name() == *model;
        versions.iter().find(is_it).cloned()
    };
    let target = Target::default();
    let told = |exported: modelyard::import::export::Manifested| {
        let lines = exported.left_out.iter();
        let lines: Vec<_> = lines
            .map(|one| format!("{}: {}", one.what, one.why))
            .collect();
        lines.join("\n")
    };
    insta::assert_snapshot!(told(to_kserve(&deployments, &find, &target)), @r##"
    iris: pool: only Modelyard knows it
    iris: route: only Modelyard knows it
    iris: health: only Modelyard knows it
    iris: replicas.scaleDownDelay: only Modelyard knows it
    iris: runtime.secrets of TOKEN: it is a variable of the reconciler's
    iris: replicas.target: KServe takes whole numbers
    iris: strategy.steps: KServe stays at the first step until a person changes it
    iris: before, after: KServe has one transformer, which is the same image before and after
    iris: dependsOn: KServe starts everything at once
    "##);
    insta::assert_snapshot!(told(to_seldon_v1(&deployments, &find, &target)), @r##"
    iris: pool: only Modelyard knows it
    iris: route: only Modelyard knows it
    iris: health: only Modelyard knows it
    iris: replicas.scaleDownDelay: only Modelyard knows it
    iris: runtime.secrets of TOKEN: it is a variable of the reconciler's
    iris: before-1: acme/gone: there is no such version
    iris: replicas.metric rps: Seldon scales by whole percents of processor or memory
    iris: strategy: Seldon v1 only splits and mirrors between predictors
    iris: dependsOn: Seldon starts everything at once
    "##);
    insta::assert_snapshot!(told(to_seldon_v2(&deployments, &find, &target)), @r##"
    iris: pool: only Modelyard knows it
    iris: route: only Modelyard knows it
    iris: health: only Modelyard knows it
    iris: replicas.scaleDownDelay: only Modelyard knows it
    iris: resources: a Model of Seldon 2 shares its server's, and asks for memory only
    iris: runtime: a Model of Seldon 2 shares its server's variables
    iris: after: of a Pipeline the last step is the model
    iris: replicas.metric: Seldon 2 scales by its servers' own measures
    iris: before: acme/gone: there is no such version
    "##);
}
