//! Safetensors: a header of JSON, then the tensors.
//!
//! ```text
//! u64, little-endian: the header's length
//! {"__metadata__":{"format":"pt"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},…}
//! the tensors' bytes
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, Read};

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::element::Element;

/// The longest header: what the format's own readers allow.
pub(super) const MAX_HEADER_BYTES: u64 = 100_000_000;

/// How many bytes of weights are of each type.
///
/// # Errors
/// If the file has no whole header.
pub(super) fn weight_bytes(mut file: impl Read) -> io::Result<BTreeMap<Element, u64>> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(io::Error::other("its header is too long"));
    }
    let header = BufReader::new(file.take(length));
    let Header(bytes) = serde_json::from_reader(header)?;
    Ok(bytes)
}

/// The header, added up while it is read: a large model has thousands of tensors.
struct Header(BTreeMap<Element, u64>);

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
        let mut bytes = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            let (begin, end) = tensor.data_offsets;
            if let Some(element) = Element::from_safetensors(&tensor.dtype) {
                let sum: &mut u64 = bytes.entry(element).or_default();
                *sum = sum.saturating_add(end.saturating_sub(begin));
            }
        }
        Ok(Header(bytes))
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
        let bytes = weight_bytes(&file[..]).unwrap();
        assert_eq!(bytes[&Element::Float], 12);
        assert_eq!(bytes[&Element::Bfloat16], 4);
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        for file in [
            &b"\xff\xff\xff\xff\xff\xff\xff\x7f{"[..],
            b"\x10\0\0\0\0\0\0\0{",
            b"\x02",
        ] {
            assert!(weight_bytes(file).is_err());
        }
    }
}
