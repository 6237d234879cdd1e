//! Tables for people: columns without lines, as wide as the terminal at most.

use comfy_table::{ContentArrangement, Table, presets};

use crate::platform::redact::printable;

/// `rows` under `headers`; on a terminal long cells are wrapped, elsewhere nothing is.
pub(super) fn table<R>(headers: &[&str], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headers.iter().copied());
    for row in rows {
        table.add_row(row.into_iter().map(|cell| lines(&cell)));
    }
    // The first column begins at the edge, and nothing comes after the last.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let lines = text.lines().map(str::trim_end);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Each line of `text` without control characters.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(printable).collect();
    lines.join("\n")
}

/// What stands in a cell for nothing.
pub(super) const NOTHING: &str = "-";

/// A value, or [`NOTHING`].
pub(super) fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// Values with commas between them, or [`NOTHING`].
pub(super) fn joined<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    if values.is_empty() {
        return NOTHING.to_owned();
    }
    values.join(", ")
}

/// A size as people write it: `1.21 MiB`.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
