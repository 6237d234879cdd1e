//! An ONNX model, loaded and ready to run.

use std::path::Path;
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::{DimFact, InferenceModelExt, ShapeFactoid};

use super::error::{OnnxError, TractSays};
use super::{elements, operators};
use crate::record::kind::{Datatype, Shape, Tensor as Registered};

/// A model that can run, by any number of threads at once.
pub(super) struct Model {
    /// What it takes, in its order.
    pub(super) inputs: Vec<Registered>,
    /// What it gives, in its order.
    pub(super) outputs: Vec<Registered>,
    /// The inputs' sizes, by symbols where they are open.
    sizes: Vec<TVec<TDim>>,
    plan: Arc<TypedRunnableModel>,
}

/// Two sizes that the model wants to be the same, and that a request makes differ.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "input `{input}` has the size {size} as dimension {dimension}, where the inputs before it \
     make it {other}"
)]
pub(super) struct Clash {
    input: String,
    dimension: usize,
    size: i64,
    other: i64,
}

impl Model {
    /// Loads the model in `file`, with weights that lie in files beside it.
    ///
    /// # Errors
    /// If it is none, has operators that tract lacks (all of them are told), or can't be run.
    pub(super) fn load(file: &Path) -> Result<Self, OnnxError> {
        let onnx = onnx();
        let proto = onnx
            .proto_model_for_path(file)
            .map_err(|error| not_onnx(file, error.into()))?;
        if proto.graph.is_none() {
            return Err(not_onnx(file, "it has no graph".into()));
        }
        let operators = operators::lacking_of(&onnx, &proto);
        if !operators.is_empty() {
            let path = file.to_owned();
            return Err(OnnxError::Lacking { path, operators });
        }
        Self::of(&onnx, &proto, file).map_err(|source| OnnxError::Unloadable {
            path: file.to_owned(),
            source: source.into(),
        })
    }

    fn of(onnx: &tract_onnx::Onnx, proto: &ModelProto, file: &Path) -> TractResult<Self> {
        let folder = file.parent().and_then(Path::to_str);
        let mut model = onnx.parse(proto, folder)?.model;
        let names = input_names(proto);
        for index in 0..model.inputs.len() {
            let fact = any_sizes(&model, model.input_fact(index)?);
            model.set_input_fact(index, fact)?;
        }
        let typed = model.into_typed()?;
        let graph = proto.graph.iter();
        let output_names: Vec<_> = graph.flat_map(|graph| &graph.output).collect();
        let sizes = (0..typed.inputs.len())
            .map(|index| Ok(typed.input_fact(index)?.shape.iter().cloned().collect()));
        let sizes = sizes.collect::<TractResult<_>>()?;
        let inputs = (0..typed.inputs.len()).zip(names);
        let inputs = inputs.map(|(index, name)| registered(name, typed.input_fact(index)?));
        let inputs = inputs.collect::<TractResult<_>>()?;
        let outputs = (0..typed.outputs.len()).zip(output_names);
        let outputs =
            outputs.map(|(index, output)| registered(&output.name, typed.output_fact(index)?));
        Ok(Self {
            inputs,
            outputs: outputs.collect::<TractResult<_>>()?,
            sizes,
            plan: typed.into_optimized()?.into_runnable()?,
        })
    }

    /// What the open sizes are in a request whose inputs have these shapes.
    ///
    /// # Errors
    /// [`Clash`] if one would have to be two at once.
    pub(super) fn symbols(&self, inputs: &TVec<TValue>) -> Result<SymbolValues, Clash> {
        let mut symbols = SymbolValues::default();
        for ((registered, sizes), input) in self.inputs.iter().zip(&self.sizes).zip(inputs) {
            for (dimension, (expected, &size)) in sizes.iter().zip(input.shape()).enumerate() {
                let TDim::Sym(symbol) = expected else {
                    continue;
                };
                let size = i64::try_from(size).unwrap_or(i64::MAX);
                match symbols.get(symbol) {
                    Some(other) if other != size => {
                        let input = registered.name.clone();
                        return Err(Clash {
                            input,
                            dimension,
                            size,
                            other,
                        });
                    }
                    _ => symbols.set(symbol, size),
                }
            }
        }
        Ok(symbols)
    }

    /// Runs it once, with no state from any run before.
    ///
    /// # Errors
    /// What tract says.
    pub(super) fn run(&self, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.plan.run(inputs)
    }
}

fn not_onnx(file: &Path, source: TractSays) -> OnnxError {
    let path = file.to_owned();
    OnnxError::NotOnnx { path, source }
}

/// The inputs that have to be given; older exporters list weights among them.
fn input_names(proto: &ModelProto) -> Vec<&str> {
    let graph = proto.graph.iter();
    let inputs = graph.flat_map(|graph| graph.input.iter().map(move |input| (graph, &*input.name)));
    let is_given = |(graph, name): &(&tract_onnx::pb::GraphProto, &str)| {
        let mut weights = graph.initializer.iter();
        weights.all(|weight| weight.name != *name)
    };
    inputs.filter(is_given).map(|(_, name)| name).collect()
}

/// An input whose sizes that nothing is known of are any: a symbol each.
fn any_sizes(model: &InferenceModel, fact: &InferenceFact) -> InferenceFact {
    if fact.shape.is_open() {
        return fact.clone();
    }
    let sizes = fact.shape.dims().map(|size| match size.concretize() {
        Some(size) => DimFact::from(size),
        None => DimFact::from(TDim::from(model.symbols.new_with_prefix("any"))),
    });
    let sizes = ShapeFactoid::closed(sizes.collect());
    fact.clone().with_shape(sizes)
}

/// A tensor as a record would register it.
fn registered(name: &str, fact: &TypedFact) -> TractResult<Registered> {
    let datatype: Option<Datatype> = elements::datatype(fact.datum_type);
    let datatype = datatype.ok_or_else(|| {
        let kind = fact.datum_type;
        TractError::msg(format!(
            "`{name}` is of the type {kind:?}, which no request can carry"
        ))
    })?;
    let sizes = fact.shape.iter().map(|size| size.to_i64().unwrap_or(-1));
    Ok(Registered {
        name: name.to_owned(),
        datatype,
        shape: Shape::try_from(sizes.collect::<Vec<_>>())?,
        description: None,
        image: None,
        labels: Vec::new(),
    })
}
