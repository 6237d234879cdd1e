//! What a file holds, told by its first bytes.

/// How many of a file's first bytes [`Content::tell`] looks at.
pub const HEAD_BYTES: usize = 4096;

/// What kind of content a file's first bytes are certain to begin.
///
/// Nothing is loaded, run or unpacked to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// No bytes at all.
    Empty,
    /// A Git LFS pointer: the text that stands for a file which was not fetched.
    LfsPointer,
    /// A private key in PEM.
    PrivateKey,
    /// What may be an ONNX model: its first field is ONNX's format version.
    Onnx,
    /// Safetensors: a length, then a JSON object.
    Safetensors,
    /// GGUF, llama.cpp's format.
    Gguf,
    /// TensorFlow Lite's flat buffer.
    TfLite,
    /// HDF5, older Keras's format.
    Hdf5,
    /// XGBoost's JSON or UBJSON.
    Xgboost,
    /// LightGBM's text.
    LightGbm,
    /// CatBoost's own form.
    CatBoost,
    /// PMML: XML.
    Pmml,
    /// The graph of OpenVINO's intermediate representation: XML.
    OpenVino,
    /// R's serialised objects, not compressed.
    Rds,
    /// A Python pickle.
    Pickle,
    /// A zip whose first entry is PyTorch's: `<name>/data.pkl` and the like.
    TorchZip,
    /// A zip whose first entry is Keras 3's `metadata.json` or `config.json`.
    KerasZip,
    /// A zip whose first entry is a MOJO's `model.ini`.
    MojoZip,
    /// A zip of NumPy arrays.
    NumpyZip,
    /// One NumPy array.
    Numpy,
    /// Any other zip.
    Zip,
    /// Parquet, Arrow, Feather, Avro, ORC or SQLite: tables.
    Table,
    /// A program for some machine: ELF, Mach-O, PE.
    Program,
    /// A script that names its interpreter: `#!`.
    Script,
    /// UTF-8 text without control characters.
    Text,
    /// Anything else.
    Binary,
}

impl Content {
    /// What `head`, the first [`HEAD_BYTES`] of a file or all of it, begins.
    pub fn tell(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        by_magic(head).unwrap_or_else(|| by_text(head))
    }

    /// Surely weights, wherever it lies.
    pub fn is_weights(self) -> bool {
        matches!(
            self,
            Self::Onnx
                | Self::Safetensors
                | Self::Gguf
                | Self::TfLite
                | Self::Xgboost
                | Self::LightGbm
                | Self::CatBoost
                | Self::Pmml
                | Self::TorchZip
                | Self::KerasZip
                | Self::MojoZip
        )
    }

    /// Serialised objects or arrays: weights or data.
    pub fn is_serialised(self) -> bool {
        matches!(
            self,
            Self::Pickle | Self::Rds | Self::NumpyZip | Self::Numpy | Self::Hdf5
        )
    }

    /// Rows of data.
    pub fn is_table(self) -> bool {
        self == Self::Table
    }

    /// Something an operating system starts or links.
    pub fn is_program(self) -> bool {
        matches!(self, Self::Program | Self::Script)
    }

    /// Something people read.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Empty)
    }
}

fn by_magic(head: &[u8]) -> Option<Content> {
    let begins = |magic: &[u8]| head.starts_with(magic);
    if begins(b"GGUF") {
        return Some(Content::Gguf);
    }
    if begins(b"\x89HDF\r\n\x1a\n") {
        return Some(Content::Hdf5);
    }
    if begins(b"CBM1") {
        return Some(Content::CatBoost);
    }
    if is_r(head) {
        return Some(Content::Rds);
    }
    if begins(b"\x93NUMPY") {
        return Some(Content::Numpy);
    }
    if begins(b"PK\x03\x04") {
        return Some(zip_by_first_entry(head));
    }
    if begins(b"PAR1") || begins(b"ARROW1") || begins(b"FEA1") || begins(b"Obj\x01") {
        return Some(Content::Table);
    }
    if begins(b"SQLite format 3\0") || (begins(b"ORC") && head.get(3) < Some(&b' ')) {
        return Some(Content::Table);
    }
    if begins(b"\x7fELF") || begins(b"MZ") && head.contains(&0) || is_mach_o(head) {
        return Some(Content::Program);
    }
    if head.get(4..8) == Some(b"TFL3") {
        return Some(Content::TfLite);
    }
    if is_safetensors(head) {
        return Some(Content::Safetensors);
    }
    if is_pickle(head) {
        return Some(Content::Pickle);
    }
    if is_xgboost(head) {
        return Some(Content::Xgboost);
    }
    if is_onnx(head) {
        return Some(Content::Onnx);
    }
    None
}

