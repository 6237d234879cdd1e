//! What a shell is told when somebody presses the tab key.

use crate::harness::{Sandbox, Yard};

/// What bash is offered where the last of `words` is typed.
fn offered(yard: &Yard<'_>, words: &[&str]) -> Vec<String> {
    let asked = ["--", "modelyard"].iter().chain(words);
    let outcome = yard
        .modelyard(asked)
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_IFS", "\n")
        .run()
        .success();
    outcome.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn models_then_their_aliases_and_versions() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    for (files, model) in [("digits", "vision/digits"), ("letters", "vision/letters")] {
        sandbox.files(files);
        yard.publish(files, &format!("{model}:1.0.0")).success();
        yard.merge(&format!("publish/{model}/1.0.0"));
    }
    let promote = [
        "promote",
        "vision/digits:1.0.0",
        "--to=released",
        "--alias=champion",
    ];
    yard.modelyard(promote).run().success();
    yard.merge("promote/vision/digits/1.0.0");

    assert_eq!(
        offered(&yard, &["pull", "vis"]),
        ["vision/digits", "vision/letters"]
    );
    assert_eq!(
        offered(&yard, &["pull", "vision/digits:"]),
        ["vision/digits:champion", "vision/digits:1.0.0"]
    );
    assert_eq!(
        offered(&yard, &["pull", "vision/digits:1"]),
        ["vision/digits:1.0.0"]
    );
    for command in ["show", "log", "compare"] {
        assert_eq!(
            offered(&yard, &[command, "vision/digits:c"]),
            ["vision/digits:champion"],
            "{command}"
        );
    }
    assert_eq!(
        offered(&yard, &["compare", "vision/digits:1.0.0", "vision/l"]),
        ["vision/letters", "vision/letters:1.0.0"]
    );
    yard.write("deployments/factory/digits.yaml", "whatever it says\n");
    assert_eq!(offered(&yard, &["show", "fac"]), ["factory/digits"]);
    assert_eq!(offered(&yard, &["log", "fac"]), [""; 0]);
    yard.write("deployments/line3/digits.yaml", "whatever it says\n");
    yard.write("deployments/line3/letters.yaml", "whatever it says\n");
    for command in [
        &["logs"][..],
        &["restart"],
        &["rollback"],
        &["rollout", "pause"],
    ] {
        let words = |start| [command, &[start]].concat();
        assert_eq!(offered(&yard, &words("d")), ["digits"], "{command:?}");
        assert_eq!(offered(&yard, &words("l")), ["letters"], "{command:?}");
    }
    let token = ["token", "create", "--for", "line-3", "--deployment", "d"];
    assert_eq!(offered(&yard, &token), ["digits"]);
    let environment = "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {name: factory}\nspec: {target: {type: process}}\n";
    yard.write("environments/factory.yaml", environment);
    assert_eq!(offered(&yard, &["logs", "digits", "-e", "f"]), ["factory"]);
    assert_eq!(
        offered(&yard, &["deploy", "vision/digits", "--to", "f"]),
        ["factory"]
    );
    assert!(offered(&yard, &["pub"]).contains(&"publish".to_owned()));
}

#[test]
fn every_shell_has_its_script() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        sandbox
            .modelyard(["completions", shell])
            .run()
            .success()
            .prints("COMPLETE");
    }
    let script = sandbox
        .modelyard(["completions", "bash"])
        .run()
        .success()
        .stdout;
    sandbox
        .program("bash", ["-c", &format!("{script}\ncomplete -p modelyard")])
        .run()
        .success()
        .prints("_clap_complete_modelyard modelyard");
}
