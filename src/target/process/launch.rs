//! From an order to a shim that runs.

use std::fs::File;
use std::process::Stdio;

use secrecy::{ExposeSecret, SecretString};

use super::state::{Command, Folder, Shim};
use super::{Ground, ProcessError, log, mark};
use crate::rollout::Content;
use crate::target::runtime::onnx::Called;
use crate::target::{Order, Recipe, runtime};

/// Variables that nobody may see.
pub(super) type Secret = Vec<(String, SecretString)>;

/// How an order's runtime is started; or, for people, why it can't be.
pub(super) fn command(order: &Order, ground: &Ground) -> Result<(Command, Secret), String> {
    let unit = order.choice.unit(order.part);
    let unit = unit.ok_or("its choice has no such part")?;
    let recipe = Recipe::read(&unit.launch).map_err(|error| error.to_string())?;
    let Content::Model(release) = &unit.content else {
        return Err("an image runs in a container, and this target runs processes".to_owned());
    };
    let called = Called {
        name: order.id.deployment.clone(),
        version: Some(release.version.clone()),
    };
    let arguments = runtime::arguments(&recipe, &order.files, &called);
    let arguments = arguments.map_err(|not_here| not_here.to_string())?;
    let mut secret = Secret::new();
    for wanted in &recipe.secrets {
        let value = (ground.secrets)(&wanted.from);
        let value = value.ok_or_else(|| {
            format!(
                "the secret of the variable `{}` is not on this host",
                wanted.env
            )
        })?;
        secret.push((wanted.env.to_string(), value));
    }
    let variables = recipe.variables.iter();
    let variables = variables.map(|(name, value)| (name.to_string(), value.clone()));
    let place = Folder::of(&ground.state, &order.id);
    let mark = place.path().to_string_lossy().into_owned();
    let memory = recipe.limits.memory.as_ref();
    let memory = memory.map(|bytes| u64::try_from(bytes.thousandths() / 1000).unwrap_or(u64::MAX));
    let cpu = recipe.limits.cpu.as_ref();
    let cpu = cpu.map(|milli| u64::try_from(milli.thousandths()).unwrap_or(u64::MAX));
    let command = Command {
        program: ground.program.clone(),
        arguments,
        variables: variables
            .chain([(mark::VARIABLE.to_owned(), mark)])
            .collect(),
        memory_bytes: memory,
        group: ground.groups.wanted(&ground.state, &order.id, memory, cpu),
    };
    Ok((command, secret))
}

/// Starts the shim of an order that is written.
///
/// The lock goes to the shim as its standard input: locked before the shim is there, and free when
/// it is gone, however that comes.
pub(super) fn shim(
    folder: &Folder,
    lock: File,
    ground: &Ground,
    secret: &Secret,
) -> Result<(), ProcessError> {
    log::prune(&ground.state);
    let mut command = tokio::process::Command::new(&ground.program);
    command
        .args(["runtime", "shim"])
        .arg(folder.path())
        .stdin(Stdio::from(lock))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env_clear()
        .envs(ground.environment.iter().cloned());
    for (name, value) in secret {
        command.env(name, value.expose_secret());
    }
    let mut child = command.spawn().map_err(|source| ProcessError::NotStarted {
        program: ground.program.clone(),
        source,
    })?;
    if let Some(process) = child.id().and_then(|id| i32::try_from(id).ok()) {
        folder.write_shim(&Shim { process })?;
    }
    // Whoever starts a process has to ask how it ended, or it stays as a zombie.
    tokio::spawn(async move { child.wait().await });
    Ok(())
}
