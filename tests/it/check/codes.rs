//! Every code of the check: something wrong that gives it and nothing else, and the right thing
//! that gives nothing.

use std::collections::BTreeSet;

use modelyard::check::codes::CODES;
use modelyard::check::gates::{Answers, Gates, Known, evaluate};
use modelyard::check::spread::InTurn;
use modelyard::check::{File, Files, Reading, Report, check};

use super::evidence::OF_EVIDENCE;
use super::sound::Edit::{self, Copy, Put, Remove, Swap, Write};
use super::sound::*;

pub(super) struct Case {
    pub(super) code: &'static str,
    /// What leads from the sound yard, or from what was before, to something wrong.
    pub(super) wrong: Vec<Edit>,
    /// The right thing to do instead, if that is not to leave the yard as it is.
    right: Vec<Edit>,
    /// What leads from the sound yard to what was before; `None` where nothing is compared.
    pub(super) before: Option<Vec<Edit>>,
}

fn case<const N: usize>(code: &'static str, wrong: [Edit; N]) -> Case {
    Case {
        code,
        wrong: wrong.into(),
        right: Vec::new(),
        before: None,
    }
}

impl Case {
    fn right<const N: usize>(mut self, right: [Edit; N]) -> Self {
        self.right = right.into();
        self
    }

    fn before<const N: usize>(mut self, before: [Edit; N]) -> Self {
        self.before = Some(before.into());
        self
    }

    fn check(&self, edits: &[Edit]) -> Report {
        let sound = sound();
        match &self.before {
            None => gated(edited(&sound, edits), None),
            Some(before) => {
                let base = edited(&sound, before);
                gated(edited(&base, edits), Some(base))
            }
        }
    }
}

fn of_one_file() -> Vec<Case> {
    vec![
        case(
            "yaml-syntax",
            [Swap(DIGITS, "title: Handwritten", "title: Handwritten:")],
        )
        .right([Swap(
            DIGITS,
            "title: Handwritten digits",
            "title: 'Handwritten: digits'",
        )]),
        case(
            "duplicate-key",
            [Swap(V1_1, "changes:", "lifecycle: released\n  changes:")],
        ),
        case(
            "yaml-anchor",
            [Swap(V1_1, "shape: [-1, 64]", "shape: &size [-1, 64]")],
        ),
        case(
            "yaml-merge-key",
            [Swap(DIGITS, "{team: vision}", "{<<: {team: vision}}")],
        ),
        case("yaml-tag", [Swap(DIGITS, "title: ", "title: !!str ")]),
        case(
            "yaml-key",
            [Swap(V1_1, "changes:", "properties: {3: a}\n  changes:")],
        )
        .right([Swap(V1_1, "changes:", "properties: {\"3\": a}\n  changes:")]),
        case("yaml-number", [Swap(V1_1, "value: 0.97", "value: .nan")]),
        case("yaml-documents", [Swap(DIGITS, "spec:", "---\nspec:")]),
        case("not-utf8", [Put(DIGITS, text(b"title: Gr\xf6\xdfe\n"))]),
        case(
            "control-character",
            [Swap(DIGITS, "Handwritten", "Hand\u{1b}[31mwritten")],
        ),
        case(
            "record-empty",
            [Write(DIGITS, "# to be written\n".to_owned())],
        ),
        case(
            "record-too-large",
            [Put(
                DIGITS,
                File::TooLarge {
                    size_bytes: 1 << 30,
                },
            )],
        ),
        case(
            "record-too-deep",
            [Write(DIGITS, format!("a: {}\n", "[".repeat(100)))],
        ),
        case("record-is-link", [Put(DIGITS, File::Link)]),
        case("record-unread", [Put(DIGITS, File::Unread)]),
        case(
            "unexpected-file",
            [Put("models/vision/digits/versions/1.0.yaml", File::Unread)],
        ),
        case("no-yard-record", [Remove(YARD)]),
        case(
            "wrong-kind",
            [Swap(FACTORY, "kind: Environment", "kind: Deployment")],
        ),
        case(
            "name-mismatch",
            [Swap(V1_2, "version: 1.2.0}", "version: 1.2.1}")],
        ),
        case("unknown-field", [Swap(V1_1, "lifecycle:", "lifecyle:")]),
        case(
            "missing-field",
            [Swap(
                V1_1,
                "{name: onnx, version: \"17\"}",
                "{version: \"17\"}",
            )],
        ),
        case(
            "fields-conflict",
            [Swap(COMPARED, "spec:", "spec:\n  model: vision/digits")],
        ),
        case("wrong-type", [Swap(V1_1, "version: \"17\"", "version: 17")]),
        case(
            "wrong-value",
            [Swap(V1_1, "lifecycle: released", "lifecycle: production")],
        ),
        case(
            "plain-secret",
            [Swap(
                SERVED,
                "pool:",
                "runtime: {env: {API_KEY: 0a1b2c3d}}\n  pool:",
            )],
        )
        .right([Swap(SERVED, "pool:", SECRET)]),
        case(
            "second-score",
            [Swap(V1_1, "value: 0.96", "value: 0.96, score: true")],
        ),
    ]
}

