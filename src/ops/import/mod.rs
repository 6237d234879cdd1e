//! Importing: what a source has becomes records and artifacts here, on a branch.
//!
//! [`survey()`] holds what the source lists against what the yard has: which versions are new, which
//! were imported before, where a stage or an alias moved since. [`import`] then brings the new ones
//! in batches, each as publishing does: records are checked, then bytes, signature and tag, then a
//! commit that is pushed. So whatever cuts it off leaves whole batches, and the same call goes on
//! behind them; one that finds nothing new writes nothing.
//!
//! ```text
//! list ─▶ survey ─▶ batch: [candidate ─▶ fetch ─▶ pack ─▶ records] ─▶ check ─▶ store, sign, tag ─▶ commit
//!                     ▲                                                                              │
//!                     └──────────────────────────────── the next batch ◀─────────────────────────────┘
//! ```
//!
//! A version that can't be had or would not pass a check is told with its reason and holds up no
//! other. What changed on both sides is shown and never overwritten.

mod bring;
mod deployments;
mod error;
mod followed;
mod moves;
mod select;
mod survey;
mod told;

use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

pub use error::ImportRefused;
pub use followed::{Followed, followed};
pub use moves::{Moved, What};
pub use select::{Part, Selection, SelectionError};
pub use survey::{Called, State, Survey, Surveyed};
pub use told::{Brought, Deployed, Import, Refused, Rehearsal, Rehearsed};

use super::propose::{self, Proposed};
use super::{publish, refuse_errors};
use crate::artifact::StoreOptions;
use crate::import::Source;
use crate::import::mapping::Mapping;
use crate::platform::Progress;
use crate::platform::retry::Policy;
use crate::record::kind;
use crate::record::{Class, Failure, ModelReference, Name};
use crate::trust::SigningKey;
use crate::yard::{Catalog, Change, Yard, blocking};
use bring::{Bringing, Packed};

/// How many versions one commit has at most, so that a killed import has lost few.
const BATCH_VERSIONS: usize = 50;

/// How many bytes wait on the disk for one commit, unless a single version has more.
const BATCH_BYTES: u64 = 2 << 30;

/// What is imported, and as what.
#[derive(Debug, Clone)]
pub struct Request {
    /// The source.
    pub source: Arc<dyn Source>,
    /// What this import is called on its branch: `import/<name>`.
    pub name: Name,
    /// What the source's words become.
    pub mapping: Mapping,
    /// Which versions; all where nothing is said.
    pub select: Selection,
    /// What the only version is called here, where a source has but one.
    pub called: Option<ModelReference>,
    /// The store, by its name in the yard; the yard's first where none is named.
    pub store: Option<Name>,
    /// Whether images are copied into that store, too.
    pub copy_images: bool,
}

/// What an import works with.
pub struct Means<'a> {
    /// Who signs; nobody where it is left unsigned.
    pub key: Option<&'a SigningKey>,
    /// How stores are opened.
    pub options: StoreOptions,
    /// The folder in which files lie on their way.
    pub cache: PathBuf,
    /// How often something transient is tried again.
    pub retry: Policy,
    /// What time it is.
    pub now: Timestamp,
}

/// Holds what the source has against what the yard has. Nothing is written.
///
/// # Errors
/// If the source can't be listed, or the yard can't be read.
pub async fn survey(
    yard: &Yard,
    request: &Request,
    progress: &Arc<dyn Progress>,
) -> Result<Survey, Failure> {
    let change = propose::begin(yard, &request.branch()).await?;
    survey_on(&change, request, progress).await
}

async fn survey_on(
    change: &Change,
    request: &Request,
    progress: &Arc<dyn Progress>,
) -> Result<Survey, Failure> {
    let listing = request.source.list(&**progress).await?;
    let (request, catalog) = (request.clone(), Catalog::new(change.snapshot()));
    blocking(move || Survey::of(&request, listing, &catalog)).await
}

/// What would be imported, field by field, so far as the source tells it without its files.
/// Nothing is written.
///
/// # Errors
/// As [`survey()`].
pub async fn rehearse(
    yard: &Yard,
    request: &Request,
    progress: &Arc<dyn Progress>,
) -> Result<Rehearsal, Failure> {
    let survey = survey(yard, request, progress).await?;
    let mut versions = Vec::new();
    for surveyed in survey.wanted() {
        versions.push(bring::rehearse(request, &survey, surveyed).await?);
    }
    Ok(Rehearsal { survey, versions })
}

/// Imports what is new, and moves what moved in the source.
///
/// # Errors
/// If the source can't be listed, or the yard, the store or the key can't be used; what was
/// committed before stays. What ended it before its end, as the source is away or lets us in no
/// more, is in [`Import::ended`]; what is wrong with one version alone in [`Import::refused`].
pub async fn import(
    yard: &Yard,
    request: &Request,
    means: &Means<'_>,
    progress: &Arc<dyn Progress>,
) -> Result<Import, Failure> {
    let mut begun = propose::begin(yard, &request.branch()).await?;
    let spec = Catalog::new(begun.base()?).yard()?.spec;
    let survey = survey_on(&begun, request, progress).await?;
    let bringing = Bringing {
        request,
        survey: &survey,
        means,
        yard,
        store: publish::find_store(&spec, request.store.as_ref())?,
        spec: &spec,
        progress,
    };
    let mut import = Import::of(&survey);
    let mut waiting = survey.wanted().peekable();
    loop {
        let mut batch = Batch {
            bringing: &bringing,
            begun,
            packed: Vec::new(),
        };
        let ended = batch.fill(&mut waiting, &mut import).await;
        let last = ended.is_ok() && waiting.peek().is_none();
        batch.finish(last, &mut import).await?;
        import.ended = ended.err();
        if last || import.ended.is_some() {
            return Ok(import);
        }
        begun = propose::begin(yard, &request.branch()).await?;
    }
}

