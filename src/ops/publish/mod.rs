//! Publishing: files become a signed artifact in a store, and a record on a branch.
//!
//! It goes in two steps, so that a person can be asked in between. [`draft`] packs the files,
//! settles the version, and hears what the files, `--from` and the flags say; then
//! [`Draft::publish`] writes, in an order that leaves the old state or the new one whenever it is
//! cut off:
//!
//! ```text
//! records are checked -> blobs -> manifest, by digest -> signature -> tag -> commit -> branch
//! ```
//!
//! Up to the branch nothing points at what was written but the tag of a version that nobody has
//! a record of; publishing again goes on from there. The same files published again under the
//! same version change nothing.

mod error;
mod from;
mod question;
mod records;
mod said;
mod settle;
mod write;

pub use error::{Clash, PublishError};
pub use question::Question;
pub(super) use records::Wish;
pub use said::Said;
pub(super) use settle::{card_path, find_store};
pub use write::{Lacking, Published, Stored};
pub(super) use write::{Storing, card, to_the_second};

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::artifact::pack::inspect::Description;
use crate::artifact::pack::{Packed, RoleRule, pack};
use crate::platform::Progress;
use crate::record::kind::{self, Vocabularies};
use crate::record::{Alias, Bump, Failure, Lifecycle, ModelName, Name, Version};
use crate::yard::{Change, Yard, blocking};
use from::FromRecords;
use settle::{Existing, Settled};

/// What is to be published, and as what.
#[derive(Debug)]
pub struct Request {
    /// The folder or file.
    pub path: PathBuf,
    /// The model.
    pub model: ModelName,
    /// Which version of it.
    pub wanted: Wanted,
    /// The store, by its name in the yard; the yard's first where none is named.
    pub store: Option<Name>,
    /// The roles of files that would be taken for something else.
    pub roles: Vec<RoleRule>,
    /// Records to take fields from.
    pub from: Vec<PathBuf>,
    /// Where a new version's life begins; where nothing is said staged, or released where a name
    /// is to mean it.
    pub lifecycle: Option<Lifecycle>,
    /// The names that shall mean it, in the same commit.
    pub promote: Vec<Alias>,
    /// What the flags say.
    pub said: Said,
}

/// Which version is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Exactly this one.
    Version(Version),
    /// The one that follows the newest.
    Next(Bump),
}

/// What will be published once the last questions are answered.
#[derive(Debug)]
pub struct Draft {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
    /// The files, packed.
    pub packed: Packed,
    store: kind::Store,
    vocabularies: Vocabularies,
    said: Said,
    from: FromRecords,
    promote: Vec<Alias>,
    existing: Existing,
    change: Change,
    yard: Yard,
}

/// Packs the files and settles what they become.
///
/// # Errors
/// If the files can't be packed, the version can't be published (it exists with other bytes, is
/// not said, …), or a record of `--from` can't be used. Nothing is written.
pub async fn draft(
    yard: &Yard,
    request: Request,
    progress: &Arc<dyn Progress>,
) -> Result<Draft, Failure> {
    let Request {
        path,
        model,
        wanted,
        store,
        roles,
        from,
        lifecycle,
        promote,
        said,
    } = request;
    let lifecycle = match promote.is_empty() {
        true => lifecycle,
        false => lifecycle.or(Some(Lifecycle::Released)),
    };
    let from = FromRecords::read(&from)?;
    let watching = Arc::clone(progress);
    let packed = blocking(move || pack(&path, &roles, &*watching)).await?;
    let settled = Settled::find(yard, &model, wanted, store.as_ref(), &packed.digest).await?;
    let Settled {
        version,
        store,
        vocabularies,
        existing,
        change,
    } = settled;
    from.speak_of(&model, &version)?;

    let mut all = files_say(&packed.description);
    if existing.merged {
        // What a merged record was silent of stays so, however much more files tell by now.
        let known = existing.said().version;
        all.version.retain(|name, _| known.contains_key(name));
    }
    all.hear(existing.said());
    all.hear(from.said());
    all.hear(said);
    if let Some(lifecycle) = lifecycle {
        all.version
            .insert("lifecycle".to_owned(), lifecycle.as_str().into());
    }
    Ok(Draft {
        model,
        version,
        packed,
        store,
        vocabularies,
        said: all,
        from,
        promote,
        existing,
        change,
        yard: yard.clone(),
    })
}

impl Draft {
    /// What a person is still to be asked: nothing of a model that has a record.
    pub fn open_questions(&self) -> Vec<Question> {
        if self.existing.model.is_some() {
            return Vec::new();
        }
        question::open_questions(&self.said.model, &self.vocabularies)
    }

    /// Hears the answers.
    pub fn hear(&mut self, answers: Said) {
        self.said.hear(answers);
    }

    /// Makes sure that nothing is missing that a record can't be without.
    ///
    /// # Errors
    /// [`PublishError::Missing`] with the flags that would say it.
    fn complete(&self) -> Result<(), PublishError> {
        let open = self.open_questions();
        let missing: Vec<_> = open
            .iter()
            .filter(|question| question.required)
            .map(|question| question.flag)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(PublishError::Missing {
            model: self.model.clone(),
            missing,
        })
    }
}

/// What the files say of themselves; of a format that nobody knows only that it is one's own.
pub(super) fn files_say(description: &Description) -> Said {
    let mut said = Said::default();
    let mut say = |name: &str, value: Value| {
        let silent = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !silent {
            said.version.insert(name.to_owned(), value);
        }
    };
    let Description {
        format,
        framework,
        precision,
        parameter_count,
        inputs,
        outputs,
        ..
    } = description;
    let format = format
        .as_ref()
        .map_or_else(|| json!({"name": "custom"}), |format| json!(format));
    say("format", format);
    say("framework", json!(framework));
    say("precision", json!(precision));
    say("parameterCount", json!(parameter_count));
    say("inputs", json!(inputs));
    say("outputs", json!(outputs));
    said
}
