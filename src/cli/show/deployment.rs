//! A deployment, for people.

use std::fmt::{self, Write};

use serde_json::Value;

use crate::cli::Page;
use crate::cli::list::{deployment_name, serves, state, versions};
use crate::cli::table::Fields;
use crate::ops::show::ShownDeployment;

/// What stands in `serves` and in the title already.
const TOLD: [&str; 4] = ["model", "version", "split", "suspend"];

pub(super) fn text(shown: &ShownDeployment, page: &mut Page) -> fmt::Result {
    let row = &shown.row;
    writeln!(page, "{}  {}", deployment_name(row), state(row))?;
    let mut fields = Fields::default();
    fields.add_lines("serves", row.serves.iter().map(serves));
    fields.add_yaml("target", &shown.target);
    // The rest as it is in the record: it is a wish, and the record says it best.
    if let Ok(Value::Object(spec)) = serde_json::to_value(&shown.record.spec) {
        for (name, value) in spec.iter().filter(|(name, _)| !TOLD.contains(&&***name)) {
            fields.add_yaml(name, value);
        }
    }
    fields.add("record", &shown.path);
    page.write_str(&fields.into_text())?;
    if shown.versions.is_empty() {
        return Ok(());
    }
    write!(page, "\n{}", versions(&shown.versions))
}
