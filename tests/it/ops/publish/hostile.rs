//! Records, files and names in a publish's way that nobody should have made.

use std::fs;

use super::{BRANCH, VERSION, state};
use crate::harness::{Outcome, Sandbox, Yard, bad_records};

const MODEL: &str = "models/vision/digits/model.yaml";

/// Publishes with one more flag.
fn publish_with(yard: &Yard<'_>, reference: &str, flag: &str) -> Outcome {
    let files = "../digits";
    let words = ["publish", files, "--as", reference, "--unsigned", flag];
    let words = words.into_iter().chain(["--title=A model"]);
    yard.modelyard(words.chain(["--owner=vision"])).run()
}

#[test]
fn a_record_that_can_not_be_read_is_told_at_its_place_and_nothing_is_written() {
    for path in ["modelyard.yaml", MODEL, VERSION] {
        for bad in bad_records() {
            let sandbox = Sandbox::new();
            let yard = sandbox.yard();
            sandbox.files("digits");
            sandbox.write(format!("yard/{path}"), &bad.bytes);
            yard.commit(bad.name);
            let before = state(&yard);
            let outcome = yard.publish("digits", "vision/digits:1.0.0").exits(2);
            let place = match bad.place {
                "" => format!("{path}: "),
                place => format!("{path}:{place}: "),
            };
            outcome
                .says(&format!("error[{}]: {place}", bad.code))
                .says("help: `modelyard check` tells all that is wrong");
            assert_eq!(state(&yard), before, "{} in {path}", bad.name);
        }
    }
}

#[test]
fn a_record_to_start_from_that_is_none_is_told_at_its_place() {
    for bad in bad_records() {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.files("digits");
        sandbox.write("from.yaml", &bad.bytes);
        let before = state(&yard);
        let outcome = publish_with(&yard, "vision/digits:1.0.0", "--from=../from.yaml").exits(2);
        let outcome = match bad.place {
            "" => outcome.says("[sandbox]/work/from.yaml"),
            // It says of itself what it should be, where YAML can say nothing.
            _ if bad.code == "wrong-type" => outcome.says("[sandbox]/work/from.yaml"),
            place => outcome.says(&format!(
                "error[{}]: [sandbox]/work/from.yaml:{place}: ",
                bad.code
            )),
        };
        outcome.says("help: ");
        assert_eq!(state(&yard), before, "{}", bad.name);
    }
}

#[test]
fn somebody_elses_broken_record_is_in_nobodys_way() {
    for bad in bad_records() {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        sandbox.files("digits");
        sandbox.write("yard/models/vision/letters/model.yaml", &bad.bytes);
        yard.commit(bad.name);
        yard.publish("digits", "vision/digits:1.0.0").success();
        let changed = yard.git(["diff", "--name-only", "main", BRANCH]).run();
        assert!(!changed.stdout.contains("letters"), "{}", changed.report());
    }
}

#[test]
fn a_bom_and_crlf_are_taken_and_kept() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    yard.git(["config", "core.autocrlf", "false"])
        .run()
        .success();
    yard.publish("digits", "vision/digits:1.0.0").success();
    yard.merge(BRANCH);
    for path in ["modelyard.yaml", MODEL, VERSION] {
        let text = fs::read_to_string(yard.path(path)).unwrap();
        yard.write(path, &format!("\u{feff}{}", text.replace('\n', "\r\n")));
    }
    yard.commit("From an editor of another system");
    yard.modelyard(["check"]).run().success();
    yard.publish("digits", "vision/digits:1.0.0")
        .success()
        .prints("nothing changed");
    publish_with(&yard, "vision/digits:1.1.0", "--description=Reads digits").success();
    let model = yard.show("publish/vision/digits/1.1.0", MODEL);
    assert!(model.starts_with('\u{feff}'), "{model:?}");
    assert!(model.ends_with("  description: Reads digits\r\n"));
    assert_eq!(model.matches('\n').count(), model.matches("\r\n").count());
}

