//! Who reconciles by pipelines alone: no server runs, a merge starts a workflow, and another one looks
//! every night. Both are the templates', run by act.

use modelyard::forge::DeploymentState;
use serde_json::{Value, json};

use super::super::stage::{CANARY, Stage};
use super::Team;
use crate::cli::action::{Job, Runner};
use crate::forge::contract::Stage as _;
use crate::forge::gitea::Yard;
use crate::harness::Sandbox;
use crate::harness::registry::Distribution;

const RECONCILE: &str = ".gitea/workflows/modelyard-reconcile.yml";
const NIGHTLY: &str = ".gitea/workflows/modelyard-nightly.yml";

/// A team whose yard has the templates' workflows.
struct Pipelines<'a> {
    team: Team<'a, Yard>,
}

impl<'a> Pipelines<'a> {
    fn of(team: Team<'a, Yard>) -> Self {
        let (yard, sandbox) = (&team.stage.yard, team.stage.sandbox);
        yard.modelyard(["init", "--ci", "gitea"]).run().success();
        // act copies files, and not the empty folder into which libgit2 fetches.
        yard.git(["repack", "--quiet", "-a"]).run().success();
        // In the stage's own folder, which ends what is started there.
        let state = team.stage.state();
        for file in [RECONCILE, NIGHTLY] {
            let mut text = sandbox.read(format!("yard/{file}"));
            for command in ["reconcile", "plan"] {
                let line = format!("command: {command}\n");
                let more = format!("          arguments: --state={}\n", state.display());
                text = text.replace(&line, &format!("{line}{more}"));
            }
            yard.write(file, &text);
        }
        Self { team }
    }

    fn run(&self, file: &str, event: &str, payload: &Value) -> Job {
        let (sandbox, host) = (self.team.stage.sandbox, self.team.front.host());
        let runner = Runner::new(sandbox, &host, true);
        runner.run(file, event, payload, &self.team.forge.bot.token)
    }

    fn merged(&self, commit: &str) -> Job {
        let push = json!({ "ref": "refs/heads/main", "after": commit });
        self.run(RECONCILE, "push", &push)
    }

    fn at_night(&self) -> Job {
        self.run(NIGHTLY, "workflow_dispatch", &json!({}))
    }
}

#[test]
fn a_merge_is_reconciled_and_told_and_the_night_is_red_while_it_is_not() {
    let (sandbox, registry) = (Sandbox::new(), Distribution::start());
    let stage = Stage::set_at(&sandbox, &registry.host());
    let pipelines = Pipelines::of(Team::on(stage, Yard::empty(), CANARY));
    let team = &pipelines.team;
    let number = team.proposes("1.1.0");
    let merged = team.merges(number);

    let night = pipelines.at_night().fails();
    // All bytes are there, if without a signature.
    let errors = night.annotated().filter(|one| one.kind == "error");
    let errors: Vec<&str> = errors.map(|one| &*one.raw).collect();
    assert_eq!(
        errors,
        ["::error title=drift::host is not what main says: see the plan above"]
    );
    assert_ne!(night.output("changes"), "0");
    let drift = "- `digits: nothing -> vision/digits 1.1.0`";
    assert!(night.summary.contains(drift), "{}", night.summary);

    let job = pipelines.merged(&merged).success();
    assert_eq!(job.annotations(), [] as [&str; 0]);
    let begins = "### ✅ `host` is as main says\n";
    assert!(job.summary.starts_with(begins), "{}", job.summary);
    // It is told before the job ends.
    let told = team.told(number).unwrap();
    assert!(told.contains("✅ `host` is as main says"), "{told}");
    assert_eq!(team.state(&merged), Some(DeploymentState::Success));
    let night = pipelines.at_night().success();
    assert_eq!(night.output("changes"), "0");

    // One that doesn't answer.
    let number = team.proposes("1.2.0");
    let merged = team.merges(number);
    let job = pipelines.merged(&merged).fails();
    let [said] = &job.annotations()[..] else {
        panic!("{:?}\n{}", job.commands, job.outcome.report());
    };
    let fails = "::error title=host/digits::vision/digits 1.2.0";
    assert!(said.starts_with(fails), "{said}");
    for line in [
        "### ❌ `host` is not as main says\n",
        "| ❌ | `digits` | degraded | `vision/digits 1.2.0` | `vision/digits 1.1.0` |",
        "- its revert is on the branch `revert/host/digits/",
    ] {
        assert!(job.summary.contains(line), "{}", job.summary);
    }
    let told = team.told(number).unwrap();
    let page = format!("/acme/yard/pulls/{}", number + 1);
    assert!(told.contains("❌ `host` is not as main says"), "{told}");
    assert!(told.contains(&page), "{told}");
    assert_eq!(team.state(&merged), Some(DeploymentState::Failure));
    assert_eq!(team.forge.comments(number).len(), 1);
}
