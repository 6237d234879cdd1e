//! Rules that no generated document shows: between fields, and held by the schemas only.

use modelyard::record::{Kind, Record};
use serde_json::{Value, json};

use super::{problems, schema, validator};

/// Every rule that only the schema holds: what it is, why the types don't, and a change to a
/// schema's first example that breaks it.
#[test]
fn rules_that_only_the_schema_holds_are_these() {
    use Kind::{Deployment, Environment, Model, ModelVersion, Yard};
    #[rustfmt::skip]
    let table = [
        ("an optional field is left out, not null", "serde reads both as None",
            Model, "/spec/description", Value::Null),
        ("an object is no list", "serde reads a struct from a list, too",
            Yard, "/spec/releases", json!([["inputs"]])),
        ("a word is no mapping", "serde reads an enum from a mapping, too",
            ModelVersion, "/spec/lifecycle", json!({"released": null})),
        ("numbers, texts, lists and mappings have upper bounds", "the types hold what fits into memory",
            Model, "/spec/title", json!("a".repeat(256))),
        ("a name is one line without control characters", "a String holds any text",
            Model, "/spec/title", json!("a\nb")),
        ("some lists are never empty", "a Vec holds nothing, too",
            Model, "/spec/owners", json!([])),
        ("some lists have nothing twice", "a Vec holds it twice",
            ModelVersion, "/spec/targetDevices", json!(["cpu", "cpu"])),
        ("at most one metric is the score", "it is a rule between items",
            ModelVersion, "/spec/metrics", json!([{"name": "a", "value": 1, "score": true}, {"name": "b", "value": 1, "score": true}])),
        ("a default is a boolean, a number or a text", "the types keep what was written",
            ModelVersion, "/spec/parameters/0/default", json!({})),
        ("a tensor's elements are booleans, numbers and texts", "the types keep what was written",
            ModelVersion, "/spec/tests/0/expect/outputs/0/data", json!([null])),
        ("a test has `data` or `file`", "the types keep both for whoever mends it",
            ModelVersion, "/spec/tests/0/expect/outputs/0", json!({"name": "label"})),
        ("a test's shape has no -1", "it is the type of every shape",
            ModelVersion, "/spec/tests/0/request/inputs/0/shape", json!([-1])),
        ("an image's std is not 0", "it is the type of every number",
            ModelVersion, "/spec/inputs/0/image/std", json!([0])),
        ("an artifact's repository has a path", "it is the type of stores, too",
            ModelVersion, "/spec/artifact/repository", json!("registry.example.com")),
        ("a time is written by RFC 3339", "jiff reads other forms of ISO 8601, too",
            ModelVersion, "/spec/createdAt", json!("2026-11-01 09:30Z")),
        ("mlflow and git have a `url`", "it is a rule between fields",
            Yard, "/spec/sources/0", json!({"name": "lab", "type": "mlflow"})),
        ("a deployment has `model` or `split`", "it is a rule between fields",
            Deployment, "/spec", json!({})),
        ("a metric to scale by has a `target`", "it is a rule between fields",
            Deployment, "/spec/replicas", json!({"metric": "rps"})),
        ("a canary has steps with weights", "it is a rule between fields",
            Deployment, "/spec/strategy", json!({"type": "canary"})),
        ("recreate and rolling have no steps", "it is a rule between fields",
            Deployment, "/spec/strategy", json!({"type": "rolling", "steps": [{"weight": 5}]})),
        ("a cluster's namespace is a DNS label", "the cluster says so itself",
            Environment, "/spec/target/namespace", json!("a_b")),
    ];
    for (rule, why, kind, pointer, value) in table {
        let root = schema(kind);
        let mut document = root["examples"][0].clone();
        *document.pointer_mut(pointer).expect("the example has it") = value;
        let refused_by_schema = problems(&validator(&root), &document);
        assert_ne!(refused_by_schema, "", "{rule}, but {why}");
        let refused_by_types = Record::from_value(kind, &document).err();
        assert!(refused_by_types.is_none(), "{rule}, but {why}");
    }
}

