//! Records that are meant to do harm, or that no person would write.

use std::time::{Duration, Instant};

use modelyard::check::gates::Gates;
use modelyard::check::spread::InTurn;
use modelyard::check::{File, Files, Reading, check};

use super::sound::Edit::{Put, Swap};
use super::sound::*;

#[test]
fn a_bom_crlf_and_comments_are_fine() {
    let dressed = |(path, file): (&str, &File)| {
        let file = match file {
            File::Text(bytes) if path.ends_with(".yaml") => {
                let source = String::from_utf8(bytes.to_vec()).unwrap();
                text(format!("\u{feff}# {path}\n{source}").replace('\n', "\r\n"))
            }
            other => other.clone(),
        };
        (path.to_owned(), file)
    };
    let files: Files = sound().iter().map(dressed).collect();
    assert_eq!(said(files.clone()), [""; 0]);
    // And places are told as people count them.
    let wrong = edited(&files, &[Swap(V1_1, "lifecycle:", "lifecyle:")]);
    assert!(said(wrong)[0].contains("1.1.0.yaml:6:3: "));
}

#[test]
fn a_record_that_can_not_be_read_is_told_once_and_not_by_who_refers_to_it() {
    for path in [YARD, DIGITS, V1_1, RESIZE, EMBEDDER, FACTORY, SERVED] {
        for file in [
            text("spec: ["),
            text("- 1"),
            File::Link,
            text("kind: Model\nspec: 7"),
        ] {
            let said = said(edited(&sound(), &[Put(path, file)]));
            let own = format!(" {path}");
            assert!(!said.is_empty());
            assert!(said.iter().all(|line| line.contains(&own)), "{said:#?}");
        }
    }
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let line = format!("lifecycle: {token}");
    for to in [
        line,
        format!("lifecyle: {token}"),
        format!("repository: \"{token} {token}\""),
    ] {
        let to: &'static str = to.leak();
        let head = edited(&sound(), &[Swap(V1_1, "lifecycle: released", to)]);
        let report = check(head, None, None);
        let json = serde_json::to_string(&report.diagnostics).unwrap();
        assert!(!json.contains(&token), "{json}");
        assert!(json.contains("plain-secret"), "{json}");
        let shown = format!("{report:?}");
        assert!(!shown.contains(&token), "{shown}");
    }
}

/// A thousand models, each of whose versions needs the one before: a walk that recursed or looked
/// at every pair would show.
#[test]
fn long_chains_and_wide_cycles_cost_little() {
    let mut files = sound();
    let count = 3000;
    for number in 0..count {
        let name = format!("m{number}");
        let needs = format!("m{}", (number + 1) % count);
        files.insert(
            format!("models/chain/{name}/model.yaml"),
            text(format!(
                "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {{namespace: chain, name: \
                 {name}}}\nspec: {{title: x, owners: [{{team: x}}]}}\n"
            )),
        );
        files.insert(
            format!("models/chain/{name}/versions/1.0.0.yaml"),
            text(format!(
                "apiVersion: modelyard.dev/v1\nkind: ModelVersion\nmetadata: {{namespace: chain, \
                 name: {name}, version: 1.0.0}}\nspec:\n  artifact: {{repository: \
                 r.example/{name}, digest: 'sha256:{}'}}\n  format: {{name: onnx}}\n  \
                 dependencies:\n    models: [{{name: x, producedBy: {{model: chain/{needs}, \
                 version: 1.0.0, file: x}}}}]\n",
                "0".repeat(64)
            )),
        );
    }
    let started = Instant::now();
    let report = Reading::new(files, None, &InTurn).report(None, Gates::Unasked);
    let took = started.elapsed();
    let codes: Vec<_> = report.diagnostics.iter().map(|one| one.code.id).collect();
    assert_eq!(codes, ["dependency-cycle"]);
    assert!(took < Duration::from_secs(60), "it took {took:?}");
}
