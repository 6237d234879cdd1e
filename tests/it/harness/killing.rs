//! Kills a command before each of its writes, one after the other.

use std::path::{Path, PathBuf};

use super::sandbox::{Outcome, Run};
use super::tools;

/// A command that makes more changes than this is not what these tests are for.
const MOST_WRITES: u32 = 5_000;

/// Runs a command again and again: killed in place of its first change to a file below `folder`,
/// then of its second, and so on until a run comes to its end, which is returned with the number
/// of writes that were cut off.
///
/// `command` sets the stage anew for each run and gives the command; `inspect` looks at what a
/// killed run left behind. Changes are counted over all threads, in the order in which they
/// happen, by a library that is loaded before libc (`tests/tools/killer`).
pub fn killed_at_every_write(
    folder: &Path,
    mut command: impl FnMut() -> Run,
    mut inspect: impl FnMut(u32),
) -> (Outcome, u32) {
    // Collected from its components it has no slash at its end, as the paths it is compared with.
    let folder: PathBuf = folder.components().collect();
    for write in 1..=MOST_WRITES {
        let outcome = command()
            .env("LD_PRELOAD", tools::path("killer.so"))
            .env("KILL_BELOW", &folder)
            .env("KILL_BEFORE", write.to_string())
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
