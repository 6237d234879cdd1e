//! What a source has, and what an import came to, as a person sees it.

use std::fmt::{self, Write};

use indicatif::BinaryBytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::proposing::Proposes;
use crate::cli::table::{joined, or_nothing, table};
use crate::cli::{Page, Report, proposed};
use crate::import::LeftOut;
use crate::ops::import::{Called, Import, Rehearsal, Rehearsed, State, Survey, Surveyed};
use crate::ops::propose::Proposed;
use crate::platform::redact::printable;
use crate::record::yaml::to_yaml;

/// The most lines of one kind that are shown; the rest is counted, and in JSON.
const MOST_SHOWN: usize = 50;

/// What sources have.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Surveys(pub Vec<Survey>);

/// What would be imported.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Rehearsals(pub Vec<Rehearsal>);

/// What was imported.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Imports(pub Vec<Import>);

/// No source at all; a list of none for machines.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct NothingToFollow(pub [(); 0]);

impl Report for NothingToFollow {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(
            page,
            "modelyard.yaml names no sources: there is nothing to follow"
        )
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Report for Surveys {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for survey in &self.0 {
            heading(page, &survey.source)?;
            let rows = survey.versions.iter().map(row);
            let headers = ["REFERENCE", "STAGE", "ALIASES", "STATE", "HERE"];
            write!(page, "{}", table(&headers, rows))?;
            for surveyed in &survey.versions {
                if let Some(why) = &surveyed.why {
                    let reference = printable(&surveyed.listed.reference);
                    reason(page, "beware", &reference, why, surveyed.help.as_deref())?;
                }
            }
            left_out(page, &survey.left_out)?;
            if survey.unselected > 0 {
                writeln!(page, "{} more are not selected", survey.unselected)?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let versions = self.0.iter().flat_map(|survey| &survey.versions);
        versions
            .map(|surveyed| surveyed.listed.reference.clone())
            .collect()
    }
}

fn row(surveyed: &Surveyed) -> Vec<String> {
    let listed = &surveyed.listed;
    vec![
        listed.reference.clone(),
        or_nothing(listed.stage.as_ref()),
        joined(&listed.aliases),
        state(surveyed.state).to_owned(),
        or_nothing(surveyed.to.as_ref().map(called)),
    ]
}

const fn state(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::Uncertain => "to be compared",
        State::Imported => "imported",
        State::Changed => "changed there",
        State::Taken => "name taken",
        State::Nameless => "no name",
        State::Skipped => "skipped",
    }
}

fn called(called: &Called) -> String {
    let renamed = if called.renamed { " (renamed)" } else { "" };
    format!("{}:{}{renamed}", called.model, called.version)
}

impl Report for Rehearsals {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for Rehearsal { survey, versions } in &self.0 {
            heading(page, &survey.source)?;
            for rehearsed in versions {
                rehearsed.text(page)?;
            }
            for surveyed in &survey.versions {
                if let Some(why) = &surveyed.why {
                    let reference = printable(&surveyed.listed.reference);
                    reason(page, "refused", &reference, why, surveyed.help.as_deref())?;
                }
            }
            left_out(page, &survey.left_out)?;
            let known = survey.versions.iter();
            let known = known.filter(|surveyed| surveyed.state == State::Imported);
            unchanged(page, known.count())?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let versions = self.0.iter().flat_map(|rehearsal| &rehearsal.versions);
        let called = versions.filter_map(|rehearsed| rehearsed.to.as_ref());
        called
            .map(|called| format!("{}:{}", called.model, called.version))
            .collect()
    }
}

impl Rehearsed {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let reference = printable(&self.reference);
        let to = self.to.as_ref().map(called).unwrap_or_default();
        writeln!(page, "\nWould import {reference} as {to}")?;
        match self.files {
            Some(1) => writeln!(page, "  files     1, to be fetched")?,
            Some(files) => writeln!(page, "  files     {files}, to be fetched")?,
            None => {}
        }
        for remark in &self.remarks {
            writeln!(page, "  beware    {}", printable(remark))?;
        }
        fields(page, "model", &self.model)?;
        fields(page, "version", &self.version)?;
        fields(page, "no field", &self.unmapped)
    }
}

