//! Pulls that are killed, interrupted or meet another.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
#[cfg(feature = "real-tools")]
use std::path::Path;
use std::process::{Command, Stdio};

use modelyard::artifact::descriptor::IMAGE_MANIFEST;

use super::manifest;
use crate::harness::{Run, Sandbox};

/// A registry that gives a manifest, and of its one file nothing but silence.
struct Stalling {
    listener: TcpListener,
}

impl Stalling {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { listener }
    }

    fn reference(&self) -> String {
        format!(
            "{}/vision/digits:1.0.0",
            self.listener.local_addr().unwrap()
        )
    }

    /// Answers until the file is asked for, and keeps that connection open.
    fn serve(&self) -> std::net::TcpStream {
        let served = manifest();
        loop {
            let (mut stream, _) = self.listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            if String::from_utf8_lossy(&request[..length]).contains("/blobs/") {
                return stream;
            }
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {IMAGE_MANIFEST}\r\n\
                 Content-Length: {}\r\n\r\n",
                served.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&served).unwrap();
        }
    }
}

fn quiet(run: Run) -> Command {
    let mut command = run.into_command();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_nothing_is_left() {
    let sandbox = Sandbox::new();
    let registry = Stalling::start();
    let pull = sandbox.modelyard(["pull", &registry.reference(), "out"]);
    let mut child = quiet(pull).spawn().unwrap();
    let _open = registry.serve();
    let process = child.id().to_string();
    sandbox.program("kill", ["-INT", &process]).run().success();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(sandbox.path("")).unwrap().count(), 0);
}

#[test]
fn two_pulls_into_one_folder_are_one_too_many() {
    let sandbox = Sandbox::new();
    sandbox.write("out/notes.txt", "mine");
    let registry = Stalling::start();
    let first = sandbox.modelyard(["pull", &registry.reference(), "out"]);
    let mut first = quiet(first).spawn().unwrap();
    let _open = registry.serve();
    let second = sandbox
        .modelyard(["pull", &registry.reference(), "out"])
        .run();
    second.exits(3).says("error[folder-busy]");
    first.kill().unwrap();
    first.wait().unwrap();
}

/// What the folder `out` is: `None` if it isn't there, else its files but those of pulls.
#[cfg(feature = "real-tools")]
fn state(folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    if !folder.exists() {
        return None;
    }
    let files = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            !name.starts_with(".modelyard-pull-")
        });
    let mut files: Vec<_> = files
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap();
            (path.display().to_string(), fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    Some(files)
}

#[cfg(feature = "real-tools")]
mod killed {
    use super::*;
    use crate::harness::killed_at_every_write;

    const REFERENCE: &str = "oci-layout:./store:2.0.0";

    /// A store with two versions of three files.
    fn stage(sandbox: &Sandbox) {
        for (version, path) in [("1.0.0", "one"), ("2.0.0", "two")] {
            for file in ["model.bin", "data/rows.csv", "README.md"] {
                sandbox.write(format!("{path}/{file}"), format!("{file} of {version}"));
            }
            let reference = format!("oci-layout:./store:{version}");
            sandbox
                .modelyard(["push", path, &reference])
                .run()
                .success();
        }
    }

    fn clean(sandbox: &Sandbox) {
        sandbox.program("rm", ["-rf", "place"]).run().success();
        fs::create_dir(sandbox.path("place")).unwrap();
    }

    fn pull(sandbox: &Sandbox) -> Run {
        sandbox.modelyard(["pull", REFERENCE, "place/out", "--force", "--no-cache"])
    }

    fn files_of(sandbox: &Sandbox, folder: &str) -> Vec<(String, Vec<u8>)> {
        state(&sandbox.path(folder)).unwrap()
    }

    /// Into no folder, or an empty one: then every moment is the old state or the new.
    fn is_old_or_new_at_every_moment(begin: impl Fn(&Sandbox)) {
        let sandbox = Sandbox::new();
        stage(&sandbox);
        clean(&sandbox);
        begin(&sandbox);
        let old = state(&sandbox.path("place/out"));
        let new = Some(files_of(&sandbox, "two"));
        let mut seen = (0, 0);
        let (outcome, writes) = killed_at_every_write(
            &sandbox.path("place"),
            || {
                clean(&sandbox);
                begin(&sandbox);
                pull(&sandbox)
            },
            |write| {
                let now = state(&sandbox.path("place/out"));
                assert!(now == old || now == new, "write {write}: {now:?}");
                if now == old {
                    seen.0 += 1;
                } else {
                    seen.1 += 1;
                }
                // What was left behind hinders nobody, and is gone after the next one.
                pull(&sandbox).run().success();
                let left = fs::read_dir(sandbox.path("place")).unwrap().count();
                assert_eq!((state(&sandbox.path("place/out")), left), (new.clone(), 1));
            },
        );
        outcome.success();
        assert!(writes > 8 && seen.0 > 0, "only {writes} writes were seen");
    }

    #[test]
    fn where_no_folder_was_it_is_whole_or_not_there() {
        is_old_or_new_at_every_moment(|_| {});
    }

    #[test]
    fn an_empty_folder_is_empty_or_whole() {
        is_old_or_new_at_every_moment(|sandbox| {
            fs::create_dir(sandbox.path("place/out")).unwrap();
        });
    }

    /// Into a folder with files no file system can put several at once. Each of them is the old
    /// one or the new one, nobody else's is touched, and from the moment that one is new the next
    /// pull, whatever it is of and whatever comes of it, brings the others to the same state.
    #[test]
    fn a_filled_folder_is_brought_to_its_end_by_the_next_pull() {
        let sandbox = Sandbox::new();
        stage(&sandbox);
        let begin = |sandbox: &Sandbox| {
            clean(sandbox);
            sandbox
                .program("cp", ["-r", "one", "place/out"])
                .run()
                .success();
            sandbox.write("place/out/notes.txt", "mine");
            // A file that only the new version has.
            fs::remove_file(sandbox.path("place/out/README.md")).unwrap();
        };
        let notes = ("notes.txt".to_owned(), b"mine".to_vec());
        begin(&sandbox);
        let old = files_of(&sandbox, "place/out");
        let mut new = files_of(&sandbox, "two");
        new.push(notes);
        new.sort();
        let mut mixed = 0;
        let (outcome, writes) = killed_at_every_write(
            &sandbox.path("place"),
            || {
                begin(&sandbox);
                pull(&sandbox)
            },
            |write| {
                let now = files_of(&sandbox, "place/out");
                for file in &now {
                    assert!(
                        old.contains(file) || new.contains(file),
                        "write {write}: {file:?}"
                    );
                }
                for (path, _) in &old {
                    assert!(
                        now.iter().any(|(other, _)| other == path),
                        "write {write}: {path}"
                    );
                }
                mixed += usize::from(now != old && now != new);
                // One that finds nothing to pull still ends what was begun.
                let none = ["pull", "oci-layout:./store:9.9.9", "place/out"];
                sandbox
                    .modelyard(none)
                    .run()
                    .exits(2)
                    .says("error[not-in-store]");
                let ended = files_of(&sandbox, "place/out");
                assert!(ended == old || ended == new, "write {write}: {ended:?}");
                assert!(now == old || ended == new, "write {write} went back");
            },
        );
        outcome.success();
        assert!(
            writes > 10 && mixed > 0,
            "{writes} writes, {mixed} in between"
        );
    }
}
