//! Whether what main brings is what its reviewers were shown.
//!
//! A pull request's plan is kept as a hash in the status of its head ([`kept`]). When main brings a
//! commit by which deployments of this environment change, the plan is made once more, from the
//! commit's first parent to itself. If that has another hash, as when something else was merged in
//! between, the environment's `planMismatch` says what is done:
//!
//! | word | is done |
//! | --- | --- |
//! | `refuse` | the deployments that the commit changes stay as main had them before |
//! | `report` | what main says, and the status tells |
//! | `continue` | what main says |
//!
//! A refused deployment goes on as it was wanted before, in all that this means: it is restarted
//! where it dies, and a rollout that was under way goes on. It is let go when main says again what it
//! said before, or when a person says on this host that the plan with its hash is meant. Whatever
//! else main brings for it meanwhile is held, too: nobody was shown the way from what serves to that.
//!
//! # What holds
//!
//! - A forge that is away holds nothing up: it is asked for seconds, once, and without its answer
//!   everything goes on.
//! - A change that no plan is kept of is no mismatch: a commit by hand, a yard without a forge.
//! - What is held stays so when the server restarts. It is kept beside the state:
//!
//! ```text
//! <folder>/foreseen.json   {"judged": COMMIT, "deployments": {NAME: {"is": "refused", …}}}
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::forge::{Forge, ForgeError};
use crate::ops::plan_change::{desired_at, kept};
use crate::platform::atomic::{self, FileError, Readers};
use crate::platform::retry::Policy;
use crate::record::kind::{EnvironmentSpec, PlanMismatch};
use crate::record::{Digest, Failure, Name, with_causes};
use crate::rollout::{Desired, Intent, Wish, hash, intents};
use crate::yard::{Catalog, CommitId, Revision, Yard, blocking};

/// How the forge is asked: once, for this must not wait.
pub const PATIENCE: Policy = Policy {
    attempts: 2,
    first_wait: Duration::from_millis(200),
    longest_wait: Duration::from_secs(1),
};

/// How long all that may take that is asked of a forge at one look at main.
const ASKED_FOR: Duration = Duration::from_secs(10);

/// How many commits of main's line are looked at, should it have moved by more meanwhile.
const MOST_COMMITS: usize = 50;

/// The largest file that is read back: a thousand deployments take some hundred kilobytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Who knows what reviewers were shown.
#[async_trait]
pub trait Reviews: Send + Sync {
    /// The pull request that brought `commit` to main, and the plan that its reviewers were shown;
    /// nothing where it came without one.
    ///
    /// # Errors
    /// If that can't be found out now.
    async fn of(&self, commit: &str) -> Result<Option<Reviewed>, ForgeError>;
}

/// A pull request, and what its reviewers were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// The plan's hash, if one was kept.
    pub plan: Option<Digest>,
}

#[async_trait]
impl Reviews for Arc<dyn Forge> {
    async fn of(&self, commit: &str) -> Result<Option<Reviewed>, ForgeError> {
        let Some(request) = self.pull_request_of(commit).await? else {
            return Ok(None);
        };
        let statuses = self.statuses(&request.head).await?;
        let plan = statuses.iter().find(|one| one.context == kept::CONTEXT);
        Ok(Some(Reviewed {
            number: request.number,
            url: request.url,
            plan: plan.and_then(|status| kept::hash_in(&status.description)),
        }))
    }
}

/// What is to be known of the last change of a deployment; where it is as it was shown, nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What it comes to.
    #[serde(flatten)]
    pub is: Verdict,
    /// The commit of main that changed it.
    pub commit: String,
    /// The commit from which the change is told: what is held stays as it was there.
    pub since: String,
    /// The hash of the plan between the two.
    pub plan: Digest,
    /// The page of the pull request that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Verdict {
    /// Something else was shown, and nothing is done.
    Refused {
        /// The hash of what was shown.
        shown: Digest,
    },
    /// Something else was shown, and it is done and told.
    Reported {
        /// The hash of what was shown.
        shown: Digest,
    },
    /// No plan was kept of it.
    NotShown,
    /// It is not known what was shown, and it is done.
    NotAsked {
        /// Why.
        why: String,
    },
}

impl Judgement {
    /// Whether nothing is done.
    pub const fn is_refused(&self) -> bool {
        matches!(self.is, Verdict::Refused { .. })
    }

