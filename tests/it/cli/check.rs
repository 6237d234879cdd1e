//! `modelyard check`: what it prints, how it ends, and what it makes of odd repositories.

use std::fs;

use crate::check::sound;
use crate::harness::{Outcome, Sandbox, Yard, bad_records};

pub(super) const DIGITS: &str = "models/vision/digits/model.yaml";
pub(super) const V1_0: &str = "models/vision/digits/versions/1.0.0.yaml";

/// The sound yard of the check's own tests, committed.
pub(super) fn acme(sandbox: &Sandbox) -> Yard<'_> {
    let yard = sandbox.yard();
    for (path, bytes) in sound::contents() {
        yard.write(&path, &String::from_utf8(bytes).unwrap());
    }
    yard.commit("Models");
    yard
}

/// Replaces a text of a file of the yard.
pub(super) fn change(yard: &Yard<'_>, path: &str, from: &str, to: &str) {
    let source = fs::read_to_string(yard.path(path)).unwrap();
    assert!(source.contains(from), "{path} has no `{from}`");
    yard.write(path, &source.replace(from, to));
}

/// The codes that a check as JSON gives.
pub(super) fn codes(outcome: &Outcome) -> Vec<String> {
    let json = outcome.json();
    let diagnostics = json["diagnostics"].as_array().unwrap();
    diagnostics
        .iter()
        .map(|one| one["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn problems_are_told_as_a_compiler_does() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    yard.modelyard(["check"])
        .run()
        .success()
        .prints("12 records: all is well");
    change(&yard, V1_0, "lifecycle:", "lifecyle:");
    change(&yard, DIGITS, "computer-vision", "vision");
    let outcome = yard.modelyard(["check"]).run().exits(1);
    insta::assert_snapshot!(outcome.report(), @r#"
    $ modelyard check
    exit: 1
    --- stdout
    error[outside-vocabulary]: `vision` is not in this yard's vocabulary of `technology`
        --> models/vision/digits/model.yaml:7:32
         |
       7 |   classification: {technology: vision}
         |                                ^^^^^^
        ::: modelyard.yaml:14:5
         |
      14 |     technology: [computer-vision, nlp]
         |     ---------- it is closed here
         = help: there are `computer-vision`, `nlp`

    error[unknown-field]: `spec` has no field `lifecyle`
        --> models/vision/digits/versions/1.0.0.yaml:5:3
         |
       5 |   lifecyle: deprecated
         |   ^^^^^^^^
         = help: did you mean `lifecycle`?

    12 records: 2 errors
    --- stderr
    "#);
}

#[test]
fn machines_read_the_same() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    change(&yard, DIGITS, "computer-vision", "vision");
    let outcome = yard.modelyard(["check", "--output=json"]).run().exits(1);
    insta::assert_snapshot!(outcome.stdout, @r#"
    {
      "head": null,
      "base": null,
      "scope": "all",
      "records": 12,
      "errors": 1,
      "warnings": 0,
      "notes": 0,
      "diagnostics": [
        {
          "code": "outside-vocabulary",
          "severity": "error",
          "path": "models/vision/digits/model.yaml",
          "line": 7,
          "column": 32,
          "endLine": 7,
          "endColumn": 38,
          "message": "`vision` is not in this yard's vocabulary of `technology`",
          "help": "there are `computer-vision`, `nlp`",
          "related": [
            {
              "path": "modelyard.yaml",
              "line": 14,
              "column": 5,
              "endLine": 14,
              "endColumn": 15,
              "message": "it is closed here"
            }
          ]
        }
      ]
    }
    "#);
    let names = yard.modelyard(["check", "--output=name"]).run().exits(1);
    assert_eq!(names.line(), DIGITS);
}

#[test]
fn a_change_is_held_to_where_it_left_its_base() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    yard.git(["switch", "--quiet", "--create", "mine"])
        .run()
        .success();
    change(&yard, V1_0, "sha256:aaaa", "sha256:ffff");
    // Uncommitted changes are looked at, too.
    let dirty = yard
        .modelyard(["check", "--base=main", "--output=json"])
        .run()
        .exits(1);
    assert_eq!(codes(&dirty), ["digest-changed"]);
    yard.modelyard(["check"]).run().success();
    yard.commit("Other bytes");
    // What main got meanwhile is none of this change's.
    yard.git(["switch", "--quiet", "main"]).run().success();
    change(
        &yard,
        DIGITS,
        "    champion: 1.1.0\n",
        "    champion: 1.0.0\n",
    );
    yard.commit("Elsewhere");
    let at = ["check", "--at=mine", "--base=main", "--output=json"];
    let there = yard.modelyard(at).run().exits(1);
    assert_eq!(codes(&there), ["digest-changed"]);
    assert_eq!(
        there.json()["head"],
        yard.git(["rev-parse", "mine"]).run().line()
    );
    assert_eq!(
        there.json()["base"],
        yard.git(["rev-parse", "main~1"]).run().line()
    );
    yard.modelyard(["check", "--base=mine"]).run().success();
}

#[test]
fn without_its_base_it_can_not_be_checked() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    let unknown = yard
        .modelyard(["check", "--base=origin/main"])
        .run()
        .exits(2);
    unknown.says("error[unknown-revision]").says("help: ");
    yard.git(["switch", "--quiet", "--orphan", "other"])
        .run()
        .success();
    yard.write("modelyard.yaml", "");
    yard.commit("Another history");
    let apart = yard
        .modelyard(["check", "--at=main", "--base=other"])
        .run()
        .exits(2);
    apart
        .says("error[no-merge-base]")
        .says("git fetch --unshallow");
    yard.modelyard(["check", "--at=nowhere"])
        .run()
        .exits(2)
        .says("unknown-revision");
    sandbox
        .modelyard(["check"])
        .run()
        .exits(2)
        .says("error[no-repository]");
}

#[test]
fn odd_repositories_are_checked_or_say_what_is_missing() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    change(&yard, DIGITS, "title: Handwritten", "title: Written");
    yard.commit("A title");
    let origin = format!("file://{}", yard.path("").display());
    let clone = |name: &str, options: &[&str]| {
        let words = ["clone", "--quiet"].iter().chain(options).copied();
        sandbox
            .git(words.chain([origin.as_str(), name]))
            .run()
            .success();
    };

    clone("bare", &["--bare"]);
    sandbox
        .modelyard(["-C", "bare", "check", "--base=main~1"])
        .run()
        .success();

    clone("shallow", &["--depth=1"]);
    sandbox
        .modelyard(["-C", "shallow", "check"])
        .run()
        .success();
    sandbox
        .modelyard(["-C", "shallow", "check", "--base=main"])
        .run()
        .success();
    let far = sandbox
        .modelyard(["-C", "shallow", "check", "--base=main~1"])
        .run();
    far.exits(2).says("help: ");

    yard.git(["config", "uploadpack.allowFilter", "true"])
        .run()
        .success();
    clone("partial", &["--bare", "--filter=blob:none"]);
    let partial = sandbox.modelyard(["-C", "partial", "check"]).run();
    partial
        .exits(2)
        .says("error[object-missing]")
        .says("help: ");

    let empty = Sandbox::new();
    empty.git(["init", "--quiet", "yard"]).run().success();
    empty
        .modelyard(["-C", "yard", "check"])
        .run()
        .exits(2)
        .says("error[no-yard]");
    for (path, bytes) in sound::contents() {
        empty.write(format!("yard/{path}"), bytes);
    }
    empty.modelyard(["-C", "yard", "check"]).run().success();
    let based = empty
        .modelyard(["-C", "yard", "check", "--base=main"])
        .run();
    based.exits(2).says("error[no-commits]");
}

