//! A plan as Markdown: the comment on a pull request, and the summary of a job.
//!
//! What comes from records stands in code spans and code blocks alone, so that it names nobody,
//! links nowhere and draws nothing. What can't be seen is escaped, and so is what would end a table's
//! cell. All of it is bounded: what has no room is counted.

use std::fmt::Write;

use super::telling::{Block, Line, Section, Sign, Word};
use super::{Difference, Planned};
use crate::forge::Marker;
use crate::platform::redact::visible;

/// How long it gets by itself, in bytes: a comment holds 65,536 characters on GitHub, and something
/// may stand around it.
const MOST_BYTES: usize = 60_000;

/// How many bytes one section may take of that.
const MOST_BYTES_OF_ONE: usize = 12_000;

/// How many lines are told at a glance.
const MOST_AT_A_GLANCE: usize = 12;

/// How many characters are shown of one quoted text.
const MOST_CHARACTERS: usize = 300;

/// The plan as a comment of its own, which its first line marks as ours.
pub fn markdown(plan: &Planned) -> String {
    let marker = Marker::new("plan".parse().expect("it is a name"));
    marker.on(&body(plan, MOST_BYTES))
}

/// The plan as part of a text, in at most `most` bytes, or a few thousand where that is less than
/// what is told at a glance.
pub fn body(plan: &Planned, most: usize) -> String {
    let telling = plan.telling();
    let mut text = format!("### {}\n\n", line(&telling.title));
    for shown in telling.glance.iter().take(MOST_AT_A_GLANCE) {
        let _ = writeln!(text, "- {}", line(shown));
    }
    if telling.glance.len() > MOST_AT_A_GLANCE {
        let more = telling.glance.len() - MOST_AT_A_GLANCE;
        let _ = writeln!(text, "- … and {more} more");
    }
    let foot: Vec<String> = telling.foot.iter().map(line).collect();
    let foot = format!("\n{}\n", foot.join(" · "));
    let room = most.saturating_sub(foot.len() + 100);
    for (at, shown) in telling.sections.iter().enumerate() {
        let section = section(shown);
        if text.len() + section.len() > room {
            let more = telling.sections.len() - at;
            let _ = write!(
                text,
                "\n… and {more} more: `modelyard plan --base` tells all of it.\n"
            );
            break;
        }
        text.push_str(&section);
    }
    text.push_str(&foot);
    text
}

/// What can be opened: a section's blocks, as many as there is room for.
fn section(section: &Section) -> String {
    let mut text = format!("\n<details><summary>{}</summary>\n", html(&section.title));
    let (mut left_out, mut is_list) = (0, false);
    for shown in &section.blocks {
        let room = MOST_BYTES_OF_ONE.saturating_sub(text.len());
        let was_list = std::mem::replace(&mut is_list, matches!(shown, Block::Lines(_)));
        match block(shown, room) {
            // An empty line between two lists would spread both.
            Some(block) if left_out == 0 && was_list && is_list => {
                text.push_str(block.trim_start_matches('\n'));
            }
            Some(block) if left_out == 0 => text.push_str(&block),
            _ => left_out += 1,
        }
    }
    if left_out > 0 {
        let _ = write!(text, "\n… and {left_out} more parts.\n");
    }
    text.push_str("\n</details>\n");
    text
}

/// A block in at most about `room` bytes; nothing if nothing of it fits.
fn block(block: &Block, room: usize) -> Option<String> {
    match block {
        Block::Heading(heading) => bounded(vec![format!("\n#### {}\n", line(heading))], room, ""),
        Block::Lines(lines) => {
            let lines = lines.iter().map(|one| format!("- {}\n", line(one)));
            bounded(lines.collect(), room, "\n")
        }
        Block::Table(headers, rows) => {
            let mut head = String::from("\n|");
            for header in headers {
                let _ = write!(head, " {header} |");
            }
            let _ = write!(head, "\n|{}\n", " --- |".repeat(headers.len()));
            let rows = rows.iter().map(|row| {
                let cells: Vec<String> = row.iter().map(line).collect();
                format!("| {} |\n", cells.join(" | "))
            });
            bounded(rows.collect(), room, &head)
        }
        Block::Differences(all) => Some(differences(all, room)),
    }
}

