//! Checks what a workflow runs for, and tells it to whoever looks: in the log, at the lines of the
//! change, in the job's summary, as SARIF, and on the pull request.

use super::event::Event;
use super::inputs::Inputs;
use super::runner::Runner;
use crate::artifact::StoreOptions;
use crate::cli::check::{Printed, github, markdown, sarif, summary};
use crate::cli::proposing::way;
use crate::cli::{Context, Outcome, comment};
use crate::ops::check_change::{Checked, Wish, check_change};
use crate::ops::comment::{Looked, Reviewed, Whom, status};
use crate::ops::plan_change::{self, Planned};
use crate::ops::pull_request::Way;
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::retry::Policy;
use crate::record::{Failure, with_causes};
use crate::yard::{Revision, Yard};

/// A step that checks.
struct Step<'a> {
    context: &'a Context,
    runner: &'a Runner,
    inputs: &'a Inputs,
    yard: Yard,
}

pub(super) async fn run(
    context: &Context,
    runner: &Runner,
    inputs: &Inputs,
    event: &Event,
) -> Result<Outcome, Failure> {
    let yard = context.yard()?;
    let step = Step {
        context,
        runner,
        inputs,
        yard,
    };
    match event {
        Event::PullRequest {
            number,
            head,
            base,
            fork,
        } => match step.way()? {
            Way::Forge(_) => {
                let whom = Whom::Number(*number, Some(head.clone()));
                step.pull_request(&whom, *fork).await
            }
            // Without a token nobody can be asked, and the event alone tells.
            _ => step.alone(head.clone(), Some(base.clone())).await,
        },
        Event::Run { head } => step.run_of_another(head).await,
        Event::Queue { head, base } => step.queue(head, base).await,
        Event::Push { before } => {
            let known = |before: &String| step.yard.commit_id(&Revision::Commit(before.clone()));
            // What was overwritten by force is nowhere any more.
            let before = before.clone().filter(|before| known(before).is_ok());
            step.alone("HEAD".to_owned(), before).await
        }
        Event::Other => step.alone("HEAD".to_owned(), None).await,
    }
}

