//! GGUF: llama.cpp's format (ggml's `docs/gguf.md`), little-endian, versions 2 and 3.
//!
//! ```text
//! "GGUF" | u32 version | u64 tensors | u64 keys
//! keys:    text name, u32 type, value       (a text is a u64 length and UTF-8)
//! tensors: text name, u32 dimensions, u64 sizes, u32 type, u64 offset
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::stream::{Forward, Stream};
use super::told::{Told, named};

/// The most bytes of the header that are read; long texts and lists are passed over.
const MAX_HEADER_BYTES: u64 = 256 * 1024 * 1024;
/// The most keys.
const MAX_KEYS: u64 = 65_536;
/// The most tensors.
const MAX_TENSORS: u64 = 1 << 20;
/// The most elements of a list, such as a tokenizer's words.
const MAX_ELEMENTS: u64 = 1 << 26;
/// The longest name, and the longest value that is kept.
const MAX_TEXT_BYTES: u64 = 1024;
/// How deep lists may lie in one another.
const MAX_DEPTH: u8 = 4;
/// The most dimensions.
const MAX_DIMENSIONS: u32 = 16;

/// What the file says of itself.
///
/// # Errors
/// If its header is broken or above a bound.
pub(super) fn tell(file: impl Read + Seek) -> io::Result<Told> {
    let mut stream = Stream::lying(file, 4, MAX_HEADER_BYTES)?;
    let version = u32::from_le_bytes(stream.array()?);
    let mut told = named("gguf");
    told.version = Some(version.to_string());
    if !(2..=3).contains(&version) {
        // The first version had shorter lengths; a big-endian file has a huge one.
        return Err(io::Error::other(format!(
            "its version {version} is not known"
        )));
    }
    let tensors = bounded(stream.number()?, MAX_TENSORS, "tensors")?;
    let keys = bounded(stream.number()?, MAX_KEYS, "keys")?;
    let mut file_type = None;
    for _ in 0..keys {
        let name = stream.text()?.unwrap_or_default();
        let kind = u32::from_le_bytes(stream.array()?);
        let Some(value) = stream.value(kind, 0)? else {
            continue;
        };
        if name == "general.file_type" {
            file_type = value.parse().ok();
        } else if is_kept(&name) {
            told.metadata.insert(name, value);
        }
    }
    let mut types: BTreeMap<u32, u64> = BTreeMap::new();
    for _ in 0..tensors {
        let (kind, count) = stream.tensor()?;
        let sum = types.entry(kind).or_default();
        *sum = sum.saturating_add(count);
    }
    let most = types.iter().max_by_key(|(_, count)| **count);
    let by_tensors = most.and_then(|(kind, _)| tensor_precision(*kind));
    told.precision = file_type
        .and_then(file_precision)
        .or(by_tensors)
        .map(str::to_owned);
    let count = types
        .values()
        .fold(0, |sum: u64, count| sum.saturating_add(*count));
    told.parameter_count = (count > 0).then_some(count);
    Ok(told)
}

fn is_kept(name: &str) -> bool {
    let general = name.strip_prefix("general.");
    let general = general.is_some_and(|rest| {
        matches!(
            rest,
            "architecture"
                | "name"
                | "basename"
                | "finetune"
                | "version"
                | "author"
                | "license"
                | "organization"
                | "description"
                | "size_label"
                | "quantized_by"
                | "url"
        )
    });
    let tail = name.rsplit('.').next();
    general
        || matches!(
            tail,
            Some("context_length" | "embedding_length" | "block_count")
        )
        || name == "tokenizer.ggml.model"
}

fn bounded(count: u64, limit: u64, what: &str) -> io::Result<u64> {
    if count <= limit {
        return Ok(count);
    }
    Err(io::Error::other(format!(
        "it tells of {count} {what}, more than the {limit} that are read"
    )))
}