    /// What to know, and what to do, in `environment`.
    pub fn told(&self, environment: &Name) -> String {
        let short = |id: &str| id.chars().take(12).collect::<String>();
        let (commit, since, plan) = (short(&self.commit), short(&self.since), self.plan);
        let request = self.request.iter().map(|url| format!(" ({url})"));
        let commit_of = format!("main's commit {commit}{}", request.collect::<String>());
        match &self.is {
            Verdict::Refused { shown } => format!(
                "{commit_of} is held: it would come to the plan {plan}, and reviewers were shown \
                 {shown}; see it by `modelyard plan --base {since} --at {commit}`, then revert it \
                 by a pull request and propose it anew, or say that it is meant by `modelyard \
                 reconcile --nudge -e {environment} --accept-plan {plan}`"
            ),
            Verdict::Reported { shown } => {
                format!("{commit_of} came to the plan {plan}, and reviewers were shown {shown}")
            }
            Verdict::NotShown => format!("{commit_of} came without a plan that was shown"),
            Verdict::NotAsked { why } => {
                format!("{commit_of} is done without knowing what reviewers were shown: {why}")
            }
        }
    }
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ledger {
    /// The commit of main up to which everything is judged.
    judged: Option<String>,
    /// What is to be known of deployments.
    deployments: BTreeMap<Name, Judgement>,
}

/// What is to be known of deployments.
pub type Judgements = Arc<BTreeMap<Name, Judgement>>;

/// Holds what main brings to what was shown.
pub struct Foreseen {
    yard: Yard,
    environment: Name,
    path: PathBuf,
    /// Nobody where there is no forge.
    reviews: Option<Arc<dyn Reviews>>,
    /// Whether what is judged is kept: not by who only looks.
    keeps: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    ledger: Option<Ledger>,
    /// What should be by commits from which something is held.
    before: BTreeMap<String, Arc<BTreeMap<Name, Desired>>>,
    accepted: Vec<Digest>,
    /// What is known is not kept yet.
    unkept: bool,
}

/// A commit by which something changes here.
#[derive(Clone)]
struct Step {
    /// Its place in the line.
    at: usize,
    intents: Vec<Intent>,
    mismatch: PlanMismatch,
}

impl Foreseen {
    /// What `environment` of `yard` was brought is kept in `folder`, the state's; `accepted` is a
    /// plan that a person says is meant.
    pub fn new(
        yard: Yard,
        environment: Name,
        folder: &Path,
        reviews: Option<Arc<dyn Reviews>>,
        accepted: Option<Digest>,
    ) -> Self {
        Self {
            yard,
            environment,
            path: folder.join("foreseen.json"),
            reviews,
            keeps: true,
            known: Mutex::new(Known {
                accepted: accepted.into_iter().collect(),
                ..Known::default()
            }),
        }
    }

    /// The same for who only looks, beside who acts.
    #[must_use]
    pub fn looking(self) -> Self {
        Self {
            keeps: false,
            ..self
        }
    }

    /// Takes in a person's word that the plan of this hash is meant.
    pub async fn accept(&self, plan: Digest) {
        self.known.lock().await.accepted.push(plan);
    }

    /// What should be of what main says at `main`, and what is to be known of it.
    ///
    /// # Errors
    /// If the yard can't be read, or what is judged can't be kept: then nothing new may be done.
    pub async fn judge(
        &self,
        main: CommitId,
        desired: &Arc<Desired>,
    ) -> Result<(Arc<Desired>, Judgements), Failure> {
        let mut known = self.known.lock().await;
        let known = &mut *known;
        let kept = match known.ledger.take() {
            Some(ledger) => ledger,
            None => self.read()?,
        };
        let mut ledger = kept.clone();
        let id = main.to_string();
        match ledger.judged.clone() {
            Some(judged) if judged == id => {}
            Some(judged) => self.walk(&judged, main, &mut ledger).await?,
            // There is nothing that it could be a change of.
            None => {}
        }
        ledger.judged = Some(id);
        let accepted = &known.accepted;
        ledger
            .deployments
            .retain(|_, one| !(one.is_refused() && accepted.contains(&one.plan)));
        if self.keeps && (known.unkept || ledger != kept) {
            let written = self.keep(&ledger);
            known.unkept = written.is_err();
            if let Err(error) = written {
                // What is held has to stay so, whatever becomes of this process.
                if ledger.deployments.values().any(Judgement::is_refused) {
                    known.ledger = Some(kept);
                    return Err(error.into());
                }
                tracing::warn!(error = %with_causes(&error), "what is judged can't be kept");
            }
        }
        let judgements = Arc::new(ledger.deployments.clone());
        known.ledger = Some(ledger);
        let desired = self.held(desired, &judgements, known).await;
        Ok((desired, judgements))
    }

