//! `modelyard keys`: what is made, where it lies, and what a yard is to change.

use super::{Desk, PASSWORD};
use crate::harness::Sandbox;

/// The report with the key's own bytes and git's commits hidden.
fn told(report: &str) -> String {
    let hidden = report.lines().map(|line| {
        let words = line.split(' ').map(|word| {
            let bare = word.trim_end_matches([')', ',']);
            let hex = bare.strip_prefix("sha256:").unwrap_or(bare);
            match hex.len() >= 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                true => word.replace(hex, "…"),
                false => word.to_owned(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    });
    hidden.collect::<Vec<_>>().join("\n")
}

/// What `branch` changes in `modelyard.yaml`.
fn policy_diff(desk: &Desk, branch: &str) -> String {
    let diff = desk.git(["diff", "main", branch, "--", "modelyard.yaml"]);
    let hunk = diff.find("@@").expect("something differs");
    diff[hunk..].to_owned()
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_the_yard_is_to_accept_it() {
    let desk = Desk::new();
    let made = desk
        .modelyard(["keys", "generate", "release"])
        .run()
        .success();
    insta::assert_snapshot!(told(&made.report()), @r#"
$ modelyard keys generate release
exit: 0
--- stdout
key release
  fingerprint  sha256:…
  private      [sandbox]/home/.config/modelyard/keys/release.key

yard [sandbox]/work
  public    keys/release.pub
  rule      new: what it fits needs this key's signature
  proposed  branch keys/release, commit …

Once it is reviewed, merge it:
  git switch main
  git merge --no-ff --no-edit keys/release

From then on versions without its signature are refused: `modelyard sign` signs those
that were published before.
--- stderr
"#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(desk.private("release"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let private = std::fs::read_to_string(desk.private("release")).unwrap();
    assert!(private.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"));
    insta::assert_snapshot!(policy_diff(&desk, "keys/release"), @r#"
@@ -4,3 +4,9 @@ metadata: {name: acme}
 spec:
   stores:
     - {name: main, repository: "oci-layout:./store"} # beside it
+  trust:
+    rules:
+      - require:
+          signatures: 1
+        accept:
+          - key: keys/release.pub
"#);
    let public = desk.git(["show", "keys/release:keys/release.pub"]);
    assert_eq!(
        public,
        std::fs::read_to_string(desk.public("release")).unwrap()
    );
    assert_eq!(
        desk.git(["status", "--short"]),
        "",
        "the work tree is as it was"
    );
    assert_eq!(
        desk.git(["diff", "--name-only", "main", "keys/release"]),
        "keys/release.pub\nmodelyard.yaml\n"
    );
    let whole = desk.git(["log", "-p", "--all"]);
    assert!(
        !whole.contains("PRIVATE KEY"),
        "the private half never goes into the yard"
    );
}

#[test]
fn a_second_key_is_accepted_by_the_rule_of_the_first() {
    let desk = Desk::new();
    desk.modelyard(["keys", "generate", "ann"]).run().success();
    desk.merge("keys/ann");
    let made = desk
        .modelyard(["keys", "generate", "ben", "-o", "json"])
        .run()
        .success()
        .json();
    assert_eq!(made["yard"]["rule"], "extended");
    desk.merge("keys/ben");
    let yard = desk.sandbox.read("modelyard.yaml");
    assert!(
        yard.contains("          - key: keys/ann.pub\n          - key: keys/ben.pub\n"),
        "{yard}"
    );
    assert_eq!(yard.matches("signatures: 1").count(), 1);
    let again = desk
        .modelyard(["keys", "accept", "ben", "-o", "json"])
        .run()
        .success()
        .json();
    assert_eq!(again["rule"], "unchanged");
    assert_eq!(again["unchanged"], true);
}

#[test]
fn somebody_elses_key_is_accepted_by_its_public_half_and_never_overwritten() {
    let desk = Desk::new();
    desk.key("ann");
    desk.key("ben");
    let public = desk.public("ann").display().to_string();
    let accepted = [
        "keys",
        "accept",
        "colleague",
        "--public",
        &public,
        "--models",
        "vision/*",
        "--lifecycle",
        "released",
    ];
    desk.modelyard(accepted).run().success();
    insta::assert_snapshot!(policy_diff(&desk, "keys/colleague"), @r#"
@@ -4,3 +4,12 @@ metadata: {name: acme}
 spec:
   stores:
     - {name: main, repository: "oci-layout:./store"} # beside it
+  trust:
+    rules:
+      - match:
+          models: vision/*
+          lifecycle: released
+        require:
+          signatures: 1
+        accept:
+          - key: keys/colleague.pub
"#);
    let other = desk.public("ben").display().to_string();
    let refused = desk.modelyard(["keys", "accept", "colleague", "--public", &other]);
    refused.run().exits(2).says("error[other-key-in-yard]");
    let private = desk.private("ann").display().to_string();
    let refused = desk.modelyard(["keys", "accept", "oops", "--public", &private]);
    refused
        .run()
        .exits(2)
        .says("error[unreadable-key]")
        .says("it is a private key");
}

#[test]
fn with_a_remote_the_branch_is_pushed_and_main_stays_as_it_was() {
    let desk = Desk::new();
    desk.git(["init", "--quiet", "--bare", "upstream.git"]);
    desk.git(["remote", "add", "origin", "./upstream.git"]);
    desk.git(["push", "--quiet", "origin", "main"]);
    let run = desk.modelyard(["keys", "generate", "-o", "json"]).run();
    let made = run.success().json();
    assert_eq!(made["yard"]["branch"], "keys/default");
    assert_eq!(made["yard"]["pushed"]["remote"], "origin");
    let there = desk.git([
        "--git-dir=upstream.git",
        "diff",
        "--name-only",
        "main",
        "keys/default",
    ]);
    assert_eq!(there, "keys/default.pub\nmodelyard.yaml\n");
}

#[test]
fn in_a_yard_of_one_the_key_goes_to_main_itself() {
    let desk = Desk::new();
    let yard = desk.sandbox.read("modelyard.yaml") + "  publish: {mode: direct}\n";
    desk.sandbox.write("modelyard.yaml", yard);
    desk.commit();
    desk.modelyard(["keys", "generate"]).run().success();
    assert!(
        desk.sandbox
            .read("modelyard.yaml")
            .contains("keys/default.pub")
    );
    assert_eq!(desk.git(["branch", "--format=%(refname:short)"]), "main\n");
}

#[test]
fn no_key_is_ever_overwritten_and_nothing_else_happens_then() {
    let desk = Desk::new();
    desk.key("default");
    let before = std::fs::read(desk.private("default")).unwrap();
    let refused = desk.modelyard(["keys", "generate"]).run().exits(2);
    refused.says("error[key-exists]");
    assert_eq!(std::fs::read(desk.private("default")).unwrap(), before);
    assert_eq!(desk.git(["branch", "--format=%(refname:short)"]), "main\n");
}

#[test]
fn where_the_yard_cannot_be_changed_no_key_is_made() {
    let desk = Desk::new();
    let nobody = Sandbox::without_identity();
    let run = desk.modelyard(["keys", "generate"]);
    let gitconfig = nobody.home().join(".gitconfig");
    run.env("GIT_CONFIG_GLOBAL", gitconfig)
        .env("HOME", nobody.home())
        .run()
        .exits(2);
    let home = nobody.home();
    assert!(!home.join(".config/modelyard/keys/default.key").exists());
    assert!(!desk.private("default").exists());
}

#[test]
fn outside_a_yard_only_the_key_is_made_and_all_are_listed() {
    let desk = Desk {
        sandbox: Sandbox::new(),
    };
    desk.modelyard(["keys", "list"])
        .run()
        .success()
        .prints("no keys yet");
    let made = desk
        .modelyard(["keys", "generate", "ci", "-o", "json"])
        .run()
        .success()
        .json();
    assert_eq!(made["yard"], serde_json::Value::Null);
    desk.modelyard(["keys", "generate", "ann"]).run().success();
    let list = desk.modelyard(["keys", "list"]).run().success();
    assert!(list.stdout.contains(made["fingerprint"].as_str().unwrap()));
    desk.modelyard(["keys", "list", "-o", "name"])
        .run()
        .success()
        .prints("ann\nci\n");
    let shown = desk
        .modelyard(["keys", "show", "ci", "-o", "json"])
        .run()
        .success()
        .json();
    assert_eq!(
        shown["public"].as_str().unwrap(),
        std::fs::read_to_string(desk.public("ci")).unwrap()
    );
    desk.modelyard(["keys", "show", "lost"])
        .run()
        .exits(2)
        .says("error[no-such-key]")
        .says("there are ann, ci");
}

#[test]
fn the_password_comes_from_a_file_or_the_environment_and_is_never_empty_by_accident() {
    let desk = Desk {
        sandbox: Sandbox::new(),
    };
    let file = desk.sandbox.write("password", format!("{PASSWORD}\n"));
    let empty = desk.sandbox.write("empty", "\n");
    let (file, empty) = (file.display().to_string(), empty.display().to_string());
    let generate = |name, file: &str| {
        let arguments = ["keys", "generate", name, "--password-file", file];
        desk.sandbox.modelyard(arguments).run()
    };
    generate("a", &file).success();
    generate("b", &empty).exits(2).says("error[empty-password]");
    generate("b", "no-such-file")
        .exits(2)
        .says("error[file-failed]");
    let asked = desk.sandbox.modelyard(["keys", "generate", "b"]).run();
    asked.exits(2).says("error[no-password]");
    let none = desk
        .sandbox
        .modelyard(["keys", "generate", "c"])
        .env("COSIGN_PASSWORD", "");
    none.run().success();
    assert!(!desk.private("b").exists());
    std::fs::remove_file(desk.public("a")).unwrap();
    let wrong = desk
        .sandbox
        .modelyard(["keys", "show", "a"])
        .env("COSIGN_PASSWORD", "wrong");
    wrong.run().exits(2).says("error[wrong-password]");
    let right = desk
        .sandbox
        .modelyard(["keys", "show", "a", "--password-file", &file]);
    right.run().success().prints("BEGIN PUBLIC KEY");
    assert!(desk.public("a").exists());
}
