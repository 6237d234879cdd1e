//! Kills a command before each of its writes, one after the other, or fills the disk there.

use std::path::Path;

use super::sandbox::{Outcome, Run};
use super::tools;

/// A command that makes more changes than this is not what these tests are for.
const MOST_WRITES: u32 = 5_000;

/// Runs a command again and again: killed in place of its first change to a file below `folder`,
/// then of its second, and so on until a run comes to its end, which is returned with the number
/// of writes that were cut off.
///
/// `command` sets the stage anew for each run and gives the command; `inspect` looks at what a
/// killed run left behind. Changes are counted over all threads and children, in the order in
/// which they happen, by a tracer that sees every system call (`tests/tools/kill-at`).
pub fn killed_at_every_write(
    folder: &Path,
    command: impl FnMut() -> Run,
    inspect: impl FnMut(u32),
) -> (Outcome, u32) {
    killed_at_each_nth_write(1, folder, command, inspect)
}

/// Runs a command again and again, on a disk that is full: from its first write below `folder` on,
/// then from the one that comes `step` later, and so on until a run succeeds, which is returned
/// with the number of writes that it had room for.
///
/// `inspect` is given what a run came to that found no room; what takes none (renaming, removing,
/// reading) goes on as ever.
pub fn full_at_each_nth_write(
    step: usize,
    folder: &Path,
    mut command: impl FnMut() -> Run,
    mut inspect: impl FnMut(u32, Outcome),
) -> (Outcome, u32) {
    let folder = folder.canonicalize().expect("the folder is there");
    for write in (1..=MOST_WRITES).step_by(step) {
        let arguments = [
            "--full".into(),
            folder.clone().into(),
            write.to_string().into(),
        ];
        let outcome = command().under(&tools::path("kill-at"), arguments).run();
        if outcome.code == Some(0) {
            return (outcome, write - 1);
        }
        inspect(write, outcome);
    }
    panic!("the command still wrote after {MOST_WRITES} writes");
}

/// The same for each `step`-th write only, for a command that makes many that are alike.
pub fn killed_at_each_nth_write(
    step: usize,
    folder: &Path,
    mut command: impl FnMut() -> Run,
    mut inspect: impl FnMut(u32),
) -> (Outcome, u32) {
    let folder = folder.canonicalize().expect("the folder is there");
    for write in (1..=MOST_WRITES).step_by(step) {
        let outcome = command()
            .under(
                &tools::path("kill-at"),
                [folder.clone().into(), write.to_string().into()],
            )
            .run();
        match outcome.code {
            None => inspect(write),
            Some(_) => {
                assert!(write > 1, "nothing was written: {}", outcome.report());
                return (outcome, write - 1);
            }
        }
    }
    panic!("the command still wrote after {MOST_WRITES} writes");
}
