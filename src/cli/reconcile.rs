//! `modelyard reconcile`: makes an environment what main says, without staying.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;
use tokio::time::timeout;

use super::host::HostArguments;
use super::serve::{Assembly, Role, Told, WordArguments};
use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report, status};
use crate::reconcile::follow::Follower;
use crate::reconcile::inbox::{Inbox, Message};
use crate::reconcile::status::Status;
use crate::record::Failure;

/// How long pull requests may take to hear what became of them; what they miss is told by the next
/// who reconciles.
const UNTIL_TOLD: Duration = Duration::from_secs(30);

/// Make an environment of this host what main says, once, or have its server do so now
///
/// With --once: fetches main, and goes on until nothing is left to do but what time or people
/// decide, then says how it looks and exits; what was started goes on. A server that runs has this
/// for itself: tell it by --nudge that main has something new.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard reconcile --once -e host
  modelyard reconcile --nudge -e host      # in a git hook, or behind a webhook
  modelyard reconcile --nudge -e host --accept-plan sha256:…
                                           # what `status` holds back is meant")]
pub(super) struct Arguments {
    #[command(flatten)]
    host: HostArguments,
    /// Do it here and now
    #[arg(long, required_unless_present = "nudge", conflicts_with = "nudge")]
    once: bool,
    /// Have the server of this host fetch main at once
    #[arg(long)]
    nudge: bool,
    /// How long it may take; what was begun by then goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    #[command(flatten)]
    words: WordArguments,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = context.yard()?;
        let folder = self.host.folder(context, &yard);
        if self.nudge {
            let inbox = Inbox::of(&folder);
            if let Some(hash) = self.words.accept_plan {
                inbox.put(&Message::Plan(hash))?;
            }
            inbox.put(&Message::Nudge)?;
            return Ok(Outcome::Done);
        }
        let environment = self.host.environment;
        let assembly = Assembly {
            environment: environment.clone(),
            yard,
            folder: folder.clone(),
            words: self.words.words(),
            stores: self.stores.options(context),
            prometheus: None,
        };
        let assembled = assembly.build(Role::Acts, context).await?;
        let mut follower = Follower {
            reconciler: assembled.reconciler,
            branch: assembled.branch,
            inbox: assembled.inbox,
            every: SignedDuration::ZERO,
            clock: Arc::clone(&context.clock),
        };
        let herald = assembled.herald.clone();
        let limiting = assembled.limiting;
        let mut told = Told::of(
            context,
            environment,
            folder,
            None,
            limiting,
            assembled.herald,
        );
        let settling = follower.settle(&mut told);
        let is_settled = timeout(Duration::from_secs(self.timeout), settling)
            .await
            .is_ok();
        if let Some(herald) = herald {
            herald.finish(UNTIL_TOLD).await;
        }
        let Some(status) = told.status() else {
            return Ok(Outcome::Problems);
        };
        let is_well = is_settled && status::is_well(&status);
        context.print(&Reconciled { status, is_settled })?;
        Ok(if is_well {
            Outcome::Done
        } else {
            Outcome::Problems
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reconciled {
    #[serde(flatten)]
    status: Status,
    is_settled: bool,
}

impl Report for Reconciled {
    fn text(&self, page: &mut Page) -> fmt::Result {
        status::text(&self.status, page)
    }

    fn names(&self) -> Vec<String> {
        status::names(&self.status)
    }
}