#[test]
fn paths_that_climb_and_names_that_are_none_are_refused_before_anything_is_read() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let before = state(&yard);
    for reference in [
        "../vision/digits:1.0.0",
        "vision/../digits:1.0.0",
        "/vision/digits:1.0.0",
        "vision/.git:1.0.0",
        "vision/Digits:1.0.0",
        "vision/dig\u{1b}[2Jits:1.0.0",
        "vision/digits:../1.0.0",
        "vision/digits:1.0.0+build.7",
        "vision/digits:champion",
        "vision/digits:^1",
        "vision/digits",
    ] {
        let outcome = yard.publish("digits", reference).exits(2);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.report());
        let told = outcome.stderr.contains("invalid value") || outcome.stderr.contains("help: ");
        assert!(told, "{}", outcome.report());
    }
    assert_eq!(state(&yard), before);
}

#[test]
fn a_text_that_is_no_line_is_refused_at_its_place_in_the_record_to_be() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    sandbox.files("digits");
    let before = state(&yard);
    for (flag, place) in [
        (
            "--title=A\u{1b}[2Jmodel",
            "models/vision/digits/model.yaml:",
        ),
        ("--title=A\nmodel", "models/vision/digits/model.yaml:"),
        ("--author=\u{7}", "versions/1.0.0.yaml:"),
    ] {
        let words = ["publish", "../digits", "--as", "vision/digits:1.0.0", flag];
        let words = words.into_iter().chain(["--unsigned", "--owner=vision"]);
        let title = (!flag.starts_with("--title")).then_some("--title=A model");
        let outcome = yard.modelyard(words.chain(title)).run().exits(2);
        assert!(!outcome.stderr.contains(['\u{1b}', '\u{7}']));
        outcome.says(place).says("= help: ");
    }
    assert_eq!(state(&yard), before);
}

/// Files that can't be published, by what is made of the folder `digits` to get there.
#[cfg(unix)]
#[test]
fn files_that_lead_elsewhere_or_are_not_the_same_everywhere_are_refused_by_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    type Made = fn(&Path);
    let cases: [(&str, &str, Made); 14] = [
        (
            "unusable-link",
            "digits/out` leads to `/etc/hostname`",
            |folder| {
                symlink("/etc/hostname", folder.join("out")).unwrap();
            },
        ),
        ("unusable-link", "digits/up` leads to `../yard`", |folder| {
            symlink("../yard", folder.join("up")).unwrap();
        }),
        ("unusable-link", "digits/nothing` leads to", |folder| {
            symlink("nowhere", folder.join("nothing")).unwrap();
        }),
        ("unusable-link", "digits/loop` leads to", |folder| {
            symlink("loop", folder.join("loop")).unwrap();
        }),
        ("special-file", "digits/socket", |folder| {
            UnixListener::bind(folder.join("socket")).unwrap();
        }),
        ("unsafe-path", "a\\u{1b}[2Jb", |folder| {
            fs::write(folder.join("a\u{1b}[2Jb"), "").unwrap();
        }),
        ("unsafe-path", "a\\u{a}b", |folder| {
            fs::write(folder.join("a\nb"), "").unwrap();
        }),
        ("unsafe-path", "is not UTF-8", |folder| {
            fs::write(folder.join(OsStr::from_bytes(b"\xff")), "").unwrap();
        }),
        ("unsafe-path", "`C:x`", |folder| {
            fs::write(folder.join("C:x"), "").unwrap();
        }),
        ("unsafe-path", "`a\\b`", |folder| {
            fs::write(folder.join("a\\b"), "").unwrap();
        }),
        ("unsafe-path", "`nul.txt`", |folder| {
            fs::write(folder.join("nul.txt"), "").unwrap();
        }),
        ("paths-clash", "`MODEL.bin` and `model.bin`", |folder| {
            fs::write(folder.join("MODEL.bin"), "").unwrap();
        }),
        ("no-files", "digits` has no file to pack", |folder| {
            fs::remove_file(folder.join("model.bin")).unwrap();
            fs::remove_file(folder.join("README.md")).unwrap();
        }),
        ("file-failed", "README.md", |folder| {
            let card = fs::File::create(folder.join("README.md")).unwrap();
            card.set_len(20 << 20).unwrap();
        }),
    ];
    for (code, told, made) in cases {
        let sandbox = Sandbox::new();
        let yard = sandbox.yard();
        let folder = sandbox.files("digits");
        made(&folder);
        let before = state(&yard);
        let outcome = yard.publish("digits", "vision/digits:1.0.0").exits(2);
        assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.report());
        outcome
            .says(&format!("error[{code}]"))
            .says(told)
            .says("help: ");
        assert_eq!(state(&yard), before, "{told}");
    }
}
