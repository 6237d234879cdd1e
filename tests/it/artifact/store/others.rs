//! Other people's clients: they read what we wrote, and we what they wrote.

use crate::harness::registry::{Distribution, Referrers};
use crate::harness::{Login, Outcome, Sandbox};

fn tool(sandbox: &Sandbox, name: &str, words: &[&str]) -> Outcome {
    sandbox.tool(name, words).run().success()
}

/// A sandbox with two files, the registry's login, and our push of them.
fn pushed(host: &str, login: Option<&Login>) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    if let Some(Login { user, password }) = login {
        let words = ["login", host, "--username", user, "--password-stdin"];
        sandbox.modelyard(words).input(password).run().success();
    }
    sandbox.write("ours/model.bin", b"\x00weights\x01");
    sandbox.write("ours/data/rows.csv", "1,2\n");
    let reference = format!("{host}/vision/digits:1.0.0");
    sandbox
        .modelyard(["push", "ours", &reference])
        .run()
        .success();
    (sandbox, reference)
}

fn same_files(sandbox: &Sandbox, one: &str, other: &str) {
    let differ = sandbox.program("diff", ["-r", one, other]).run();
    assert_eq!(differ.code, Some(0), "{}", differ.report());
}

fn both(test: impl Fn(&str, Option<&Login>)) {
    let login = Login::new("tester", "correct horse");
    let distribution = Distribution::builder().basic(&login).start();
    test(&distribution.host(), Some(&login));
    let referrers = Referrers::start();
    test(&referrers.host(), None);
}

#[test]
fn oras_and_crane_read_what_we_pushed_with_the_login_that_we_kept() {
    both(|host, login| {
        let (sandbox, reference) = pushed(host, login);
        let words = ["pull", "--plain-http", "--output", "theirs", &reference];
        tool(&sandbox, "oras", &words);
        same_files(&sandbox, "ours", "theirs");
        let digest = tool(&sandbox, "crane", &["digest", &reference]);
        let told = sandbox
            .modelyard(["inspect", &reference, "-o", "json"])
            .run();
        assert_eq!(told.success().json()["digest"], digest.line());
        tool(
            &sandbox,
            "crane",
            &["validate", "--remote", &reference, "--fast"],
        );
        let tags = tool(
            &sandbox,
            "crane",
            &["ls", reference.strip_suffix(":1.0.0").unwrap()],
        );
        assert_eq!(tags.line(), "1.0.0");
    });
}

#[test]
fn we_read_what_oras_pushed_with_the_login_that_crane_kept() {
    both(|host, login| {
        let sandbox = Sandbox::new();
        if let Some(Login { user, password }) = login {
            tool(
                &sandbox,
                "crane",
                &["auth", "login", host, "-u", user, "-p", password],
            );
        }
        sandbox.write("theirs/model.bin", b"\x00weights\x01");
        sandbox.write("theirs/data/rows.csv", "1,2\n");
        let reference = format!("{host}/vision/theirs:1.0.0");
        let words = [
            "push",
            "--plain-http",
            &reference,
            "model.bin",
            "data/rows.csv",
        ];
        sandbox
            .tool("oras", words)
            .in_folder("theirs")
            .run()
            .success();
        sandbox
            .modelyard(["pull", &reference, "ours"])
            .run()
            .success();
        same_files(&sandbox, "theirs", "ours");
        let out = ["logout", host];
        sandbox.modelyard(out).run().success();
        if login.is_some() {
            sandbox.tool("crane", ["digest", &reference]).run().exits(1);
        }
    });
}

#[test]
fn layouts_are_everybodys() {
    let registry = Distribution::start();
    let (sandbox, reference) = pushed(&registry.host(), None);
    sandbox
        .modelyard(["push", "ours", "oci-layout:./layout:1.0.0"])
        .run()
        .success();
    // Theirs reads ours.
    let words = ["pull", "--oci-layout", "layout:1.0.0", "--output", "pulled"];
    tool(&sandbox, "oras", &words);
    same_files(&sandbox, "ours", "pulled");
    let tags = tool(
        &sandbox,
        "oras",
        &["repo", "tags", "--oci-layout", "layout"],
    );
    assert_eq!(tags.line(), "1.0.0");
    // Theirs writes into ours, and ours reads both.
    let words = [
        "copy",
        "--from-plain-http",
        &reference,
        "--to-oci-layout",
        "layout:copied",
    ];
    tool(&sandbox, "oras", &words);
    let tags = sandbox
        .modelyard(["tags", "oci-layout:layout"])
        .run()
        .success();
    assert_eq!(tags.stdout, "1.0.0\ncopied\n");
    // Ours reads and extends what theirs made.
    let words = [
        "copy",
        "--from-plain-http",
        &reference,
        "--to-oci-layout",
        "made:a",
    ];
    tool(&sandbox, "oras", &words);
    sandbox
        .modelyard(["pull", "oci-layout:made:a", "from-made"])
        .run()
        .success();
    same_files(&sandbox, "ours", "from-made");
    sandbox.write("ours/model.bin", "retrained");
    sandbox
        .modelyard(["push", "ours", "oci-layout:made:b"])
        .run()
        .success();
    let tags = tool(&sandbox, "oras", &["repo", "tags", "--oci-layout", "made"]);
    assert_eq!(tags.line(), "a\nb");
    tool(
        &sandbox,
        "crane",
        &["validate", "--remote", &reference, "--fast"],
    );
}

#[test]
fn what_refers_to_an_artifact_is_found_by_all() {
    both(|host, login| {
        let (sandbox, reference) = pushed(host, login);
        sandbox.write("bill.json", "{}");
        let attach = |kind: &str| {
            let words = [
                "attach",
                "--plain-http",
                "--artifact-type",
                kind,
                &reference,
                "bill.json",
            ];
            tool(&sandbox, "oras", &words);
        };
        attach("application/x-before");
        let sign = |words: &[&str]| {
            sandbox
                .modelyard(words)
                .env("COSIGN_PASSWORD", "horse")
                .run()
                .success()
        };
        sign(&["keys", "generate", "--no-yard"]);
        sign(&["sign", &reference]);
        attach("application/x-after");
        let told = sandbox
            .modelyard(["inspect", &reference, "-o", "json"])
            .run();
        let told = told.success().json();
        assert_eq!(
            told["referrers"].as_array().map(Vec::len),
            Some(3),
            "{told:#}"
        );
        let words = ["discover", "--plain-http", "--format", "json", &reference];
        let theirs = tool(&sandbox, "oras", &words).json();
        let listed = theirs.get("manifests").or(theirs.get("referrers"));
        assert_eq!(
            listed.and_then(|all| all.as_array()).map(Vec::len),
            Some(3),
            "{theirs:#}"
        );
    });
}
