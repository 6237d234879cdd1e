//! `modelyard history`: what served where, and since when; and `modelyard why`: on whose word.

use std::fmt::{self, Write};
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::Serialize;

use super::log::{person, short};
use super::table::{joined, or_nothing, table_of_said};
use super::{Context, Outcome, Page, Report, completions, proposing};
use crate::ops::history::{self, Asked, Past, Reviewed, Served, Told};
use crate::platform::redact::printable;
use crate::platform::retry::Policy;
use crate::record::{Failure, Name, with_causes};
use crate::yard::{YardError, blocking};

/// How many deployments of a name `why` tells of: as many as there are environments with it.
const MOST_WHYS: usize = 100;

/// Tell what served where, and since when
///
/// From the receipts that `modelyard serve` keeps in git (`refs/modelyard/receipts/ENVIRONMENT`),
/// and from main's commits; who approved comes from the forge, with the token that its own tools
/// read. Newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard history
  modelyard history digits --environment factory --limit 5
  modelyard history --at 2026-11-01T12:00Z --environment factory
  modelyard history --at 3h --output json")]
pub(super) struct Arguments {
    /// Only this deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Option<Name>,
    /// Only this environment
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    environment: Option<Name>,
    /// What served at a time: 2026-11-01T12:00Z, 2026-11-01 of this machine's zone, or so long ago
    /// as 3h, 2d
    #[arg(long, value_name = "TIME")]
    at: Option<When>,
    /// How much to tell at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Tell why a deployment serves what it serves: for each version the commit that chose it, its
/// pull request, who approved that, the rollout's step, and what was measured
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  modelyard why digits
  modelyard why digits --environment factory --at 2026-11-01T12:00Z
  modelyard why digits --output json | jq '.served[0].shares[].pullRequest.url'")]
pub(super) struct Why {
    /// The deployment
    #[arg(value_name = "DEPLOYMENT", add = completions::deployed())]
    deployment: Name,
    /// Its environment, if several have one of that name
    #[arg(short, long, value_name = "NAME", env = "MODELYARD_ENVIRONMENT", add = completions::environments())]
    environment: Option<Name>,
    /// Why it served what it did at a time, as for `modelyard history`
    #[arg(long, value_name = "TIME")]
    at: Option<When>,
}

/// A time, as people write it.
#[derive(Debug, Clone)]
enum When {
    At(Timestamp),
    Local(DateTime),
    Ago(Span),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Ok(at) = text.parse() {
            return Ok(Self::Local(at));
        }
        match text.trim_end_matches(" ago").parse::<Span>() {
            Ok(span) if span.is_positive() => Ok(Self::Ago(span)),
            _ => Err("expected a time as 2026-11-01T12:00Z, a day, or 3h for so long ago".into()),
        }
    }
}

impl When {
    fn time(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => *at,
            // Days that no zone has are beyond all that ever served.
            Self::Local(at) => at
                .to_zoned(TimeZone::system())
                .map_or(Timestamp::MAX, |at| at.timestamp()),
            Self::Ago(span) => {
                let now = Zoned::new(now, TimeZone::system());
                // Before all time there is nothing to tell.
                now.checked_sub(*span)
                    .map_or(Timestamp::MIN, |at| at.timestamp())
            }
        }
    }
}

impl Arguments {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let now = context.clock.now();
        let at = self.at.as_ref().map(|at| at.time(now));
        let asked = Asked {
            environment: self.environment,
            deployment: self.deployment,
            at,
            limit: self.limit as usize,
        };
        let past = look(context, asked).await?;
        context.print(&History(&past))?;
        if past.truncated {
            context.note("there is more before: `--limit` says how much is told");
        }
        Ok(Outcome::Done)
    }
}

impl Why {
    pub(super) async fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let now = context.clock.now();
        let at = self.at.as_ref().map(|at| at.time(now));
        let asked = Asked {
            environment: self.environment.clone(),
            deployment: Some(self.deployment.clone()),
            at: Some(at.unwrap_or(now)),
            limit: MOST_WHYS,
        };
        let past = look(context, asked).await?;
        context.print(&Reasons(&past))?;
        if past.served.is_empty() {
            context.note(&format!("{} served nothing then", self.deployment));
        }
        Ok(Outcome::Done)
    }
}

/// What is known of what served, after the remote was asked.
async fn look(context: &Context, asked: Asked) -> Result<Past, Failure> {
    let yard = context.yard()?;
    let from = yard.clone();
    let fetched = blocking(move || -> Result<Option<YardError>, Failure> {
        let fetched = from.fetch().and_then(|()| from.fetch_receipts());
        Ok(fetched.err())
    });
    if let Some(error) = fetched.await? {
        let error = with_causes(&error);
        context.note(&format!("{error}\ntold is what was known here before"));
    }
    let way = proposing::way(context, &yard, None, Policy::default());
    let forge = way.and_then(|way| Ok(way.forge()?));
    let past = history::history(&yard, forge, asked).await?;
    if let Some(why) = &past.no_approvals {
        context.note(&format!("who approved is not told: {}", printable(why)));
    }
    Ok(past)
}

