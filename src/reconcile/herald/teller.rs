//! What is told to the forge, one thing after the other.
//!
//! What it refuses or doesn't hear is tried again later, longer each time; of what is new by then
//! only the newest is told. Each kind of call waits by itself, so that a right that is missing for
//! one keeps none of the others from being told; a forge that asks for less is left alone by all.
//! Deployments are begun in main's order, so that no earlier one takes a later one's place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep_until};

use super::Shared;
use super::claim::{Claim, Origin};
use super::ledger::Revert;
use super::page::page;
use crate::forge::{Deployment, Marker, PullRequest, State, asked_to_wait, codes};
use crate::ops::pull_request::{Offer, open_on};
use crate::record::{Class, Digest, Failure, with_causes};

/// How long a comment is left as it is while nothing but figures change.
const FIGURES: Duration = Duration::from_secs(15);
/// How long is waited after the first call that failed; it doubles from there.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest wait, and that for what a person has to mend.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// How long a forge may take until it knows by which pull request a commit came, and how often it is
/// asked meanwhile.
const KNOWN_BY_THEN: SignedDuration = SignedDuration::from_secs(60);
const NOT_KNOWN_YET: Duration = Duration::from_secs(3);

/// A kind of call, with the right that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Seek,
    Comment,
    Deployment,
    Open,
}

const KINDS: [Kind; 4] = [Kind::Seek, Kind::Comment, Kind::Deployment, Kind::Open];

/// One thing that is to be told, or asked.
#[derive(Debug)]
enum Job {
    /// By which pull request a commit came.
    Seek { commit: String },
    /// A comment.
    Comment {
        commit: String,
        number: u64,
        text: String,
        lines: usize,
    },
    /// A deployment's status.
    Deployment(Deployment),
    /// The pull request of a revert.
    Open(Offer),
}

/// What came of a job.
enum Done {
    Told,
    /// The forge does not know yet.
    NotYet,
}

/// How a kind of call fares.
#[derive(Default)]
struct Fare {
    until: Option<Instant>,
    failures: u32,
}

/// What is known of the forge's patience; a restart begins it anew.
#[derive(Default)]
struct Pace {
    /// By kind; and by what it is about, where the forge refuses that alone.
    fares: BTreeMap<(Kind, Option<String>), Fare>,
    /// Why the last of a kind failed, as it was logged.
    said: BTreeMap<Kind, String>,
    /// When each comment was written, and how many lines of what happened it had.
    comments: BTreeMap<String, (Instant, usize)>,
}

