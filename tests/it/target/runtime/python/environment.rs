//! The environments: which interpreter, which packages, built once, and never half.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Running, command, folder, said};
use crate::harness::{Sandbox, in_time, tools};

/// Answers with what the package `ours` says.
const CODE: &str =
    "import ours\n\ndef predict(inputs, parameters):\n    return {'y': [ours.VALUE]}\n";

/// Writes a wheel of the package `ours` beside the code, and requirements that ask for it.
fn with_package(sandbox: &Sandbox) -> PathBuf {
    let folder = folder(sandbox, CODE);
    let script = "
import sys, zipfile
with zipfile.ZipFile('model/ours-1.0-py3-none-any.whl', 'w') as wheel:
    wheel.writestr('ours.py', 'VALUE = 42')
    about = 'ours-1.0.dist-info/'
    wheel.writestr(about + 'METADATA', 'Metadata-Version: 2.1\\nName: ours\\nVersion: 1.0\\n')
    wheel.writestr(about + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(about + 'RECORD', '')
";
    sandbox.program("python3", ["-c", script]).run().success();
    sandbox.write(
        "model/requirements.txt",
        "--no-index\n./ours-1.0-py3-none-any.whl\n",
    );
    folder
}

/// A runtime whose cache is the sandbox's own.
fn own(sandbox: &Sandbox, folder: &Path, options: &[&str]) -> Command {
    let mut command = command(sandbox, "python", folder, options);
    command.stdin(Stdio::null());
    command
}

/// The same, with uv on its PATH.
fn by_uv(sandbox: &Sandbox, folder: &Path) -> Command {
    let uv = tools::path("uv");
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::split_paths(&path);
    let path = std::iter::once(uv.parent().unwrap().to_owned()).chain(path);
    let mut command = own(sandbox, folder, &[]);
    command.env("PATH", std::env::join_paths(path).unwrap());
    command
}

/// The folders of environments, whole or not.
fn built(sandbox: &Sandbox) -> Vec<PathBuf> {
    let place = sandbox.home().join(".cache/modelyard/python/environments");
    let keys = std::fs::read_dir(place).into_iter().flatten().flatten();
    let inner = keys.flat_map(|key| std::fs::read_dir(key.path()).unwrap().flatten());
    let folders = inner.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.path()).collect()
}