impl<S: Forward> Stream<S> {
    fn number(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A text, if it is short.
    fn text(&mut self) -> io::Result<Option<String>> {
        let length = self.number()?;
        let bytes = self.bytes(length, MAX_TEXT_BYTES)?;
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// A value as text, if it is short and no list.
    fn value(&mut self, kind: u32, depth: u8) -> io::Result<Option<String>> {
        Ok(Some(match kind {
            0 => self.byte()?.to_string(),
            1 => self.byte()?.cast_signed().to_string(),
            2 => u16::from_le_bytes(self.array()?).to_string(),
            3 => i16::from_le_bytes(self.array()?).to_string(),
            4 => u32::from_le_bytes(self.array()?).to_string(),
            5 => i32::from_le_bytes(self.array()?).to_string(),
            6 => f32::from_le_bytes(self.array()?).to_string(),
            7 => (self.byte()? != 0).to_string(),
            8 => return self.text(),
            9 => {
                self.list(depth)?;
                return Ok(None);
            }
            10 => self.number()?.to_string(),
            11 => i64::from_le_bytes(self.array()?).to_string(),
            12 => f64::from_le_bytes(self.array()?).to_string(),
            _ => return Err(io::Error::other(format!("no value is of the type {kind}"))),
        }))
    }

    fn list(&mut self, depth: u8) -> io::Result<()> {
        let kind = u32::from_le_bytes(self.array()?);
        let count = bounded(self.number()?, MAX_ELEMENTS, "elements of a list")?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            _ if depth >= MAX_DEPTH => {
                return Err(io::Error::other("its lists lie too deep in one another"));
            }
            8 => {
                for _ in 0..count {
                    let length = self.number()?;
                    self.pass(length)?;
                }
                return Ok(());
            }
            _ => {
                for _ in 0..count {
                    self.value(kind, depth + 1)?;
                }
                return Ok(());
            }
        };
        self.pass(count * width)
    }

    /// A tensor's type, and how many elements it has.
    fn tensor(&mut self) -> io::Result<(u32, u64)> {
        self.text()?;
        let dimensions = u32::from_le_bytes(self.array()?);
        if dimensions > MAX_DIMENSIONS {
            return Err(io::Error::other("a tensor has too many dimensions"));
        }
        let mut count = 1_u64;
        for _ in 0..dimensions {
            count = count.saturating_mul(self.number()?);
        }
        let kind = u32::from_le_bytes(self.array()?);
        self.pass(8)?;
        Ok((kind, count))
    }
}

/// llama.cpp's `llama_ftype`: what most of the tensors are quantised to.
fn file_precision(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0 => "fp32",
        1 => "fp16",
        2 => "q4_0",
        3 => "q4_1",
        7 => "q8_0",
        8 => "q5_0",
        9 => "q5_1",
        10 => "q2_k",
        11 => "q3_k_s",
        12 => "q3_k_m",
        13 => "q3_k_l",
        14 => "q4_k_s",
        15 => "q4_k_m",
        16 => "q5_k_s",
        17 => "q5_k_m",
        18 => "q6_k",
        19 => "iq2_xxs",
        20 => "iq2_xs",
        21 => "q2_k_s",
        22 => "iq3_xs",
        23 => "iq3_xxs",
        24 => "iq1_s",
        25 => "iq4_nl",
        26 => "iq3_s",
        27 => "iq3_m",
        28 => "iq2_s",
        29 => "iq2_m",
        30 => "iq4_xs",
        31 => "iq1_m",
        32 => "bf16",
        36 => "tq1_0",
        37 => "tq2_0",
        38 => "mxfp4",
        _ => return None,
    })
}

/// ggml's `ggml_type`.
fn tensor_precision(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0 => "fp32",
        1 => "fp16",
        2 => "q4_0",
        3 => "q4_1",
        6 => "q5_0",
        7 => "q5_1",
        8 => "q8_0",
        10 => "q2_k",
        11 => "q3_k",
        12 => "q4_k",
        13 => "q5_k",
        14 => "q6_k",
        24 => "int8",
        28 => "fp64",
        30 => "bf16",
        39 => "mxfp4",
        _ => return None,
    })
}
