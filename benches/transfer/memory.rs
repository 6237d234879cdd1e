//! How much memory one large file takes on its way.

use std::fs::{self, File};

use crate::harness::Sandbox;
use crate::harness::registry::Distribution;
use crate::peak;

const SIZE_BYTES: u64 = 4 << 30;

/// What a push and a pull of it took at most, in MiB.
pub(crate) fn of_one_large_file() -> Vec<(&'static str, u64)> {
    let sandbox = Sandbox::new();
    let registry = Distribution::start();
    let path = sandbox.path("large.bin");
    let file = File::create(&path).expect("a fresh sandbox can be filled");
    // A hole: reading it is as good as reading anything else.
    file.set_len(SIZE_BYTES).expect("the disk has room");
    let reference = format!("{}/vision/large:1.0.0", registry.host());
    let push = peak::mib(sandbox.modelyard(["push", "large.bin", &reference]));
    let pull = peak::mib(sandbox.modelyard(["pull", &reference, "pulled"]));
    let pulled = fs::metadata(sandbox.path("pulled/large.bin"));
    assert_eq!(pulled.expect("it was pulled").len(), SIZE_BYTES);
    vec![("push", push), ("pull", pull)]
}
