//! Folders and databases of this machine, read by a server of the user's own MLflow.

#[cfg(feature = "real-tools")]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

#[cfg(feature = "real-tools")]
use modelyard::import::Files;
use modelyard::record::Fault;

#[cfg(feature = "real-tools")]
use super::listed;
use super::{list, open};
use crate::harness::{Sandbox, in_time};

/// Registers `local ☃` with one version, whatever the store, and `a file` with a single file.
#[cfg(feature = "real-tools")]
const REGISTER: &str = r#"
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input

three = int(mlflow.__version__.split(".")[0]) >= 3
place = {"name": "model"} if three else {"artifact_path": "model"}
with mlflow.start_run() as run:
    mlflow.log_text("only", "only.txt")
    mlflow.log_param("depth", 3)
    mlflow.pyfunc.log_model(
        **place, python_model=Echo(), pip_requirements=["numpy"], registered_model_name="local ☃"
    )
client = mlflow.MlflowClient()
client.set_registered_model_alias("local ☃", "champion", "1")
client.create_registered_model("a file")
client.create_model_version("a file", f"{run.info.artifact_uri}/only.txt", run.info.run_id)
"#;

#[cfg(feature = "real-tools")]
#[tokio::test]
async fn folders_and_databases_are_read_and_nothing_runs_afterwards() {
    use crate::harness::tools;

    for (major, uri, word) in [
        (3, "sqlite:///mlflow.db", "./lab"),
        (3, "./mlruns", "lab/mlruns"),
        (2, "./mlruns", "lab"),
    ] {
        let sandbox = Sandbox::new();
        let lab = sandbox.path("lab");
        std::fs::create_dir(&lab).unwrap();
        let program = tools::path(&format!("mlflow{major}-python"));
        let output = Command::new(program)
            .args(["-c", REGISTER])
            .env("MLFLOW_TRACKING_URI", uri)
            .env("MLFLOW_ALLOW_FILE_STORE", "true")
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .env("GIT_PYTHON_REFRESH", "quiet")
            .current_dir(&lab)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );

        let mlflow = tools::path(&format!("mlflow{major}"));
        let variables = [("MODELYARD_MLFLOW", mlflow.to_str().unwrap())];
        let source = open(&format!("mlflow:{word}"), &sandbox.path(""), &variables).unwrap();
        assert_eq!(source.address(), None);
        let listing = list(&*source).await.unwrap();
        let one = listed(&listing, "models:/local ☃/1");
        assert_eq!(one.aliases, ["champion"], "MLflow {major}, {word}");
        let candidate = source.candidate(one).await.unwrap();
        assert_eq!(candidate.version["hyperparameters"]["depth"], 3);
        // There is no page to look at it.
        assert!(candidate.version["lineage"]["run"].get("url").is_none());
        let Files::Here(folder) = &candidate.files else {
            panic!("{:?}", candidate.files);
        };
        assert!(
            folder.starts_with(&lab) && folder.join("MLmodel").is_file(),
            "{folder:?}"
        );
        let file = listed(&listing, "models:/a file/1");
        let Files::Here(file) = source.candidate(file).await.unwrap().files else {
            panic!("{file:?}");
        };
        assert_eq!(std::fs::read_to_string(file).unwrap(), "only");
        assert!(!processes_of(&lab).is_empty());
        drop(source);
        let began = Instant::now();
        while !processes_of(&lab).is_empty() {
            in_time(began);
        }
    }
}

/// The processes that work in this folder.
#[cfg(feature = "real-tools")]
fn processes_of(folder: &Path) -> Vec<PathBuf> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let processes = processes.map(|entry| entry.path());
    processes
        .filter(|process| std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder))
        .collect()
}

/// A folder of runs, and a program in place of MLflow.
fn folder_and_program(sandbox: &Sandbox, program: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    sandbox.write("mlruns/0/meta.yaml", "");
    let path = sandbox.write("mlflow", program);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn without_mlflow_or_with_one_that_ends_it_says_what_to_do() {
    let sandbox = Sandbox::new();
    let program = folder_and_program(
        &sandbox,
        "#!/bin/sh\necho 'Detected an old schema'; exit 1\n",
    );
    for (program, words) in [
        (program.to_str().unwrap(), "Detected an old schema"),
        ("/nowhere/mlflow", "there is no program `/nowhere/mlflow`"),
        ("no-such-mlflow", "there is no program `no-such-mlflow`"),
    ] {
        let variables = [("MODELYARD_MLFLOW", program)];
        let source = open("mlflow:.", &sandbox.path(""), &variables).unwrap();
        let error = list(&*source).await.unwrap_err();
        assert_eq!(error.code().id, "source-program", "{error}");
        assert!(error.to_string().contains(words), "{error}");
        let help = error.help().unwrap();
        assert!(
            help.contains("MODELYARD_MLFLOW") && help.contains("mlflow server"),
            "{help}"
        );
    }
}

#[test]
fn a_server_that_was_started_ends_with_us_even_if_we_are_killed() {
    let sandbox = Sandbox::new();
    let program = folder_and_program(
        &sandbox,
        "#!/bin/sh\necho $$ > pid.new; mv pid.new pid; exec sleep 100000\n",
    );
    sandbox.yard();
    let mut import = Command::new(env!("CARGO_BIN_EXE_modelyard"))
        .args(["import", "mlflow:..", "--list"])
        .env("MODELYARD_MLFLOW", program)
        .env("HOME", sandbox.home())
        .current_dir(sandbox.path("yard"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let pid = sandbox.path("pid");
    while !pid.exists() {
        assert!(import.try_wait().unwrap().is_none(), "it ended");
        in_time(began);
    }
    import.kill().unwrap();
    import.wait().unwrap();
    let pid = sandbox.read("pid").trim().to_owned();
    let runs = || {
        let asked = Command::new("kill")
            .args(["-0", &pid])
            .stderr(Stdio::null())
            .status();
        asked.unwrap().success()
    };
    let began = Instant::now();
    while runs() {
        in_time(began);
    }
}
