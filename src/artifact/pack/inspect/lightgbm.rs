//! LightGBM's text: a head of `key=value` lines, an empty line, then the trees.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::element::Element;
use super::port::{MAX_PORTS, Port};
use super::stream::Stream;
use super::told::{Told, by};

/// The most bytes of the head that are read.
const MAX_HEAD_BYTES: u64 = 64 * 1024 * 1024;
/// The longest line that is kept: a name for each feature.
const MAX_LINE_BYTES: usize = 4 * 1024 * 1024;
/// The most lines of the head.
const MAX_LINES: usize = 64;
/// What of the head is kept.
const METADATA: [&str; 2] = ["objective", "num_class"];

/// What the file says of itself.
///
/// # Errors
/// If its head can't be read.
pub(super) fn tell(file: impl Read + Seek) -> io::Result<Told> {
    let mut stream = Stream::lying(file, 0, MAX_HEAD_BYTES)?;
    let mut head: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..MAX_LINES {
        let Some(line) = stream.line(MAX_LINE_BYTES)? else {
            break;
        };
        let line = line.into_text().unwrap_or_default();
        if line.starts_with("Tree=") {
            break;
        }
        if let Some((key, value)) = line.split_once('=') {
            head.insert(key.to_owned(), value.to_owned());
        }
    }
    let mut told = by("lightgbm", "lightgbm");
    // The format's version; the library's own is not told.
    told.version = head.get("version").cloned();
    for key in METADATA {
        if let Some(value) = head.get(key) {
            told.metadata.insert(key.to_owned(), value.clone());
        }
    }
    let number = |key: &str| head.get(key)?.parse::<u64>().ok();
    if let Some(last) = number("max_feature_idx") {
        let names = head.get("feature_names").map_or("", String::as_str);
        let names: Vec<String> = names
            .split(' ')
            .take(MAX_PORTS)
            .map(str::to_owned)
            .collect();
        // Where nobody named them, they are called `Column_0` and so on.
        let named = !names.iter().all(|name| name.starts_with("Column_"));
        let names = if named { &names[..] } else { &[] };
        told.inputs = vec![Port::features(
            Element::Double,
            last.saturating_add(1),
            names,
        )];
    }
    let classes = number("num_class").and_then(|count| i64::try_from(count).ok());
    told.outputs = vec![match classes {
        Some(count) if count > 1 => Port::tensor("predict", Element::Double, vec![-1, count]),
        _ => Port::column("predict", Element::Double),
    }];
    Ok(told)
}