#[test]
fn a_file_that_is_no_record_is_told_at_its_place() {
    for bad in bad_records() {
        let sandbox = Sandbox::new();
        let yard = acme(&sandbox);
        sandbox.write(format!("yard/{V1_0}"), &bad.bytes);
        let place = match bad.place {
            "" => format!("--> {V1_0}\n"),
            place => format!("--> {V1_0}:{place}\n"),
        };
        let told = |arguments: &[&str]| {
            let outcome = yard.modelyard(arguments).run().exits(1);
            assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.report());
            outcome
                .prints(&format!("error[{}]", bad.code))
                .prints(&place)
                .prints("= help: ");
        };
        told(&["check"]);
        yard.commit(bad.name);
        told(&["check", "--at=HEAD"]);
    }
}

#[test]
fn what_is_no_ordinary_file_is_refused_at_its_path() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    let huge = fs::File::create(yard.path("environments/huge.yaml")).unwrap();
    huge.set_len(100 << 20).unwrap();
    fs::write(yard.path("environments/garbage.yaml"), vec![b'{'; 2 << 20]).unwrap();
    let json = ["check", "--output=json"];
    let outcome = yard.modelyard(json).run().exits(1);
    assert_eq!(codes(&outcome), ["record-too-large", "record-too-large"]);
}

