//! Records as people write them: those in the schemas, and those of the design.

use std::collections::BTreeSet;
use std::path::Path;

use modelyard::record::kind::{
    Drift, PlanMismatch, PublishMode, Severity, Span, Target, Visibility,
};
use modelyard::record::{Kind, Record};
use serde_json::Value;

use super::walk::{schema_fields, used_fields};
use super::{read_yaml, schema, survives, validator};

/// The records that the design shows, with real values where it leaves some out.
const FIXTURES: [(&str, Kind); 7] = [
    ("yard.yaml", Kind::Yard),
    ("model.yaml", Kind::Model),
    ("model-version.yaml", Kind::ModelVersion),
    ("environment.yaml", Kind::Environment),
    ("deployment.yaml", Kind::Deployment),
    ("deployment-split.yaml", Kind::Deployment),
    ("policy.yaml", Kind::Policy),
];

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/record/fixtures")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn example(kind: Kind, which: usize) -> Record {
    Record::from_value(kind, &schema(kind)["examples"][which]).unwrap()
}

#[test]
fn the_schemas_examples_hold() {
    for &kind in Kind::ALL {
        let root = schema(kind);
        let validator = validator(&root);
        let examples = root["examples"].as_array().unwrap();
        assert!(
            examples.len() >= 2,
            "{kind} shows a full and a small record"
        );
        for example in examples {
            survives(kind, &validator, example);
        }
    }
}

#[test]
fn the_designs_records_hold() {
    let paths = FIXTURES.map(|(name, kind)| {
        let document = read_yaml(&fixture(name));
        survives(kind, &validator(&schema(kind)), &document).path()
    });
    assert_eq!(
        paths,
        [
            "modelyard.yaml",
            "models/vision/defects/model.yaml",
            "models/vision/defects/versions/1.4.0.yaml",
            "environments/factory.yaml",
            "deployments/factory/defects.yaml",
            "deployments/factory/defects.yaml",
            "policies/release.yaml",
        ]
    );
}

#[test]
fn the_guide_shows_the_same_records() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/records.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let blocks = guide.split("```yaml\n").skip(1);
    let shown: Vec<_> = blocks
        .map(|block| read_yaml(block.split("```").next().unwrap()))
        .collect();
    assert_eq!(shown, FIXTURES.map(|(name, _)| read_yaml(&fixture(name))));
}

