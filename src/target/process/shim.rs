//! The process between the server and a runtime: it owns the runtime's output and its end.
//!
//! It holds the instance's lock by its standard input, writes what the runtime says into the log,
//! tells its address, and at the end how it ended. SIGTERM ends the runtime first by SIGTERM, then,
//! after its grace, by force. Should the shim itself be killed, the runtime's standard input ends,
//! and the runtime with it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, kill_process, kill_process_group, setrlimit, setsid,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::log::Log;
use super::state::{Address, Command, Exit, Folder, Group, OrderFile, Shim};
use super::{ProcessError, cgroup};
use crate::platform::Clock;
use crate::target::runtime::Announcement;
use crate::target::runtime::announcement::MAX_ANNOUNCEMENT_BYTES;

/// How long output may still come after a runtime ended: children of it may hold it open.
const LINGER: Duration = Duration::from_secs(1);
/// How long after a file could not be written that is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs the instance whose folder is at `path` until it ends, or `stop` is done and it is ended.
///
/// # Errors
/// If the folder can't be read or written. How the runtime ends is no error, but written down.
pub async fn run(
    path: &Path,
    clock: &dyn Clock,
    stop: impl Future<Output = ()>,
) -> Result<(), ProcessError> {
    let folder = Folder::at(path.to_owned());
    // A session of its own: what a terminal or a shell tells the server is not for us.
    let _ = setsid();
    let process = Pid::from_raw(std::process::id().cast_signed());
    if let Some(process) = process {
        let process = process.as_raw_nonzero().get();
        folder.write_shim(&Shim { process })?;
    }
    let Some(order) = folder.order()? else {
        return Ok(());
    };
    let Some(command) = &order.command else {
        return Ok(());
    };
    let log = Arc::new(Mutex::new(Log::open(&order.log)));
    let group = grouped(command, &log);
    let mut how = match spawned(command, group.as_ref()) {
        Ok(child) => lived(child, &folder, &order, &log, stop).await,
        Err(error) => {
            let program = command.program.display();
            format!("{program} can't be started: {error}")
        }
    };
    if let Some(group) = &group {
        if group.ran_out_of_memory() {
            how = out_of_memory(command, &how);
        }
        // What is left in it is ended again by whoever stops the instance.
        if let Err(error) = group.end().await {
            add(&log, format!("{error}\n").as_bytes());
        }
    }
    let last_words = log
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .last_words();
    folder.write_exit(&Exit {
        at: clock.now(),
        how,
        last_words,
    })
}

/// The runtime's control group, if it is to have one and that can be had.
fn grouped(command: &Command, log: &Mutex<Log>) -> Option<cgroup::Group> {
    let wanted = command.group.as_ref()?;
    let made = cgroup::Group::make(wanted);
    let told = |error| {
        let path = wanted.path.display();
        let text = format!("the control group {path} can't be had: {error}\n");
        add(log, text.as_bytes());
    };
    made.map_err(told).ok()
}