/// Tells what is to be told, for ever.
pub(super) async fn tell(shared: Arc<Shared>) {
    let mut work = shared.work.subscribe();
    let mut pace = Pace::default();
    loop {
        work.mark_unchanged();
        match next(&shared, &pace) {
            Ok(job) => {
                let (kind, about) = (job.kind(), job.about().to_owned());
                match act(&shared, job, &mut pace).await {
                    Ok(Done::Told) => pace.worked(kind, about),
                    Ok(Done::NotYet) => pace.rest(kind, Some(about), NOT_KNOWN_YET),
                    Err(error) => pace.failed(kind, about, &error),
                }
                shared.keep().await;
            }
            Err(until) => {
                shared.keep().await;
                // What is due soon is worth being waited for by who is about to end.
                let soon = Instant::now() + NOT_KNOWN_YET;
                let is_soon = until.is_some_and(|until| until <= soon);
                let rests = !is_soon && shared.unaccounted().is_none();
                shared.rests.send_replace(rests);
                let due = async {
                    match until {
                        Some(until) => sleep_until(until).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = work.changed() => if changed.is_err() { return },
                    () = due => {}
                }
            }
        }
    }
}

impl Job {
    const fn kind(&self) -> Kind {
        match self {
            Self::Seek { .. } => Kind::Seek,
            Self::Comment { .. } => Kind::Comment,
            Self::Deployment(_) => Kind::Deployment,
            Self::Open(_) => Kind::Open,
        }
    }

    /// The commit or the branch.
    fn about(&self) -> &str {
        match self {
            Self::Seek { commit } | Self::Comment { commit, .. } => commit,
            Self::Deployment(deployment) => &deployment.commit,
            Self::Open(offer) => &offer.branch,
        }
    }
}

/// The next thing that may be done now; else when there will be one, if time alone brings it.
fn next(shared: &Shared, pace: &Pace) -> Result<Job, Option<Instant>> {
    let mut known = shared.known();
    let known = &mut *known;
    let before = (known.ledger.claims.len(), known.ledger.reverts.len());
    let reverts = known.ledger.pages();
    let ledger = &mut known.ledger;
    let mut jobs: Vec<(Job, Option<Instant>)> = Vec::new();
    let mut open = Vec::new();
    let mut may_begin = true;
    for claim in &ledger.claims {
        let mut told = of_claim(shared, claim, &reverts, pace);
        if told.is_empty() && claim.is_over() && !ledger.owes(claim) {
            continue;
        }
        // GitHub and GitLab take the deployment that was begun last for what is there now.
        let is_begun = claim.told.deployment.is_some();
        let is_next = is_begun || told.is_empty() || told.iter().any(|(job, _)| pace.refuses(job));
        if !may_begin && !is_begun {
            told.retain(|(job, _)| job.kind() != Kind::Deployment);
        }
        may_begin &= is_next;
        jobs.extend(told);
        open.push(claim.commit.clone());
    }
    ledger.claims.retain(|claim| open.contains(&claim.commit));
    known.forget_reverts();
    let ledger = &known.ledger;
    known.is_dirty |= before != (ledger.claims.len(), ledger.reverts.len());
    for revert in ledger.reverts.values() {
        if let Revert::Due(offer) = revert {
            jobs.push((Job::Open(offer.clone()), None));
        }
    }
    let now = Instant::now();
    let mut soonest: Option<Instant> = None;
    for (job, due) in jobs {
        match due.max(pace.rests(&job)).filter(|until| *until > now) {
            None => return Ok(job),
            Some(until) => soonest = Some(soonest.map_or(until, |known| known.min(until))),
        }
    }
    Err(soonest)
}

/// What is to be told of a claim, and from when.
fn of_claim(
    shared: &Shared,
    claim: &Claim,
    reverts: &BTreeMap<String, Option<String>>,
    pace: &Pace,
) -> Vec<(Job, Option<Instant>)> {
    let commit = &claim.commit;
    let mut jobs = Vec::new();
    // Nothing has been seen of it yet.
    if claim.parts.values().all(|part| part.log.is_empty()) {
        return jobs;
    }
    let url = match &claim.origin {
        None => {
            let commit = commit.clone();
            return vec![(Job::Seek { commit }, None)];
        }
        Some(Origin::Commit) => None,
        Some(Origin::PullRequest { number, url }) => {
            let text = page(&shared.ground.environment, claim, reverts);
            if claim.told.comment != Some(digest(&text)) {
                let lines = claim.parts.values().map(|part| part.log.len()).sum();
                let only_figures = pace
                    .comments
                    .get(commit)
                    .filter(|(_, known)| *known == lines);
                let due = only_figures.map(|(at, _)| *at + FIGURES);
                let due = due.filter(|_| !claim.is_over());
                let (commit, number) = (commit.clone(), *number);
                let job = Job::Comment {
                    commit,
                    number,
                    text,
                    lines,
                };
                jobs.push((job, due));
            }
            Some(url.clone())
        }
    };
    let deployment = Deployment {
        commit: commit.clone(),
        branch: shared.main.clone(),
        environment: shared.ground.environment.to_string(),
        state: claim.state(),
        description: claim.summary(),
        url,
    };
    if claim.told.deployment != Some(digest(&format!("{deployment:?}"))) {
        jobs.push((Job::Deployment(deployment), None));
    }
    jobs
}

async fn act(shared: &Shared, job: Job, pace: &mut Pace) -> Result<Done, Failure> {
    let forge = &shared.ground.forge;
    match job {
        Job::Seek { commit } => {
            let found = forge.pull_request_of(&commit).await?;
            if found.is_none() && is_new(shared, &commit) {
                return Ok(Done::NotYet);
            }
            let (origin, landed) = found.map_or((Origin::Commit, None), of_pull_request);
            let mut known = shared.known();
            known.ledger.came(&commit, origin, landed);
            known.is_dirty = true;
        }
        Job::Comment {
            commit,
            number,
            text,
            lines,
        } => {
            let marker = Marker::rollout(&shared.ground.environment);
            forge.comment(number, &marker, &text).await?;
            note(shared, &commit, |claim| {
                claim.told.comment = Some(digest(&text));
            });
            pace.comments.insert(commit, (Instant::now(), lines));
            let known = shared.known();
            let is_known = |commit: &String| {
                let mut claims = known.ledger.claims.iter();
                claims.any(|claim| claim.commit == *commit)
            };
            pace.comments.retain(|commit, _| is_known(commit));
        }
        Job::Deployment(deployment) => {
            forge.tell_deployment(&deployment).await?;
            let told = digest(&format!("{deployment:?}"));
            note(shared, &deployment.commit, |claim| {
                claim.told.deployment = Some(told);
            });
        }
        Job::Open(offer) => {
            let branch = offer.branch.clone();
            let revert = opened(shared, offer).await?;
            let mut known = shared.known();
            known.ledger.reverts.insert(branch, revert);
            known.is_dirty = true;
        }
    }
    Ok(Done::Told)
}

/// Whether a commit came so lately that the forge may not have made up its mind.
fn is_new(shared: &Shared, commit: &str) -> bool {
    let known = shared.known();
    let mut claims = known.ledger.claims.iter();
    let claim = claims.find(|claim| claim.commit == commit);
    let begun = claim.and_then(Claim::begun);
    begun.is_some_and(|begun| {
        let passed = shared.ground.clock.now().duration_since(begun);
        passed >= SignedDuration::ZERO && passed < KNOWN_BY_THEN
    })
}

fn of_pull_request(pull: PullRequest) -> (Origin, Option<String>) {
    let landed = match pull.state {
        State::Merged { commit } => commit,
        State::Open | State::Closed => None,
    };
    let origin = Origin::PullRequest {
        number: pull.number,
        url: pull.url,
    };
    (origin, landed)
}

fn note(shared: &Shared, commit: &str, change: impl FnOnce(&mut Claim)) {
    let mut known = shared.known();
    let mut claims = known.ledger.claims.iter_mut();
    if let Some(claim) = claims.find(|claim| claim.commit == commit) {
        change(claim);
        known.is_dirty = true;
    }
}

/// Opens the pull request of a revert, unless it was merged already.
async fn opened(shared: &Shared, offer: Offer) -> Result<Revert, Failure> {
    let forge = &*shared.ground.forge;
    let found = forge.find(&offer.branch).await?;
    let merged = found.filter(|pull| {
        let is_merged = matches!(pull.state, State::Merged { .. });
        is_merged && pull.head == offer.commit
    });
    if let Some(merged) = merged {
        return Ok(Revert::Opened { url: merged.url });
    }
    match open_on(forge, &shared.ground.yard, &offer, false).await {
        Ok(opened) => {
            tracing::info!(url = %opened.url, "the revert has its pull request");
            Ok(Revert::Opened { url: opened.url })
        }
        Err(error) if refuses(&error) => {
            tracing::warn!(
                branch = %offer.branch,
                error = %with_causes(&*error),
                "the revert is on its branch, and has no pull request"
            );
            Ok(Revert::Refused)
        }
        Err(error) => Err(error),
    }
}

/// Whether the forge will say so for ever: of a branch that is gone, say.
fn refuses(error: &Failure) -> bool {
    *error.code() == codes::FORGE_REFUSED
}

fn digest(text: &str) -> Digest {
    Digest::from_bytes(Sha256::digest(text).into())
}

impl Pace {
    fn rests(&self, job: &Job) -> Option<Instant> {
        let rest = |about| self.fares.get(&(job.kind(), about))?.until;
        rest(None).max(rest(Some(job.about().to_owned())))
    }

    /// Whether the forge has refused this alone.
    fn refuses(&self, job: &Job) -> bool {
        let fare = self.fares.get(&(job.kind(), Some(job.about().to_owned())));
        fare.is_some_and(|fare| fare.failures > 0)
    }

    fn rest(&mut self, kind: Kind, about: Option<String>, wait: Duration) {
        let fare = self.fares.entry((kind, about)).or_default();
        fare.until = fare.until.max(Some(Instant::now() + wait));
    }

    fn worked(&mut self, kind: Kind, about: String) {
        self.fares.remove(&(kind, Some(about)));
        self.fares.remove(&(kind, None));
        self.said.remove(&kind);
    }

    /// Waits after a call that failed, and tells why, once.
    fn failed(&mut self, kind: Kind, about: String, error: &Failure) {
        // A forge that is away, or a token that is refused, is so for all of its kind; a pull
        // request that is gone or locked is so alone.
        let alone = [
            &codes::FORGE_NOT_FOUND,
            &codes::FORGE_REFUSED,
            &codes::FORGE_PERMISSION_MISSING,
        ];
        let about = alone.contains(&error.code()).then_some(about);
        let fare = self.fares.entry((kind, about.clone())).or_default();
        fare.failures = fare.failures.saturating_add(1);
        let own = match error.class() {
            Class::Transient => {
                let doubled = FIRST_REST.saturating_mul(1 << (fare.failures - 1).min(16));
                doubled.min(LONGEST_REST)
            }
            Class::Blocked | Class::Permanent => LONGEST_REST,
        };
        self.rest(kind, about, own);
        if let Some(asked) = asked_to_wait(error) {
            for kind in KINDS {
                self.rest(kind, None, asked);
            }
        }
        let said = with_causes(&**error);
        if self.said.get(&kind) != Some(&said) {
            tracing::warn!(error = %said, "pull requests are told later what became of them");
            self.said.insert(kind, said);
        }
    }
}

#[cfg(test)]
mod tests {
    //! How long is waited for whom.

    use super::*;
    use crate::forge::{ForgeError, Right};
    use crate::record::kind::ForgeType;

    fn seek(commit: &str) -> Job {
        Job::Seek {
            commit: commit.to_owned(),
        }
    }

    fn open(branch: &str) -> Job {
        Job::Open(Offer {
            branch: branch.to_owned(),
            main: "main".to_owned(),
            base: "a".to_owned(),
            commit: "b".to_owned(),
        })
    }

    /// How many seconds are left to wait, as good as.
    fn left(pace: &Pace, job: &Job) -> Option<u64> {
        let left = pace.rests(job)? - Instant::now();
        Some((left + Duration::from_millis(500)).as_secs())
    }

    #[test]
    fn one_that_is_refused_waits_alone_and_a_forge_in_a_hurry_is_left_alone_by_all() {
        let mut pace = Pace::default();
        let gone = || {
            Failure::from(ForgeError::NotFound {
                forge: "https://git.example.com".to_owned(),
                kind: ForgeType::Gitea,
                doing: "comment",
                right: Right::Comments,
                variable: "GITEA_TOKEN",
                detail: None,
            })
        };
        pace.failed(Kind::Seek, "one".to_owned(), &gone());
        assert_eq!(left(&pace, &seek("one")), Some(300));
        assert_eq!(left(&pace, &seek("two")), None);
        let hurry = Failure::from(ForgeError::AskedTooOften {
            forge: "https://git.example.com".to_owned(),
            doing: "comment",
            wait: Duration::from_secs(900),
            until: None,
        });
        pace.failed(Kind::Open, "branch".to_owned(), &hurry);
        assert_eq!(left(&pace, &open("other")), Some(900));
        assert_eq!(left(&pace, &seek("two")), Some(900));
        pace.worked(Kind::Seek, "two".to_owned());
        assert_eq!(left(&pace, &seek("two")), None);
        assert_eq!(left(&pace, &seek("one")), Some(300));
    }

    #[test]
    fn one_that_is_away_is_asked_less_and_less() {
        let mut pace = Pace::default();
        let away = Failure::from(ForgeError::AskedTooOften {
            forge: "https://git.example.com".to_owned(),
            doing: "comment",
            wait: Duration::ZERO,
            until: None,
        });
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            pace.failed(Kind::Open, "branch".to_owned(), &away);
            assert_eq!(left(&pace, &open("branch")), Some(wait));
        }
    }
}
