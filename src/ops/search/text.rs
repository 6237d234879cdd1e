//! A word in a text, and what stands around it.

use unicode_normalization::UnicodeNormalization;

/// How much of a text stands before and behind what was found in it, in characters.
const AROUND: usize = 60;

/// Where a text has a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    count: u32,
    /// Whether it stands alone somewhere.
    whole: bool,
    /// The text around it, on one line.
    pub(super) around: String,
}

impl Occurrence {
    /// What it counts beside its place: less than 10, a whole word more than any number of parts.
    pub(super) fn worth(&self) -> u32 {
        // To have a word ten times says little more than five times.
        let often = self.count.ilog2().min(4);
        if self.whole { 5 + often } else { often }
    }
}

/// `text` in small letters, character by character: a place in one is the same in the other.
pub(super) fn folded(text: &str) -> String {
    let small = |c: char| c.to_lowercase().next().unwrap_or(c);
    text.chars().map(small).collect()
}

/// Where `word`, which is folded, occurs in `text`.
pub(super) fn occurrence(text: &str, word: &str) -> Option<Occurrence> {
    let text: String = text.nfc().collect();
    let small = folded(&text);
    let mut best = None;
    let mut count = 0;
    for (at, _) in small.match_indices(word) {
        count += 1;
        let alone = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
        let whole = alone(small[..at].chars().next_back())
            && alone(small[at + word.len()..].chars().next());
        match best {
            Some((_, true)) => {}
            Some(_) if !whole => {}
            _ => best = Some((at, whole)),
        }
    }
    let (at, whole) = best?;
    let place = small[..at].chars().count();
    Some(Occurrence {
        count,
        whole,
        around: around(&text, place, word.chars().count()),
    })
}

/// The characters around `place`, on one line.
fn around(text: &str, place: usize, length: usize) -> String {
    let begin = place.saturating_sub(AROUND);
    let end = place + length + AROUND;
    let mut shown: String = text.chars().skip(begin).take(end - begin).collect();
    // Not from the middle of a word.
    if begin > 0 {
        let word = shown.find(char::is_whitespace).unwrap_or(0);
        shown = format!("…{}", shown[word..].trim_start());
    }
    if text.chars().nth(end).is_some() {
        let word = shown.rfind(char::is_whitespace).unwrap_or(shown.len());
        shown = format!("{}…", shown[..word].trim_end());
    }
    // A card's headings are marked, which says nothing on one line.
    let lines = shown.lines().map(|line| line.trim_start_matches('#'));
    let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// A card's text, without the front matter before it, which is for machines.
pub(super) fn without_front_matter(card: &str) -> &str {
    let card = card.trim_start_matches('\u{feff}');
    let mut lines = card.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return card;
    };
    let mut length = first.len();
    for line in lines {
        length += line.len();
        if line.trim_end() == "---" {
            return &card[length..];
        }
    }
    card
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_word_is_better_than_any_number_of_parts() {
        let found = occurrence("digits and a digit", "digit").unwrap();
        assert_eq!((found.count, found.whole), (2, true));
        let parts = occurrence(&"digits ".repeat(1000), "digit").unwrap();
        assert!(!parts.whole);
        assert!(parts.worth() < found.worth());
        assert_eq!(occurrence("letters", "digit"), None);
    }

    #[test]
    fn letters_are_alike_however_they_are_written() {
        for (text, word) in [
            ("İstanbul DIGIT", "digit"),
            ("cafe\u{301}", "café"),
            ("ÉTÉ", "été"),
        ] {
            let found = occurrence(text, word).unwrap();
            assert!(found.whole, "{text}");
        }
    }

    #[test]
    fn what_stands_around_is_one_line_of_whole_words() {
        let text = format!(
            "{}the needle\nin {}",
            "hay ".repeat(100),
            "straw ".repeat(100)
        );
        let found = occurrence(&text, "needle").unwrap().around;
        assert!(found.starts_with("…hay hay"), "{found}");
        assert!(found.contains("the needle in straw"), "{found}");
        assert!(found.ends_with("straw…"), "{found}");
        let whole = occurrence("## A needle\n", "needle").unwrap().around;
        assert_eq!(whole, "A needle");
    }

    #[test]
    fn front_matter_is_left_out_and_nothing_else() {
        for (card, body) in [
            ("---\nlicense: mit\n---\n# Digits\n", "# Digits\n"),
            ("\u{feff}---\r\na: 1\r\n---\r\nText", "Text"),
            ("---\nnever ends", "---\nnever ends"),
            ("Text\n---\nmore\n---\n", "Text\n---\nmore\n---\n"),
            ("", ""),
        ] {
            assert_eq!(without_front_matter(card), body, "{card:?}");
        }
    }
}
