//! The second half of the story: what main says is what runs.

use super::DemoError;
use super::sample;
use super::stage::Stage;
use super::story::{check, merge, plan};
use super::traffic::{Counts, Traffic};
use crate::record::Failure;

/// The environment that this machine is.
const ENVIRONMENT: &str = "\
apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: host}
spec:
  target: {type: process}
";

/// How new versions take over, behind the record that `deploy` writes.
const CANARY: &str = "\x20 strategy:
    type: canary
    steps:
      - {weight: 25, for: 2s}
      - {weight: 50, for: 2s, analysis: [errors]}
  analysis:
    - {name: errors, source: gateway, metric: error_rate, below: 0.2, interval: 1s, minSamples: 10}
";

/// What `status` tells whenever something changes.
const WATCH: &str = "modelyard status --environment host --watch";

/// Plays it.
pub(super) fn play(stage: &mut Stage<'_>) -> Result<(), Failure> {
    a_deployment(stage)?;
    let traffic = traffic(stage)?;
    a_canary(stage)?;
    a_broken_version(stage)?;
    told(stage, &traffic.end())?;
    an_import(stage)?;
    stage.tell("The server ends what it answers, and then what it runs.");
    stage.end()
}

fn a_deployment(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("Serving: what main says is what runs");
    stage.tell(
        "environments/host.yaml makes this machine an environment, where models run as processes:",
    );
    stage.write("yard/environments/host.yaml", ENVIRONMENT.as_bytes())?;
    stage.run("yard", "git add environments")?;
    stage.run(
        "yard",
        "git commit --quiet --message 'An environment: this machine'",
    )?;
    stage.run("yard", "git push --quiet origin main")?;
    stage.run("yard", "modelyard deploy vision/digits:champion --to host")?;
    let branch = "deploy/host/digits";
    check(stage, branch)?;
    merge(stage, branch)?;
    stage.tell("A deployment says, too, how new versions take over; here by canary:");
    stage.extend("yard/deployments/host/digits.yaml", CANARY)?;
    stage.prints(
        "yard",
        "git diff --no-color --unified=0 deployments",
        &["weight: 25"],
    )?;
    stage.run(
        "yard",
        "git commit --quiet --all --message 'digits: by canary'",
    )?;
    stage.run("yard", "git push --quiet origin main")?;
    stage.begin(
        "yard",
        "modelyard serve --environment host --listen 127.0.0.1:0",
        "../serve.log",
    )?;
    stage.comes_up("yard")?;
    stage.watches("yard", WATCH, &["healthy"], &mut |_, _| Ok(()))?;
    stage.prints(
        "yard",
        "modelyard predict vision/digits --environment host -f ../digits/1.0.0/requests/a-three.json",
        &["3"],
    )
}

/// From here on clients ask without a break.
fn traffic(stage: &mut Stage<'_>) -> Result<Traffic, Failure> {
    let status = stage.status("yard")?;
    let address = status["listening"].as_str().unwrap_or_default();
    let request = sample::version("1.0.0").find(|(path, _)| *path == "requests/a-three.json");
    let request = request.map_or(&[][..], |(_, bytes)| bytes);
    Traffic::begin(address, "digits", request)
}

fn a_canary(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A canary: the better version takes over, step by step");
    stage.tell("From here on, four clients ask without a break.");
    stage.run(
        "yard",
        "modelyard promote vision/digits:1.1.0 --to released --alias champion",
    )?;
    stage.tell(
        "This time something runs, and the plan says what the merge does to it. Its hash is kept with\n\
         the pull request: if main comes to another plan by then, the environment refuses it.",
    );
    let branch = "promote/vision/digits/1.1.0";
    check(stage, branch)?;
    let texts = [
        "1 deployment changes",
        "vision/digits 1.0.0 → vision/digits 1.1.0 by canary: 25 % → 50 % → 100 %",
        "plan sha256:",
    ];
    plan(stage, branch, &texts)?;
    merge(stage, branch)?;
    stage.run("yard", "modelyard reconcile --nudge --environment host")?;
    let steps = ["1.1.0 25 %", "1.1.0 50 %", "healthy  vision/digits 1.1.0"];
    stage.watches("yard", WATCH, &steps, &mut |stage, told| match told {
        0 => {
            stage.tell("\nIn the middle of it, somebody kills the server:");
            let process = stage.status("yard")?["process"].to_string();
            stage.run("yard", &format!("kill -9 {process}"))
        }
        _ => Ok(()),
    })
}

