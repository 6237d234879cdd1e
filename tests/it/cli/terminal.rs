//! What a person meets at a terminal: questions, passwords, bars.

use crate::harness::{Sandbox, Terminal, Yard};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const RETURN: &str = "\r";
const CONTROL_C: &str = "\x03";

fn publishing(sandbox: &Sandbox, yard: &Yard<'_>) -> Terminal {
    let files = sandbox.files("digits");
    let path = files.to_string_lossy();
    yard.modelyard(["publish", &path, "--as=vision/digits:1.0.0", "--unsigned"])
        .at_terminal()
}

#[test]
fn whoever_publishes_a_new_model_is_asked_what_it_is() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let mut terminal = publishing(&sandbox, &yard);
    terminal.shows("What is it").presses(RETURN);
    terminal.types("Handwritten digits\r");
    terminal.shows("Which team").types("vision\r");
    terminal.shows("What does it do").presses(RETURN);
    terminal.shows("Under which licence").types("Apache\r");
    terminal.shows("not an SPDX licence expression");
    terminal.types("Apache-2.0\r");
    terminal
        .shows("Who may")
        .presses(DOWN)
        .presses(DOWN)
        .presses(RETURN);
    terminal
        .shows("Which technology")
        .types("computer-vision\r");
    terminal.shows("Which category").presses(RETURN);
    terminal.shows("Which type of input").types("image\r");
    terminal.shows("Where is it").presses(RETURN);
    terminal.shows("Which task").presses(RETURN);
    let seen = terminal.ends(0);
    for line in [
        "vision/digits is new here. An empty answer leaves a field open.",
        "✔ What is it, in a line? · Handwritten digits",
        "✔ Under which licence? (SPDX, such as Apache-2.0) · Apache-2.0",
        "✔ Who may see it? · public",
        "✔ Which category? (such as classification, regression) ·",
        "Published vision/digits:1.0.0",
        "  git merge --no-ff --no-edit publish/vision/digits/1.0.0",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "no {line}:\n{seen}");
    }
    insta::assert_snapshot!(
        yard.show("publish/vision/digits/1.0.0", "models/vision/digits/model.yaml"),
        @r#"
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata:
      namespace: vision
      name: digits
    spec:
      title: Handwritten digits
      owners:
        - team: vision
      visibility: public
      classification:
        technology: computer-vision
        inputDataType: image
      license: Apache-2.0
    "#
    );
}

#[test]
fn a_closed_vocabulary_is_a_list_to_choose_from() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let record = sandbox.read("yard/modelyard.yaml");
    let closed = "  classification: {technology: [computer-vision, nlp]}\n";
    yard.write("modelyard.yaml", &format!("{record}{closed}"));
    yard.commit("close a vocabulary");
    let mut terminal = publishing(&sandbox, &yard);
    terminal.shows("What is it").types("Handwritten digits\r");
    terminal.shows("Which team").types("vision\r");
    for open in ["What does it do", "Under which licence", "Who may"] {
        terminal.shows(open).presses(RETURN);
    }
    terminal.shows("(leave open)").shows("nlp");
    terminal.presses(UP).presses(RETURN);
    for open in ["Which category", "Which type", "Where is it", "Which task"] {
        terminal.shows(open).presses(RETURN);
    }
    terminal.ends(0);
    let model = yard.show(
        "publish/vision/digits/1.0.0",
        "models/vision/digits/model.yaml",
    );
    assert!(model.contains("technology: nlp"), "{model}");
}

#[test]
fn whoever_leaves_in_the_middle_of_the_questions_leaves_all_as_it_was() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let refs = yard.refs();
    let mut terminal = publishing(&sandbox, &yard);
    terminal.shows("What is it").types("Handwritten digits\r");
    terminal.shows("Which team").presses(CONTROL_C);
    insta::assert_snapshot!(terminal.ends(130), @r#"
    vision/digits is new here. An empty answer leaves a field open.
    ✔ What is it, in a line? · Handwritten digits
    ? Which team answers for it? ›
    error[interrupted]: interrupted; nothing was left half done
      help: run the same command again to go on
      more: modelyard explain interrupted
    "#);
    assert!(!terminal.hides_the_cursor());
    assert_eq!(yard.refs(), refs);
    assert!(!yard.path("store").exists());
}

#[test]
fn a_key_is_locked_and_opened_by_a_password_that_nobody_sees() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    let generate = || yard.modelyard(["keys", "generate"]).at_terminal();
    let mut terminal = generate();
    terminal.shows("Password for").types_secretly("one");
    terminal.shows("Once more").types_secretly("other");
    assert!(terminal.ends(2).contains("error[passwords-differ]"));

    let mut terminal = generate();
    terminal.shows("Password for").types_secretly("open sesame");
    terminal.shows("Once more").types_secretly("open sesame");
    terminal.ends(0);
    assert!(!terminal.all().contains("sesame"));

    let files = sandbox.files("digits");
    let publish = |password: &str| {
        let path = files.to_string_lossy();
        let mut terminal = yard
            .modelyard([
                "publish",
                &path,
                "--as=vision/digits:1.0.0",
                "--title=Digits",
                "--owner=vision",
                "--no-questions",
            ])
            .at_terminal();
        terminal.shows("Password of").types_secretly(password);
        terminal
    };
    let mut terminal = publish("guess");
    assert!(terminal.ends(2).contains("error["));
    let mut terminal = publish("open sesame");
    let seen = terminal.ends(0);
    assert!(seen.contains("signed"), "{seen}");
    assert!(!terminal.all().contains("sesame"));
}

#[test]
fn bars_tell_of_every_transfer_and_are_gone_at_the_end() {
    let sandbox = Sandbox::new();
    sandbox.write("model/weights.bin", vec![7; 8 << 20]);
    let bar = |terminal: &Terminal| terminal.all().contains("━");
    let place = "oci-layout:./store/vision/digits:1.0.0";
    let mut push = sandbox.modelyard(["push", "model", place]).at_terminal();
    let seen = push.ends(0);
    assert!(bar(&push), "{}", push.all());
    assert!(!seen.contains('━'), "{seen}");
    let mut pull = sandbox.modelyard(["pull", place, "again"]).at_terminal();
    let seen = pull.ends(0);
    assert!(bar(&pull), "{}", pull.all());
    assert!(seen.ends_with("\n  weights.bin     8.00 MiB"), "{seen}");
    let mut quiet = sandbox
        .modelyard(["pull", "--quiet", place, "quietly"])
        .at_terminal();
    let seen = quiet.ends(0);
    assert!(seen.starts_with("pulled "), "{seen}");
    assert!(!bar(&quiet), "{}", quiet.all());
}
