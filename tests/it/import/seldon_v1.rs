//! Seldon's manifests of v1, in and out again.

use modelyard::import::export::{Target, to_seldon_v1};
use modelyard::record::yaml::to_yaml;

use super::manifests::{fixtures, goes_round, records, told};

fn fixture(name: &str) -> String {
    format!("seldon:{}", fixtures(&format!("seldon/{name}")).display())
}

#[tokio::test]
async fn seldon_deployments_become_versions_and_deployments() {
    insta::assert_snapshot!(told(&fixture("v1.yaml")).await, @r##"
    versions:
      - version: captions-embed v2
        reference: SeldonDeployment/models-prod/captions/default/embed
        fields:
          framework:
            name: tensorflow
          runtime:
            name: tensorflow-serving
        unmapped:
          storageUri: https://models.acme.example/embed/v2/model.zip
        files: model.zip from https://models.acme.example/embed/v2/model.zip
        remarks: [the version v2 is from the model's address]
      - version: captions-own 1.0.0
        reference: SeldonDeployment/models-prod/captions/default/own
        error: "SeldonDeployment/models-prod/captions/default/own of <fixtures>/seldon/v1.yaml can't be read: its model is in the container image registry.acme.example/own:1; import it by itself, as in `modelyard import image:registry.acme.example/own:1`"
      - version: defects 1.4.0
        reference: SeldonDeployment/models-prod/defects/main/classifier
        tags:
          line: "3"
        fields:
          framework:
            name: scikit-learn
          runtime:
            name: mlserver
        unmapped:
          parameters:
            - name: method
              type: STRING
              value: predict_proba
          storageUri: https://models.acme.example/defects/1.4.0/model.joblib
        files: model.joblib from https://models.acme.example/defects/1.4.0/model.joblib
        remarks: [the version 1.4.0 is from the model's address]
      - version: defects 1.5.0
        reference: SeldonDeployment/models-prod/defects/canary/classifier
        tags:
          line: "3"
        fields:
          framework:
            name: scikit-learn
          runtime:
            name: mlserver
        unmapped:
          storageUri: https://models.acme.example/defects/1.5.0/model.joblib
        files: model.joblib from https://models.acme.example/defects/1.5.0/model.joblib
        remarks: [the version 1.5.0 is from the model's address]
      - version: defects 2.0.0
        reference: SeldonDeployment/models-prod/defects/quiet/classifier
        tags:
          line: "3"
        fields:
          framework:
            name: xgboost
          runtime:
            name: mlserver
        unmapped:
          storageUri: https://models.acme.example/defects-xgb/2.0.0/model.bst
        files: model.bst from https://models.acme.example/defects-xgb/2.0.0/model.bst
        remarks: [the version 2.0.0 is from the model's address]
      - version: ninety 1.0.0
        reference: SeldonDeployment/models-test/ninety/a/m
        fields:
          framework:
            name: scikit-learn
        unmapped:
          storageUri: https://models.acme.example/m/1.0.0/m
        files: m from https://models.acme.example/m/1.0.0/m
        remarks: [the version 1.0.0 is from the model's address]
      - version: ninety 1.1.0
        reference: SeldonDeployment/models-test/ninety/b/m
        fields:
          framework:
            name: scikit-learn
        unmapped:
          storageUri: https://models.acme.example/m/1.1.0/m
        files: m from https://models.acme.example/m/1.1.0/m
        remarks: [the version 1.1.0 is from the model's address]
      - version: ranked-embed 1.0.0
        reference: SeldonDeployment/models-prod/ranked/default/embed
        fields:
          framework:
            name: scikit-learn
          runtime:
            name: mlserver
        unmapped:
          storageUri: https://models.acme.example/embed-text/1.0.0/model.joblib
        files: model.joblib from https://models.acme.example/embed-text/1.0.0/model.joblib
        remarks: [the version 1.0.0 is from the model's address]
      - version: ranked-rank 1.0.0
        reference: SeldonDeployment/models-prod/ranked/default/rank
        fields:
          framework:
            name: xgboost
          runtime:
            name: mlserver
        unmapped:
          storageUri: https://models.acme.example/ranking/1.0.0/model.bst
        files: model.bst from https://models.acme.example/ranking/1.0.0/model.bst
        remarks: [the version 1.0.0 is from the model's address]
      - version: routed-a 1.0.0
        reference: SeldonDeployment/models-test/routed/default/a
        fields:
          runtime:
            name: triton
        unmapped:
          storageUri: https://models.acme.example/a/1.0.0/model
        files: model from https://models.acme.example/a/1.0.0/model
        remarks: [the version 1.0.0 is from the model's address]
      - version: routed-b 1.0.0
        reference: SeldonDeployment/models-test/routed/default/b
        fields:
          framework:
            name: transformers
        unmapped:
          storageUri: https://models.acme.example/b/1.0.0/model
        files: model from https://models.acme.example/b/1.0.0/model
        remarks: [the version 1.0.0 is from the model's address]
      - version: test-of-two-a 1.0.0
        reference: SeldonDeployment/models-test/test-of-two/default/a
        fields:
          runtime:
            name: mlflow
        unmapped:
          storageUri: https://models.acme.example/churn/1.0.0/model
        files: model from https://models.acme.example/churn/1.0.0/model
        remarks: [the version 1.0.0 is from the model's address]
      - version: test-of-two-b 1.1.0
        reference: SeldonDeployment/models-test/test-of-two/default/b
        fields:
          runtime:
            name: mlflow
        unmapped:
          storageUri: https://models.acme.example/churn/1.1.0/model
        files: model from https://models.acme.example/churn/1.1.0/model
        remarks: [the version 1.1.0 is from the model's address]
      - version: two-shadows 1.0.0
        reference: SeldonDeployment/models-test/two-shadows/a/m
        fields: {}
        unmapped:
          storageUri: https://models.acme.example/n/1.0.0/m
        files: m from https://models.acme.example/n/1.0.0/m
        remarks: [the version 1.0.0 is from the model's address]
      - version: two-shadows 1.1.0
        reference: SeldonDeployment/models-test/two-shadows/b/m
        fields: {}
        unmapped:
          storageUri: https://models.acme.example/n/1.1.0/m
        files: m from https://models.acme.example/n/1.1.0/m
        remarks: [the version 1.1.0 is from the model's address]
      - version: two-shadows 1.2.0
        reference: SeldonDeployment/models-test/two-shadows/c/m
        fields: {}
        unmapped:
          storageUri: https://models.acme.example/n/1.2.0/m
        files: m from https://models.acme.example/n/1.2.0/m
        remarks: [the version 1.2.0 is from the model's address]
    deployments:
      - deployment: captions
        environment: models-prod
        spec:
          replicas:
            min: 1
            max: 4
            metric: cpu
            target: 70
          before:
            - container:
                image: registry.acme.example/resize@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            - model: captions-embed
              version: v2
          after:
            - container:
                image: registry.acme.example/label@sha256:0000000000000000000000000000000000000000000000000000000000000000
          model: captions-own
          version: 1.0.0
        unmapped:
          predictors.default.containers.label.env:
            - name: LEVEL
              value: info
          predictors.default.containers.loose.image: registry.acme.example/loose:latest
        remarks:
          - "the image registry.acme.example/loose:latest of loose has no digest, so it can be moved, and is no coprocessor: name it by its digest"
      - deployment: defects
        environment: models-prod
        spec:
          replicas:
            min: 3
          resources:
            requests:
              cpu: "1"
              memory: 1Gi
          runtime:
            env:
              THREADS: "2"
            secrets:
              - env: TOKEN
                from:
                  secret: defects
                  key: token
          split:
            - model: defects
              weight: 80
              version: 1.4.0
            - model: defects
              weight: 20
              version: 1.5.0
        unmapped:
          metadata.tags:
            line: "3"
          annotations:
            seldon.io/rest-timeout: "1000"
          predictors.main.componentSpecs.0.spec:
            terminationGracePeriodSeconds: 20
          predictors.main.graph.classifier.envSecretRefName: storage
          predictors.main.containers.classifier.image: registry.acme.example/mlserver:1
          predictors.main.explainer:
            type: AnchorTabular
            modelUri: gs://acme/explainer
          predictors.canary.replicas:
            min: 1
        remarks: []
      - deployment: defects-quiet
        environment: models-prod
        spec:
          model: defects
          strategy:
            type: shadow
            steps:
              - weight: 50
          version: 2.0.0
          dependsOn: [defects]
        unmapped: {}
        remarks:
          - "it got a copy of the traffic of defects; here a shadow is a step of a rollout: to compare the two, give defects this version under the strategy `shadow`"
      - deployment: ranked
        environment: models-prod
        spec:
          replicas:
            min: 2
            max: 6
            metric: memory
            target: 80
          runtime:
            env:
              LEVEL: info
          before:
            - model: ranked-embed
              version: 1.0.0
          after:
            - container:
                image: registry.acme.example/inner@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
            - container:
                image: registry.acme.example/outer@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
          model: ranked-rank
          version: 1.0.0
        unmapped: {}
        remarks: []
      - deployment: test-of-two
        environment: models-test
        spec:
          split:
            - model: test-of-two-a
              weight: 25
              version: 1.0.0
            - model: test-of-two-b
              weight: 75
              version: 1.1.0
        unmapped: {}
        remarks: []
    leftOut:
      - "SeldonDeployment/models-test/ninety (tests/it/import/seldon/v1.yaml:108 (document 5)): the traffic of its predictors sums to 90, not to 100"
      - "SeldonDeployment/models-test/routed (tests/it/import/seldon/v1.yaml:95 (document 4)): predictor default: the router router decides between models, which no deployment can"
      - "SeldonDeployment/models-test/two-shadows (tests/it/import/seldon/v1.yaml:116 (document 6)): more than one predictor is a shadow"
    "##);
}

#[tokio::test]
async fn what_is_exported_to_v1_is_read_as_what_it_was() {
    let target = Target {
        namespace: Some("models".to_owned()),
    };
    let (mut deployments, versions) = records(&fixture("v1.yaml")).await;
    deployments.retain(|one| one.metadata.name.as_str() != "captions");
    let exported = goes_round("seldon", (deployments, versions), |deployments, find| {
        to_seldon_v1(deployments, find, &target)
    })
    .await;
    let left_out: Vec<_> = exported.left_out.iter().map(|one| &one.what).collect();
    assert_eq!(left_out, [""; 0]);
    let texts: Vec<_> = exported.manifests.iter().map(to_yaml).collect();
    insta::assert_snapshot!(texts.join("---\n"), @r##"
    apiVersion: machinelearning.seldon.io/v1
    kind: SeldonDeployment
    metadata:
      name: defects
      namespace: models
    spec:
      protocol: v2
      predictors:
        - name: defects
          annotations:
            modelyard.dev/defects.model: acme/defects
            modelyard.dev/defects.version: 1.4.0
          graph:
            name: defects
            implementation: SKLEARN_SERVER
            modelUri: https://models.acme.example/defects/1.4.0/model.joblib
          replicas: 3
          componentSpecs:
            - spec:
                containers:
                  - name: defects
                    resources:
                      requests:
                        cpu: "1"
                        memory: 1Gi
                    env:
                      - name: THREADS
                        value: "2"
                      - name: TOKEN
                        valueFrom:
                          secretKeyRef:
                            name: defects
                            key: token
          traffic: 80
        - name: defects-1-5-0
          annotations:
            modelyard.dev/defects.model: acme/defects
            modelyard.dev/defects.version: 1.5.0
          graph:
            name: defects
            implementation: SKLEARN_SERVER
            modelUri: https://models.acme.example/defects/1.5.0/model.joblib
          replicas: 3
          componentSpecs:
            - spec:
                containers:
                  - name: defects
                    resources:
                      requests:
                        cpu: "1"
                        memory: 1Gi
                    env:
                      - name: THREADS
                        value: "2"
                      - name: TOKEN
                        valueFrom:
                          secretKeyRef:
                            name: defects
                            key: token
          traffic: 20
        - name: quiet
          annotations:
            modelyard.dev/defects.model: acme/defects
            modelyard.dev/defects.version: 2.0.0
          graph:
            name: defects
            implementation: XGBOOST_SERVER
            modelUri: https://models.acme.example/defects-xgb/2.0.0/model.bst
          traffic: 50
          shadow: true
    ---
    apiVersion: machinelearning.seldon.io/v1
    kind: SeldonDeployment
    metadata:
      name: ranked
      namespace: models
    spec:
      protocol: v2
      predictors:
        - name: default
          annotations:
            modelyard.dev/ranked-rank.model: acme/ranked-rank
            modelyard.dev/ranked-rank.version: 1.0.0
            modelyard.dev/ranked-embed.model: acme/ranked-embed
            modelyard.dev/ranked-embed.version: 1.0.0
          graph:
            name: ranked-embed
            implementation: SKLEARN_SERVER
            modelUri: https://models.acme.example/embed-text/1.0.0/model.joblib
            type: MODEL
            children:
              - name: after-2
                type: OUTPUT_TRANSFORMER
                children:
                  - name: after-1
                    type: OUTPUT_TRANSFORMER
                    children:
                      - name: ranked-rank
                        implementation: XGBOOST_SERVER
                        modelUri: https://models.acme.example/ranking/1.0.0/model.bst
          componentSpecs:
            - spec:
                containers:
                  - name: ranked-rank
                    env:
                      - name: LEVEL
                        value: info
                  - name: after-1
                    image: registry.acme.example/inner@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
                  - name: after-2
                    image: registry.acme.example/outer@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
              hpaSpec:
                maxReplicas: 6
                minReplicas: 2
                metricsv2:
                  - type: Resource
                    resource:
                      name: memory
                      target:
                        type: Utilization
                        averageUtilization: 80
    ---
    apiVersion: machinelearning.seldon.io/v1
    kind: SeldonDeployment
    metadata:
      name: test-of-two
      namespace: models
    spec:
      protocol: v2
      predictors:
        - name: test-of-two-a
          annotations:
            modelyard.dev/test-of-two-a.model: acme/test-of-two-a
            modelyard.dev/test-of-two-a.version: 1.0.0
          graph:
            name: test-of-two-a
            implementation: MLFLOW_SERVER
            modelUri: https://models.acme.example/churn/1.0.0/model
          traffic: 25
        - name: test-of-two-b
          annotations:
            modelyard.dev/test-of-two-b.model: acme/test-of-two-b
            modelyard.dev/test-of-two-b.version: 1.1.0
          graph:
            name: test-of-two-b
            implementation: MLFLOW_SERVER
            modelUri: https://models.acme.example/churn/1.1.0/model
          traffic: 75
    "##);
}
