//! `modelyard policy`: tries the gates of policies.

use std::fmt::{self, Write};

use clap::Subcommand;

use super::reading::Reading;
use super::{Context, Outcome, Page, Report};
use crate::ops::policy::{self, Tried};
use crate::platform::redact::printable;
use crate::record::{Failure, Name};

/// Try the gates of policies
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(Test),
}

/// Run the examples that policies have in `tests`
///
/// Each says what the expressions are given, and which gates fail by it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard policy test
  modelyard policy test release

Exit codes: 0 all came out as they say, 1 some did not, 2 they could not be tried.")]
struct Test {
    /// The policy; all of them where none is named
    #[arg(value_name = "POLICY")]
    policy: Option<Name>,
    #[command(flatten)]
    reading: Reading,
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let Command::Test(Test { policy, reading }) = self.command;
        let catalog = reading.catalog(context).await?;
        let program = context.program()?;
        let tried = policy::test(catalog, policy.as_ref(), &program).await?;
        context.print(&tried)?;
        Ok(match tried.passed() {
            true => Outcome::Done,
            false => Outcome::Problems,
        })
    }
}

impl Report for Tried {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for policy in &self.policies {
            writeln!(page, "{}", policy.name)?;
            for test in &policy.tests {
                let outcome = if test.passed { "ok    " } else { "failed" };
                writeln!(page, "  {outcome}  {}", printable(&test.name))?;
                for difference in &test.differences {
                    writeln!(page, "          {}", printable(difference))?;
                }
            }
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        let policies = self.policies.iter();
        policies.map(|policy| policy.name.to_string()).collect()
    }
}
