//! What somebody may have meant.

/// The candidate that is most like `text`, if one is like it at all.
pub fn closest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(text);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != text)
        .filter_map(|candidate| {
            let known = folded(candidate);
            let distance = strsim::damerau_levenshtein(&wanted, &known);
            // A third of the letters wrong is a typo; more is another word.
            let length = wanted.chars().count().max(known.chars().count());
            (distance * 3 <= length).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Without what people mix up: capitals, hyphens and underscores; of a long text the beginning.
fn folded(text: &str) -> String {
    text.chars()
        .take(100)
        .filter(|c| !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `did you mean …?` for the candidate that is most like `text`, otherwise what there is.
pub(super) fn suggest<'a>(
    text: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    /// More than this many names are no help.
    const SHOWN: usize = 12;
    if let Some(candidate) = closest(text, candidates.clone()) {
        return Some(format!("did you mean `{candidate}`?"));
    }
    let all: Vec<_> = candidates.into_iter().collect();
    let names: Vec<_> = all
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match all.len() {
        0 => None,
        1 => Some(format!("there is only {}", names[0])),
        count if count <= SHOWN => Some(format!("there are {}", names.join(", "))),
        count => Some(format!(
            "there are {} and {} more",
            names.join(", "),
            count - SHOWN
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_what_was_meant_and_another_word_finds_nothing() {
        let fields = ["lifecycle", "createdAt", "inputs", "outputs", "format"];
        for (typo, meant) in [
            ("lifecyle", "lifecycle"),
            ("created_at", "createdAt"),
            ("Input", "inputs"),
            ("ouptuts", "outputs"),
        ] {
            assert_eq!(closest(typo, fields), Some(meant), "{typo}");
        }
        assert_eq!(closest("banana", fields), None);
        assert_eq!(closest("", fields), None);
    }
}