/// The first local header of a zip (APPNOTE 4.3.7) holds its first entry's name.
fn zip_by_first_entry(head: &[u8]) -> Content {
    let length = match head.get(26..28) {
        Some(bytes) => usize::from(u16::from_le_bytes([bytes[0], bytes[1]])),
        None => return Content::Zip,
    };
    let name = head.get(30..30 + length).unwrap_or_default();
    let second = name.split(|&byte| byte == b'/').nth(1);
    match (name, second) {
        (_, Some(b"data.pkl" | b"version" | b"byteorder" | b".format_version")) => {
            Content::TorchZip
        }
        (b"metadata.json" | b"config.json", _) => Content::KerasZip,
        (b"model.ini", _) => Content::MojoZip,
        _ if name.ends_with(b".npy") => Content::NumpyZip,
        _ => Content::Zip,
    }
}

fn is_mach_o(head: &[u8]) -> bool {
    matches!(
        head.get(..4),
        Some(b"\xfe\xed\xfa\xce" | b"\xfe\xed\xfa\xcf" | b"\xce\xfa\xed\xfe" | b"\xcf\xfa\xed\xfe")
    )
}

/// A little-endian length that is no more than safetensors allows, then `{`.
fn is_safetensors(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else {
        return false;
    };
    let length = u64::from_le_bytes(*length);
    (2..=super::safetensors::MAX_HEADER_BYTES).contains(&length) && rest.first() == Some(&b'{')
}

/// Protocol 2 to 5: `PROTO n`, then an opcode that can follow it. Older protocols begin with no
/// mark; their files are told by name.
fn is_pickle(head: &[u8]) -> bool {
    match head {
        [0x80, 2..=5, 0x95, ..] => true,
        [0x80, 2 | 3, opcode, ..] => {
            matches!(
                opcode,
                b'}' | b']' | b')' | b'(' | b'c' | b'X' | b'K' | b'J' | b'M'
            ) || *opcode == 0x8a
        }
        _ => false,
    }
}

/// R's `X` or `A`, a line's end, and a format of the two that there are; or what `save` puts
/// before them.
fn is_r(head: &[u8]) -> bool {
    head.starts_with(b"X\n\0\0\0\x02")
        || head.starts_with(b"X\n\0\0\0\x03")
        || head.starts_with(b"A\n2\n")
        || head.starts_with(b"A\n3\n")
        || matches!(head, [b'R', b'D', b'X' | b'A', b'2' | b'3', b'\n', ..])
}

/// `{"learner":` or `{"version":` with a learner, as XGBoost writes JSON; or the same in UBJSON.
fn is_xgboost(head: &[u8]) -> bool {
    let ubjson = head.starts_with(b"{L\0\0\0\0\0\0\0\x07learner")
        || head.starts_with(b"{l\0\0\0\x07learner")
        || head.starts_with(b"{i\x07learner")
        || head.starts_with(b"{U\x07learner");
    let compact: Vec<u8> = head
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .take(32)
        .collect();
    ubjson || compact.starts_with(b"{\"learner\":{")
}

/// Field 1 is the format's version, a small number, and a field that ONNX has comes next: the
/// producer's name or version, a domain, or the graph (`onnx.proto`, `ModelProto`).
fn is_onnx(head: &[u8]) -> bool {
    match head {
        // A short producer name tells it from TensorFlow's SavedModel, whose second field is a
        // whole graph.
        [0x08, 1..=30, 0x12, length, rest @ ..] => {
            let name = rest.get(..usize::from(*length).min(rest.len()));
            *length < 0x80 && name.is_some_and(|name| name.iter().all(|byte| *byte >= b' '))
        }
        [0x08, 3..=30, 0x1a | 0x22 | 0x3a | 0x42, ..] => true,
        _ => false,
    }
}

