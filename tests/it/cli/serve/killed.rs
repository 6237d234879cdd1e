//! Everything is killed, at moments that nobody chose, and goes on.

use std::time::Duration;

use super::stage::{CANARY, Clients, Stage, kill};
use crate::harness::Sandbox;

/// How many clients ask at once.
const CLIENTS: usize = 4;
/// How often each is killed; `MODELYARD_KILLS` says another multiple of ten.
const KILLS: u64 = 10;

fn kills() -> u64 {
    let told = std::env::var("MODELYARD_KILLS");
    told.map_or(KILLS, |told| {
        told.parse().expect("MODELYARD_KILLS is a number")
    })
}

/// A moment within a second.
fn some_moment() {
    let random = u64::from(getrandom::u32().unwrap() % 1000);
    std::thread::sleep(Duration::from_millis(random));
}

/// Kills what `whom` tells at ten moments, while versions go out by canary one after the other.
/// Whoever asks meanwhile gets an answer, but for those that were in a killed process.
fn survives(whom: impl Fn(&Stage<'_>) -> Vec<u32>) {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy(CANARY);
    stage.serve();
    stage.serves("1.0.0");
    let clients = Clients::ask(CLIENTS, &stage.url());
    let versions = ["1.1.0", "1.0.0"];
    let mut next = versions.into_iter().cycle();
    let mut killed = 0;
    for round in 0..kills() {
        if round % 5 == 0 {
            stage.champion(next.next().unwrap());
            stage.nudge();
        }
        some_moment();
        for process in whom(&stage) {
            kill("-KILL", process);
            killed += 1;
        }
    }
    // A version whose runtimes were killed too often is held, until main says something else.
    for champion in versions {
        stage.champion(champion);
        stage.nudge();
        stage.serves(champion);
    }
    let answers = clients.end();
    let failed: u64 = answers
        .iter()
        .filter(|(kind, _)| !kind.starts_with('1'))
        .map(|(_, count)| count)
        .sum();
    assert!(answers.get("1.0.0").copied() > Some(0), "{answers:?}");
    assert!(answers.get("1.1.0").copied() > Some(0), "{answers:?}");
    let most = CLIENTS as u64 * killed;
    assert!(
        failed <= most,
        "{failed} of at most {most}\n{answers:?}\n{}",
        stage.log()
    );
    for kind in answers.keys() {
        let is_broken = kind == "connection" || kind.starts_with("error 502");
        assert!(
            kind.starts_with('1') || is_broken,
            "{answers:?}\n{}",
            stage.log()
        );
    }
}

#[test]
fn the_server_is_killed() {
    survives(|stage| vec![stage.server()]);
}

#[test]
fn runtimes_are_killed() {
    survives(|stage| stage.runtimes());
}

#[test]
fn the_server_and_all_runtimes_are_killed() {
    survives(|stage| {
        let mut all = stage.runtimes();
        all.push(stage.server());
        all
    });
}

#[test]
fn the_process_that_holds_the_socket_is_killed_and_what_runs_is_found_again() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let runtimes = stage.runtimes();
    assert_eq!(stage.ends("-KILL"), None);
    // The server below it sees that it is alone, ends, and leaves what runs to the next.
    stage.wait(|| {
        let told = stage.command(&["status", "--output", "json"]).run();
        (told.json()["isRunning"] == false).then_some(())
    });
    stage.serve();
    stage.serves("1.0.0");
    assert_eq!(stage.runtimes(), runtimes);
}

#[test]
fn an_upgrade_drops_nothing() {
    let sandbox = Sandbox::new();
    let mut stage = Stage::set(&sandbox);
    stage.deploy("");
    stage.serve();
    stage.serves("1.0.0");
    let (server, runtimes) = (stage.server(), stage.runtimes());
    let clients = Clients::ask(CLIENTS, &stage.url());
    for _ in 0..3 {
        some_moment();
        stage.upgrade();
    }
    stage.wait(|| (stage.server() != server).then_some(()));
    // On a slow machine nobody was answered yet.
    let answered = || clients.so_far().get("1.0.0").copied().unwrap_or(0);
    let so_far = answered();
    stage.wait(|| (answered() > so_far + 10).then_some(()));
    let answers = clients.end();
    assert_eq!(answers.keys().collect::<Vec<_>>(), ["1.0.0"], "{answers:?}");
    assert_eq!(stage.runtimes(), runtimes);
}
