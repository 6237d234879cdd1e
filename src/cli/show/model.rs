//! A model, for people.

use std::fmt::{self, Write};

use super::served_by;
use crate::cli::Page;
use crate::cli::list::versions;
use crate::cli::table::Fields;
use crate::ops::show::ShownModel;
use crate::platform::redact::printable;
use crate::record::kind::Model;

pub(super) fn text(shown: &ShownModel, page: &mut Page) -> fmt::Result {
    let title = shown.record.as_ref().map(|record| &*record.spec.title);
    let title = title.unwrap_or("(its record can't be read)");
    writeln!(page, "{}  {}", shown.model, printable(title))?;
    let mut fields = Fields::default();
    if let Some(record) = &shown.record {
        of_record(record, &mut fields);
    }
    fields.add_some("card", shown.card.as_ref());
    fields.add("record", &shown.path);
    page.write_str(&fields.into_text())?;
    if shown.versions.is_empty() {
        return writeln!(page, "\nIt has no versions.");
    }
    write!(page, "\n{}", versions(&shown.versions))?;
    served_by(&shown.deployments, page)
}

fn of_record(record: &Model, fields: &mut Fields) {
    let spec = &record.spec;
    let owners = spec.owners.iter().map(|owner| match &owner.contact {
        Some(contact) => format!("{} <{contact}>", owner.team),
        None => owner.team.clone(),
    });
    let labels = record.metadata.labels.iter();
    let aliases = spec.aliases.iter();
    fields.add_some("description", spec.description.as_deref());
    fields.add_all("owners", owners);
    fields.add("visibility", &spec.visibility());
    for (name, value) in spec.classification.fields() {
        fields.add_some(name, value);
    }
    fields.add_some("license", spec.license.as_ref());
    fields.add_yaml("citation", &spec.citation);
    fields.add_all(
        "labels",
        labels.map(|(key, value)| format!("{key}={value}")),
    );
    fields.add_all(
        "aliases",
        aliases.map(|(alias, version)| format!("{alias}={version}")),
    );
}
