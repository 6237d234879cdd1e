//! `--wait`: until a change is merged, and what it asks of deployments serves.

use tokio::time::timeout;

use super::Context;
use super::host::HostArguments;
use crate::forge::{Forge, State};
use crate::ops::propose::Proposed;
use crate::ops::pull_request::serving::{self, ServingError};
use crate::ops::pull_request::{self, Way};
use crate::reconcile::inbox::{Inbox, Message};
use crate::reconcile::status::Status;
use crate::reconcile::{course, memory};
use crate::record::kind::Span;
use crate::record::{Failure, Name};
use crate::yard::{Yard, blocking};

/// Waits until `proposed` is merged and serves, at most until `deadline` is over, and notes what came
/// of it.
///
/// # Errors
/// If it is not merged, doesn't serve, or takes too long.
pub(super) async fn wait(
    context: &Context,
    yard: &Yard,
    way: &Way,
    proposed: &mut Proposed,
    deadline: Option<Span>,
) -> Result<(), Failure> {
    let mut awaited = "merged";
    let waits = in_order(context, yard, way, proposed, &mut awaited);
    let Some(waited) = deadline else {
        return waits.await;
    };
    match timeout(waited.to_duration(), waits).await {
        Ok(done) => done,
        Err(_) => Err(ServingError::Late { awaited, waited }.into()),
    }
}

async fn in_order(
    context: &Context,
    yard: &Yard,
    way: &Way,
    proposed: &mut Proposed,
    awaited: &mut &'static str,
) -> Result<(), Failure> {
    let Some(opened) = &proposed.pull_request else {
        return Ok(());
    };
    context.note(&format!("waiting until {} is merged", opened.url));
    pull_request::merged(way, proposed).await?;
    let asked = serving::asked(yard, proposed).await?;
    let (Way::Forge(forge), Some(opened)) = (way, &mut proposed.pull_request) else {
        return Ok(());
    };
    let State::Merged {
        commit: Some(commit),
    } = opened.state.clone()
    else {
        return Ok(());
    };
    *awaited = "serving";
    for (environment, deployment) in asked {
        context.note(&format!(
            "merged; waiting until {environment}/{deployment} serves it"
        ));
        let place = (&environment, &deployment);
        serves(context, yard, &**forge, &commit, place).await?;
        if !opened.serves.contains(&environment) {
            opened.serves.push(environment);
        }
    }
    Ok(())
}

/// Looks at the server of this host, where the environment is its own, and else at the forge.
async fn serves(
    context: &Context,
    yard: &Yard,
    forge: &dyn Forge,
    commit: &str,
    (environment, deployment): (&Name, &Name),
) -> Result<(), Failure> {
    let tell = |words: &str| context.note(&format!("{environment}/{deployment}: {words}"));
    let folder = HostArguments::of(environment.clone(), None).folder(context, yard);
    if !folder.is_dir() || !memory::is_taken(&folder)? {
        let look = || async { Ok(forge.deployment(commit, environment.as_str()).await?) };
        return serving::serving(environment, serving::THERE, tell, look).await;
    }
    Inbox::of(&folder).put(&Message::Nudge)?;
    let look = || {
        let (yard, folder) = (yard.clone(), folder.clone());
        let (commit, deployment) = (commit.to_owned(), deployment.clone());
        blocking(move || {
            let status = Status::read(&folder)?;
            let course = status.map(|status| course(&status, &yard, &commit, &deployment));
            course.transpose()
        })
    };
    serving::serving(environment, serving::HERE, tell, look).await
}