const SECRET: &str =
    "runtime: {secrets: [{env: API_KEY, from: {secret: digits, key: api-key}}]}\n  pool:";

/// A version that nothing uses.
const UNUSED: &str = "models/vision/digits/versions/0.9.0.yaml";
const OLDER: [&str; 2] = ["version: 1.1.0}", "version: 0.9.0}"];

/// The unused version at `lifecycle`.
fn unused(lifecycle: &'static str) -> [Edit; 2] {
    [
        Copy(V1_1, UNUSED, OLDER[0], OLDER[1]),
        Swap(UNUSED, "lifecycle: released", lifecycle),
    ]
}

fn of_models() -> Vec<Case> {
    let [copy, retire] = unused("lifecycle: retired");
    vec![
        case(
            "duplicate-name",
            [Swap(V1_0, "{name: digit, datatype: INT64", TWICE)],
        ),
        case(
            "model-without-record",
            [Remove("models/vision/resize/model.yaml")],
        ),
        case(
            "unknown-model",
            [Swap(SERVED, "vision/resize", "vision/risize")],
        ),
        case(
            "unknown-version",
            [Swap(DIGITS, "champion: 1.1.0", "champion: 1.3.0")],
        ),
        case("unknown-alias", [Swap(SERVED, "champion", "chamption")]),
        case(
            "unknown-input",
            [Swap(V1_1, "inputs: [{name: image", "inputs: [{name: img")],
        ),
        case(
            "unknown-output",
            [Swap(V1_1, "[{name: digit, data", "[{name: digits, data")],
        ),
        case("unknown-parameter", [Swap(V1_2, "one.json}]", TRESHOLD)]).right([Swap(
            V1_2,
            "one.json}]",
            THRESHOLD,
        )]),
        case(
            "parameter-misfit",
            [Swap(
                V1_2,
                "datatype: FP32}",
                "datatype: UINT8, default: 300}",
            )],
        )
        .right([Swap(
            V1_2,
            "datatype: FP32}",
            "datatype: UINT16, default: 300}",
        )]),
        case("parameter-misfit", [Swap(V1_2, "one.json}]", HALF)]).right([Swap(
            V1_2,
            "one.json}]",
            THRESHOLD,
        )]),
        case(
            "alias-retired",
            [
                copy,
                retire,
                Swap(DIGITS, "champion:", "old: 0.9.0\n    champion:"),
            ],
        )
        .right([Swap(DIGITS, "champion:", "old: 1.0.0\n    champion:")]),
        case(
            "outside-vocabulary",
            [Swap(DIGITS, "computer-vision", "vision")],
        ),
        case(
            "tensor-mismatch",
            [Swap(V1_1, "shape: [1, 64]", "shape: [1, 8, 8]")],
        ),
        case(
            "release-incomplete",
            [Swap(RESIZE_MODEL, "  license: Apache-2.0\n", "")],
        ),
        case(
            "dependency-cycle",
            [Swap(SERVED, "pool:", "dependsOn: [compared]\n  pool:")],
        ),
        case("unknown-key", [Swap(YARD, "release.pub", "relase.pub")]),
        case("no-trust-rule", [Swap(YARD, TRUST, "")]),
        case("gate-invalid", [policy("size(version.tests)  >")])
            .right([policy("size(version.tests) > 0")]),
    ]
}

const RESIZE_MODEL: &str = "models/vision/resize/model.yaml";
const TWICE: &str =
    "{name: digit, datatype: INT64, shape: [-1]}\n    - {name: digit, datatype: INT64";