#[cfg(unix)]
#[test]
fn links_are_never_followed() {
    use std::os::unix::fs::symlink;
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    sandbox.write("outside.yaml", "password: hunter22");
    symlink(
        sandbox.path("outside.yaml"),
        yard.path("environments/linked.yaml"),
    )
    .unwrap();
    symlink(yard.path("models/vision"), yard.path("models/audio")).unwrap();
    for arguments in [["check", "--output=json"], ["check", "--output=text"]] {
        let outcome = yard.modelyard(arguments).run().exits(1);
        assert!(!outcome.stdout.contains("hunter"), "{}", outcome.report());
    }
    yard.commit("Links");
    for arguments in [
        ["check", "--output=json"].as_slice(),
        &["check", "--output=json", "--at=HEAD"],
    ] {
        let outcome = yard.modelyard(arguments).run().exits(1);
        assert_eq!(codes(&outcome), ["record-is-link"], "{}", outcome.report());
    }
}

#[cfg(unix)]
#[test]
fn a_name_with_control_characters_moves_no_cursor() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    let name = "environments/fac\u{1b}[2Jtory.yaml";
    yard.write(name, "kind: \u{1b}[2J");
    let shown = |arguments: &[&str]| {
        let outcome = yard.modelyard(arguments).run().exits(1);
        assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.report());
        outcome
            .prints("unexpected-file")
            .prints("environments/fac\\u{1b}[2Jtory.yaml");
    };
    shown(&["check"]);
    yard.commit("A name");
    shown(&["check", "--at=HEAD"]);
}

#[test]
fn a_file_that_a_change_brings_or_lacks_is_told_with_a_base_too() {
    let sandbox = Sandbox::new();
    let yard = acme(&sandbox);
    let told = |base: bool| {
        let words = ["check", "--output", "json", "--base", "main"];
        let words = if base { &words[..] } else { &words[..3] };
        codes(&yard.modelyard(words).run().exits(1))
    };
    // One that counts for nothing, by whatever name.
    for name in ["a b", "a\nb", "a\\b"] {
        let path = format!("models/vision/{name}/model.yaml");
        yard.write(&path, "kind: Model\n");
        for base in [false, true] {
            assert_eq!(told(base), ["unexpected-file"], "{name:?}, {base}");
        }
        fs::remove_file(yard.path(&path)).unwrap();
        fs::remove_dir(yard.path(&path).parent().unwrap()).unwrap();
    }
    // One that a record needs and that is no record.
    fs::remove_file(yard.path("keys/release.pub")).unwrap();
    for base in [false, true] {
        assert_eq!(told(base), ["unknown-key"], "{base}");
    }
}
