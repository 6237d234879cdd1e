//! What a version needs of other models: that it exists, and that it fits.

use super::tensors::misfit;
use crate::check::closest::suggest;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::{Records, Resolved};
use crate::record::kind::{ModelDependency, ModelVersion, Product};

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, record) in records.versions() {
        let dependencies = record.spec.dependencies.iter();
        let models = dependencies.flat_map(|dependencies| &dependencies.models);
        for (index, dependency) in models.enumerate() {
            let pointer = format!("/spec/dependencies/models/{index}");
            produced(records, document, record, dependency, &pointer, found);
        }
    }
}

fn produced(
    records: &Records<'_>,
    document: &Document,
    record: &ModelVersion,
    dependency: &ModelDependency,
    pointer: &str,
    found: &mut Vec<Diagnostic>,
) {
    let producer = &dependency.produced_by;
    let at = format!("{pointer}/producedBy");
    let (source, produces) = match records.resolve(&producer.model, producer.version.as_ref()) {
        Resolved::Found(source, produces) => (source, produces),
        Resolved::Unreadable => return,
        Resolved::Nothing(dangling) => {
            let (model, version) = (format!("{at}/model"), format!("{at}/version"));
            found.push(dangling.at(document, &model, &version));
            return;
        }
    };
    let Product::Output(output) = &producer.product else {
        return;
    };
    let outputs = &produces.spec.outputs;
    let Some(tensor) = outputs.iter().find(|tensor| tensor.name == *output) else {
        if !outputs.is_empty() {
            let message = format!(
                "{} {} has no output `{output}`",
                producer.model, produces.metadata.version
            );
            let mut diagnostic =
                document.error(&codes::UNKNOWN_OUTPUT, &format!("{at}/output"), message);
            diagnostic.help = suggest(output, outputs.iter().map(|tensor| tensor.name.as_str()));
            found.push(diagnostic);
        }
        return;
    };
    let inputs = &record.spec.inputs;
    let name = format!("{pointer}/name");
    let Some(input) = inputs.iter().find(|input| input.name == dependency.name) else {
        if !inputs.is_empty() {
            let message = format!(
                "an output of {} becomes our input `{}`, which is none",
                producer.model, dependency.name
            );
            let mut diagnostic = document.error(&codes::UNKNOWN_INPUT, &name, message);
            let names = inputs.iter().map(|input| input.name.as_str());
            diagnostic.help = suggest(&dependency.name, names);
            found.push(diagnostic);
        }
        return;
    };
    if let Some(reason) = misfit(tensor.datatype, &tensor.shape, input) {
        let message = format!(
            "`{output}` of {} {} can't be our input `{}`: {reason}",
            producer.model, produces.metadata.version, dependency.name
        );
        let index = outputs
            .iter()
            .position(|known| known.name == *output)
            .unwrap_or_default();
        found.push(
            document
                .error(&codes::TENSOR_MISMATCH, &format!("{at}/output"), message)
                .help("take another output or version, or correct the input")
                .related(
                    &source.path,
                    source.value_at(&format!("/spec/outputs/{index}")),
                    "the output is here",
                ),
        );
    }
}
