//! What was exported, as a person sees it.

use std::fmt::{self, Write};

use indicatif::HumanBytes;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::cli::{Page, Report};
use crate::import::LeftOut;
use crate::ops::export::{Exported, ExportedFolder, ExportedManifests};
use crate::platform::redact::printable;

/// How many lines of one kind are told to people; machines are told all.
const TOLD: usize = 40;

impl Report for Exported {
    fn text(&self, page: &mut Page) -> fmt::Result {
        match self {
            Self::Folder(folder) => of_folder(folder, page),
            Self::Manifests(manifests) => of_manifests(manifests, page),
        }
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Folder(folder) => folder.files.iter().map(|file| file.path.clone()).collect(),
            Self::Manifests(manifests) => manifests.manifests.iter().map(name).collect(),
        }
    }
}

/// `InferenceService/digits`, as `kubectl` names it.
fn name(manifest: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (&manifest["kind"], &manifest["metadata"]["name"]);
    format!("{}/{}", text(kind), text(name))
}

const fn did(dry_run: bool) -> &'static str {
    if dry_run { "would export" } else { "exported" }
}

fn of_folder(exported: &ExportedFolder, page: &mut Page) -> fmt::Result {
    let folder = printable(&exported.folder.display().to_string());
    let (did, name) = (did(exported.dry_run), exported.artifact.name());
    writeln!(page, "{did} {name} into {folder}\n")?;
    let files = &exported.files;
    let paths: Vec<String> = files.iter().map(|file| printable(&file.path)).collect();
    let width = paths.iter().map(|path| path.width()).max().unwrap_or(0);
    for (file, path) in files.iter().zip(paths).take(TOLD) {
        let of = if file.written { "  for the export" } else { "" };
        let gap = " ".repeat(width - path.width());
        let size = HumanBytes(file.size).to_string();
        writeln!(page, "  {path}{gap}  {size:>11}{of}")?;
    }
    if let Some(more @ 1..) = files.len().checked_sub(TOLD) {
        writeln!(page, "  and {more} more files")?;
    }
    if let Some(registered) = &exported.registered {
        let (name, server) = (printable(&registered.name), printable(&registered.server));
        let was = if registered.unchanged {
            "was there as"
        } else {
            "registered as"
        };
        writeln!(
            page,
            "\n  {was} models:/{name}/{} of {server}",
            registered.version
        )?;
    }
    left_out(page, &exported.left_out)
}

fn of_manifests(exported: &ExportedManifests, page: &mut Page) -> fmt::Result {
    let file = exported
        .file
        .as_ref()
        .map(|file| file.display().to_string());
    let file = printable(&file.unwrap_or_default());
    writeln!(page, "{} into {file}\n", did(exported.dry_run))?;
    for manifest in exported.manifests.iter().take(TOLD) {
        writeln!(page, "  {}", printable(&name(manifest)))?;
    }
    if let Some(more @ 1..) = exported.manifests.len().checked_sub(TOLD) {
        writeln!(page, "  and {more} more")?;
    }
    left_out(page, &exported.left_out)
}

fn left_out(page: &mut Page, left_out: &[LeftOut]) -> fmt::Result {
    if !left_out.is_empty() {
        writeln!(page)?;
    }
    for LeftOut { what, why } in left_out.iter().take(TOLD) {
        writeln!(
            page,
            "  no place for {} ({})",
            printable(what),
            printable(why)
        )?;
    }
    match left_out.len().checked_sub(TOLD) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(page, "  and {more} more; --output json has them all"),
    }
}
