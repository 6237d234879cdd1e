//! A version that is registered at a real tracking server of MLflow's.

use super::{RECORD, fields, yard};
use crate::harness::mlflow::Mlflow;
use crate::harness::{Answer, Front, Sandbox};

/// Asks the server as its own client does what it has, and what that predicts.
const ASK: &str = r#"
import sys, numpy, pandas, mlflow
client = mlflow.MlflowClient()
version = client.get_model_version_by_alias("diabetes-progression", "champion")
run = client.get_run(version.run_id)
print(version.version, version.current_stage, version.tags["modelyard.reference"], run.info.status)
print(client.get_registered_model("diabetes-progression").description)
print(sorted(run.data.params.items()), sorted(run.data.metrics.items()))
names = "age sex bmi bp s1 s2 s3 s4 s5 s6".split()
values = [25, 2, 22.6, 85, 130, 71, 48, 3, 4.0073, 81]
rows = pandas.DataFrame({name: numpy.array([value], "float32") for name, value in zip(names, values)})
answer = mlflow.pyfunc.load_model("models:/diabetes-progression@champion").predict(rows)
answer = list(answer.values())[0] if isinstance(answer, dict) else answer
print(numpy.round(numpy.asarray(answer, "float64").ravel(), 2).tolist())
"#;

#[test]
fn a_version_is_registered_once_and_comes_back_from_there() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    for major in [3, 2] {
        let server = Mlflow::start(major);
        let uri = format!("http://{}", server.host());
        let out = sandbox.path(format!("out-{major}"));
        let export = || {
            let words = [
                "export",
                "health/diabetes-progression",
                out.to_str().unwrap(),
            ];
            let more = ["--to=mlflow", "--register", "--tracking-uri", &uri];
            yard.modelyard(words.iter().chain(&more)).run().success()
        };
        let done = export();
        let told = format!("registered as models:/diabetes-progression/1 of {uri}");
        assert!(done.stdout.contains(&told), "{}", done.stdout);
        // A registry has a place for what a folder has none for.
        assert!(!done.stdout.contains("alias champion"), "{}", done.stdout);
        assert!(!done.stdout.contains("lifecycle"), "{}", done.stdout);

        let python = format!("mlflow{major}-python");
        let ask = sandbox
            .tool(&python, ["-c", ASK])
            .env("MLFLOW_TRACKING_URI", &uri);
        insta::allow_duplicates! {
            insta::assert_snapshot!(ask.run().success().stdout, @r"
            1 Production health/diabetes-progression:1.0.0 FINISHED
            Estimates from ten columns of a table how far diabetes has gone one year on.
            [('alpha', '1.0'), ('alphas', '[0.1,1.0,10.0,100.0]'), ('cv', '5')] [('mean_absolute_error', 42.06), ('r2', 0.4072)]
            [89.63]
            ");
        }
        export().prints("was there as models:/diabetes-progression/1");

        let other = Sandbox::new();
        let back = other.yard();
        let word = format!("mlflow:{uri}");
        let words = [
            "import",
            "--unsigned",
            "--namespace=health",
            "--owner=health",
            "--name=back",
        ];
        back.modelyard(words.iter().chain(&[&*word]))
            .run()
            .success();
        back.merge("import/back");
        let (came, went) = (fields(&back, RECORD), fields(&yard, RECORD));
        for field in [
            "lifecycle",
            "inputs",
            "outputs",
            "tests",
            "format",
            "changes",
        ] {
            assert_eq!(came["spec"][field], went["spec"][field], "{field}");
        }
        // MLflow's parameters are texts: a list comes back as one.
        let parameters = &came["spec"]["hyperparameters"];
        assert_eq!(parameters["alphas"], "[0.1,1.0,10.0,100.0]");
        assert_eq!(parameters["cv"], 5);
    }
}

#[test]
fn a_server_that_is_away_or_says_no_is_told_and_the_folder_is_there() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let front = Front::alone();
    let uri = format!("http://{}", front.host());
    let out = sandbox.path("out");
    let export = || {
        let words = [
            "export",
            "health/diabetes-progression",
            out.to_str().unwrap(),
        ];
        let more = ["--to=mlflow", "--register", "--tracking-uri", &uri];
        yard.modelyard(words.iter().chain(&more)).run()
    };
    front.always("GET", "model-versions/search", Answer::status(401));
    let refused = export().exits(2);
    assert!(
        refused.stderr.contains("error[source-unauthorized]"),
        "{}",
        refused.stderr
    );
    assert!(out.join("MLmodel").is_file());

    // A run whose files could not be sent is marked as failed, and nothing is registered.
    let json = |body: &str| Answer::body(200, "application/json", body);
    front.always("GET", "model-versions/search", json("{}"));
    front.always(
        "GET",
        "experiments/get-by-name",
        json(r#"{"experiment": {"experiment_id": "1"}}"#),
    );
    let run =
        r#"{"run": {"info": {"run_id": "r", "artifact_uri": "mlflow-artifacts:/1/r/artifacts"}}}"#;
    front.always("POST", "runs/create", json(run));
    front.always("POST", "runs/log-batch", json("{}"));
    front.always("POST", "runs/update", json("{}"));
    front.always(
        "PUT",
        "mlflow-artifacts/artifacts/1/r/artifacts/model/",
        Answer::status(403),
    );
    let refused = export().exits(2);
    assert!(
        refused.stderr.contains("doesn't let us take MLmodel"),
        "{}",
        refused.stderr
    );
    assert_eq!(front.count("POST", "runs/update"), 1);
    assert_eq!(front.count("POST", "model-versions/create"), 0);
}
