//! Who may import whom: the table of floors, held against every path in `src/`.
//!
//! `crate::…` and `super::…` paths are resolved to the room they reach; in the pure rooms, paths
//! into the world (`std::fs`, `tokio`, …) are found too.

use std::fmt;
use std::path::{Path, PathBuf};

use super::source::{Mention, mentions, module_of, sources};

/// The rooms by floor; a room may import those of the floors below.
const FLOORS: [&[&str]; 6] = [
    &["record", "platform"],
    &["check", "rollout", "protocol"],
    &["yard", "artifact", "trust", "forge", "import", "target"],
    &["ops"],
    &["reconcile", "gateway"],
    &["cli", "server"],
];

/// Siblings of floor 2 whose public face another one may use: (who, whom).
const SIBLINGS: &[(&str, &str)] = &[
    ("trust", "artifact"),
    ("forge", "yard"),
    ("import", "yard"),
    ("import", "artifact"),
    ("import", "trust"),
    ("target", "yard"),
    ("target", "artifact"),
    ("target", "trust"),
];

/// What every error says of itself, and the macro that declares codes: for every room.
const FAULTS: &[&str] = &["Class", "Code", "Failure", "Fault"];

/// Rooms that decide and never act: no I/O, no clock, no `platform`.
const PURE: &[&str] = &["record", "check", "rollout", "protocol"];

/// Where the world begins, for the pure rooms.
const WORLD: &[&str] = &[
    "git2",
    "oci_client",
    "reqwest",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "tempfile",
    "tokio",
];

/// What may not be, with its place.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: PathBuf,
    line: usize,
    path: String,
    rule: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            path,
            rule,
        } = self;
        write!(formatter, "{}:{line}: `{path}`: {rule}", file.display())
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rule that forbids `file`, of room `from`, to import from room `to`.
fn forbidden(file: &Path, from: &str, to: &str) -> Option<&'static str> {
    let (Some(own), Some(other)) = (floor(from), floor(to)) else {
        return Some("no room of the table of floors; name a room, never the crate's root");
    };
    if from == to {
        return None;
    }
    if PURE.contains(&from) && to == "platform" {
        return Some("a pure room uses no platform: evidence is gathered above and handed in");
    }
    if from == "cli" && to == "server" {
        return (!file.starts_with("src/cli/serve") && file != Path::new("src/cli/serve.rs"))
            .then_some("only `cli serve` knows `server`");
    }
    if other < own || SIBLINGS.contains(&(from, to)) {
        return None;
    }
    Some(match own {
        0 => "floor 0 imports nothing of ours",
        1 => "floor 1 imports `record` only",
        2 => "floor 2 imports floors below, and of its siblings what the table names",
        4 => {
            "`reconcile` and `gateway` meet in `rollout`'s routing table, handed over by `cli serve`"
        }
        _ => "a room imports floors below it only",
    })
}

/// Every breach in one source file; `file` is relative to the package.
fn breaches(file: &Path, source: &str) -> Vec<Breach> {
    let Some(room) = module_of(file).into_iter().next() else {
        return Vec::new();
    };
    mentions(file, source)
        .iter()
        .filter_map(|mention| {
            let rule = judge(file, &room, mention)?;
            let path = mention.segments.join("::");
            Some(Breach {
                file: file.to_owned(),
                line: mention.line,
                path,
                rule,
            })
        })
        .collect()
}

fn judge(file: &Path, room: &str, mention: &Mention) -> Option<&'static str> {
    if mention.segments[0] == "crate" {
        let names: Vec<&str> = mention.segments[1..].iter().map(String::as_str).collect();
        return match names[..] {
            ["codes"] => None,
            ["record", fault] if FAULTS.contains(&fault) => None,
            [to, ..] => forbidden(file, room, to),
            [] => forbidden(file, room, ""),
        };
    }
    let path = mention.segments.join("::");
    let outside = |world: &&str| path == **world || path.starts_with(&format!("{world}::"));
    (PURE.contains(&room) && !mention.in_tests && WORLD.iter().any(outside))
        .then_some("a pure room does no I/O and has no clock")
}

