//! A snapshot of Hugging Face's hub.

use super::{MODEL, NAMESPACE, RECORD, digest, fields, imported, yard};
use crate::harness::{Sandbox, Yard};

/// Exports the example as a snapshot, and gives its folder.
fn exported(sandbox: &Sandbox, yard: &Yard<'_>) -> String {
    let out = sandbox.path("diabetes-progression");
    let path = out.to_str().unwrap().to_owned();
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        &*path,
        "--to=huggingface",
    ];
    let done = yard.modelyard(words).run().success();
    done.prints("no place for lifecycle released (a folder has no stage; a registry has)")
        .prints("no place for alias champion (a folder has no aliases; a registry has)");
    path
}

#[test]
fn a_snapshot_comes_back_as_the_record_that_went() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let path = exported(&sandbox, &yard);
    let other = Sandbox::new();
    let back = imported(&other, &format!("huggingface:{path}"), &NAMESPACE);
    let mut went = fields(&yard, RECORD);
    // The card is one of the files, and says more now; a folder has no stage.
    let came = fields(&back, RECORD);
    went["spec"]["artifact"] = came["spec"]["artifact"].clone();
    went["spec"]["lifecycle"] = "staged".into();
    assert_eq!(came, went);
    let mut model = fields(&yard, MODEL);
    model["spec"]
        .as_object_mut()
        .unwrap()
        .shift_remove("aliases");
    assert_eq!(fields(&back, MODEL), model);

    // Once its card says all, every byte stays.
    let again = other.path("diabetes-progression");
    let words = [
        "export",
        "health/diabetes-progression:1.0.0",
        again.to_str().unwrap(),
    ];
    back.modelyard(words.iter().chain(&["--to=huggingface"]))
        .run()
        .success();
    let third = Sandbox::new();
    let thrice = imported(
        &third,
        &format!("huggingface:{}", again.display()),
        &NAMESPACE,
    );
    assert_eq!(digest(&thrice, RECORD), digest(&back, RECORD));
    assert_eq!(fields(&thrice, RECORD), fields(&back, RECORD));
}

#[cfg(feature = "real-tools")]
#[test]
fn the_hubs_own_client_reads_the_card() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let path = exported(&sandbox, &yard);
    let program = "\
import sys
from huggingface_hub import ModelCard
card = ModelCard.load(sys.argv[1] + '/README.md')
print(card.data.license, card.data.pipeline_tag, card.data.library_name, card.data.model_name)
print(sorted((result.metric_type, result.metric_value) for result in card.data.eval_results))
";
    let read = sandbox
        .tool("huggingface-python", ["-c", program, &path])
        .run()
        .success();
    insta::assert_snapshot!(read.stdout, @r"
    apache-2.0 tabular-regression scikit-learn diabetes-progression
    [('mae', 42.06), ('r_squared', 0.4072)]
    ");
}
