//! What only evidence tells: of artifacts that are there, of those that are not, and of those of which
//! nobody knows.

use modelyard::check::evidence::{Artifact, Present};
use modelyard::check::gates::Gates;
use modelyard::check::spread::InTurn;
use modelyard::check::{Evidence, Reading, Report};

use super::codes::codes;
use super::sound::*;

/// The codes that only evidence can give: `of_evidence` shows each.
pub(super) const OF_EVIDENCE: [&str; 4] = [
    "digest-missing",
    "size-differs",
    "evidence-missing",
    "unknown-file",
];

/// What is known of the version at `path` of the sound yard, if all is well with it.
fn well(path: &str) -> Artifact {
    let size_bytes = if path.contains("digits") { 20480 } else { 7 };
    let files = ["model.onnx", "tests/one.json", "vocabulary.txt"];
    Artifact::Present(Present {
        size_bytes,
        files: files.map(str::to_owned).into(),
        shortfalls: Vec::new(),
    })
}

/// Checks the sound yard with evidence that is well but for `odd` at `path`.
fn with_evidence(path: &str, odd: Option<&Artifact>) -> Report {
    let reading = Reading::new(sound(), None, &InTurn);
    let mut evidence = Evidence::new();
    for wanted in reading.wanted() {
        let artifact = if wanted.path == path {
            odd.cloned()
        } else {
            Some(well(&wanted.path))
        };
        if let Some(artifact) = artifact {
            evidence.insert(wanted.path, artifact);
        }
    }
    reading.report(Some(&evidence), Gates::Unasked)
}

#[test]
fn of_evidence() {
    let unreachable = Artifact::Unknown {
        reason: "it does not answer".to_owned(),
        help: None,
    };
    let present = |files: &[&str], size_bytes| {
        Artifact::Present(Present {
            size_bytes,
            files: files.iter().map(|&file| file.to_owned()).collect(),
            shortfalls: Vec::new(),
        })
    };
    for (code, path, odd) in [
        ("digest-missing", V1_1, Some(Artifact::Missing)),
        (
            "size-differs",
            V1_1,
            Some(present(&["tests/one.json"], 20481)),
        ),
        ("evidence-missing", V1_1, Some(unreachable)),
        ("evidence-missing", V1_1, None),
        ("unknown-file", V1_1, Some(present(&["model.onnx"], 20480))),
        ("unknown-file", EMBEDDER, Some(present(&["model.onnx"], 7))),
    ] {
        let report = with_evidence(path, odd.as_ref());
        assert_eq!(codes(&report), [code].into(), "{:#?}", lines(&report));
        assert_eq!(report.diagnostics.len(), 1, "{:#?}", lines(&report));
    }
    assert_eq!(lines(&with_evidence("", None)), [""; 0]);
}
