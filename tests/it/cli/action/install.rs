//! How the Action brings the program: by its SHA-256, or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Outcome, Sandbox};

const PROGRAM: &str = "#!/bin/sh\necho \"it runs: $*\" \"$MODELYARD_ACTION_COMMAND\"\n";

/// A release in a folder of the sandbox, and the Action that is to install it.
struct Release {
    sandbox: Sandbox,
    asset: String,
    sha256: String,
}

fn action() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("action")
}

impl Release {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for name in ["run", "assets"] {
            let to = sandbox.write(
                format!("action/{name}"),
                fs::read(action().join(name)).unwrap(),
            );
            let permissions = fs::metadata(action().join(name)).unwrap().permissions();
            fs::set_permissions(to, permissions).unwrap();
        }
        let said = |words: [&str; 1]| {
            let said = sandbox.program("uname", words).run().success();
            said.line().to_owned()
        };
        let assets = sandbox.read("action/assets");
        let (system, machine) = (said(["-s"]), said(["-m"]));
        let mine = assets
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let mine = mine.filter(|line| line[..2] == [&*system, &*machine]);
        let target = mine.map(|line| line[2].to_owned()).next().unwrap();
        let asset = format!("modelyard-9.9.9-{target}.tar.gz");
        let program = sandbox.write("built/modelyard", PROGRAM);
        let mut permissions = fs::metadata(&program).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        fs::set_permissions(program, permissions).unwrap();
        fs::create_dir_all(sandbox.path("releases/v9.9.9")).unwrap();
        let archive = format!("releases/v9.9.9/{asset}");
        let tar = ["-czf", &*archive, "-C", "built", "modelyard"];
        sandbox.program("tar", tar).run().success();
        let sum = sandbox.program("sha256sum", [&archive]).run().success();
        let sha256 = sum.line().split(' ').next().unwrap().to_owned();
        Self {
            sandbox,
            asset,
            sha256,
        }
    }

    fn checksums(&self, lines: &str) {
        self.sandbox.write("action/checksums", lines);
    }

    fn run(&self, variables: &[(&str, &str)]) -> Outcome {
        let nothing: [&str; 0] = [];
        let run = self
            .sandbox
            .program(self.sandbox.path("action/run"), nothing);
        let releases = format!("file://{}", self.sandbox.path("releases").display());
        let temporary = self.sandbox.write("temporary/.keep", "");
        let mut run = run
            .env("MODELYARD_ACTION_RELEASES", releases)
            .env("MODELYARD_ACTION_COMMAND", "check")
            .env("RUNNER_TEMP", temporary.parent().unwrap());
        for (name, value) in variables {
            run = run.env(name, value);
        }
        run.run()
    }
}

#[test]
fn the_last_release_is_installed_by_its_checksum() {
    let release = Release::new();
    let (asset, sha256) = (&release.asset, &release.sha256);
    release.checksums(&format!(
        "# comment\n{}  9.9.8  {asset}\n{sha256}  9.9.9  {asset}\n",
        "0".repeat(64)
    ));
    for _ in 0..2 {
        release
            .run(&[])
            .success()
            .prints("it runs: -C . action check");
        // The second time it is there.
        let _ = fs::remove_dir_all(release.sandbox.path("releases"));
    }
}

#[test]
fn what_is_not_what_was_released_is_not_run() {
    let release = Release::new();
    release.checksums(&format!("{}  9.9.9  {}\n", "0".repeat(64), release.asset));
    let outcome = release.run(&[]).exits(2);
    assert!(!outcome.stdout.contains("it runs"), "{}", outcome.report());
    let outcome = outcome.prints("it is not what was released, and was not run");
    outcome.prints("::error title=modelyard::");
    // Whoever knows better says so.
    let sha256 = [("MODELYARD_ACTION_SHA256", &*release.sha256)];
    release.run(&sha256).success().prints("it runs");
    // A version that nobody has listed is not taken on trust.
    let other = [("MODELYARD_ACTION_VERSION", "v1.0.0")];
    release.run(&other).exits(2).prints("has no SHA-256");
    let hostile = [("MODELYARD_ACTION_VERSION", "../x\n::error::y")];
    release
        .run(&hostile)
        .exits(2)
        .prints("version is no version");
}

#[test]
fn without_a_release_it_is_built_from_the_sources_beside_it() {
    let release = Release::new();
    release.checksums("# none yet\n");
    let cargo = "#!/bin/sh\necho \"cargo $*\"\nwhile [ $# -gt 0 ]; do [ \"$1\" = --root ] && root=$2; shift; done\n\
                 mkdir -p \"$root/bin\" && cp built/modelyard \"$root/bin/modelyard\"\n";
    let cargo = release.sandbox.write("bin/cargo", cargo);
    let mut permissions = fs::metadata(&cargo).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&cargo, permissions).unwrap();
    let path = format!(
        "{}:{}",
        cargo.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let outcome = release.run(&[("PATH", &path)]).success();
    let sources = release.sandbox.path("action/..");
    let outcome = outcome.prints("cargo install --quiet --locked --path [sandbox]");
    assert!(
        outcome.stdout.contains(&*sources.to_string_lossy()),
        "{}",
        outcome.report()
    );
    outcome.prints("it runs: -C . action check");
}

#[test]
fn every_machine_has_its_asset_and_every_checksum_its_release() {
    let assets = fs::read_to_string(action().join("assets")).unwrap();
    let lines: Vec<Vec<&str>> = assets
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (system, machine) in [
        ("Linux", "x86_64"),
        ("Linux", "aarch64"),
        ("Darwin", "x86_64"),
        ("Darwin", "arm64"),
    ] {
        let of = lines.iter().filter(|line| line[..2] == [system, machine]);
        assert_eq!(of.count(), 1, "{system} {machine}");
    }
    assert!(lines.iter().all(|line| line.len() == 4), "{lines:?}");
    // Checksums are a release's, one for each of its assets.
    let sums = fs::read_to_string(action().join("checksums")).unwrap();
    for line in sums.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = lines
            .iter()
            .any(|asset| words[2] == format!("modelyard-{}-{}.tar.gz", words[1], asset[2]));
        assert!(words.len() == 3 && words[0].len() == 64 && known, "{line}");
    }
}

#[test]
fn what_is_said_ends_no_silence_and_starts_no_command() {
    let release = Release::new();
    let program = release.sandbox.write(
        "loud",
        "#!/bin/sh\necho '::error::mine'; echo '::set-output name=x::y' >&2; printf '::stop-commands::z'\n\
         echo '::notice::escaped' >>\"$MODELYARD_ACTION_COMMANDS\"; exit 7\n",
    );
    let mut permissions = fs::metadata(&program).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&program, permissions).unwrap();
    let outcome = release.run(&[("MODELYARD_ACTION_PROGRAM", program.to_str().unwrap())]);
    let outcome = outcome.exits(7);
    let (first, rest) = outcome.stdout.split_once('\n').unwrap();
    let word = first.strip_prefix("::stop-commands::").unwrap();
    assert!(word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let (quiet, after) = rest.split_once(&format!("\n::{word}::\n")).unwrap();
    assert_eq!(
        quiet,
        "::error::mine\n::set-output name=x::y\n::stop-commands::z"
    );
    assert_eq!(after, "::notice::escaped\n");
    assert_eq!(outcome.stderr, "");
}
