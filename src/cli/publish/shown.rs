//! What publishing came to, as a person sees it.

use std::fmt::{self, Write};

use indicatif::BinaryBytes;
use serde::Serialize;

use crate::cli::proposing::Proposes;
use crate::cli::{Page, Report, proposed};
use crate::ops::propose::Proposed;
use crate::ops::publish::Published;
use crate::platform::redact::printable;

/// The most left-out files that are named one by one; the rest is counted, and in JSON.
const MOST_NAMED: usize = 20;

/// What publishing came to.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub published: Published,
    #[serde(rename = "dryRun")]
    pub dry_run: bool,
}

impl Proposes for Shown {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        self.published.proposed.as_mut().into_iter().collect()
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let Published {
            model,
            version,
            digest,
            files,
            size_bytes,
            ..
        } = &self.published;
        if self.published.is_unchanged() {
            writeln!(
                page,
                "{model}:{version} is published already; nothing changed"
            )?;
            let proposed = self.published.proposed.as_ref();
            return match proposed.and_then(|proposed| proposed.pull_request.as_ref()) {
                Some(opened) => proposed::request(opened, page),
                None => Ok(()),
            };
        }
        let verb = if self.dry_run {
            "Would publish"
        } else {
            "Published"
        };
        writeln!(page, "{verb} {model}:{version}")?;
        let files = if *files == 1 {
            "1 file".to_owned()
        } else {
            format!("{files} files")
        };
        writeln!(
            page,
            "  packed    {files}, {}, {digest}",
            BinaryBytes(*size_bytes)
        )?;
        self.left_out(page)?;
        for finding in &self.published.findings {
            writeln!(page, "  beware    {finding}")?;
        }
        self.lacking(page)?;
        if self.dry_run {
            return self.records(page);
        }
        self.written(page)
    }

    fn names(&self) -> Vec<String> {
        vec![format!(
            "{}:{}",
            self.published.model, self.published.version
        )]
    }
}

impl Shown {
    fn left_out(&self, page: &mut Page) -> fmt::Result {
        let left_out = &self.published.left_out;
        for file in left_out.iter().take(MOST_NAMED) {
            writeln!(page, "  left out  {} ({})", printable(&file.path), file.why)?;
        }
        match left_out.len().checked_sub(MOST_NAMED) {
            None | Some(0) => Ok(()),
            Some(more) => writeln!(
                page,
                "  left out  {more} more; --output json names them all"
            ),
        }
    }

    /// Which operators the built-in runtime lacks, and what serves the version then.
    fn lacking(&self, page: &mut Page) -> fmt::Result {
        let Some(lacking) = &self.published.lacking else {
            return Ok(());
        };
        let operators = printable(&lacking.operators.join(", "));
        match &lacking.served_by {
            Some(runtime) => {
                let runtime = printable(runtime);
                writeln!(
                    page,
                    "  runtime   {runtime} serves it: the built-in one lacks {operators}"
                )
            }
            None => writeln!(
                page,
                "  beware    the built-in runtime can't serve it, as it lacks {operators}; name \
                 another (`runtime: {{name: python}}`), or export the model without them"
            ),
        }
    }

    /// The records as they would be written.
    fn records(&self, page: &mut Page) -> fmt::Result {
        for (path, text) in &self.published.records {
            writeln!(page, "\n{path}")?;
            for line in text.lines() {
                writeln!(page, "  {}", printable(line))?;
            }
        }
        Ok(())
    }

    fn written(&self, page: &mut Page) -> fmt::Result {
        if let Some(stored) = &self.published.stored {
            let sent = BinaryBytes(stored.sent_bytes);
            writeln!(page, "  stored    {}, {sent} sent", stored.repository)?;
        }
        match &self.published.signed {
            Some(signed) => writeln!(page, "  signed    by the key {}", signed.key)?,
            None => writeln!(page, "  signed    by nobody")?,
        }
        match &self.published.proposed {
            Some(proposed) => proposed::text(proposed, page),
            None => Ok(()),
        }
    }
}
