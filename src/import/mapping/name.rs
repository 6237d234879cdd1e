//! From any text to a name, a version, an alias: changed as little as makes it one.

use unicode_normalization::UnicodeNormalization;

use crate::import::Place;
use crate::record::{Name, Version};

/// The longest name.
const MOST: usize = 63;

/// What an import from `place` is called where nobody says: by its kind and what it is.
///
/// Such as `mlflow-mlflow.acme.example`.
pub fn name_of(place: &Place) -> Name {
    // As it is shown: what is a secret in it is in no branch's name.
    let place = place.to_string();
    let (kind, at) = place.split_once(':').unwrap_or((&place, ""));
    let at = at.split("://").last().unwrap_or_default();
    let name = slug(&format!("{kind}-{at}"));
    // The kind alone is a name.
    name.parse()
        .expect("a slug that begins with a word is a name")
}

/// `text` changed as little as makes it a name: lower case, marks off letters, and a hyphen for
/// each run of what can't be in a name.
pub(super) fn slug_name(text: &str) -> Option<Name> {
    slug(text).parse().ok()
}

pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    let mut pending: Option<char> = None;
    let plain = text.nfkd().filter(|c| !is_mark(*c));
    for c in plain.flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            // A separator stands between two words only, and one is enough.
            if let Some(separator) = pending.take().filter(|_| !slug.is_empty()) {
                slug.push(separator);
            }
            slug.push(c);
        } else {
            pending = Some(match (pending, c) {
                (None, '.' | '_' | '-') => c,
                _ => '-',
            });
        }
    }
    slug.truncate(MOST);
    slug.trim_end_matches(['.', '_', '-']).to_owned()
}

/// Whether `c` is a mark that was put onto a letter: an accent, a ring.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// `v1.4`, `1.4` or `12` as a whole version: 1.4.0, 12.0.0.
pub(super) fn filled_up(label: &str) -> Option<Version> {
    let bare = label.strip_prefix(['v', 'V']).unwrap_or(label);
    if let Ok(version) = bare.parse() {
        return Some(version);
    }
    let parts: Vec<_> = bare.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 2 || !parts.iter().all(number) {
        return None;
    }
    let zeros = ".0".repeat(3 - parts.len());
    format!("{bare}{zeros}").parse().ok()
}
