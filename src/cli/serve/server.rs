//! The server: a reconciler with a gateway in front.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::interval;

use super::{Arguments, Assembly, Role, Told, hooks};
use crate::cli::fault::CliError;
use crate::cli::{Context, Outcome};
use crate::gateway::tokens::{self, Tokens};
use crate::gateway::{Access, Certificates, Gateway};
use crate::reconcile::follow::Follower;
use crate::reconcile::receipts::Receipts;
use crate::record::Failure;
use crate::target::Target;

/// How often it is looked whether the process that holds the socket is still there.
const ORPHAN_TICK: Duration = Duration::from_millis(500);

/// Why the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Another takes over, and finds what runs.
    Handover,
    /// Nothing shall run any more.
    ForGood,
}

/// Serves on `socket` until a signal comes; where another process holds it, also until that is
/// gone.
pub(super) async fn serve(
    arguments: &Arguments,
    context: &Context,
    socket: TcpListener,
) -> Result<Outcome, Failure> {
    let address = socket.local_addr().map_err(CliError::Runtime)?;
    let end = ending(arguments.has_socket)?;
    let yard = context.yard()?;
    let folder = arguments.host.folder(context, &yard);
    let environment = arguments.host.environment.clone();
    let tokens = match &arguments.tokens {
        Some(path) => context.path(path),
        None => tokens::place(&context.places),
    };
    let access = Access::of(address, arguments.open, Arc::new(Tokens::read(&tokens)?));
    let certificates = match (&arguments.certificate, &arguments.key) {
        (Some(certificate), Some(key)) => {
            let read = Certificates::read(&context.path(certificate), &context.path(key));
            Some(Arc::new(read?))
        }
        _ => None,
    };
    let gateway = Gateway::new(
        arguments.limits.limits(),
        access,
        Arc::clone(&context.clock),
    );
    let receipts = Receipts::begin(&yard, &environment).await?;
    if let Some(ears) = hooks::ears(arguments, context, &yard, &folder)? {
        gateway.listen_to(ears);
    }
    let assembly = Assembly {
        environment: environment.clone(),
        yard,
        folder: folder.clone(),
        words: arguments.words.words(),
        stores: arguments.stores.options(context),
        prometheus: arguments.prometheus.clone(),
    };
    let assembled = assembly
        .build(Role::Serves(gateway.clone()), context)
        .await?;
    let target = assembled.target;
    let mut follower = Follower {
        reconciler: assembled.reconciler,
        branch: assembled.branch,
        inbox: assembled.inbox,
        every: arguments.poll(),
        clock: Arc::clone(&context.clock),
    };
    let mut told = Told::of(
        context,
        environment,
        folder,
        Some((gateway.clone(), address)),
        assembled.limiting,
        assembled.herald,
    );
    told.keep_receipts(receipts);
    // Who comes before the routes are known waits in the socket's backlog.
    let first_pass = told.first_pass();
    let answering = async {
        tokio::select! {
            biased;
            () = ended(end.clone()) => Ok(None),
            () = first_pass => {
                let served = gateway.serve(socket, certificates, ended(end.clone()));
                served.await.map(Some)
            }
        }
    };
    let following = follower.follow(&mut told, ended(end.clone()));
    let (drained, ()) = tokio::join!(answering, following);
    let cut_off = drained.map_err(CliError::Runtime)?;
    if let Some(cut_off @ 1..) = cut_off.map(|drained| drained.cut_off) {
        context.note(&format!(
            "{cut_off} connections took too long, and were cut"
        ));
    }
    let is_for_good = *end.borrow() == Some(End::ForGood);
    if is_for_good {
        stop_all(&*target).await?;
    }
    told.end(is_for_good.then(|| context.clock.now())).await;
    Ok(Outcome::Done)
}

/// Ends everything that runs; what is remembered has it started again.
async fn stop_all(target: &dyn Target) -> Result<(), Failure> {
    let running = target.observe().await?;
    let stops = running.iter().map(|one| target.stop(&one.id));
    for stopped in futures_util::future::join_all(stops).await {
        stopped?;
    }
    Ok(())
}

/// Hears what ends the server.
fn ending(has_parent: bool) -> Result<watch::Receiver<Option<End>>, CliError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
    let parent = getppid();
    let (say, hear) = watch::channel(None);
    tokio::spawn(async move {
        let end = tokio::select! {
            _ = interrupt.recv() => End::ForGood,
            _ = terminate.recv() => End::Handover,
            () = orphaned(parent), if has_parent => End::Handover,
        };
        // Nobody hears it only where the server has ended already.
        let _ = say.send(Some(end));
    });
    Ok(hear)
}

async fn ended(mut end: watch::Receiver<Option<End>>) {
    if end.wait_for(Option::is_some).await.is_err() {
        // It is said before the one who says it is gone.
        std::future::pending::<()>().await;
    }
}

/// Waits until the process that holds the socket is gone.
async fn orphaned(parent: Option<Pid>) {
    let mut tick = interval(ORPHAN_TICK);
    while getppid() == parent {
        tick.tick().await;
    }
}