/// `head` and the parts for which there is room, and how many there are more.
fn bounded(parts: Vec<String>, room: usize, head: &str) -> Option<String> {
    let mut text = head.to_owned();
    let count = parts.len();
    for (at, part) in parts.into_iter().enumerate() {
        if text.len() + part.len() > room {
            if at == 0 {
                return None;
            }
            let _ = write!(text, "\n… and {} more\n", count - at);
            break;
        }
        text.push_str(&part);
    }
    Some(text)
}

/// Fields that differ as a difference of texts, in a fence that is longer than any within.
fn differences(all: &[Difference], room: usize) -> String {
    let mut lines = String::new();
    for (at, one) in all.iter().enumerate() {
        let mut told = String::new();
        let field = visible(&one.field);
        for (mark, value) in [('-', &one.before), ('+', &one.after)] {
            if let Some(value) = value {
                let _ = writeln!(told, "{mark} {field}: {}", short(&visible(value)));
            }
        }
        if lines.len() + told.len() > room {
            let _ = writeln!(lines, "  … and {} more fields", all.len() - at);
            break;
        }
        lines.push_str(&told);
    }
    let fence = "`".repeat(longest(&lines).max(2) + 1);
    format!("\n{fence}diff\n{lines}{fence}\n")
}

/// A line with its sign.
fn line(line: &Line) -> String {
    let mut text = String::from(match line.sign {
        Sign::Plain => "",
        Sign::Warning => "⚠️ ",
        Sign::Stop => "⛔ ",
    });
    for word in &line.words {
        match word {
            Word::Said(said) => text.push_str(said),
            Word::Strong(said) => {
                // Blanks inside of the marks would make them none.
                let inner = said.trim();
                let start = said.len() - said.trim_start().len();
                let end = start + inner.len();
                let _ = write!(text, "{}**{inner}**{}", &said[..start], &said[end..]);
            }
            Word::Quoted(quoted) => text.push_str(&code(quoted)),
        }
    }
    text
}

/// A line in HTML, where Markdown is not read.
fn html(line: &Line) -> String {
    let mut text = String::new();
    for word in &line.words {
        match word {
            Word::Said(said) => text.push_str(said),
            Word::Strong(said) => {
                let _ = write!(text, "<b>{said}</b>");
            }
            Word::Quoted(quoted) => {
                let quoted = short(&visible(quoted))
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;")
                    .replace('`', "&#96;");
                let _ = write!(text, "<code>{quoted}</code>");
            }
        }
    }
    text
}

/// A text as a code span, in marks that are longer than any within. A pipe would end a table's cell
/// even there.
fn code(text: &str) -> String {
    let shown = short(&visible(text)).replace('|', "\\u{7c}");
    if shown.trim().is_empty() {
        return "` `".to_owned();
    }
    let marks = "`".repeat(longest(&shown) + 1);
    let blank = match shown.starts_with('`') || shown.ends_with('`') {
        true => " ",
        false => "",
    };
    format!("{marks}{blank}{shown}{blank}{marks}")
}

