//! Checks what a workflow runs for, and tells it to whoever looks: in the log, at the lines of the
//! change, in the job's summary, as SARIF, and on the pull request.

use super::event::Event;
use super::inputs::Inputs;
use super::runner::Runner;
use crate::artifact::StoreOptions;
use crate::cli::check::{Printed, github, markdown, sarif, summary};
use crate::cli::proposing::way;
use crate::cli::{Context, Outcome, comment};
use crate::forge::Forge;
use crate::ops::assess::{Assessed, Change, assess};
use crate::ops::comment::{Looked, Reviewed, Whom, look};
use crate::ops::pull_request::Way;
use crate::platform::atomic::{self, Readers};
use crate::platform::retry::Policy;
use crate::record::Failure;
use crate::yard::{Revision, Yard};

/// A step that checks.
struct Step<'a> {
    context: &'a Context,
    runner: &'a Runner,
    stores: &'a StoreOptions,
    inputs: &'a Inputs,
    yard: Yard,
}

pub(super) async fn run(
    context: &Context,
    runner: &Runner,
    stores: &StoreOptions,
    inputs: &Inputs,
    event: &Event,
) -> Result<Outcome, Failure> {
    let yard = context.yard()?;
    let step = Step {
        context,
        runner,
        stores,
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
            Way::Forge(forge) => {
                let whom = Whom::Number(*number, Some(head.clone()));
                step.pull_request(&*forge, &whom, *fork).await
            }
            // Without a token nobody can be asked, and the event alone tells.
            Way::None(_) => step.alone(head.clone(), Some(base.clone())).await,
        },
        Event::Run { head } => {
            let forge = step.way()?.forge()?;
            step.run_of_another(&*forge, head).await
        }
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
    async fn pull_request(
        &self,
        forge: &dyn Forge,
        whom: &Whom,
        fork: bool,
    ) -> Result<Outcome, Failure> {
        let Some(reviewed) = self.look(forge, whom).await? else {
            return Ok(Outcome::Done);
        };
        let outcome = self.show(&reviewed.assessed)?;
        if self.inputs.comment && fork {
            self.runner.notice(
                "a fork's job may not comment; a workflow on `workflow_run` does, as in templates/",
            )?;
        } else if self.inputs.comment {
            self.tell(forge, &reviewed).await?;
        }
        reviewed.assessed.checked.complete()?;
        Ok(outcome)
    }

    /// Tells the pull request of another workflow's run, which was not allowed to. The run's own
    /// report is not read: whoever opened the pull request may have written it.
    async fn run_of_another(&self, forge: &dyn Forge, head: &str) -> Result<Outcome, Failure> {
        let whom = Whom::Commit(head.to_owned());
        let Some(reviewed) = self.look(forge, &whom).await? else {
            return Ok(Outcome::Done);
        };
        self.print(&reviewed.assessed)?;
        self.tell(forge, &reviewed).await?;
        // That it doesn't pass is the status's to say, and no failure of this workflow.
        Ok(Outcome::Done)
    }

    /// Checks what main would be, which no pull request is at.
    async fn queue(&self, head: &str, base: &str) -> Result<Outcome, Failure> {
        let assessed = self.assess(head.to_owned(), Some(base.to_owned())).await?;
        let outcome = self.show(&assessed)?;
        if self.inputs.comment
            && let Way::Forge(forge) = self.way()?
        {
            // Whatever main's rule requires has to be said of the queue's commit, too.
            let (link, summary) = (self.inputs.link.clone(), summary(&assessed.checked.report));
            for status in [
                assessed.check_status(&summary, link.clone()),
                assessed.plan_status(link),
            ] {
                forge.set_status(head, &status).await?;
            }
        }
        assessed.checked.complete()?;
        Ok(outcome)
    }

    /// Checks, and tells the runner alone.
    async fn alone(&self, head: String, base: Option<String>) -> Result<Outcome, Failure> {
        let base = base.or_else(|| self.inputs.base.clone());
        let assessed = self.assess(head, base).await?;
        let outcome = self.show(&assessed)?;
        assessed.checked.complete()?;
        Ok(outcome)
    }

    async fn assess(&self, head: String, base: Option<String>) -> Result<Assessed, Failure> {
        let change = Change {
            head: Revision::Commit(head),
            base,
            approvals: None,
        };
        let how = comment::how(self.context, self.stores.clone(), self.inputs.evidence)?;
        assess(&self.yard, change, &how).await
    }

    async fn look(&self, forge: &dyn Forge, whom: &Whom) -> Result<Option<Box<Reviewed>>, Failure> {
        let how = comment::how(self.context, self.stores.clone(), self.inputs.evidence)?;
        match look(&self.yard, forge, whom, &how).await? {
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

    async fn tell(&self, forge: &dyn Forge, reviewed: &Reviewed) -> Result<(), Failure> {
        let said = comment::tell(forge, reviewed, self.inputs.link.clone()).await?;
        if let Some(why) = &said.why {
            self.runner.notice(&format!("nothing is told: {why}"))?;
        }
        self.context.print(&said)
    }

    /// Prints the check, and hands the runner what is read beside it.
    fn print(&self, assessed: &Assessed) -> Result<(), Failure> {
        self.context.print(&Printed(&assessed.checked))?;
        self.runner.summarize(&markdown::with_plan(assessed))?;
        // What can't be read is the check's to tell.
        if let Some(hash) = assessed.hash() {
            self.runner.output("plan-hash", &hash.to_string())?;
        }
        Ok(())
    }

    /// Hands the runner all of it.
    fn show(&self, assessed: &Assessed) -> Result<Outcome, Failure> {
        let checked = &assessed.checked;
        self.print(assessed)?;
        self.runner.commands(&github::annotations(checked))?;
        if let Some(path) = &self.inputs.sarif {
            atomic::write(path, sarif::write(checked).as_bytes(), Readers::Umask)?;
        }
        Ok(match checked.report.passes() {
            true => Outcome::Done,
            false => Outcome::Problems,
        })
    }
}