#[test]
fn every_path_keeps_to_the_table_of_floors() {
    let sources = sources("src");
    assert!(sources.len() > 10, "only {} sources found", sources.len());
    let breaches: Vec<String> = sources
        .iter()
        .flat_map(|(file, text)| breaches(file, text))
        .map(|breach| breach.to_string())
        .collect();
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn breaches_are_found_wherever_they_hide() {
    let table = [
        (
            "src/record/name.rs",
            "use crate::platform::clock;",
            "crate::platform::clock",
        ),
        (
            "src/platform/http.rs",
            "use crate::record::{Fault, Name};",
            "crate::record::Name",
        ),
        (
            "src/check/mod.rs",
            "use crate::rollout::Plan;",
            "crate::rollout::Plan",
        ),
        (
            "src/check/gate.rs",
            "fn f() { crate::yard::open(); }",
            "crate::yard::open",
        ),
        (
            "src/check/gate.rs",
            "fn f() { println!(\"{}\", crate::yard::X); }",
            "crate::yard::X",
        ),
        (
            "src/check/gate.rs",
            "use crate::{record::Name, platform::{http, clock}};",
            "crate::platform::http",
        ),
        (
            "src/check/gate.rs",
            "use super::super::yard::Snapshot;",
            "crate::yard::Snapshot",
        ),
        (
            "src/check/gate.rs",
            "mod tests { use super::super::super::ops; }",
            "crate::ops",
        ),
        ("src/check/gate.rs", "use super::super::*;", "crate::*"),
        ("src/check/gate.rs", "use crate as root;", "crate"),
        ("src/check/gate.rs", "use crate::{self as root};", "crate"),
        (
            "src/check/gate.rs",
            "fn f(x: &crate::yard::Tree) {}",
            "crate::yard::Tree",
        ),
        (
            "src/check/gate.rs",
            "fn f() { std::fs::read(\"x\"); }",
            "std::fs::read",
        ),
        (
            "src/check/gate.rs",
            "use std::{fmt, time::{Duration, Instant}};",
            "std::time::Instant",
        ),
        (
            "src/rollout/mod.rs",
            "async fn f() { tokio::spawn(g()); }",
            "tokio::spawn",
        ),
        (
            "src/artifact/push.rs",
            "use crate::trust::Policy;",
            "crate::trust::Policy",
        ),
        (
            "src/yard/mod.rs",
            "pub(crate) use crate::forge::Forge;",
            "crate::forge::Forge",
        ),
        (
            "src/forge/gitea.rs",
            "use crate::artifact::Store;",
            "crate::artifact::Store",
        ),
        (
            "src/target/edge/mod.rs",
            "use crate::import::mlflow;",
            "crate::import::mlflow",
        ),
        (
            "src/ops/pull.rs",
            "use crate::cli::Table;",
            "crate::cli::Table",
        ),
        (
            "src/reconcile/mod.rs",
            "use crate::gateway::Route;",
            "crate::gateway::Route",
        ),
        (
            "src/cli/pull.rs",
            "use crate::server::App;",
            "crate::server::App",
        ),
        (
            "src/server/mod.rs",
            "use crate::cli::Table;",
            "crate::cli::Table",
        ),
        (
            "src/ops/pull.rs",
            "use crate::common::Thing;",
            "crate::common::Thing",
        ),
        (
            "src/extras/mod.rs",
            "use crate::record::Name;",
            "crate::record::Name",
        ),
    ];
    for (file, source, path) in table {
        let found = breaches(Path::new(file), source);
        assert!(
            found.iter().any(|breach| breach.path == path),
            "{file}: {source}: {found:?}"
        );
    }
}

#[test]
fn what_the_table_allows_passes() {
    let table = [
        ("src/lib.rs", "pub mod record; use crate::cli::main;"),
        (
            "src/record/mod.rs",
            "pub(crate) mod x; crate::codes! { A = \"a\"; } use self::x::Y;",
        ),
        (
            "src/record/mod.rs",
            "macro_rules! m { () => { $crate::record::Code } }",
        ),
        (
            "src/check/gate.rs",
            "//! Not `crate::yard`.\nuse crate::record::{self, Name};",
        ),
        (
            "src/check/gate.rs",
            "const X: &str = \"crate::yard::X\"; mod tests { use std::fs; }",
        ),
        (
            "src/check/gate.rs",
            "mod inner { use super::super::diagnostic::Line; }",
        ),
        (
            "src/check/gate.rs",
            "use std::{collections::BTreeMap, time::Duration};",
        ),
        (
            "src/trust/mod.rs",
            "use crate::{artifact::Store, platform::http, record::Digest};",
        ),
        ("src/forge/mod.rs", "use crate::yard::Change;"),
        (
            "src/import/mlflow.rs",
            "use crate::{artifact::A, trust::T, yard::Y};",
        ),
        (
            "src/target/edge/mod.rs",
            "use crate::{artifact::A, trust::T, yard::Y, rollout::R};",
        ),
        (
            "src/ops/pull.rs",
            "use crate::{artifact, check, forge, trust, yard}; use super::publish;",
        ),
        (
            "src/gateway/mod.rs",
            "use crate::{ops::pull, rollout::RoutingTable};",
        ),
        (
            "src/cli/serve.rs",
            "use crate::server::App; use crate::{gateway, reconcile};",
        ),
        (
            "src/cli/serve/mod.rs",
            "fn f() { crate::server::start::<u8>(); }",
        ),
    ];
    for (file, source) in table {
        assert_eq!(breaches(Path::new(file), source), [], "{file}: {source}");
    }
}

#[test]
fn a_breach_tells_its_place_and_the_rule() {
    let source =
        "use crate::record::Name;\n\nuse crate::{\n    record::Version,\n    platform::http,\n};";
    let found = breaches(Path::new("src/check/gate.rs"), source);
    insta::assert_snapshot!(found[0], @"src/check/gate.rs:5: `crate::platform::http`: a pure room uses no platform: evidence is gathered above and handed in");
}