/// How many backticks stand in a row at the most.
fn longest(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or_default()
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    //! What hostile records can't do, and how long a comment gets.

    use serde_json::{Value, json};

    use super::*;

    const HOSTILE: &str =
        "`@everyone` ``` | </details><!-- ](https://evil.example) #1\n# big\u{202e}";

    fn version(text: &str, number: u64) -> Value {
        json!({
            "version": format!("1.0.{number}"), "is": "added", "metadata": [
                {"field": text, "before": text, "after": text},
            ],
            "metrics": [{
                "name": text, "with": [text], "score": true, "value": 1, "champion": 2,
                "previous": null, "better": false,
            }],
            "champion": "1.0.0", "against": "1.0.0",
            "contract": [{
                "part": "input", "name": text, "is": "changed", "breaking": true, "what": text,
            }],
            "files": {
                "is": "known", "files": [{"path": text, "is": "added", "size": 1}], "more": 3,
                "newBytes": 1, "reusedBytes": 0,
            },
            "evidence": {
                "digest": format!("sha256:{}", "a".repeat(64)),
                "bytes": {"is": "unknown", "why": text},
                "signatures": {"is": "refused", "why": [text]}, "tests": 1,
            },
        })
    }

    fn plan(text: &str, models: u64) -> Planned {
        let model = |number: u64| {
            json!({
                "model": format!("vision/m{number}"), "is": "changed",
                "metadata": [{"field": "title", "before": text, "after": text}],
                "license": {"from": text, "to": text}, "aliases": [],
                "versions": [version(text, number)],
                "dependents": {"told": [{"who": text, "on": text}], "more": 1},
            })
        };
        let plan = json!({
            "hash": format!("sha256:{}", "b".repeat(64)), "base": text, "head": text,
            "breaking": 1, "changes": [],
            "environments": [{
                "environment": "host", "target": text, "metadata": [], "planMismatch": "refuse",
                "approvals": {"required": 2, "from": ["team:vision"]},
                "deployments": [{
                    "deployment": "digits", "becomes": "held", "from": [], "to": [],
                    "course": [], "analyses": [text], "drained": [text], "settings": [],
                    "notes": [text],
                }],
                "pools": [], "cannot": [text], "unknown": text,
            }],
            "models": (0..models).map(model).collect::<Vec<_>>(),
            "others": [{"path": text, "is": "changed"}], "unreadable": [text],
        });
        serde_json::from_value(plan).unwrap()
    }

    /// All that stands neither in a code block, nor in a code span, nor in `<code>`.
    fn outside_of_code(text: &str) -> String {
        let mut outside = String::new();
        let mut fence: Option<String> = None;
        for line in text.lines() {
            let marks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if line.trim_end() == open => fence = None,
                Some(_) => {}
                None if marks.len() >= 3 && !line[marks.len()..].contains('`') => {
                    fence = Some(marks);
                }
                None => {
                    let mut rest = line.to_owned();
                    while let Some(start) = rest.find('`') {
                        outside.push_str(&rest[..start]);
                        let behind = rest[start..].trim_start_matches('`').to_owned();
                        let marks = "`".repeat(rest.len() - start - behind.len());
                        let mut at = 0;
                        // The span ends at a row of as many marks.
                        rest = loop {
                            let end = behind[at..].find('`').expect("a span ends") + at;
                            let next = behind[end..].trim_start_matches('`');
                            if behind.len() - end - next.len() == marks.len() {
                                break next.to_owned();
                            }
                            at = behind.len() - next.len();
                        };
                    }
                    outside.push_str(&rest);
                    outside.push('\n');
                }
            }
        }
        assert_eq!(fence, None, "a block does not end");
        let mut plain = String::new();
        for part in outside.split("<code>") {
            let part = part
                .split_once("</code>")
                .map_or(part, |(_, behind)| behind);
            plain.push_str(part);
        }
        plain
    }

    #[test]
    fn records_draw_nothing_link_nowhere_and_name_nobody() {
        let text = markdown(&plan(HOSTILE, 2));
        let outside = outside_of_code(&text);
        for part in ["@", "evil", "big", "](", "\u{202e}"] {
            assert!(!outside.contains(part), "{part} in\n{outside}");
        }
        assert_eq!(outside.matches("<!--").count(), 1);
        let opened = outside.matches("<details>").count();
        assert_eq!(outside.matches("</details>").count(), opened);
        assert!(opened >= 3, "{outside}");
        // Every row of a table has as many cells as its head.
        for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
            let cells = |row: &str| row.matches('|').count();
            let head = table.lines().next().map_or(0, cells);
            for row in table.lines().filter(|row| row.starts_with('|')) {
                assert_eq!(cells(row), head, "{row}");
            }
        }
    }

    #[test]
    fn a_comment_is_bounded_and_says_what_it_leaves_out() {
        for (text, models) in [("x".repeat(10_000), 500), (HOSTILE.repeat(100), 500)] {
            let text = markdown(&plan(&text, models));
            assert!(text.len() < 62_000, "{}", text.len());
            assert!(text.contains(" more: `modelyard plan --base`"), "{text}");
            assert!(text.contains("- … and "), "{text}");
            assert!(text.contains(&"b".repeat(64)));
            outside_of_code(&text);
        }
    }
}
