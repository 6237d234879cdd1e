//! Safetensors: a header of JSON, then the tensors.
//!
//! ```text
//! u64, little-endian: the header's length
//! {"__metadata__":{"format":"pt"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}
//! the tensors' bytes
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::element::Element;
use super::json;
use super::told::{Told, named};
use super::weights::WeightBytes;

/// The longest header: what the format's own readers allow.
pub(super) const MAX_HEADER_BYTES: u64 = 100_000_000;
/// The most entries of the metadata, and its longest value, that are kept.
const MAX_METADATA: usize = 256;
const MAX_VALUE_BYTES: usize = 4096;

/// What the header says.
///
/// # Errors
/// If the file has no whole header.
pub(super) fn tell(file: impl Read) -> io::Result<Told> {
    let Header { weights, metadata } = header(file)?;
    let framework = match metadata.get("format").map(String::as_str) {
        Some("pt") => Some("pytorch"),
        Some("tf") => Some("tensorflow"),
        Some("flax") => Some("flax"),
        Some("mlx") => Some("mlx"),
        _ => None,
    };
    Ok(Told {
        framework: framework.map(|name| (name.to_owned(), None)),
        weight_bytes: weights,
        metadata,
        ..named("safetensors")
    })
}

fn header(mut file: impl Read) -> io::Result<Header> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(io::Error::other("its header is too long"));
    }
    json::first(file, length)
}

/// The header, added up while it is read: a large model has thousands of tensors.
struct Header {
    weights: WeightBytes,
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a safetensors header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header {
            weights: WeightBytes::new(),
            metadata: BTreeMap::new(),
        };
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                header.metadata = map.next_value::<Metadata>()?.0;
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            let (begin, end) = tensor.data_offsets;
            if let Some(element) = Element::from_safetensors(&tensor.dtype) {
                let sum = header.weights.entry(element).or_default();
                *sum = sum.saturating_add(end.saturating_sub(begin));
            }
        }
        Ok(header)
    }
}

/// The entries that are short enough to be read by people.
struct Metadata(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("metadata of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if metadata.len() >= MAX_METADATA {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: String = map.next_value()?;
            if value.len() <= MAX_VALUE_BYTES {
                metadata.insert(name, value);
            }
        }
        Ok(Metadata(metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_types() {
        let header = r#"{"__metadata__":{"format":"pt"},
            "a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},
            "b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},
            "c":{"dtype":"F32","shape":[],"data_offsets":[12,16]}}"#;
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.bytes());
        let told = tell(&file[..]).unwrap();
        assert_eq!(told.weight_bytes[&Element::Float], 12);
        assert_eq!(told.weight_bytes[&Element::Bfloat16], 4);
        assert_eq!(told.framework, Some(("pytorch".to_owned(), None)));
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        for file in [
            &b"\xff\xff\xff\xff\xff\xff\xff\x7f{"[..],
            b"\x10\0\0\0\0\0\0\0{",
            b"\x02",
        ] {
            assert!(tell(file).is_err());
        }
    }
}