fn value(runtime: &Running) -> i64 {
    let answer = runtime.infer(r#"{"inputs": []}"#).json();
    answer["outputs"][0]["data"][0].as_i64().unwrap()
}

#[test]
fn an_environment_is_built_once_for_all_that_ask_for_the_same() {
    let sandbox = Sandbox::new();
    let folder = with_package(&sandbox);
    // Two at once: neither gets in the other's way.
    let start = |sandbox: &Sandbox| Running::of(&mut own(sandbox, &folder, &[])).once_ready();
    let both = std::thread::scope(|scope| {
        let first = scope.spawn(|| start(&sandbox));
        let second = scope.spawn(|| start(&sandbox));
        [first.join().unwrap(), second.join().unwrap()]
    });
    assert_eq!(both.each_ref().map(value), [42, 42]);
    let first = built(&sandbox);
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(value(&start(&sandbox)), 42);
    assert_eq!(built(&sandbox), first);
    // Other requirements are another environment.
    sandbox.write(
        "model/requirements.txt",
        "--no-index\n./ours-1.0-py3-none-any.whl # again\n",
    );
    assert_eq!(value(&start(&sandbox)), 42);
    assert_eq!(built(&sandbox).len(), 2);
}

#[test]
fn uv_builds_an_environment_where_it_is_on_the_path() {
    let sandbox = Sandbox::new();
    let folder = with_package(&sandbox);
    let start = || Running::of(&mut by_uv(&sandbox, &folder)).once_ready();
    let runtime = start();
    assert_eq!(value(&runtime), 42);
    let first = built(&sandbox);
    let [environment] = &first[..] else {
        panic!("one environment: {first:?}")
    };
    // uv says so in what it makes; it brings no pip along.
    let about = std::fs::read_to_string(environment.join("pyvenv.cfg")).unwrap();
    assert!(
        about.lines().any(|line| line.starts_with("uv = ")),
        "{about}"
    );
    assert!(!environment.join("bin/pip").exists());
    assert_eq!(value(&start()), 42);
    assert_eq!(built(&sandbox), first);

    // What it says where it can't goes to the log.
    sandbox.write(
        "model/requirements.txt",
        "--no-index\nnothing-like-this==1\n",
    );
    let (status, words) = said(&mut by_uv(&sandbox, &folder));
    assert_eq!(status, Some(2));
    assert!(words.contains("nothing-like-this"), "{words}");
    assert!(words.contains("installing packages failed"), "{words}");
    assert_eq!(built(&sandbox), first);
}

#[test]
fn what_nobody_used_for_a_month_is_removed_and_what_somebody_uses_never() {
    let sandbox = Sandbox::new();
    let folder = with_package(&sandbox);
    let start = |comment: &str| {
        let requirements = format!("--no-index\n./ours-1.0-py3-none-any.whl # {comment}\n");
        sandbox.write("model/requirements.txt", requirements);
        let before = built(&sandbox);
        let runtime = Running::of(&mut by_uv(&sandbox, &folder)).once_ready();
        let new = built(&sandbox)
            .into_iter()
            .find(|one| !before.contains(one));
        (runtime, new.unwrap().parent().unwrap().to_owned())
    };
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(31 * 24 * 60 * 60);
    let age = |place: &Path| {
        let used = std::fs::File::options()
            .write(true)
            .open(place.join("used"))
            .unwrap();
        used.set_modified(long_ago).unwrap();
    };
    let used = |comment: &str| {
        let (mut runtime, place) = start(comment);
        runtime.terminate();
        runtime.ended();
        place
    };
    let ended = used("ended");
    let (runs, running) = start("runs");
    let recent = used("recent");
    age(&ended);
    age(&running);
    let (new, _) = start("new");
    assert!(!ended.exists());
    assert!(running.join("whole").exists() && recent.join("whole").exists());
    assert_eq!([value(&runs), value(&new)], [42, 42]);
    // Who asks for it again has it again.
    let (again, _) = start("ended");
    assert_eq!(value(&again), 42);
}

#[test]
fn a_start_that_was_killed_while_it_built_leaves_nothing_in_the_way() {
    let sandbox = Sandbox::new();
    let folder = with_package(&sandbox);
    let mut killed = own(&sandbox, &folder, &[])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let half = loop {
        if let Some(half) = built(&sandbox).pop() {
            break half;
        }
        in_time(began);
    };
    let whole = half.with_file_name("whole");
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!whole.exists(), "it was done before it could be killed");
    let runtime = Running::of(&mut own(&sandbox, &folder, &[])).once_ready();
    assert_eq!(value(&runtime), 42);
    let whole = std::fs::read_to_string(whole).unwrap();
    assert_ne!(half.file_name().unwrap().to_str(), Some(&*whole));
}

#[test]
fn what_keeps_an_environment_from_being_built_is_told() {
    let sandbox = Sandbox::new();
    let folder = folder(&sandbox, CODE);
    sandbox.write(
        "model/requirements.txt",
        "--no-index\nnothing-like-this==1\n",
    );
    let (status, words) = said(&mut own(&sandbox, &folder, &[]));
    assert_eq!(status, Some(2));
    assert!(
        words.contains("No matching distribution found for nothing-like-this==1"),
        "{words}"
    );
    assert!(words.contains("error[environment-not-built]: the environment can't be built: installing packages failed"), "{words}");
    // Nothing of it is left but the lock.
    assert_eq!(built(&sandbox), [""; 0].map(PathBuf::from));

    let told = |options: &[&str]| {
        let (status, words) = said(&mut own(&sandbox, &folder, options));
        assert_eq!(status, Some(2));
        let first = words.lines().next().unwrap().to_owned();
        first.replace(folder.to_str().unwrap(), "[folder]")
    };
    insta::assert_snapshot!(told(&["--requirements", "none.txt"]), @"error[requirements-unusable]: [folder]/none.txt: there is no such file in the version's folder");
    sandbox.write("model/requirements.txt", "-e .\n");
    insta::assert_snapshot!(told(&[]), @"error[requirements-unusable]: [folder]/requirements.txt: `-e .`: what is installed has to stay as it is: build a wheel of it");
    std::fs::remove_file(folder.join("requirements.txt")).unwrap();
    let missing = told(&["--python", "3.99"]);
    let begins = "error[no-interpreter]: there is no Python 3.99 here, but 3.";
    assert!(missing.starts_with(begins), "{missing}");
    insta::assert_snapshot!(told(&["--python", "3.6"]), @"error[no-interpreter]: Python 3.6 is too old: the runtime needs 3.9 or newer");
    insta::assert_snapshot!(told(&["--python", ">=3.10"]), @"error[no-interpreter]: `>=3.10` is no version of Python");
    std::fs::remove_file(folder.join("serve.py")).unwrap();
    insta::assert_snapshot!(told(&[]), @"error[nothing-to-serve]: [folder] has no `serve.py`");
}