#[test]
fn what_the_schemas_have_beside_the_design_is_known() {
    let mut beside = Vec::new();
    for &kind in Kind::ALL {
        let known = schema_fields(&schema(kind));
        let mut used = BTreeSet::new();
        for (name, of) in FIXTURES {
            if of == kind {
                used_fields(&read_yaml(&fixture(name)), &known, &mut used);
            }
        }
        beside.extend(known.difference(&used).map(|path| format!("{kind}{path}")));
    }
    insta::assert_snapshot!(beside.join("\n"), @"
    Yard/spec/classification/category
    Yard/spec/classification/inputDataType
    Yard/spec/classification/task
    Yard/spec/sources/*/token/key
    Yard/spec/sources/*/token/secret
    ModelVersion/spec/inputs/*/description
    ModelVersion/spec/inputs/*/labels
    ModelVersion/spec/outputs/*/description
    ModelVersion/spec/outputs/*/image
    ModelVersion/spec/outputs/*/image/color
    ModelVersion/spec/outputs/*/image/layout
    ModelVersion/spec/outputs/*/image/mean
    ModelVersion/spec/outputs/*/image/scale
    ModelVersion/spec/outputs/*/image/std
    ModelVersion/spec/runtime/args
    ModelVersion/spec/tests/*/expect/outputs/*/datatype
    ModelVersion/spec/tests/*/expect/outputs/*/file
    ModelVersion/spec/tests/*/expect/outputs/*/shape
    ModelVersion/spec/tests/*/request/inputs/*/data
    ModelVersion/spec/tests/*/request/parameters
    Deployment/spec/after/*/model
    Deployment/spec/after/*/version
    Deployment/spec/before/*/container
    Deployment/spec/before/*/container/image
    Deployment/spec/resources/limits/cpu
    Deployment/spec/resources/limits/gpu
    Deployment/spec/resources/requests/gpu
    Deployment/spec/runtime/args
    Deployment/spec/runtime/secrets/*/from/env
    Deployment/spec/runtime/version
    ");
}

#[test]
fn a_full_record_is_written_as_a_person_would() {
    let Record::Deployment(mut deployment) = example(Kind::Deployment, 0) else {
        unreachable!()
    };
    deployment.spec.analysis.truncate(1);
    insta::assert_snapshot!(Record::from(deployment).to_yaml(), @r#"
    apiVersion: modelyard.dev/v1
    kind: Deployment
    metadata:
      name: defects
      environment: factory
    spec:
      model: vision/defects
      version: champion
      pool: cpu
      replicas:
        min: 2
        max: 8
        metric: concurrency
        target: 10
        scaleDownDelay: 5m
      resources:
        requests:
          cpu: "1"
          memory: 2Gi
        limits:
          memory: 4Gi
      runtime:
        name: onnx
        env:
          THREADS: "2"
        secrets:
          - env: TOKEN
            from:
              secret: defects
              key: token
      before:
        - model: vision/resize
          version: 1.0.0
      after:
        - container:
            image: registry.example.com/acme/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
      route:
        path: /defects
        sticky:
          header: x-session
      strategy:
        type: canary
        steps:
          - weight: 5
            for: 10m
          - weight: 25
            for: 30m
            analysis: [errors, agreement]
          - weight: 50
            approval: true
      analysis:
        - name: errors
          source: gateway
          metric: error_rate
          below: 0.01
          interval: 30s
          failureLimit: 2
          minSamples: 200
      rollback:
        auto: true
        window: 5
        writeBack: pull-request
      health:
        timeout: 10m
      drift: correct
      rollout:
        digest: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        step: 2
        action: pause
      dependsOn: [embedder]
      suspend: false
      restart: "2026-11-01T10:00:00Z"
    "#);
}

#[test]
fn what_is_not_said_has_the_value_that_the_schema_names() {
    let Record::Yard(yard) = example(Kind::Yard, 1) else {
        unreachable!()
    };
    let root = schema(Kind::Yard);
    let spec = &root["properties"]["spec"]["properties"];
    let named = |section: &str, field: &str| spec[section]["properties"][field]["default"].clone();
    assert_eq!(yard.spec.publish_mode(), PublishMode::PullRequest);
    assert_eq!(named("publish", "mode"), PublishMode::PullRequest.as_str());
    assert_eq!(yard.spec.recycled_retention(), Span::days(30));
    assert_eq!(named("retention", "recycled"), Span::days(30).to_string());
    assert_eq!(
        named("retention", "rollbackWindow"),
        yard.spec.rollback_window()
    );
    assert!(yard.spec.trust.is_empty());

    let Record::Model(model) = example(Kind::Model, 1) else {
        unreachable!()
    };
    let root = schema(Kind::Model);
    assert_eq!(model.spec.visibility(), Visibility::Internal);
    assert_eq!(
        default_of(&root, "visibility"),
        Visibility::Internal.as_str()
    );

    let Record::Environment(environment) = example(Kind::Environment, 1) else {
        unreachable!()
    };
    let root = schema(Kind::Environment);
    assert_eq!(environment.spec.target, Target::Process {});
    assert_eq!(environment.spec.plan_mismatch(), PlanMismatch::Refuse);
    assert_eq!(
        default_of(&root, "planMismatch"),
        PlanMismatch::Refuse.as_str()
    );

    let Record::Deployment(deployment) = example(Kind::Deployment, 2) else {
        unreachable!()
    };
    let root = schema(Kind::Deployment);
    assert_eq!(deployment.spec.drift(), Drift::Correct);
    assert_eq!(default_of(&root, "drift"), Drift::Correct.as_str());
    assert_eq!(deployment.spec.shares().len(), 1);

    let Record::Policy(policy) = example(Kind::Policy, 1) else {
        unreachable!()
    };
    assert_eq!(policy.spec.gates[0].severity(), Severity::Error);
}

fn default_of(root: &Value, field: &str) -> Value {
    root["properties"]["spec"]["properties"][field]["default"].clone()
}

#[test]
fn a_split_gives_each_share_a_pool() {
    let Record::Deployment(mut deployment) = example(Kind::Deployment, 0) else {
        unreachable!()
    };
    let root = schema(Kind::Deployment);
    let split = root["examples"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|document| {
            document["spec"].get("split")?;
            match Record::from_value(Kind::Deployment, document) {
                Ok(Record::Deployment(deployment)) => Some(deployment),
                _ => None,
            }
        });
    deployment.spec = split.expect("one example has a split").spec;
    deployment.spec.split[0].pool = None;
    deployment.spec.pool = Some("shared".parse().unwrap());
    let pools: Vec<_> = deployment
        .spec
        .shares()
        .into_iter()
        .map(|share| (share.weight, share.pool.unwrap().to_string()))
        .collect();
    assert_eq!(pools, [(80, "shared".to_owned()), (20, "gpu".to_owned())]);
}
