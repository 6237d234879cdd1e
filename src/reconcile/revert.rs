//! The commit that restores the line which chose a version that failed.
//!
//! It is what a person's [rollback](crate::ops::rollback) is, but goes back to what served before
//! by what the reconciler remembers, and its message has the evidence.
//!
//! Where there is a forge, the [herald](super::herald) opens a pull request of the branch whenever
//! the forge has time, and be it after a restart: its being away holds nothing up, and the branch is
//! there meanwhile.

use std::sync::Arc;

use async_trait::async_trait;

use super::edges::Scribe;
use super::herald::Herald;
use crate::ops::pull_request::Offer;
use crate::ops::rollback::{Line, lines, set_back};
use crate::ops::{propose, refuse_errors};
use crate::platform::clock::Clock;
use crate::platform::redact::printable;
use crate::record::kind::WriteBack;
use crate::record::{Failure, Name};
use crate::rollout::{self, Content, Release};
use crate::yard::{Yard, blocking};

/// Writes reverts on branches of the yard, as every other change is proposed.
pub struct Reverts {
    yard: Yard,
    environment: Name,
    clock: Arc<dyn Clock>,
    herald: Option<Herald>,
}

impl Reverts {
    /// Reverts of deployments in `environment`, whose pull requests are opened by `herald`, where
    /// there is one.
    pub fn new(
        yard: Yard,
        environment: Name,
        clock: Arc<dyn Clock>,
        herald: Option<Herald>,
    ) -> Self {
        Self {
            yard,
            environment,
            clock,
            herald,
        }
    }
}

#[async_trait]
impl Scribe for Reverts {
    async fn revert(
        &self,
        deployment: &Name,
        failure: &rollout::Failure,
        way: WriteBack,
    ) -> Result<(), Failure> {
        if way == WriteBack::None {
            return Ok(());
        }
        let now = self.clock.now();
        let branch = branch(&self.environment, deployment, failure);
        propose::settled(|| async {
            let change = propose::begin(&self.yard, &branch).await?;
            let (environment, deployment) = (self.environment.clone(), deployment.clone());
            let evidence = failure.clone();
            let made = blocking(move || {
                let mut change = change;
                let lines = lines(&change, &environment, &deployment, |failed| {
                    Ok(before(failed, &evidence))
                })?;
                for line in &lines {
                    set_back(&mut change, line)?;
                }
                if !lines.is_empty() {
                    refuse_errors(&change)?;
                }
                let message = message(&environment, &deployment, &evidence, &lines);
                Ok::<_, Failure>((change, lines, message))
            });
            let (change, lines, message) = made.await?;
            if lines.is_empty() {
                tracing::warn!(
                    deployment = %branch,
                    "main names the version that failed no more: there is nothing to revert"
                );
                return Ok(());
            }
            let proposed = propose::propose(change, &message, now).await?;
            if let (Some(herald), Some(offer)) = (&self.herald, Offer::of(&proposed)) {
                herald.owe(offer).await;
            }
            Ok(())
        })
        .await
    }
}

/// One branch for one failure, so that writing it twice is writing it once.
pub(super) fn branch(environment: &Name, deployment: &Name, failure: &rollout::Failure) -> String {
    let digest = failure.digests.first().map(|digest| digest.short());
    let digest = digest.unwrap_or_default();
    format!("revert/{environment}/{deployment}/{digest}")
}

/// What served of the same model before `failed`, if it is what failed.
fn before(failed: &Release, failure: &rollout::Failure) -> Option<Release> {
    let is_it = |content: &Content| matches!(content, Content::Model(one) if one == failed);
    if !failure.digests.contains(&failed.digest) || !failure.from.iter().any(is_it) {
        return None;
    }
    failure.to.iter().find_map(|content| match content {
        Content::Model(one) if one.model == failed.model && one != failed => Some(one.clone()),
        _ => None,
    })
}

fn message(
    environment: &Name,
    deployment: &Name,
    failure: &rollout::Failure,
    lines: &[Line],
) -> String {
    let back: Vec<String> = lines.iter().map(|line| line.back.to_string()).collect();
    let mut text = format!(
        "{environment}/{deployment}: back to {}\n\n{}.\n",
        back.join(", "),
        printable(&failure.cause.to_string())
    );
    for evidence in &failure.evidence {
        text += &format!("- {}\n", printable(evidence));
    }
    text += "\n";
    for line in lines {
        text += &format!("{line}\n");
    }
    for digest in &failure.digests {
        text += &format!("failed: {digest}\n");
    }
    text += &format!("at: {}", failure.at);
    text
}
