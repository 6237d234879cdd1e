//! `modelyard test`: puts a version's golden tests to it.

use std::fmt::{self, Write};

use super::served::ServedArguments;
use super::table::table;
use super::{Context, Outcome, Page, Report, completions};
use crate::ops::test::{self, Report as Tested};
use crate::record::{Failure, ModelReference};

/// Start a version and hold its answers against its golden tests
///
/// The version is fetched and verified as by `pull`, started for the purpose, and asked what the
/// `tests` of its record ask. All that they name has to be answered as they say.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard test vision/digits:1.0.0
  modelyard test vision/digits:champion --output json

Exit codes: 0 all pass, 1 some fail, 2 they could not be run.")]
pub(super) struct Arguments {
    /// Which version: `<namespace>/<name>`, with a version, range or alias behind `:` or a digest
    /// behind `@`
    #[arg(value_name = "REF", add = completions::references())]
    reference: ModelReference,
    #[command(flatten)]
    served: ServedArguments,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let yard = self.served.yard(context).await?;
        let starting = self.served.starting(context)?;
        let stores = self.served.stores(context);
        let cache = ServedArguments::cache(context);
        let ground = ServedArguments::ground(context, &stores, &cache);
        let report = test::test(&yard, &self.reference, &starting, &ground).await?;
        context.print(&report)?;
        Ok(match report.failed {
            0 => Outcome::Done,
            _ => Outcome::Problems,
        })
    }
}

impl Report for Tested {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let rows = self.tests.iter().map(|test| {
            let verdict = if test.passed { "pass" } else { "FAIL" };
            [
                verdict.to_owned(),
                test.name.clone(),
                test.differences.join("\n"),
            ]
        });
        page.write_str(&table(&["", "TEST", "DIFFERENCE"], rows))?;
        writeln!(page)?;
        let name = self.artifact.name();
        match self.failed {
            0 => writeln!(
                page,
                "{name} answers all {} tests as it has to",
                self.passed
            ),
            failed => {
                let all = self.tests.len();
                writeln!(page, "{name} fails {failed} of {all} tests")
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let failed = self.tests.iter().filter(|test| !test.passed);
        failed.map(|test| test.name.clone()).collect()
    }
}
