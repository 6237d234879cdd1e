//! Whether what main brings is what its reviewers were shown.
//!
//! A pull request's plan is kept as a hash in the status of its head: see
//! [`kept`](crate::ops::plan_change::kept). When main brings a commit by which deployments of this
//! environment change, the plan is made once more, from the commit's first parent to itself. If that
//! has another hash, as when something else was merged in between, the environment's `planMismatch`
//! says what is done:
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

mod judgement;
mod line;
mod reviews;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

pub use judgement::{Judgement, Judgements, Verdict};
pub use reviews::{Reviewed, Reviews};

use crate::ops::plan_change::desired_at;
use crate::record::kind::PlanMismatch;
use crate::record::{Digest, Failure, Name, with_causes};
use crate::rollout::{Desired, Intent, Wish, hash, intents};
use crate::yard::{CommitId, Yard, blocking};
use judgement::Ledger;
use line::{Line, Step};

/// How long all that may take that is asked of a forge at one look at main.
const ASKED_FOR: Duration = Duration::from_secs(10);

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
            None => Ledger::read(&self.path)?,
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
            let written = ledger.write(&self.path);
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

    /// Judges every commit of main's line from `judged` to `main`.
    async fn walk(&self, judged: &str, main: CommitId, ledger: &mut Ledger) -> Result<(), Failure> {
        let (yard, environment) = (self.yard.clone(), self.environment.clone());
        let judged = judged.to_owned();
        let read = move || line::walk(&yard, &environment, &judged, main);
        let Some(line) = blocking(read).await? else {
            // Another history, which a person said is meant.
            ledger.deployments.clear();
            return Ok(());
        };
        let verdicts = match timeout(ASKED_FOR, self.ask(&line)).await {
            Ok(verdicts) => verdicts,
            Err(_) => {
                let why = format!("the forge has said nothing for {} s", ASKED_FOR.as_secs());
                let verdict = || (Some(Verdict::NotAsked { why: why.clone() }), None);
                line.steps.iter().map(|_| verdict()).collect()
            }
        };
        for (step, (verdict, request)) in line.steps.iter().zip(verdicts) {
            let commits = &line.commits;
            self.put(commits, step, verdict, request, ledger).await?;
        }
        Ok(())
    }

    /// What each step comes to, and by which pull request it came; nothing where it is as it was
    /// shown, or nobody cares.
    async fn ask(&self, line: &Line) -> Vec<(Option<Verdict>, Option<String>)> {
        let mut verdicts = Vec::with_capacity(line.steps.len());
        let Line { commits, steps } = line;
        for step in steps {
            let Some(reviews) = &self.reviews else {
                verdicts.push((None, None));
                continue;
            };
            let verdict = match reviews.of(&commits[step.at].to_string()).await {
                Err(error) => {
                    let why = with_causes(&error);
                    (Some(Verdict::NotAsked { why }), None)
                }
                Ok(None) => (Some(Verdict::NotShown), None),
                Ok(Some(reviewed)) => match reviewed.plan {
                    None => (Some(Verdict::NotShown), Some(reviewed.url)),
                    Some(shown) => {
                        let same = shown == hash(&step.intents)
                            || self.is_part(commits, step.at, &**reviews, &reviewed).await;
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