fn fields(page: &mut Page, name: &str, fields: &Map<String, Value>) -> fmt::Result {
    if fields.is_empty() {
        return Ok(());
    }
    let yaml = to_yaml(&Value::Object(fields.clone()));
    for (index, line) in yaml.lines().enumerate() {
        let name = if index == 0 { name } else { "" };
        writeln!(page, "  {name:<9} {}", printable(line))?;
    }
    Ok(())
}

impl Report for Imports {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for import in &self.0 {
            import.text(page)?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let brought = self.0.iter().flat_map(|import| &import.brought);
        brought
            .map(|one| format!("{}:{}", one.to.model, one.to.version))
            .collect()
    }
}

impl Proposes for Imports {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        let imports = self.0.iter_mut();
        imports
            .filter_map(|import| import.proposed.as_mut())
            .collect()
    }
}

impl Import {
    fn text(&self, page: &mut Page) -> fmt::Result {
        heading(page, &self.source)?;
        for one in self.brought.iter().take(MOST_SHOWN) {
            let (reference, to) = (printable(&one.reference), called(&one.to));
            writeln!(page, "  imported  {to} from {reference}")?;
            let (size, digest) = (BinaryBytes(one.size_bytes), one.digest);
            let files = match one.files {
                1 => "1 file".to_owned(),
                files => format!("{files} files"),
            };
            writeln!(page, "            {files}, {size}, {digest}")?;
            for file in &one.left_out {
                let path = printable(&file.path);
                writeln!(page, "            left out: {path} ({})", file.why)?;
            }
            for finding in &one.findings {
                writeln!(page, "            beware: {finding}")?;
            }
            for remark in &one.remarks {
                writeln!(page, "            {}", printable(remark))?;
            }
            if !one.unmapped.is_empty() {
                let names = printable(&one.unmapped.join(", "));
                writeln!(page, "            kept, with no field for it: {names}")?;
            }
        }
        more(page, self.brought.len())?;
        for moved in self.moved.iter().take(MOST_SHOWN) {
            writeln!(page, "  moved     {}", moved.told())?;
        }
        more(page, self.moved.len())?;
        for one in self.deployed.iter().take(MOST_SHOWN) {
            let renamed = if one.renamed { " (renamed)" } else { "" };
            writeln!(
                page,
                "  deploys   {}/{}{renamed} from {}",
                one.environment,
                one.deployment,
                printable(&one.reference)
            )?;
            for remark in &one.remarks {
                writeln!(page, "            {}", printable(remark))?;
            }
            if !one.unmapped.is_empty() {
                let names: Vec<_> = one.unmapped.keys().cloned().collect();
                let names = printable(&names.join(", "));
                writeln!(page, "            no field for: {names}")?;
            }
        }
        more(page, self.deployed.len())?;
        for refused in self.refused.iter().take(MOST_SHOWN) {
            let reference = printable(&refused.reference);
            let help = refused.help.as_deref();
            reason(page, "refused", &reference, &refused.why, help)?;
        }
        more(page, self.refused.len())?;
        left_out(page, &self.left_out)?;
        unchanged(page, self.unchanged)?;
        match &self.proposed {
            Some(proposed) => proposed::text(proposed, page),
            None => Ok(()),
        }
    }
}

fn heading(page: &mut Page, source: &str) -> fmt::Result {
    writeln!(page, "{}", printable(source))
}

fn reason(page: &mut Page, word: &str, what: &str, why: &str, help: Option<&str>) -> fmt::Result {
    writeln!(page, "  {word:<9} {what}: {}", printable(why))?;
    match help {
        Some(help) => writeln!(page, "            {}", printable(help)),
        None => Ok(()),
    }
}

fn left_out(page: &mut Page, left_out: &[LeftOut]) -> fmt::Result {
    for LeftOut { what, why } in left_out.iter().take(MOST_SHOWN) {
        writeln!(page, "  left out  {} ({})", printable(what), printable(why))?;
    }
    more(page, left_out.len())
}

fn unchanged(page: &mut Page, count: usize) -> fmt::Result {
    match count {
        0 => Ok(()),
        1 => writeln!(page, "  unchanged 1 version that is here already"),
        count => writeln!(page, "  unchanged {count} versions that are here already"),
    }
}

fn more(page: &mut Page, count: usize) -> fmt::Result {
    match count.checked_sub(MOST_SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(
            page,
            "            and {more} more; --output json has them all"
        ),
    }
}
