//! Golden tests: their requests can be asked of the version, and their answers can come from it.

use serde_json::Value;

use super::tensors::misfit;
use crate::check::closest::suggest;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::document::Document;
use crate::check::records::Records;
use crate::record::kind::{ExpectedOutput, GoldenInput, GoldenTest, ModelVersionSpec, Tensor};

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, record) in records.versions() {
        for (index, test) in record.spec.tests.iter().enumerate() {
            let pointer = format!("/spec/tests/{index}");
            request(document, &record.spec, test, &pointer, found);
            expectation(document, &record.spec, test, &pointer, found);
        }
    }
}

fn request(
    document: &Document,
    spec: &ModelVersionSpec,
    test: &GoldenTest,
    pointer: &str,
    found: &mut Vec<Diagnostic>,
) {
    for (index, input) in test.request.inputs.iter().enumerate() {
        let pointer = format!("{pointer}/request/inputs/{index}");
        match named(&spec.inputs, &input.name) {
            None => found.extend(unknown(
                document,
                &pointer,
                "input",
                &input.name,
                &spec.inputs,
            )),
            Some(tensor) => found.extend(input_misfit(document, &pointer, input, tensor)),
        }
    }
    let asked = |tensor: &&Tensor| {
        test.request
            .inputs
            .iter()
            .all(|input| input.name != tensor.name)
    };
    let known = |input: &GoldenInput| named(&spec.inputs, &input.name).is_some();
    // What is named wrong is not missing as well.
    if test.request.inputs.iter().all(known) {
        for tensor in spec.inputs.iter().filter(asked) {
            let message = format!("the request lacks the input `{}`", tensor.name);
            let pointer = format!("{pointer}/request/inputs");
            let mut diagnostic = document.error(&codes::TENSOR_MISMATCH, &pointer, message);
            diagnostic.place = document.key_at(&pointer);
            found.push(diagnostic.help("a request has every input of the version"));
        }
    }
    for name in test.request.parameters.keys() {
        if spec
            .parameters
            .iter()
            .all(|parameter| parameter.name != *name)
        {
            let names = spec
                .parameters
                .iter()
                .map(|parameter| parameter.name.as_str());
            let message = format!("the version has no parameter `{name}`");
            let name = crate::check::yaml::escape(name);
            let pointer = format!("{pointer}/request/parameters/{name}");
            let mut diagnostic = document.error(&codes::UNKNOWN_PARAMETER, &pointer, message);
            diagnostic.place = document.key_at(&pointer);
            diagnostic.help = suggest(&name, names);
            found.push(diagnostic);
        }
    }
}

fn expectation(
    document: &Document,
    spec: &ModelVersionSpec,
    test: &GoldenTest,
    pointer: &str,
    found: &mut Vec<Diagnostic>,
) {
    for (index, output) in test.expect.outputs.iter().enumerate() {
        let pointer = format!("{pointer}/expect/outputs/{index}");
        match named(&spec.outputs, &output.name) {
            None => {
                found.extend(unknown(
                    document,
                    &pointer,
                    "output",
                    &output.name,
                    &spec.outputs,
                ));
            }
            Some(tensor) => found.extend(output_misfit(document, &pointer, output, tensor)),
        }
    }
}

fn named<'t>(tensors: &'t [Tensor], name: &str) -> Option<&'t Tensor> {
    tensors.iter().find(|tensor| tensor.name == name)
}

/// Nothing is unknown where nothing is declared.
fn unknown(
    document: &Document,
    pointer: &str,
    what: &str,
    name: &str,
    tensors: &[Tensor],
) -> Option<Diagnostic> {
    if tensors.is_empty() {
        return None;
    }
    let code = match what {
        "input" => &codes::UNKNOWN_INPUT,
        _ => &codes::UNKNOWN_OUTPUT,
    };
    let message = format!("the version has no {what} `{name}`");
    let mut diagnostic = document.error(code, &format!("{pointer}/name"), message);
    diagnostic.help = suggest(name, tensors.iter().map(|tensor| tensor.name.as_str()));
    Some(diagnostic)
}

fn input_misfit(
    document: &Document,
    pointer: &str,
    input: &GoldenInput,
    tensor: &Tensor,
) -> Option<Diagnostic> {
    let field = if input.datatype == tensor.datatype {
        "shape"
    } else {
        "datatype"
    };
    if let Some(reason) = misfit(input.datatype, &input.shape, tensor) {
        let message = format!("`{}` can't be this: {reason}", input.name);
        return Some(mismatch(document, &format!("{pointer}/{field}"), message));
    }
    let data = input.data.as_ref()?;
    let elements = elements(data);
    let mut sizes = input.shape.sizes().iter();
    let expected = sizes.try_fold(1_usize, |product, &size| {
        product.checked_mul(usize::try_from(size).ok()?)
    })?;
    (elements != expected).then(|| {
        let message = format!(
            "`{}` has {elements} elements, but its shape {} has {expected}",
            input.name, input.shape
        );
        let mut diagnostic = mismatch(document, &format!("{pointer}/data"), message);
        diagnostic.place = document.key_at(&format!("{pointer}/data"));
        diagnostic
    })
}

fn output_misfit(
    document: &Document,
    pointer: &str,
    output: &ExpectedOutput,
    tensor: &Tensor,
) -> Option<Diagnostic> {
    let datatype = output.datatype.unwrap_or(tensor.datatype);
    let shape = output.shape.as_ref().unwrap_or(&tensor.shape);
    let field = if datatype == tensor.datatype {
        "shape"
    } else {
        "datatype"
    };
    let reason = misfit(datatype, shape, tensor)?;
    let message = format!("`{}` can't be answered so: {reason}", output.name);
    Some(mismatch(document, &format!("{pointer}/{field}"), message))
}

fn mismatch(document: &Document, pointer: &str, message: String) -> Diagnostic {
    document
        .error(&codes::TENSOR_MISMATCH, pointer, message)
        .help("make the test and the version's `inputs` and `outputs` say the same")
}

/// How many elements a tensor's data has, flat or nested.
fn elements(data: &[Value]) -> usize {
    let count = |value: &Value| match value {
        Value::Array(items) => elements(items),
        _ => 1,
    };
    data.iter().map(count).sum()
}
