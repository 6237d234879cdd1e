//! All that a real server has comes, and every byte of it.

use std::path::Path;

use modelyard::record::kind::SourceType;
use serde_json::{Value, json};

use super::lab::{Lab, digests, lab};
use super::{fetched, list, listed, open, server};
use crate::harness::{Front, Login, Sandbox};

const SNOW: &str = "Schnee ☃ Klassifikator";

#[tokio::test]
async fn everything_is_listed_but_what_is_no_finished_model() {
    for major in [3, 2] {
        let Lab { server: real, told } = lab(major);
        let source = server(&real.host());
        assert_eq!(source.source_type(), SourceType::Mlflow);
        assert_eq!(source.address(), Some(format!("http://{}", real.host())));
        let listing = list(&*source).await.unwrap();
        let models: Vec<_> = listing.models.keys().map(String::as_str).collect();
        assert_eq!(
            models,
            [
                SNOW,
                "a single file",
                "boosted",
                "diabetes.onnx",
                "of a failed run",
                "of none",
                "pending",
                "plain"
            ],
            "MLflow {major}"
        );
        let references: Vec<_> = listing.versions.iter().map(|one| &*one.reference).collect();
        assert_eq!(
            references,
            [
                "models:/Schnee ☃ Klassifikator/1",
                "models:/Schnee ☃ Klassifikator/2",
                "models:/Schnee ☃ Klassifikator/4",
                "models:/a single file/1",
                "models:/a single file/2",
                "models:/a single file/3",
                "models:/a single file/4",
                "models:/boosted/1",
                "models:/diabetes.onnx/1",
                "models:/of a failed run/1",
                "models:/plain/1",
            ],
        );
        // What MLflow's own client found, and no more.
        let mut known: Vec<_> = told.keys().map(String::as_str).collect();
        known.sort_unstable();
        assert_eq!(references, known);
        let left: Vec<_> = listing
            .left_out
            .iter()
            .map(|left| format!("{}: {}", left.what, left.why))
            .collect();
        assert_eq!(
            left,
            [
                "greeting: it is a prompt, and no model",
                "models:/pending/1: its status is PENDING_REGISTRATION",
                "models:/pending/2: its status is FAILED_REGISTRATION",
            ]
        );

        let model = &listing.models[SNOW];
        assert_eq!(
            Value::Object(model.spec.clone()),
            json!({"description": "Tells snow."})
        );
        assert_eq!(model.tags["line"], "3");
        let [one, two, four] = &listing.versions[..3] else {
            panic!("{listing:?}");
        };
        assert_eq!(one.stage.as_deref(), Some("Archived"));
        assert_eq!(two.stage.as_deref(), Some("Production"));
        assert_eq!(
            (&*two.label, two.version.as_ref().unwrap().to_string()),
            ("2", "2.0.0".into())
        );
        assert_eq!(two.aliases, ["champion"]);
        assert_eq!(four.aliases, ["challenger"]);
        assert_eq!(two.tags["größe"], "☃");
        assert!(one.created_at < two.created_at && one.revision != two.revision);
    }
}

#[tokio::test]
async fn every_byte_of_every_version_comes() {
    for major in [3, 2] {
        let Lab { server: real, told } = lab(major);
        let sandbox = Sandbox::new();
        let source = server(&real.host());
        let listing = list(&*source).await.unwrap();
        for one in &listing.versions {
            let candidate = source.candidate(one).await.unwrap();
            let folder = fetched(&*source, one, &candidate, &sandbox.path(""))
                .await
                .unwrap();
            assert_eq!(
                digests(&folder),
                told[&one.reference],
                "MLflow {major}: {}",
                one.reference
            );
        }
    }
}