impl Step<'_> {
    fn way(&self) -> Result<Way, Failure> {
        let choice = self.inputs.forge.as_ref().map(|(choice, _)| choice);
        way(self.context, &self.yard, choice, Policy::default())
    }

    /// Checks a pull request, and comments on it unless the job may not.
    async fn pull_request(&self, whom: &Whom, fork: bool) -> Result<Outcome, Failure> {
        let Some(reviewed) = self.look(whom).await? else {
            return Ok(Outcome::Done);
        };
        let outcome = self.show(&reviewed.checked, &reviewed.planned)?;
        if self.inputs.comment && fork {
            self.runner.notice(
                "a fork's job may not comment; a workflow on `workflow_run` does, as in templates/",
            )?;
        } else if self.inputs.comment {
            self.tell(&reviewed).await?;
        }
        reviewed.checked.complete()?;
        Ok(outcome)
    }

    /// Tells the pull request of another workflow's run, which was not allowed to. The run's own
    /// report is not read: whoever opened the pull request may have written it.
    async fn run_of_another(&self, head: &str) -> Result<Outcome, Failure> {
        let Some(reviewed) = self.look(&Whom::Commit(head.to_owned())).await? else {
            return Ok(Outcome::Done);
        };
        self.context.print(&Printed(&reviewed.checked))?;
        let text = markdown::with_plan(&reviewed.checked, &reviewed.planned);
        self.runner.summarize(&text)?;
        self.output_hash(&reviewed.planned)?;
        self.tell(&reviewed).await?;
        // That it doesn't pass is the status's to say, and no failure of this workflow.
        Ok(Outcome::Done)
    }

    /// Checks what main would be, which no pull request is at.
    async fn queue(&self, head: &str, base: &str) -> Result<Outcome, Failure> {
        let checked = self.check(head.to_owned(), Some(base.to_owned())).await?;
        let planned = self.plan(head, Some(base)).await;
        let outcome = self.show(&checked, &planned)?;
        if self.inputs.comment
            && let Way::Forge(forge) = self.way()?
        {
            let summary = summary(&checked.report);
            let status = status(&checked, &summary, self.inputs.link.clone());
            forge.set_status(head, &status).await?;
        }
        checked.complete()?;
        Ok(outcome)
    }

    /// Checks, and tells the runner alone.
    async fn alone(&self, head: String, base: Option<String>) -> Result<Outcome, Failure> {
        let base = base.or_else(|| self.inputs.base.clone());
        let checked = self.check(head.clone(), base.clone()).await?;
        let planned = self.plan(&head, base.as_deref()).await;
        let outcome = self.show(&checked, &planned)?;
        checked.complete()?;
        Ok(outcome)
    }

    async fn check(&self, head: String, base: Option<String>) -> Result<Checked, Failure> {
        let wish = Wish {
            head: Revision::Commit(head),
            base,
            all: false,
            evidence: self.inputs.evidence,
            approvals: None,
            program: std::env::current_exe().map_err(FileError::at("find", "this program"))?,
        };
        let options = StoreOptions::new(&self.context.places);
        check_change(&self.yard, &wish, &options, self.context.clock.now()).await
    }

    /// What the merge of `head` into `base` would do.
    async fn plan(&self, head: &str, base: Option<&str>) -> Result<Planned, String> {
        let base = base.ok_or("there is nothing to compare with")?;
        let options = StoreOptions::new(&self.context.places);
        let wish = plan_change::Wish {
            head: Revision::Commit(head.to_owned()),
            base: base.to_owned(),
            stores: self.inputs.evidence.then_some(options),
        };
        let planned = plan_change::plan_change(&self.yard, &wish, self.context.clock.now()).await;
        planned.map_err(|error| with_causes(&*error))
    }

    fn output_hash(&self, planned: &Result<Planned, String>) -> Result<(), Failure> {
        // What can't be read is the check's to tell.
        if let Ok(planned) = planned {
            self.runner.output("plan-hash", &planned.hash.to_string())?;
        }
        Ok(())
    }

    async fn look(&self, whom: &Whom) -> Result<Option<Box<Reviewed>>, Failure> {
        let forge = self.way()?.forge()?;
        let evidence = self.inputs.evidence;
        match comment::look(self.context, &self.yard, &*forge, whom, evidence).await? {
            Looked::Reviewed(reviewed) => {
                let number = reviewed.pull.number.to_string();
                self.runner.output("pull-request", &number)?;
                Ok(Some(reviewed))
            }
            Looked::Over(why) => {
                self.runner.notice(&format!("nothing is told: {why}"))?;
                Ok(None)
            }
        }
    }

    async fn tell(&self, reviewed: &Reviewed) -> Result<(), Failure> {
        let forge = self.way()?.forge()?;
        let said = comment::tell(&*forge, reviewed, self.inputs.link.clone()).await?;
        if let Some(why) = &said.why {
            self.runner.notice(&format!("nothing is told: {why}"))?;
        }
        self.context.print(&said)
    }

    /// Hands the runner all of it.
    fn show(
        &self,
        checked: &Checked,
        planned: &Result<Planned, String>,
    ) -> Result<Outcome, Failure> {
        self.context.print(&Printed(checked))?;
        self.runner.commands(&github::annotations(checked))?;
        self.runner
            .summarize(&markdown::with_plan(checked, planned))?;
        self.output_hash(planned)?;
        if let Some(path) = &self.inputs.sarif {
            atomic::write(path, sarif::write(checked).as_bytes(), Readers::Umask)?;
        }
        Ok(match checked.report.passes() {
            true => Outcome::Done,
            false => Outcome::Problems,
        })
    }
}
