//! `modelyard comment`: tells a pull request what it would do.

use std::fmt::{self, Write};

use serde::Serialize;

use super::check::{markdown, summary};
use super::proposing::way;
use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report};
use crate::artifact::StoreOptions;
use crate::forge::{Choice, Forge};
use crate::ops::assess::How;
use crate::ops::comment::{self, Looked, Reviewed, Whom};
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::record::{Digest, Failure};

/// Tell a pull request what a merge would do and what a check says of it, in one comment and two
/// statuses
///
/// Fetches its change as objects of git, plans it, checks it as the base's policies say, and writes
/// what came of it into one comment, which later runs edit in place, and into the statuses
/// `modelyard/check` and `modelyard/plan` of its commit; the plan's hash is in that of the plan. Reviews that the forge has count for gates that ask for approvals. Nothing of the
/// change is run, so that this is safe for what strangers propose, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard comment 12
  modelyard comment 12 --evidence --link https://ci.example.com/runs/7
  modelyard comment --commit 4f2c1e9b7a6d…     of whichever is at this commit

Exit codes: 0 it was told, 1 nobody waits for it any more, 2 or 3 it could not be told. What the
check came to is in the status, and makes no difference.")]
pub(super) struct Arguments {
    /// The pull request's number
    #[arg(value_name = "NUMBER", required_unless_present = "commit")]
    number: Option<u64>,
    /// The commit that it has to be at; without a number, whichever is at it
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Ask the stores for the bytes, and verify signatures by the base's trust policy
    #[arg(long)]
    evidence: bool,
    /// Where the status leads for more
    #[arg(long, value_name = "URL")]
    link: Option<url::Url>,
    /// Where pull requests live, if neither modelyard.yaml nor the remote tells: github, gitlab or
    /// gitea, and the yard's page there, as gitea=https://git.example.com/acme/yard
    #[arg(long, value_name = "FORGE[=PAGE]")]
    forge: Option<Choice>,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let whom = match (self.number, self.commit) {
            (Some(number), commit) => Whom::Number(number, commit),
            (None, commit) => Whom::Commit(commit.unwrap_or_default()),
        };
        let yard = context.yard()?;
        let link = self.link.map(String::from);
        let way = way(context, &yard, self.forge.as_ref(), Policy::default())?;
        let forge = way.forge()?;
        let how = how(context, self.stores.options(context), self.evidence)?;
        let looked = comment::look(&yard, &*forge, &whom, &how).await?;
        let said = match &looked {
            Looked::Reviewed(reviewed) => tell(&*forge, reviewed, link).await?,
            Looked::Over(why) => Said::nothing(why.clone()),
        };
        context.print(&said)?;
        Ok(match said.told {
            true => Outcome::Done,
            false => Outcome::Problems,
        })
    }
}

/// How a change is looked at from here.
pub(super) fn how(context: &Context, stores: StoreOptions, evidence: bool) -> Result<How, Failure> {
    Ok(How {
        evidence,
        stores,
        program: context.program()?,
        now: context.clock.now(),
    })
}

/// Comments, and sets the status.
pub(super) async fn tell(
    forge: &dyn Forge,
    reviewed: &Reviewed,
    link: Option<String>,
) -> Result<Said, Failure> {
    let Reviewed { pull, assessed } = reviewed;
    let report = &assessed.checked.report;
    let statuses = [
        assessed.check_status(&summary(report), link.clone()),
        assessed.plan_status(link),
    ];
    let text = markdown::with_plan(assessed);
    let told = comment::tell(forge, reviewed, &markdown::marker(), &text, &statuses).await?;
    let moved = || format!("#{} moved on while it was checked", pull.number);
    Ok(Said {
        told,
        why: (!told).then(moved),
        number: Some(pull.number),
        url: Some(pull.url.clone()),
        head: Some(pull.head.clone()),
        passes: Some(report.passes()),
        summary: Some(summary(report)),
        plan_hash: assessed.hash(),
    })
}

/// What was told to whom.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Said {
    pub(super) told: bool,
    /// Why nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan_hash: Option<Digest>,
}

impl Said {
    pub(super) fn nothing(why: String) -> Self {
        Self {
            told: false,
            why: Some(why),
            number: None,
            url: None,
            head: None,
            passes: None,
            summary: None,
            plan_hash: None,
        }
    }
}

impl Report for Said {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if let Some(why) = &self.why {
            return writeln!(page, "told nobody: {}", printable(why));
        }
        let (number, url) = (self.number.unwrap_or_default(), self.url.as_deref());
        writeln!(
            page,
            "told #{number} {}",
            printable(url.unwrap_or_default())
        )?;
        writeln!(
            page,
            "  check  {}",
            self.summary.as_deref().unwrap_or_default()
        )?;
        match &self.plan_hash {
            Some(hash) => writeln!(page, "  plan   {hash}"),
            None => Ok(()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.url.iter().cloned().collect()
    }
}