#[tokio::test]
async fn a_version_says_where_it_comes_from_what_it_takes_and_how_good_it_is() {
    for major in [3, 2] {
        let Lab { server: real, .. } = lab(major);
        let source = server(&real.host());
        let listing = list(&*source).await.unwrap();
        let one = listed(&listing, &format!("models:/{SNOW}/2"));
        let candidate = source.candidate(one).await.unwrap();
        let mut version = candidate.version;
        assert_eq!(
            version["createdAt"].as_str().unwrap().len(),
            "2026-11-01T09:30:00Z".len()
        );
        version.shift_remove("createdAt");
        let run = version["lineage"]["run"].take();
        let url = run["url"].as_str().unwrap();
        let id = run["id"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("http://{}/#/experiments/1/runs/{id}", real.host())),
            "{url}"
        );
        version["lineage"]
            .as_object_mut()
            .unwrap()
            .shift_remove("run");
        assert!(version.shift_remove("author").unwrap().is_string());
        version["framework"]
            .as_object_mut()
            .unwrap()
            .shift_remove("version");
        version["environment"]
            .as_object_mut()
            .unwrap()
            .shift_remove("version");
        let mut expected = json!({
            "notes": "C = 1.0",
            "framework": {"name": "scikit-learn"},
            "runtime": {"name": "mlflow"},
            "environment": {"language": "python", "requirements": "requirements.txt"},
            "inputs": [
                {"name": "age", "datatype": "FP64", "shape": [-1]},
                {"name": "visits", "datatype": "INT64", "shape": [-1]},
            ],
            "parameters": [{"name": "threshold", "datatype": "FP64", "default": 0.5}],
            "hyperparameters": {"strength": 1.0, "solver": "lbfgs", "note": "ä b"},
            "properties": {"team-code": "A7", "größe": "☃"},
            "metrics": [{"name": "loss", "value": 0.25}],
            "lineage": {
                "source": {
                    "repository": "https://git.example.com/acme/train.git",
                    "commit": "4f2c1e9b7a6d5c4b3a2918070605040302010f0e",
                    "path": "train.py",
                },
                "datasets": [{"name": "line3", "uri": "s3://data/line3.csv"}],
            },
        });
        if major == 3 {
            expected["hyperparameters"]["depth"] = json!(3);
            expected["metrics"] = json!([
                {"name": "accuracy", "value": 0.97, "dataset": "line3"},
                {"name": "loss", "value": 0.25},
            ]);
        }
        assert_eq!(Value::Object(version), expected, "MLflow {major}");

        // What has no field is kept, as it was said and without what gives access.
        let unmapped = &candidate.unmapped;
        assert_eq!(unmapped["run.run_name"], "strength 1.0");
        assert_eq!(unmapped["run.tags.purpose"], "a test");
        assert_eq!(
            unmapped["run.inputs"]["dataset_inputs"][0]["tags"]["mlflow.data.context"],
            "training"
        );
        let metrics = unmapped["metrics"].as_array().unwrap();
        assert!(
            metrics
                .iter()
                .any(|one| one["key"] == "broken" && one["value"] == "NaN"),
            "{metrics:?}"
        );
        assert!(!serde_json::to_string(&unmapped).unwrap().contains("secret"));
        assert_eq!(candidate.remarks, Vec::<String>::new());
    }
}

#[tokio::test]
async fn what_was_no_model_of_mlflow_comes_with_its_files_and_a_remark() {
    let Lab { server: real, .. } = lab(3);
    let source = server(&real.host());
    let listing = list(&*source).await.unwrap();
    let one = listed(&listing, "models:/of a failed run/1");
    let candidate = source.candidate(one).await.unwrap();
    assert_eq!(candidate.version["author"], "ada");
    assert_eq!(candidate.unmapped["run.status"], "FAILED");
    assert_eq!(
        candidate.remarks,
        ["it has no MLmodel: of its inputs and outputs is known what its files tell"]
    );
}

#[tokio::test]
async fn a_server_under_a_prefix_behind_a_login_is_asked_with_the_users_variables() {
    let Lab { server: real, told } = lab(3);
    let front = Front::before(&real.host());
    let login = Login::new("ada", "pass word");
    front.with_login(&login, crate::harness::Answer::status(401));
    let word = format!("mlflow:http://{}", front.host());
    let variables = [
        ("MLFLOW_TRACKING_USERNAME", "ada"),
        ("MLFLOW_TRACKING_PASSWORD", "pass word"),
        ("MLFLOW_TRACKING_TOKEN", "not this one"),
    ];
    let sandbox = Sandbox::new();
    let source = open(&word, Path::new("/"), &variables).unwrap();
    let listing = list(&*source).await.unwrap();
    let one = listed(&listing, "models:/boosted/1");
    let candidate = source.candidate(one).await.unwrap();
    let folder = fetched(&*source, one, &candidate, &sandbox.path(""))
        .await
        .unwrap();
    assert_eq!(digests(&folder), told["models:/boosted/1"]);
    assert!(!format!("{source:?}").contains("pass word"));
}