/// Whether no other version would fare better.
fn ends_all(failure: &Failure) -> bool {
    failure.class() != Class::Permanent
        || *failure.code() == crate::import::codes::SOURCE_UNAUTHORIZED
}

impl Request {
    fn branch(&self) -> String {
        format!("import/{}", self.name)
    }
}

/// Versions that become one commit.
struct Batch<'a> {
    bringing: &'a Bringing<'a>,
    begun: Change,
    packed: Vec<Packed<'a>>,
}

impl<'a> Batch<'a> {
    /// Takes versions into it until it is full: fetched and packed.
    ///
    /// # Errors
    /// What ends all of the import.
    async fn fill(
        &mut self,
        waiting: &mut Peekable<impl Iterator<Item = &'a Surveyed>>,
        import: &mut Import,
    ) -> Result<(), Failure> {
        let mut bytes = 0;
        while self.packed.len() < BATCH_VERSIONS && bytes < BATCH_BYTES {
            let Some(surveyed) = waiting.next() else {
                break;
            };
            match self.bringing.pack(surveyed, &self.begun).await {
                Ok(Some(packed)) => {
                    bytes += packed.size_bytes();
                    self.packed.push(packed);
                }
                Ok(None) => import.unchanged += 1,
                Err(failure) if ends_all(&failure) => return Err(failure),
                Err(failure) => import
                    .refused
                    .push(Refused::new(&surveyed.listed.reference, &failure)),
            }
        }
        Ok(())
    }

    /// Checks it, stores its bytes, and commits it; the `last` one follows what moved, too.
    async fn finish(mut self, last: bool, import: &mut Import) -> Result<(), Failure> {
        self.drop_refused(import).await?;
        let mut brought = Vec::new();
        let mut stored = Vec::new();
        for packed in std::mem::take(&mut self.packed) {
            match self.bringing.store(&packed).await {
                Ok(sent_bytes) => {
                    brought.push(packed.brought(sent_bytes));
                    stored.push(packed);
                }
                Err(failure) if ends_all(&failure) => return Err(failure),
                Err(failure) => {
                    import
                        .refused
                        .push(Refused::new(packed.reference(), &failure));
                }
            }
        }
        let mut change = self.change(&stored)?;
        let mut moved = Vec::new();
        if last {
            (change, moved) = self.follow(change, import).await?;
            change = self.deploy(change, import).await?;
        }
        let message = told::message(self.bringing.request, &brought, &moved, &import.deployed);
        let proposed = propose::propose(change, &message, self.bringing.means.now).await?;
        for packed in &stored {
            packed.clear()?;
        }
        import.brought.append(&mut brought);
        import.moved.append(&mut moved);
        import.hear(proposed);
        Ok(())
    }

    /// The change with the records of `packed`.
    fn change(&self, packed: &[Packed<'_>]) -> Result<Change, Failure> {
        let mut change = self.begun.clone();
        for packed in packed {
            packed.write(&mut change)?;
        }
        Ok(change)
    }

    /// Leaves those out that a check would refuse: all are checked at once, and only if that fails
    /// each by itself.
    async fn drop_refused(&mut self, import: &mut Import) -> Result<(), Failure> {
        if checked(&self.change(&self.packed)?).await.is_ok() {
            return Ok(());
        }
        let mut change = self.begun.clone();
        for packed in std::mem::take(&mut self.packed) {
            let mut with = change.clone();
            packed.write(&mut with)?;
            match checked(&with).await {
                Ok(()) => {
                    change = with;
                    self.packed.push(packed);
                }
                Err(failure) => import
                    .refused
                    .push(Refused::new(packed.reference(), &failure)),
            }
        }
        Ok(())
    }

    /// Follows what moved in the source, if a check would let it.
    async fn follow(
        &self,
        change: Change,
        import: &mut Import,
    ) -> Result<(Change, Vec<Moved>), Failure> {
        let mut followed = change.clone();
        let Bringing {
            request, survey, ..
        } = *self.bringing;
        let mut moved = moves::follow(request, survey, &mut followed)?;
        let Err(refused) = checked(&followed).await else {
            return Ok((followed, moved));
        };
        for one in &mut moved {
            one.left.get_or_insert_with(|| refused.to_string());
        }
        import.moved.append(&mut moved);
        Ok((change, moved))
    }
}

async fn checked(change: &Change) -> Result<(), Failure> {
    let change = change.clone();
    blocking(move || refuse_errors(&change)).await
}

impl Import {
    fn hear(&mut self, proposed: Proposed) {
        // A batch that changed something is the news, whatever the last one did.
        let unchanged =
            proposed.unchanged && self.proposed.as_ref().is_none_or(|before| before.unchanged);
        self.proposed = Some(Proposed {
            unchanged,
            ..proposed
        });
    }
}

/// What a new model can't be without, and a source need not say.
fn owners(request: &Request, model: &str) -> Option<kind::Owner> {
    let said = request.mapping.model(model);
    let owner = said.and_then(|said| said.owner.clone());
    owner.or_else(|| request.mapping.owner.clone())
}
