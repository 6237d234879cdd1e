//! A disk that is full under a server, and has room again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use super::stage::{CANARY, Clients, Stage};
use crate::harness::Sandbox;

/// The disk of the state.
const DISK_BYTES: u64 = 16 * 1024 * 1024;

/// Takes all the room there is.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for part in [vec![0; 64 * 1024], vec![0; 4096]] {
        while file.write_all(&part).is_ok() {}
    }
}

#[test]
fn what_serves_goes_on_when_the_disk_is_full_and_the_rest_once_there_is_room() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(CANARY);
    stage.serve_on_a_disk(DISK_BYTES);
    stage.serves("1.0.0");
    let clients = Clients::ask(2, &stage.url());
    let filler = stage.state().join("filler");
    fill(&filler);
    stage.champion("1.1.0");
    // The status is told all the same, and says what is wrong.
    let full = stage.wait(|| {
        let status = stage.status();
        status
            .to_string()
            .contains("No space left on device")
            .then_some(status)
    });
    assert_eq!(full["deployments"][0]["stable"], "vision/digits 1.0.0");
    let told = stage.command(&["status"]).run().exits(1);
    assert!(
        told.stdout.contains("No space left on device"),
        "{}",
        told.stdout
    );
    let answered = || clients.so_far().get("1.0.0").copied().unwrap_or(0);
    let before = answered();
    stage.wait(|| (answered() > before + 100).then_some(()));
    assert_eq!(stage.runtimes().len(), 1);

    fs::remove_file(filler).unwrap();
    let serving = stage.serves("1.1.0");
    assert_eq!(
        serving["failed"].as_array().map_or(0, Vec::len),
        0,
        "{serving}"
    );
    assert!(!stage.status().to_string().contains("No space left"));
    let answers = clients.end();
    assert_eq!(
        answers.keys().collect::<Vec<_>>(),
        ["1.0.0", "1.1.0"],
        "{answers:?}"
    );
}
