//! Elements as the protocol has them, and as tract does.

use bytes::Bytes;
use tract_onnx::prelude::*;

use crate::protocol::{Elements, Tensor as Sent};
use crate::record::kind::Datatype;

/// The protocol's type for one of tract's, if there is one; symbolic dimensions are whole numbers.
pub(super) fn datatype(kind: DatumType) -> Option<Datatype> {
    Some(match kind.unquantized() {
        DatumType::Bool => Datatype::Bool,
        DatumType::U8 => Datatype::Uint8,
        DatumType::U16 => Datatype::Uint16,
        DatumType::U32 => Datatype::Uint32,
        DatumType::U64 => Datatype::Uint64,
        DatumType::I8 => Datatype::Int8,
        DatumType::I16 => Datatype::Int16,
        DatumType::I32 => Datatype::Int32,
        DatumType::I64 | DatumType::TDim => Datatype::Int64,
        DatumType::F16 => Datatype::Fp16,
        DatumType::F32 => Datatype::Fp32,
        DatumType::F64 => Datatype::Fp64,
        DatumType::String => Datatype::Bytes,
        _ => return None,
    })
}

/// What came, for tract.
///
/// # Errors
/// For texts that aren't UTF-8, the only ones that tract has.
pub(super) fn to_tract(sent: &Sent) -> TractResult<Tensor> {
    let shape: Vec<usize> = sent.shape.iter().map(|&size| size as usize).collect();
    match &sent.elements {
        Elements::Bool(all) => Tensor::from_shape(&shape, all),
        Elements::Uint8(all) => Tensor::from_shape(&shape, all),
        Elements::Uint16(all) => Tensor::from_shape(&shape, all),
        Elements::Uint32(all) => Tensor::from_shape(&shape, all),
        Elements::Uint64(all) => Tensor::from_shape(&shape, all),
        Elements::Int8(all) => Tensor::from_shape(&shape, all),
        Elements::Int16(all) => Tensor::from_shape(&shape, all),
        Elements::Int32(all) => Tensor::from_shape(&shape, all),
        Elements::Int64(all) => Tensor::from_shape(&shape, all),
        Elements::Fp16(all) => Tensor::from_shape(&shape, all),
        Elements::Fp32(all) => Tensor::from_shape(&shape, all),
        Elements::Fp64(all) => Tensor::from_shape(&shape, all),
        Elements::Bytes(all) => {
            let texts = all.iter().map(|text| String::from_utf8(text.to_vec()));
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            Ok(tract_ndarray::ArrayD::from_shape_vec(shape, texts)?.into_tensor())
        }
    }
}

/// What tract gave, for the answer; `symbols` are what the open sizes are in this request.
///
/// # Errors
/// For types that the protocol has none for.
pub(super) fn from_tract(name: &str, given: &Tensor, symbols: &SymbolValues) -> TractResult<Sent> {
    macro_rules! all {
        ($tensor:expr) => {
            $tensor.try_as_plain_ram()?.as_slice()?.to_vec()
        };
    }
    let elements = match given.datum_type() {
        DatumType::Bool => Elements::Bool(all!(given)),
        DatumType::U8 => Elements::Uint8(all!(given)),
        DatumType::U16 => Elements::Uint16(all!(given)),
        DatumType::U32 => Elements::Uint32(all!(given)),
        DatumType::U64 => Elements::Uint64(all!(given)),
        DatumType::I8 => Elements::Int8(all!(given)),
        DatumType::I16 => Elements::Int16(all!(given)),
        DatumType::I32 => Elements::Int32(all!(given)),
        DatumType::I64 => Elements::Int64(all!(given)),
        DatumType::TDim => {
            let dimensions: &[TDim] = given.try_as_plain_ram()?.as_slice()?;
            let numbers = dimensions.iter().map(|size| size.eval(symbols).to_i64());
            Elements::Int64(numbers.collect::<Result<_, _>>()?)
        }
        DatumType::F16 => Elements::Fp16(all!(given)),
        DatumType::F32 => Elements::Fp32(all!(given)),
        DatumType::F64 => Elements::Fp64(all!(given)),
        DatumType::String => {
            let texts: &[String] = given.try_as_plain_ram()?.as_slice()?;
            Elements::Bytes(texts.iter().map(|text| Bytes::from(text.clone())).collect())
        }
        other => {
            return Err(TractError::msg(format!(
                "the output `{name}` is of the type {other:?}, which no answer can carry"
            )));
        }
    };
    Ok(Sent {
        name: name.to_owned(),
        shape: given.shape().iter().map(|&size| size as u64).collect(),
        elements,
        parameters: serde_json::Map::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::prelude::f16;

    #[test]
    fn all_types_come_back_as_they_went() {
        let texts = vec![Bytes::from_static("ä".as_bytes()), Bytes::new()];
        let all = [
            Elements::Bool(vec![true, false]),
            Elements::Uint8(vec![0, u8::MAX]),
            Elements::Uint16(vec![0, u16::MAX]),
            Elements::Uint32(vec![0, u32::MAX]),
            Elements::Uint64(vec![0, u64::MAX]),
            Elements::Int8(vec![i8::MIN, i8::MAX]),
            Elements::Int16(vec![i16::MIN, i16::MAX]),
            Elements::Int32(vec![i32::MIN, i32::MAX]),
            Elements::Int64(vec![i64::MIN, i64::MAX]),
            Elements::Fp16(vec![f16::MIN, f16::INFINITY]),
            Elements::Fp32(vec![f32::MIN, f32::INFINITY]),
            Elements::Fp64(vec![f64::MIN, f64::INFINITY]),
            Elements::Bytes(texts),
        ];
        for elements in all {
            let sent = Sent {
                name: "x".into(),
                shape: vec![1, 2],
                elements,
                parameters: serde_json::Map::new(),
            };
            let tensor = to_tract(&sent).unwrap();
            assert_eq!(
                datatype(tensor.datum_type()),
                Some(sent.elements.datatype())
            );
            assert_eq!(
                from_tract("x", &tensor, &SymbolValues::default()).unwrap(),
                sent
            );
        }
    }

    #[test]
    fn symbolic_dimensions_are_whole_numbers() {
        let scope = SymbolScope::default();
        let batch = scope.new_with_prefix("batch");
        let dimensions = tensor1(&[TDim::from(3), TDim::from(batch.clone()) + 1]);
        assert_eq!(datatype(dimensions.datum_type()), Some(Datatype::Int64));
        let symbols = SymbolValues::default().with(&batch, 3);
        let given = from_tract("x", &dimensions, &symbols).unwrap();
        assert_eq!(given.elements, Elements::Int64(vec![3, 4]));
    }
}
