//! Text of others in Markdown, shown as it is: nothing in it is markup, a link, a picture, or calls
//! anybody.

/// `text` as a block of its own.
pub fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_ticks(text) + 1).max(3));
    format!("{fence}text\n{text}\n{fence}\n\n")
}

/// `text` within a line, in at most `limit` characters; also within a cell of a table.
pub fn code(text: &str, limit: usize) -> String {
    // A bar ends a cell whatever stands around it, so a broken one stands in for it.
    let plain = |one: char| match one {
        '|' => '¦',
        one if one.is_control() => ' ',
        one => one,
    };
    let text: String = super::wish::short(text.trim(), limit);
    let text: String = text.chars().map(plain).collect();
    let ticks = "`".repeat(longest_ticks(&text) + 1);
    let space = if text.contains('`') || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// How many backticks there are in a row in `text`, at most.
pub fn longest_ticks(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    //! Nothing gets out.

    use super::*;

    #[test]
    fn text_of_others_stays_in_its_place() {
        assert_eq!(code("vision/digits 1.0.0", 40), "`vision/digits 1.0.0`");
        assert_eq!(
            code("a | b\\| @all\n# [x](http://y)", 80),
            "`a ¦ b\\¦ @all # [x](http://y)`"
        );
        assert_eq!(code("`` ` <!-- x", 80), "``` `` ` <!-- x ```");
        assert_eq!(code("", 80), "`  `");
        assert_eq!(code("abcdef", 4), "`abc…`");
        assert_eq!(fenced("a\n```\n@b"), "````text\na\n```\n@b\n````\n\n");
    }
}