/// Starts the runtime, within its limits.
fn spawned(command: &Command, group: Option<&cgroup::Group>) -> std::io::Result<Child> {
    let is_grouped = |wanted: &cgroup::Wanted| wanted.memory_bytes.is_some();
    let has_limit = group.is_some() && command.group.as_ref().is_some_and(is_grouped);
    if let Some(bytes) = command.memory_bytes.filter(|_| !has_limit) {
        // What is mapped of files does not count.
        let limit = Some(bytes);
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        setrlimit(Resource::Data, limit)?;
    }
    let mut runtime = tokio::process::Command::new(&command.program);
    runtime
        .args(&command.arguments)
        .envs(&command.variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    match group {
        Some(group) => group.within(|| runtime.spawn()),
        None => runtime.spawn(),
    }
}

/// How a runtime ended that took more memory than it may.
fn out_of_memory(command: &Command, how: &str) -> String {
    let wanted = command.group.as_ref();
    match wanted.and_then(|group| group.memory_bytes) {
        Some(bytes) => {
            format!("it took more than its {bytes} bytes of memory, and was killed: {how}")
        }
        None => format!("the system had no memory left, and killed it: {how}"),
    }
}

/// Goes with a runtime to its end, and tells how that came.
async fn lived(
    mut child: Child,
    folder: &Folder,
    order: &OrderFile,
    log: &Arc<Mutex<Log>>,
    stop: impl Future<Output = ()>,
) -> String {
    let group = child
        .id()
        .and_then(|process| Group::of(process.cast_signed()));
    if let Some(group) = &group
        && let Err(error) = folder.write_group(group)
    {
        add(log, format!("{error}\n").as_bytes());
    }
    // Taken, as whoever waits for a child closes what it has of it.
    let alive = child.stdin.take();
    let stdout = child.stdout.take().map(|stdout| {
        let (folder, log) = (folder.clone(), Arc::clone(log));
        tokio::spawn(async move { announced(stdout, &folder, log).await })
    });
    let stderr = child.stderr.take();
    let stderr = stderr.map(|stderr| tokio::spawn(logged(stderr, Arc::clone(log))));
    let how = tokio::select! {
        status = child.wait() => told(status),
        () = stop => ended(&mut child, Duration::from_secs(order.grace_seconds)).await,
    };
    drop(alive);
    // What it started itself ends with it.
    if let Some(process) = group.and_then(|group| Pid::from_raw(group.process)) {
        let _ = kill_process_group(process, Signal::KILL);
    }
    for listener in [stdout, stderr].into_iter().flatten() {
        let listener: JoinHandle<()> = listener;
        let _ = timeout(LINGER, listener).await;
    }
    how
}

/// Ends a runtime: by asking, and then by force.
async fn ended(child: &mut Child, grace: Duration) -> String {
    let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(process) = process {
        // It may have ended by itself just now.
        let _ = kill_process(process, Signal::TERM);
    }
    match timeout(grace, child.wait()).await {
        Ok(status) => told(status),
        Err(_) => {
            let _ = child.kill().await;
            format!("it did not end in {} s, and was killed", grace.as_secs())
        }
    }
}

fn told(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("it ended ({status})"),
        Err(error) => format!("how it ended is not known: {error}"),
    }
}

/// Keeps the address that a runtime announces in its first line, and logs the rest.
async fn announced(stdout: ChildStdout, folder: &Folder, log: Arc<Mutex<Log>>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    let mut first = (&mut stdout).take(MAX_ANNOUNCEMENT_BYTES as u64);
    let read = first.read_until(b'\n', &mut line).await;
    match Announcement::parse(&String::from_utf8_lossy(&line)) {
        Some(Announcement { listening }) => {
            let (folder, log) = (folder.clone(), Arc::clone(&log));
            tokio::spawn(async move { kept(&folder, Address { listening }, &log).await });
        }
        None => add(&log, &line),
    }
    if read.is_ok() {
        logged(stdout, log).await;
    }
}

/// Keeps the address. Nobody finds the runtime without it, so on a full disk that is tried until
/// there is room.
async fn kept(folder: &Folder, address: Address, log: &Mutex<Log>) {
    let mut tick = interval(AGAIN);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_told = false;
    loop {
        tick.tick().await;
        let Err(error) = folder.write_address(&address) else {
            return;
        };
        if !is_told {
            add(log, format!("{error}; it is tried again\n").as_bytes());
            is_told = true;
        }
    }
}

async fn logged(mut said: impl AsyncRead + Unpin, log: Arc<Mutex<Log>>) {
    let mut part = vec![0; 8192];
    while let Ok(length @ 1..) = said.read(&mut part).await {
        add(&log, &part[..length]);
    }
}

fn add(log: &Mutex<Log>, said: &[u8]) {
    log.lock().unwrap_or_else(PoisonError::into_inner).add(said);
}
