//! What is told while an environment is served: a line for each thing that happens, and its status
//! kept in a file.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;

use crate::cli::{Context, Format};
use crate::gateway::Gateway;
use crate::platform::redact::printable;
use crate::reconcile::follow::Watcher;
use crate::reconcile::herald::Herald;
use crate::reconcile::receipts::Receipts;
use crate::reconcile::status::Status;
use crate::reconcile::{Report, Trouble};
use crate::record::Name;
use crate::rollout::State;
use crate::target::process::Limiting;

/// Tells what happens, and keeps the status.
pub(in crate::cli) struct Told<'a> {
    context: &'a Context,
    environment: Name,
    folder: PathBuf,
    gateway: Option<(Gateway, SocketAddr)>,
    limiting: Limiting,
    herald: Option<Herald>,
    status: Option<Status>,
    troubles: Vec<Trouble>,
    unwritten: bool,
    /// Where what serves is kept; nowhere where nothing serves.
    receipts: Option<Receipts>,
    /// Whether a pass was made.
    passed: watch::Sender<bool>,
}

impl<'a> Told<'a> {
    /// Nothing is told yet of `environment`, whose state is in `folder`.
    pub(in crate::cli) fn of(
        context: &'a Context,
        environment: Name,
        folder: PathBuf,
        gateway: Option<(Gateway, SocketAddr)>,
        limiting: Limiting,
        herald: Option<Herald>,
    ) -> Self {
        Self {
            context,
            environment,
            folder,
            gateway,
            limiting,
            herald,
            status: None,
            troubles: Vec::new(),
            unwritten: false,
            receipts: None,
            passed: watch::Sender::new(false),
        }
    }

    /// Waits for the end of the first pass, by which the gateway has the routes of what serves.
    pub(in crate::cli) fn first_pass(&self) -> impl Future<Output = ()> + use<> {
        let mut passed = self.passed.subscribe();
        async move {
            // Where nobody tells any more there is nobody left to wait for.
            let _ = passed.wait_for(|passed| *passed).await;
        }
    }

    /// Has what serves kept in git from now on.
    pub(in crate::cli) fn keep_receipts(&mut self, receipts: Receipts) {
        self.receipts = Some(receipts);
    }

    /// Ends what is kept: at `at` nothing serves any more, if that is said.
    pub(in crate::cli) async fn end(self, at: Option<Timestamp>) {
        if let Some(receipts) = self.receipts {
            receipts.end(at).await;
        }
    }

    /// What it looks like, after the last pass.
    pub(in crate::cli) fn status(self) -> Option<Status> {
        self.status
    }

    fn line(&self, deployment: Option<&Name>, text: &str) {
        let text = printable(text);
        let at = self.context.clock.now();
        if self.context.format == Format::Text {
            let at = at.strftime("%H:%M:%S");
            let deployment = deployment.unwrap_or(&self.environment);
            self.context.note(&format!("{at}  {deployment}: {text}"));
        } else {
            let line = json!({"at": at, "deployment": deployment, "event": text});
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// What failed stays told until it worked, or nothing of the kind is tried any more.
    fn remember(&mut self, report: &Report) {
        if report.retry_at.is_none() {
            self.troubles.clear();
        }
        for trouble in &report.troubles {
            let same = |known: &Trouble| {
                (&known.deployment, &known.tried) == (&trouble.deployment, &trouble.tried)
            };
            let known = self.troubles.iter().position(same);
            let before = known.map(|at| self.troubles.remove(at));
            if before.is_none_or(|before| before.to_string() != trouble.to_string()) {
                self.line(trouble.deployment.as_ref(), &trouble.to_string());
            }
            self.troubles.push(trouble.clone());
        }
    }
}

impl Watcher for Told<'_> {
    fn is_asked(&self) -> bool {
        self.gateway
            .as_ref()
            .is_some_and(|(gateway, _)| gateway.is_awaited())
    }

    fn passed(&mut self, report: &Report, state: &State) {
        for (deployment, event) in report.events() {
            self.line(Some(deployment), &event.to_string());
        }
        self.passed.send_replace(true);
        if let Some(receipts) = &mut self.receipts {
            receipts.passed(report, state);
        }
        self.remember(report);
        let listening = self.gateway.as_ref().map(|(_, address)| *address);
        let mut status = Status::of(&self.environment, report, state, &self.troubles, listening);
        status.limits = Some(self.limiting.clone());
        if let Some(herald) = &self.herald {
            herald.passed(report, state, &status);
        }
        let before = self
            .status
            .as_ref()
            .and_then(|status| status.behind.as_ref());
        if let Some(behind) = &status.behind
            && before != Some(behind)
        {
            self.line(None, behind);
        }
        if self.status.as_ref() == Some(&status) && !self.unwritten {
            return;
        }
        let written = status.write(&self.folder);
        if let Err(error) = &written
            && !self.unwritten
        {
            self.line(None, &format!("the status can't be written: {error}"));
        }
        self.unwritten = written.is_err();
        self.status = Some(status);
    }
}