#[test]
fn rules_between_fields_that_both_hold() {
    use Kind::{Deployment, Environment, ModelVersion, Policy, Yard};
    for (kind, pointer, value) in [
        (Yard, "/apiVersion", json!("modelyard.dev/v2")),
        (Yard, "/kind", json!("Model")),
        (Yard, "/spec/trust/rules/0/accept/0", json!({})),
        (
            Yard,
            "/spec/trust/rules/0/accept/0",
            json!({"key": "a", "keyless": {"issuer": "https://a.example", "identity": "b"}}),
        ),
        (
            Yard,
            "/spec/trust/rules/0/accept/0",
            json!({"revoked": true, "keyless": {"issuer": "https://a.example", "identity": "b"}}),
        ),
        (Yard, "/spec/sources/0/token", json!("hunter2")),
        (
            Yard,
            "/spec/sources/0/token",
            json!({"env": "TOKEN", "key": "token"}),
        ),
        (Yard, "/spec/sources/0/token", json!({"secret": "lab"})),
        (
            Yard,
            "/spec/sources/0/url",
            json!("https://user:hunter2@mlflow.acme.example"),
        ),
        (
            ModelVersion,
            "/spec/dependencies/models/0/producedBy",
            json!({"model": "a/b"}),
        ),
        (
            ModelVersion,
            "/spec/dependencies/models/0/producedBy",
            json!({"model": "a/b", "output": "a", "file": "b"}),
        ),
        (
            ModelVersion,
            "/spec/tests/0/request/inputs/0/file",
            json!("../secret"),
        ),
        (
            Environment,
            "/spec/target",
            json!({"type": "process", "context": "prod"}),
        ),
        (
            Environment,
            "/spec/target",
            json!({"type": "edge", "unknown": 1}),
        ),
        (Environment, "/spec/target", json!({"context": "prod"})),
        (Deployment, "/spec/before/0", json!({"version": "1.0.0"})),
        (
            Deployment,
            "/spec/after/0/container/image",
            json!("registry.example.com/acme/label:1"),
        ),
        (
            Deployment,
            "/spec/analysis/0",
            json!({"name": "a", "source": "gateway", "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/0",
            json!({"name": "a", "source": "gateway", "query": "a", "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/0",
            json!({"name": "a", "source": "gateway", "metric": "a"}),
        ),
        (
            Deployment,
            "/spec/analysis/0",
            json!({"name": "a", "source": "gateway", "metric": "a", "pointer": "/a", "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/3",
            json!({"name": "a", "source": "http", "pointer": "/a", "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/3",
            json!({"name": "a", "source": "http", "url": "http://a", "command": ["a"], "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/3/url",
            json!("http://user:hunter2@quality.acme.example/"),
        ),
        (Deployment, "/spec/analysis/3/pointer", json!("complaints")),
        (Deployment, "/spec/analysis/3/pointer", json!("/~2")),
        (
            Deployment,
            "/spec/analysis/4",
            json!({"name": "a", "source": "command", "below": 1}),
        ),
        (
            Deployment,
            "/spec/analysis/4",
            json!({"name": "a", "source": "command", "command": ["a"], "url": "http://a", "below": 1}),
        ),
        (Deployment, "/spec/analysis/4/command", json!("echo 0.01")),
        (Deployment, "/spec/analysis/4/command", json!([])),
        (Deployment, "/spec/analysis/4/command", json!(["", "a"])),
        (
            Deployment,
            "/spec/analysis/4/command",
            json!(["a", "b\u{0}"]),
        ),
        (Deployment, "/spec/analysis/4/command", json!(vec!["a"; 65])),
        (Deployment, "/spec/route/sticky", json!({})),
        (
            Deployment,
            "/spec/route/sticky",
            json!({"header": "x-session", "cookie": "seat"}),
        ),
        (Deployment, "/spec/route/sticky", json!({"cookie": "a=b"})),
        (
            Deployment,
            "/spec/route/sticky",
            json!({"cookie": "__Host-seat"}),
        ),
        (
            Policy,
            "/spec/match/transitions/0",
            json!("released -> staged"),
        ),
    ] {
        let root = schema(kind);
        let mut document = root["examples"][0].clone();
        let place = document.pointer_mut(pointer).expect("the example has it");
        *place = value.clone();
        assert!(
            !validator(&root).is_valid(&document),
            "the schema takes {value} at {pointer}"
        );
        assert!(
            Record::from_value(kind, &document).is_err(),
            "the types take {value} at {pointer}"
        );
    }
}