    fn read(&self) -> Result<Ledger, Failure> {
        match atomic::read_at_most(&self.path, MAX_BYTES) {
            // What another version of this program wrote tells nothing.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
            Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => {
                Ok(Ledger::default())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn keep(&self, ledger: &Ledger) -> Result<(), FileError> {
        let bytes = serde_json::to_vec_pretty(ledger).expect("its keys are texts");
        atomic::write(&self.path, &bytes, Readers::Umask)
    }

    /// Judges every commit of main's line from `judged` to `main`.
    async fn walk(&self, judged: &str, main: CommitId, ledger: &mut Ledger) -> Result<(), Failure> {
        let (yard, environment) = (self.yard.clone(), self.environment.clone());
        let judged = judged.to_owned();
        let read = move || steps(&yard, &environment, &judged, main);
        let Some((line, steps)) = blocking(read).await? else {
            // Another history, which a person said is meant.
            ledger.deployments.clear();
            return Ok(());
        };
        let verdicts = match timeout(ASKED_FOR, self.ask(&line, &steps)).await {
            Ok(verdicts) => verdicts,
            Err(_) => {
                let why = format!("the forge has said nothing for {} s", ASKED_FOR.as_secs());
                let verdict = || (Some(Verdict::NotAsked { why: why.clone() }), None);
                steps.iter().map(|_| verdict()).collect()
            }
        };
        for (step, (verdict, request)) in steps.into_iter().zip(verdicts) {
            self.put(&line, &step, verdict, request, ledger).await?;
        }
        Ok(())
    }

    /// What each step comes to, and by which pull request it came; nothing where it is as it was
    /// shown, or nobody cares.
    async fn ask(
        &self,
        line: &[CommitId],
        steps: &[Step],
    ) -> Vec<(Option<Verdict>, Option<String>)> {
        let mut verdicts = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(reviews) = &self.reviews else {
                verdicts.push((None, None));
                continue;
            };
            let verdict = match reviews.of(&line[step.at].to_string()).await {
                Err(error) => {
                    let why = with_causes(&error);
                    (Some(Verdict::NotAsked { why }), None)
                }
                Ok(None) => (Some(Verdict::NotShown), None),
                Ok(Some(reviewed)) => match reviewed.plan {
                    None => (Some(Verdict::NotShown), Some(reviewed.url)),
                    Some(shown) => {
                        let same = shown == hash(&step.intents)
                            || self.is_part(line, step.at, &**reviews, &reviewed).await;
                        let verdict = match (same, step.mismatch) {
                            (true, _) | (_, PlanMismatch::Continue) => None,
                            (_, PlanMismatch::Refuse) => Some(Verdict::Refused { shown }),
                            (_, PlanMismatch::Report) => Some(Verdict::Reported { shown }),
                        };
                        (verdict, Some(reviewed.url))
                    }
                },
            };
            verdicts.push(verdict);
        }
        verdicts
    }

    /// Whether the commit is one of several that a pull request brought one by one, as a rebase does,
    /// and all of them together are what was shown.
    async fn is_part(
        &self,
        line: &[CommitId],
        at: usize,
        reviews: &dyn Reviews,
        reviewed: &Reviewed,
    ) -> bool {
        let (mut first, mut last) = (at, at);
        let same = async |at: usize| {
            let of = reviews.of(&line[at].to_string()).await;
            of.is_ok_and(|of| of.is_some_and(|of| of.number == reviewed.number))
        };
        while first > 1 && same(first - 1).await {
            first -= 1;
        }
        while last + 1 < line.len() && same(last + 1).await {
            last += 1;
        }
        if first == last {
            return false;
        }
        let (yard, from, to) = (self.yard.clone(), line[first - 1], line[last]);
        let whole = blocking(move || {
            let (from, to) = (desired_at(&yard, from)?, desired_at(&yard, to)?);
            Ok::<_, Failure>(hash(&intents(&from, &to)))
        });
        whole.await.is_ok_and(|whole| Some(whole) == reviewed.plan)
    }

    /// Writes down what a step comes to for each deployment that it changes, and lets go what is as
    /// it was before it was held.
    async fn put(
        &self,
        line: &[CommitId],
        step: &Step,
        verdict: Option<Verdict>,
        request: Option<String>,
        ledger: &mut Ledger,
    ) -> Result<(), Failure> {
        let commit = line[step.at].to_string();
        let parent = line[step.at - 1].to_string();
        let mine = step.intents.iter();
        let mine = mine.filter(|intent| intent.environment == self.environment);
        for deployment in mine.map(|intent| &intent.deployment) {
            let held = ledger.deployments.remove(deployment);
            if let Some(held) = held.filter(Judgement::is_refused) {
                let since: Result<CommitId, _> = held.since.parse();
                let Ok(since) = since else { continue };
                let (yard, to) = (self.yard.clone(), line[step.at]);
                let all = blocking(move || {
                    let (from, to) = (desired_at(&yard, since)?, desired_at(&yard, to)?);
                    Ok::<_, Failure>(intents(&from, &to))
                });
                let all = all.await?;
                let is_it = |one: &Intent| {
                    one.environment == self.environment && one.deployment == *deployment
                };
                if all.iter().any(is_it) {
                    let held = Judgement {
                        commit: commit.clone(),
                        plan: hash(&all),
                        request: request.clone(),
                        ..held
                    };
                    ledger.deployments.insert(deployment.clone(), held);
                }
                continue;
            }
            if let Some(is) = verdict.clone() {
                let judgement = Judgement {
                    is,
                    commit: commit.clone(),
                    since: parent.clone(),
                    plan: hash(&step.intents),
                    request: request.clone(),
                };
                ledger.deployments.insert(deployment.clone(), judgement);
            }
        }
        Ok(())
    }

    /// What should be, with what is held as it was.
    async fn held(
        &self,
        desired: &Arc<Desired>,
        judgements: &BTreeMap<Name, Judgement>,
        known: &mut Known,
    ) -> Arc<Desired> {
        let refused = judgements.iter().filter(|(_, one)| one.is_refused());
        let refused: Vec<(&Name, &Judgement)> = refused.collect();
        known
            .before
            .retain(|since, _| refused.iter().any(|(_, one)| one.since == *since));
        let Desired::Known(environment) = &**desired else {
            return Arc::clone(desired);
        };
        if refused.is_empty() {
            return Arc::clone(desired);
        }
        let mut environment = environment.clone();
        for (name, judgement) in refused {
            let before = self.before(&judgement.since, known).await;
            let wish = before.and_then(|before| match before.get(&self.environment) {
                Some(Desired::Known(before)) => before.deployments.get(name).cloned(),
                _ => None,
            });
            let wish = wish.unwrap_or_else(|| Wish::Held {
                why: judgement.told(&self.environment),
            });
            environment.deployments.insert(name.clone(), wish);
        }
        Arc::new(Desired::Known(environment))
    }

    /// What should be by an earlier commit; nothing if that can't be read any more.
    async fn before(&self, since: &str, known: &mut Known) -> Option<Arc<BTreeMap<Name, Desired>>> {
        if let Some(before) = known.before.get(since) {
            return Some(Arc::clone(before));
        }
        let (yard, commit) = (self.yard.clone(), since.parse().ok()?);
        let read = blocking(move || desired_at(&yard, commit)).await;
        let before = Arc::new(read.ok()?);
        known.before.insert(since.to_owned(), Arc::clone(&before));
        Some(before)
    }
}

/// Main's line from `judged` to `main`, and the commits on it by which something changes in
/// `environment`; nothing where main does not come from `judged`.
fn steps(
    yard: &Yard,
    environment: &Name,
    judged: &str,
    main: CommitId,
) -> Result<Option<(Vec<CommitId>, Vec<Step>)>, Failure> {
    let Ok(known) = judged.parse::<CommitId>() else {
        return Ok(None);
    };
    let (old, new) = (
        Revision::Commit(judged.to_owned()),
        Revision::Commit(main.to_string()),
    );
    match yard.merge_base(&old, &new) {
        Ok(Some(base)) if base == known => {}
        _ => return Ok(None),
    }
    let line = yard.mainline(main, Some(known), MOST_COMMITS)?;
    let mut steps = Vec::new();
    let mut before = match line.first() {
        Some(first) => desired_at(yard, *first)?,
        None => return Ok(None),
    };
    for at in 1..line.len() {
        let behind = desired_at(yard, line[at])?;
        let intents = intents(&before, &behind);
        if intents.iter().any(|one| one.environment == *environment) {
            steps.push(Step {
                at,
                intents,
                mismatch: mismatch(yard, environment, line[at - 1])?,
            });
        }
        before = behind;
    }
    Ok(Some((line, steps)))
}

/// What is to be done about another plan, as main said before the change.
fn mismatch(yard: &Yard, environment: &Name, commit: CommitId) -> Result<PlanMismatch, Failure> {
    let catalog = Catalog::new(yard.snapshot_at(commit)?);
    let record = catalog.environment(environment).ok().flatten();
    let spec = record.as_ref().map(|record| &record.spec);
    Ok(spec.map_or(PlanMismatch::Refuse, EnvironmentSpec::plan_mismatch))
}
