//! A card's citation: the only BibTeX entry in its text.
//!
//! ```text
//! @article{key,
//!     author = {Ada Lovelace and Hopper, Grace},
//!     doi = "10.5281/zenodo.123",
//! }
//! ```
//!
//! Authors stand as they are cited. A card with several entries says not which of them is its own,
//! and one with commands of TeX in it is not told apart here: both stay in the card's text alone.

use serde_json::{Map, Value, json};

use crate::record::kind::Doi;

/// The most authors that a record tells.
const MAX_AUTHORS: usize = 256;

/// The longest name.
const MAX_NAME_CHARACTERS: usize = 255;

/// How many `@` of a card are looked at.
const MAX_SIGNS: usize = 1000;

/// The longest entry, in bytes.
const MAX_ENTRY_BYTES: usize = 16 << 10;

/// The model's citation in `text`, as records say it.
pub(super) fn in_text(text: &str) -> Option<Value> {
    let signs = text.match_indices('@').take(MAX_SIGNS);
    let mut entries = signs.filter_map(|(at, _)| entry(&text[at + 1..]));
    let fields = entries.next()?;
    if entries.next().is_some() {
        return None;
    }
    let mut citation = Map::new();
    if let Some(authors) = field(&fields, "author").and_then(authors) {
        citation.insert("authors".to_owned(), authors);
    }
    let doi = field(&fields, "doi").map(|doi| {
        let doi = doi.trim();
        let bare = doi.rsplit_once("doi.org/").map_or(doi, |(_, bare)| bare);
        bare.to_owned()
    });
    if let Some(doi) = doi.filter(|doi| doi.parse::<Doi>().is_ok()) {
        citation.insert("doi".to_owned(), doi.into());
    }
    (!citation.is_empty()).then_some(citation.into())
}

/// The fields of an entry whose text begins behind its `@`.
fn entry(text: &str) -> Option<Vec<(String, String)>> {
    let end = (0..=MAX_ENTRY_BYTES.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))?;
    let (kind, rest) = text[..end].split_once('{')?;
    if kind.is_empty()
        || !kind
            .trim_end()
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic())
    {
        return None;
    }
    let body = &rest[..end_of_braces(rest)?];
    let (_, mut rest) = body.split_once(',')?;
    let mut fields = Vec::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, behind) = value(behind.trim_start())?;
        fields.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        rest = behind.trim_start().trim_start_matches(',');
    }
    Some(fields)
}

/// A value in braces or quotes, or bare, and what is behind it.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('{') {
        let end = end_of_braces(inner)?;
        return Some((&inner[..end], &inner[end + 1..]));
    }
    if let Some(inner) = text.strip_prefix('"') {
        return inner.split_once('"');
    }
    let end = text.find(',').unwrap_or(text.len());
    Some((text[..end].trim(), &text[end..]))
}

/// Where the brace closes that was opened before `text`.
fn end_of_braces(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let field = fields.iter().find(|(known, _)| known == name);
    field.map(|(_, value)| value.as_str())
}

fn authors(text: &str) -> Option<Value> {
    if text.contains('\\') {
        return None;
    }
    let plain = text.replace(['{', '}'], "");
    let words: Vec<_> = plain.split_whitespace().collect();
    let names: Vec<_> = words
        .split(|word| *word == "and")
        .map(|name| name.join(" "))
        .collect();
    let fits = |name: &String| !name.is_empty() && name.chars().count() <= MAX_NAME_CHARACTERS;
    if names.len() > MAX_AUTHORS || !names.iter().all(fits) {
        return None;
    }
    Some(names.iter().map(|name| json!({ "name": name })).collect())
}

#[cfg(test)]
mod tests {
    //! Entries that are simple, and some that aren't.

    use super::*;

    #[test]
    fn one_simple_entry_is_the_citation() {
        let text = "# M\n\nWrite to a@b.example.\n\n```bibtex\n@article{lovelace2026,\n  title = {Notes {on} it},\n  author = {Ada Lovelace and\n    Hopper, Grace},\n  year = 2026,\n  doi = \"https://doi.org/10.5281/zenodo.123\"\n}\n```\n";
        let expected = json!({
            "authors": [{"name": "Ada Lovelace"}, {"name": "Hopper, Grace"}],
            "doi": "10.5281/zenodo.123",
        });
        assert_eq!(in_text(text), Some(expected));
    }

    #[test]
    fn several_or_odd_entries_say_nothing() {
        let one = "@misc{a, author = {A B}}";
        assert!(in_text(one).is_some());
        for text in [
            format!("{one}\n{one}"),
            "@misc{a, author = {A \\\"Oberg}}".to_owned(),
            "@misc{a, author = {A".to_owned(),
            "@misc{a, doi = {none}}".to_owned(),
            "@decorator\ndef f(): {1: 2}".to_owned(),
            "nothing".to_owned(),
        ] {
            assert_eq!(in_text(&text), None, "{text}");
        }
    }
}