/// All that served, a line each.
#[derive(Serialize)]
#[serde(transparent)]
struct History<'p>(&'p Past);

/// What serves, and why.
#[derive(Serialize)]
#[serde(transparent)]
struct Reasons<'p>(&'p Past);

impl Report for History<'_> {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let rows = self.0.served.iter().map(|served| {
            let shares = served.shares.iter();
            let commits = shares.clone().filter_map(|told| told.chosen_by.as_ref());
            let commits = distinct(commits.map(|event| short(&event.commit).to_owned()));
            let requests = distinct(shares.clone().filter_map(request));
            let reviewed = shares.filter_map(|told| told.pull_request.as_ref());
            let approved = distinct(reviewed.flat_map(|one| one.approved_by.clone()));
            [
                second(served.since),
                or_nothing(served.until.map(second)),
                format!("{}/{}", served.environment, served.deployment),
                match served.shares.is_empty() {
                    true => "nothing".to_owned(),
                    false => joined(served.shares.iter().map(|told| &told.share)),
                },
                joined(commits),
                joined(requests),
                joined(approved),
            ]
        });
        let headers = [
            "SINCE",
            "UNTIL",
            "DEPLOYMENT",
            "SERVED",
            "CHOSEN BY",
            "REQUEST",
            "APPROVED BY",
        ];
        page.write_str(&table_of_said(headers, rows))
    }

    fn names(&self) -> Vec<String> {
        let served = self.0.served.iter();
        served
            .map(|one| format!("{}/{}", one.environment, one.deployment))
            .collect()
    }
}

impl Report for Reasons<'_> {
    fn text(&self, page: &mut Page) -> fmt::Result {
        for (index, served) in self.0.served.iter().enumerate() {
            if index > 0 {
                writeln!(page)?;
            }
            reasons(served, page)?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        History(self.0).names()
    }
}

/// ```text
/// host/digits, since 2026-11-22 10:00:00 UTC
///   90 %  vision/digits 1.0.0
///         chosen by 1948cb5d2272 of Ada <ada@example.com>: Promote vision/digits 1.0.0
///         pull request #12 of ada, approved by vera: https://git.example.com/acme/yard/pulls/12
///   step 1 of 3 to vision/digits 1.1.0
/// ```
fn reasons(served: &Served, page: &mut Page) -> fmt::Result {
    let Served {
        environment,
        deployment,
        since,
        until,
        shares,
        because,
        step,
        measured,
        ..
    } = served;
    write!(page, "{environment}/{deployment}, since {}", second(*since))?;
    match until {
        Some(until) => writeln!(page, " until {}", second(*until))?,
        None => writeln!(page)?,
    }
    for told in shares {
        let content = printable(&told.share.content.to_string());
        let digest = told.share.digest();
        writeln!(
            page,
            "  {:>3} %  {content}  {}",
            told.share.weight,
            digest.short()
        )?;
        match &told.chosen_by {
            Some(event) => {
                let (commit, author) = (short(&event.commit), person(&event.author));
                let title = printable(&event.title);
                writeln!(page, "         chosen by {commit} of {author}: {title}")?;
            }
            None => writeln!(page, "         the commit that chose it is not known here")?,
        }
        if let Some(Reviewed {
            number,
            url,
            author,
            approved_by,
        }) = &told.pull_request
        {
            let approved = match approved_by.is_empty() {
                true => "approved by nobody".to_owned(),
                false => format!("approved by {}", approved_by.join(", ")),
            };
            let text = format!("pull request {number} of {author}, {approved}: {url}");
            writeln!(page, "         {}", printable(&text))?;
        } else if let Some(request) = request(told) {
            writeln!(page, "         pull request {}", printable(&request))?;
        }
    }
    if let Some(step) = step {
        let to = printable(&step.to);
        writeln!(page, "  step {} of {} to {to}", step.number, step.of)?;
    }
    for (name, value) in measured {
        writeln!(page, "  measured before: {name}: {}", printable(value))?;
    }
    for event in because {
        writeln!(page, "  then: {}", printable(event))?;
    }
    Ok(())
}

/// The pull request of what was chosen: as the forge has it, else as the merge's message says.
fn request(told: &Told) -> Option<String> {
    match &told.pull_request {
        Some(reviewed) => Some(format!("#{}", reviewed.number)),
        None => told.chosen_by.as_ref()?.request.clone(),
    }
}

fn distinct(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
