//! `modelyard inspect`: shows what an artifact is made of.

use std::fmt::{self, Write};

use indicatif::HumanBytes;
use unicode_width::UnicodeWidthStr;

use super::stores::StoreArguments;
use super::{Context, Outcome, Page, Report, completions};
use crate::artifact::Descriptor;
use crate::ops::inspect::{self, Inspected};
use crate::ops::locate::{self, Reference};
use crate::platform::redact::printable;
use crate::record::Failure;
use crate::yard::Catalog;

/// Show what an artifact is made of
///
/// Its files with their roles, sizes and digests, and what refers to it; with `--output json` its
/// manifest and config as well.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard inspect vision/digits:champion
  modelyard inspect registry.example.com/acme/digits:1.0.0 --output json")]
pub(super) struct Arguments {
    /// What to look into: MODEL:VERSION of the yard, or an OCI reference
    #[arg(value_name = "REF", add = completions::references())]
    reference: Reference,
    #[command(flatten)]
    stores: StoreArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let options = self.stores.options(context);
        let located = match &self.reference {
            Reference::Oci(reference) => {
                locate::in_store(reference, &context.directory, &options).await?
            }
            Reference::Model(reference) => {
                let yard = context.yard()?;
                let catalog = Catalog::new(yard.snapshot(&yard.at_hand())?);
                locate::in_yard(reference, &catalog, &options).await?
            }
        };
        context.print(&inspect::inspect(&located).await?)?;
        Ok(Outcome::Done)
    }
}

impl Report for Inspected {
    fn text(&self, page: &mut Page) -> fmt::Result {
        writeln!(page, "{}", printable(&self.reference))?;
        if let Some(version) = &self.version {
            writeln!(page, "  version    {version}")?;
        }
        writeln!(page, "  type       {}", printable(&self.artifact_type))?;
        writeln!(page, "  size       {}", HumanBytes(self.total_bytes))?;
        if let Some(reason) = &self.not_pulled {
            writeln!(page, "  can't be pulled: {}", printable(reason))?;
        }
        for (name, value) in &self.manifest.annotations {
            writeln!(page, "  {}: {}", printable(name), printable(value))?;
        }
        let paths: Vec<String> = self
            .files
            .iter()
            .map(|file| printable(&file.path))
            .collect();
        let width = paths.iter().map(|path| path.width()).max().unwrap_or(0);
        for (file, path) in self.files.iter().zip(paths) {
            let gap = " ".repeat(width - path.width());
            let size = HumanBytes(file.size).to_string();
            let (role, digest) = (&file.role, file.digest.short());
            writeln!(page, "  {path}{gap}  {role:<14} {size:>11}  {digest}")?;
        }
        for referrer in &self.referrers {
            write_referrer("refers to it", referrer, page)?;
        }
        if let Some(classic) = &self.classic_signatures {
            write_referrer("classic signatures", classic, page)?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

fn write_referrer(what: &str, referrer: &Descriptor, page: &mut Page) -> fmt::Result {
    let kind = referrer
        .artifact_type
        .as_ref()
        .unwrap_or(&referrer.media_type);
    writeln!(
        page,
        "  {what}: {} {}",
        referrer.digest.short(),
        printable(kind)
    )
}
