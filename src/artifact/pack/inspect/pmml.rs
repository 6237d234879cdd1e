//! PMML, versions 3 and 4: the dictionary of fields, and which of them the model takes and gives.
//!
//! ```text
//! <PMML version><Header><Application name version/></Header>
//!   <DataDictionary><DataField name optype dataType/>…</DataDictionary>
//!   <TreeModel modelName functionName>
//!     <MiningSchema><MiningField name usageType/>…</MiningSchema>
//!     <Output><OutputField name feature dataType/>…</Output>
//!     the model itself, which is not read
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::element::Element as Type;
use super::port::{MAX_PORTS, Port, PortKind};
use super::told::{Told, named};
use super::xml::{Element, Tag, Xml};

/// The most bytes that are read: what is asked for stands before the model itself.
const MAX_HEAD_BYTES: u64 = 256 * 1024 * 1024;

/// What people convert to PMML by, and from what.
const CONVERTERS: [(&str, &str); 4] = [
    ("sklearn", "scikit-learn"),
    ("sparkml", "spark"),
    ("xgboost", "xgboost"),
    ("lightgbm", "lightgbm"),
];

/// What the document says of itself.
///
/// # Errors
/// If it is no PMML.
pub(super) fn tell(mut file: impl Read + Seek) -> io::Result<Told> {
    file.rewind()?;
    let mut xml = Xml::new(file, MAX_HEAD_BYTES);
    let mut told = named("pmml");
    let mut fields: BTreeMap<String, PortKind> = BTreeMap::new();
    let mut path: Vec<String> = Vec::new();
    while let Some(tag) = xml.tag()? {
        let element = match tag {
            Tag::Open { element, .. } => element,
            Tag::Close { depth, .. } => {
                path.truncate(depth - 1);
                continue;
            }
        };
        path.push(element.name.clone());
        let place: Vec<&str> = path.iter().map(String::as_str).collect();
        match place[..] {
            ["PMML"] => told.version = element.get("version").map(str::to_owned),
            ["PMML", "Header", "Application"] => from_application(&element, &mut told),
            ["PMML", "DataDictionary", "DataField"] if fields.len() < MAX_PORTS => {
                if let Some(name) = element.get("name") {
                    fields.insert(name.to_owned(), kind(element.get("dataType")));
                }
            }
            ["PMML", model] if !is_around(model) => from_model(&element, &mut told),
            ["PMML", model, "MiningSchema", "MiningField"] if !is_around(model) => {
                mining_field(&element, &fields, &mut told);
            }
            ["PMML", model, "Output", "OutputField"] if !is_around(model) => {
                output_field(&element, &mut told);
            }
            ["PMML", model, part] if !is_around(model) && !is_before(part) => return Ok(told),
            ["PMML", ..] => {}
            _ => return Err(io::Error::other("it is no PMML")),
        }
    }
    Ok(told)
}

/// What stands beside the model.
fn is_around(name: &str) -> bool {
    matches!(
        name,
        "Header" | "MiningBuildTask" | "DataDictionary" | "TransformationDictionary" | "Extension"
    )
}

/// What stands in the model before its own content.
fn is_before(name: &str) -> bool {
    matches!(
        name,
        "Extension"
            | "MiningSchema"
            | "Output"
            | "ModelStats"
            | "ModelExplanation"
            | "Targets"
            | "LocalTransformations"
    )
}

fn from_application(element: &Element, told: &mut Told) {
    let Some(name) = element.get("name") else {
        return;
    };
    let version = element.get("version").map(str::to_owned);
    let producer = match &version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    };
    told.metadata.insert("producer".to_owned(), producer);
    let lower = name.to_lowercase();
    let framework = CONVERTERS
        .iter()
        .find(|(converter, _)| lower.contains(converter));
    // A converter's version is its own.
    told.framework = framework.map(|(_, framework)| ((*framework).to_owned(), None));
}

fn from_model(element: &Element, told: &mut Told) {
    told.metadata
        .insert("model".to_owned(), element.name.clone());
    for key in ["modelName", "functionName", "algorithmName"] {
        if let Some(value) = element.get(key) {
            told.metadata.insert(key.to_owned(), value.to_owned());
        }
    }
}

fn mining_field(element: &Element, fields: &BTreeMap<String, PortKind>, told: &mut Told) {
    let ports = match element.get("usageType").unwrap_or("active") {
        "active" => &mut told.inputs,
        "target" | "predicted" => &mut told.outputs,
        _ => return,
    };
    if let Some(name) = element.get("name")
        && ports.len() < MAX_PORTS
    {
        let kind = fields.get(name).copied().unwrap_or_default();
        ports.push(Port {
            kind,
            ..Port::column(name, Type::Double)
        });
    }
}

fn output_field(element: &Element, told: &mut Told) {
    let Some(name) = element.get("name") else {
        return;
    };
    let kind = match (element.get("dataType"), element.get("feature")) {
        (None, Some("probability" | "confidence" | "affinity")) => PortKind::Tensor(Type::Double),
        // That of the target.
        (None, None | Some("predictedValue")) => told
            .outputs
            .first()
            .map_or(PortKind::Unknown, |port| port.kind),
        (datatype, _) => kind(datatype),
    };
    if element.get("isFinalResult") != Some("false") && told.outputs.len() < MAX_PORTS {
        told.outputs.push(Port {
            kind,
            ..Port::column(name, Type::Double)
        });
    }
}

/// PMML's `DATATYPE`.
fn kind(datatype: Option<&str>) -> PortKind {
    PortKind::Tensor(match datatype {
        Some("double") => Type::Double,
        Some("float") => Type::Float,
        Some("integer") => Type::Int64,
        Some("boolean") => Type::Bool,
        Some("string") => Type::String,
        _ => return PortKind::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_fields_are_told_and_the_model_itself_is_not_read() {
        let text = r#"<?xml version="1.0"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
  <Header><Application name="JPMML-SkLearn" version="1.8.0"/></Header>
  <DataDictionary>
    <DataField name="species" optype="categorical" dataType="string"><Value value="setosa"/></DataField>
    <DataField name="width" optype="continuous" dataType="double"/>
    <DataField name="day" optype="ordinal" dataType="date"/>
  </DataDictionary>
  <MiningModel functionName="classification">
    <MiningSchema>
      <MiningField name="species" usageType="target"/>
      <MiningField name="width"/><MiningField name="day"/>
      <MiningField name="weight" usageType="analysisWeight"/>
    </MiningSchema>
    <Output><OutputField name="probability(setosa)" optype="continuous" dataType="double" feature="probability" value="setosa"/></Output>
    <Segmentation><Segment><TreeModel><MiningSchema><MiningField name="inner"/></MiningSchema>
    <broken"#;
        let told = tell(Cursor::new(text)).unwrap();
        assert_eq!(told.version.as_deref(), Some("4.4"));
        assert_eq!(told.framework, Some(("scikit-learn".to_owned(), None)));
        let face = |ports: &[Port]| {
            let ports = ports
                .iter()
                .map(|port| format!("{} {:?}", port.name, port.kind));
            ports.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(face(&told.inputs), "width Tensor(Double); day Unknown");
        assert_eq!(
            face(&told.outputs),
            "species Tensor(String); probability(setosa) Tensor(Double)"
        );
    }
}