const TRESHOLD: &str = "one.json}]\n        parameters: {treshold: 1}";
const HALF: &str = "one.json}]\n        parameters: {threshold: half}";
const THRESHOLD: &str = "one.json}]\n        parameters: {threshold: 1}";
const TRUST: &str = "  trust:
    rules:
      - match: {models: \"*\", lifecycle: released}
        require: {signatures: 1}
        accept:
          - key: keys/release.pub
";

/// A policy for releases, of one gate.
pub(super) fn policy(expression: &str) -> Edit {
    let policy = format!(
        "apiVersion: modelyard.dev/v1
kind: Policy
metadata: {{name: release}}
spec:
  match: {{kinds: [ModelVersion], transitions: [staged -> released]}}
  gates: [{{name: a gate, expr: {expression:?}}}]
"
    );
    Write("policies/release.yaml", policy)
}

fn of_deployments() -> Vec<Case> {
    vec![
        case("unknown-environment", [Remove(FACTORY)]),
        case("unknown-pool", [Swap(SERVED, "pool: cpu", "pool: cpus")]),
        case(
            "unknown-deployment",
            [Swap(COMPARED, "dependsOn: [digits]", "dependsOn: [digit]")],
        ),
        case(
            "unknown-test",
            [Swap(SERVED, "tests: [a one]", "tests: [a two]")],
        ),
        case(
            "unknown-analysis",
            [Swap(SERVED, "analysis: [agreement]", "analysis: [agrees]")],
        ),
        case(
            "unmeasured-analysis",
            [Swap(SERVED, "analysis: [agreement]", "approval: true")],
        ),
        case(
            "split-weights",
            [Swap(COMPARED, "weight: 20", "weight: 10")],
        ),
        case(
            "route-reserved",
            [Swap(
                COMPARED,
                "dependsOn:",
                "route: {path: /hooks/forge}\n  dependsOn:",
            )],
        )
        .right([Swap(
            COMPARED,
            "dependsOn:",
            "route: {path: /forge}\n  dependsOn:",
        )]),
        case("strategy-steps", [Swap(SERVED, "weight: 50", "weight: 5")]),
        case(
            "environment-refuses",
            [Swap(COMPARED, "version: 1.1.0", "version: 1.2.0")],
        ),
        case("device-missing", [Swap(V1_1, "[cpu, cuda]", "[cuda]")]).right([Swap(
            V1_1,
            "[cpu, cuda]",
            "[cpu]",
        )]),
        case("quota-exceeded", [Swap(SERVED, "min: 2", "min: 5")])
            .right([Swap(SERVED, "min: 2", "min: 4")]),
        case(
            "version-in-use",
            [Swap(V1_0, "lifecycle: deprecated", "lifecycle: retired")],
        ),
    ]
}

fn of_changes() -> Vec<Case> {
    let deleted = || case("version-deleted", [Remove(UNUSED)]);
    vec![
        case(
            "version-changed",
            [
                Swap(V1_1, "[-1, 64]", "[-1, 65]"),
                Swap(V1_1, "[1, 64]", "[1, 65]"),
            ],
        )
        .before([Swap(SERVED, COPROCESSOR, "")])
        .right([Swap(V1_1, "changes:", "notes: Keep it dry.\n  changes:")]),
        case("digest-changed", [Swap(V1_1, "sha256:bbbb", "sha256:bbbc")])
            .before([])
            .right([Swap(V1_2, "lifecycle: staged", "lifecycle: released")]),
        case(
            "illegal-lifecycle-move",
            [Swap(V1_2, "lifecycle: staged", "lifecycle: deprecated")],
        )
        .before([])
        .right([Swap(V1_2, "lifecycle: staged", "lifecycle: released")]),
        case("gate-failed", [released()])
            .before([policy("has(version.notes)")])
            .right([released(), Swap(V1_2, "spec:\n", "spec:\n  notes: Dry.\n")]),
        case("gate-not-evaluated", [released()])
            .before([policy("size(version.notes) > 3")])
            .right([released(), Swap(V1_2, "spec:\n", "spec:\n  notes: Dry.\n")]),
        deleted().before(unused("lifecycle: retired")),
        Case {
            right: vec![Remove(UNUSED)],
            wrong: vec![Remove(V1_2)],
            ..deleted().before(unused("lifecycle: recycled"))
        },
    ]
}

const COPROCESSOR: &str = "  before: [{model: vision/resize, version: 1.0.0}]\n";

fn released() -> Edit {
    Swap(V1_2, "lifecycle: staged", "lifecycle: released")
}

/// Checks with gates evaluated.
pub(super) fn gated(head: Files, base: Option<Files>) -> Report {
    let reading = Reading::new(head, base, &InTurn);
    let mut answers = Answers::default();
    for question in reading.questions(&Known::default()) {
        let answer = evaluate(&question);
        answers.insert(&question, answer);
    }
    reading.report(None, Gates::Answered(&answers))
}

/// The codes of a report, each once.
pub(super) fn codes(report: &Report) -> BTreeSet<&'static str> {
    report
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.id)
        .collect()
}

pub(super) fn cases() -> Vec<Case> {
    [of_one_file(), of_models(), of_deployments(), of_changes()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn the_sound_yard_is_sound() {
    assert_eq!(said(sound()), [""; 0]);
    assert_eq!(lines(&check(sound(), Some(sound()), None)), [""; 0]);
}

#[test]
fn what_is_wrong_gives_its_code_alone_and_what_is_right_gives_none() {
    let mut off = Vec::new();
    for case in cases() {
        let wrong = case.check(&case.wrong);
        if codes(&wrong) != [case.code].into() {
            off.push(format!("the wrong of {}: {:#?}", case.code, lines(&wrong)));
        }
        let right = case.check(&case.right);
        if !right.diagnostics.is_empty() {
            off.push(format!("the right of {}: {:#?}", case.code, lines(&right)));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn every_code_of_the_check_is_shown_here() {
    let shown: BTreeSet<_> = cases()
        .iter()
        .map(|case| case.code)
        .chain(OF_EVIDENCE)
        .collect();
    let missing: Vec<_> = CODES
        .iter()
        .filter(|code| !shown.contains(code.id))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