fn a_broken_version(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A broken version: caught, held, and a revert that says why");
    stage.run(
        "yard",
        "modelyard publish ../digits/1.2.0 --as vision/digits --bump minor \\\n    \
         --from ../digits/1.2.0.yaml --promote champion",
    )?;
    let branch = "publish/vision/digits/1.2.0";
    check(stage, branch)?;
    merge(stage, branch)?;
    stage.run("yard", "modelyard reconcile --nudge --environment host")?;
    stage.watches(
        "yard",
        WATCH,
        &["degraded  vision/digits 1.1.0"],
        &mut |_, _| Ok(()),
    )?;
    let revert = stage.reverted("yard")?;
    stage.answers_no(
        "yard",
        "modelyard status --environment host",
        &["vision/digits 1.2.0 fails its golden tests", &revert],
    )?;
    stage.tell(
        "It got no request. 1.1.0 goes on, and the way back is on a branch: one line, and why.",
    );
    stage.run("yard", "git fetch --quiet")?;
    stage.prints(
        "yard",
        &format!("git diff --no-color --unified=0 main origin/{revert}"),
        &["-    champion: 1.2.0", "+    champion: 1.1.0"],
    )?;
    merge(stage, &format!("origin/{revert}"))?;
    stage.run("yard", "modelyard reconcile --nudge --environment host")?;
    stage.watches(
        "yard",
        WATCH,
        &["healthy  vision/digits 1.1.0"],
        &mut |_, _| Ok(()),
    )
}

fn an_import(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.scene("A model from elsewhere: imported from MLflow's own format");
    sample::write_from_mlflow(&stage.folder.join("diabetes"))?;
    stage.tell(
        "diabetes/mlflow is a folder as MLflow keeps models. What its MLmodel says becomes fields of\n\
         the records; what has no field here is kept, and told. A server of MLflow would be imported\n\
         from likewise, with all its versions, stages and aliases.",
    );
    stage.run(
        "yard",
        "modelyard import ../diabetes/mlflow --name diabetes --as health/diabetes:1.0.0 \\\n    \
         --owner health",
    )?;
    let branch = "import/diabetes";
    check(stage, branch)?;
    merge(stage, branch)?;
    stage.run("yard", "modelyard deploy health/diabetes:1.0.0 --to host")?;
    let branch = "deploy/host/diabetes";
    check(stage, branch)?;
    merge(stage, branch)?;
    stage.run("yard", "modelyard reconcile --nudge --environment host")?;
    stage.watches(
        "yard",
        WATCH,
        &["healthy  health/diabetes 1.0.0"],
        &mut |_, _| Ok(()),
    )?;
    stage.prints(
        "yard",
        "modelyard predict health/diabetes:1.0.0 --environment host \\\n    \
         -f ../diabetes/1.0.0/requests/one-patient.json",
        &["89.6"],
    )
}

/// Tells who answered; nobody may have been left without, but those that were in the killed server.
fn told(stage: &mut Stage<'_>, counts: &Counts) -> Result<(), Failure> {
    let answers: Vec<String> = counts
        .answers
        .iter()
        .map(|(version, count)| format!("{version} answered {count} times"))
        .collect();
    let failed = match counts.failed {
        0 => "and nobody was left without an answer".to_owned(),
        failed => format!("and {failed} requests were in the server when it was killed"),
    };
    stage.tell(&format!("All the while: {}, {failed}.", answers.join(", ")));
    let versions: Vec<&str> = counts.answers.keys().map(String::as_str).collect();
    if versions != ["1.0.0", "1.1.0"] || counts.failed > 4 {
        return Err(DemoError::NotAsTold {
            line: "the clients".to_owned(),
            expected: "answers of 1.0.0 and 1.1.0, and at most 4 requests without".to_owned(),
            got: format!("{counts:?}"),
            folder: stage.folder.clone(),
        }
        .into());
    }
    Ok(())
}