fn by_text(head: &[u8]) -> Content {
    if head.starts_with(b"#!") {
        return Content::Script;
    }
    if head.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Content::LfsPointer;
    }
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character cut off by the end of the head is no fault of the text.
        Err(error) if head.len() == HEAD_BYTES && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Content::Binary,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}');
    if text.contains(control) {
        return Content::Binary;
    }
    if is_private_key(text) {
        return Content::PrivateKey;
    }
    match xml_root(text) {
        Some("PMML") => return Content::Pmml,
        Some("net") => return Content::OpenVino,
        _ => {}
    }
    if text.starts_with("tree\nversion=") || text.starts_with("tree\r\nversion=") {
        return Content::LightGbm;
    }
    Content::Text
}

/// The name of the first element of an XML document, without its prefix.
fn xml_root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = match rest.get(..4)? {
            "<!--" => "-->",
            other if other.starts_with("<?") => "?>",
            other if other.starts_with("<!") => ">",
            _ => break,
        };
        let (_, behind) = rest.split_once(end)?;
        rest = behind.trim_start();
    }
    let name = rest.strip_prefix('<')?;
    let end = name.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
    name[..end].rsplit(':').next()
}

/// A line `-----BEGIN … PRIVATE KEY-----` (RFC 7468, and OpenSSH's own).
fn is_private_key(text: &str) -> bool {
    text.lines().any(|line| {
        let label = line
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.trim_end().strip_suffix("-----"));
        label.is_some_and(|label| label.ends_with("PRIVATE KEY"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_the_content() {
        let zip = |name: &str| {
            let mut head = b"PK\x03\x04".to_vec();
            head.extend([0; 22]);
            head.extend((name.len() as u16).to_le_bytes());
            head.extend([0; 2]);
            head.extend(name.as_bytes());
            head
        };
        for (head, content) in [
            (b"".to_vec(), Content::Empty),
            (b"GGUF\x03\0\0\0".to_vec(), Content::Gguf),
            (b"\x08\x08\x12\x05skl2o".to_vec(), Content::Onnx),
            (b"\x08\x0a:\x10".to_vec(), Content::Onnx),
            (b"\x08\x01\x12\xd9\x96\x01\x0a".to_vec(), Content::Binary),
            (b"\x80\x04\x95\x00".to_vec(), Content::Pickle),
            (b"\x80\x02}q\x00".to_vec(), Content::Pickle),
            (zip("archive/data.pkl"), Content::TorchZip),
            (zip("metadata.json"), Content::KerasZip),
            (zip("arr_0.npy"), Content::NumpyZip),
            (zip("photos/1.png"), Content::Zip),
            (zip("model.ini"), Content::MojoZip),
            (b"CBM1\0".to_vec(), Content::CatBoost),
            (b"X\n\0\0\0\x03\0\x04".to_vec(), Content::Rds),
            (
                b"<?xml version=\"1.0\"?>\n<!-- a -->\n<PMML version=\"4.4\">".to_vec(),
                Content::Pmml,
            ),
            (
                b"<net name=\"m\" version=\"11\">".to_vec(),
                Content::OpenVino,
            ),
            (b"<html></html>".to_vec(), Content::Text),
            (b"#!/usr/bin/env python3\n".to_vec(), Content::Script),
            ("Maße\n".as_bytes().to_vec(), Content::Text),
            (b"a\0b".to_vec(), Content::Binary),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n".to_vec(),
                Content::LfsPointer,
            ),
            (
                b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n".to_vec(),
                Content::PrivateKey,
            ),
            (b"-----BEGIN PUBLIC KEY-----\n".to_vec(), Content::Text),
        ] {
            assert_eq!(Content::tell(&head), content, "{head:?}");
        }
    }

    #[test]
    fn a_character_cut_by_the_heads_end_is_still_text() {
        let mut head = "ä".repeat(HEAD_BYTES / 2).into_bytes();
        head.insert(0, b'x');
        head.truncate(HEAD_BYTES);
        assert_eq!(Content::tell(&head), Content::Text);
    }
}
