//! Finds models by the words that people use for them.
//!
//! A model is found if every word of the search occurs in it somewhere: in its name, title,
//! description, classification, labels, owners or card. A word counts by the best [`Place`] that
//! has it; in places alike a whole word counts more than a part of one, and then it counts how
//! often it is there. Models of one rank stand in the order of their names.

mod text;
mod words;

use serde::Serialize;

pub use words::NoWords;

use super::cores::Cores;
use super::list;
use super::shelf::{Shelf, card, covers};
use crate::check::spread::Spread;
use crate::record::{Failure, ModelName};
use crate::yard::{Catalog, CatalogError};
use text::Occurrence;
use words::Words;

/// What is searched for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Words, all of which have to be found.
    pub text: String,
    /// Only models that [`list`] would give for these filters.
    pub wanted: Vec<String>,
}

/// What was found, best first.
#[derive(Debug, Clone, Serialize)]
pub struct Found {
    /// The models.
    pub models: Vec<Hit>,
    /// Where nothing was found: models with a name like it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<ModelName>,
    /// Records that can't be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// A model that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Its name.
    pub model: ModelName,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How well it fits: only to be compared with the others.
    pub rank: u32,
    /// Where words of the search are, the best place first.
    pub matches: Vec<Match>,
}

/// A place that has words of the search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The place.
    pub place: Place,
    /// The text around the first word that is there.
    pub text: String,
}

/// Where words are looked for, the best place first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the name.
    Name,
    /// In the title.
    Title,
    /// In the description.
    Description,
    /// In what it is for.
    Classification,
    /// In the labels.
    Labels,
    /// In the names of the teams that own it.
    Owners,
    /// In the card.
    Card,
}

impl Place {
    /// The name as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Description => "description",
            Self::Classification => "classification",
            Self::Labels => "labels",
            Self::Owners => "owners",
            Self::Card => "card",
        }
    }

    /// What a word counts that is here, before what it gains as a whole word and by its number,
    /// which is less than one step.
    const fn worth(self) -> u32 {
        match self {
            Self::Name => 50,
            Self::Title => 40,
            Self::Description => 30,
            Self::Classification | Self::Labels | Self::Owners => 20,
            Self::Card => 10,
        }
    }
}

/// Searches for what `query` asks for. It blocks: call it where that is allowed.
///
/// # Errors
/// [`NoWords`], [`FilterError`](super::filter::FilterError), or if git or the disk can't be read.
/// A record that can't be read is no error: it is told.
pub fn search(catalog: &Catalog, query: &Query) -> Result<Found, Failure> {
    let words = Words::of(&query.text)?;
    let (shelves, unreadable) = if query.wanted.is_empty() {
        covers(catalog, catalog.models()?)?
    } else {
        list::wanted_models(catalog, None, &query.wanted)?
    };
    let read = Cores.spread(shelves, |shelf| hit(catalog, &shelf, &words));
    let hits: Result<Vec<_>, _> = read.into_iter().collect();
    let mut models: Vec<Hit> = hits?.into_iter().flatten().collect();
    models.sort_by_key(|hit| std::cmp::Reverse(hit.rank));
    Ok(Found {
        alike: match &*models {
            [] => catalog.closest(&query.text.to_lowercase())?,
            _ => Vec::new(),
        },
        models,
        unreadable,
    })
}

/// The model, if all the words are in it.
fn hit(catalog: &Catalog, shelf: &Shelf, words: &Words) -> Result<Option<Hit>, CatalogError> {
    let texts = texts(catalog, shelf)?;
    let mut rank = 0;
    let mut matches: Vec<Match> = Vec::new();
    for word in words.iter() {
        let found = texts.iter();
        let found: Vec<(Place, Occurrence)> = found
            .filter_map(|(place, text)| Some((*place, text::occurrence(text, word)?)))
            .collect();
        let best = found
            .iter()
            .map(|(place, found)| place.worth() + found.worth());
        let Some(best) = best.max() else {
            return Ok(None);
        };
        rank += best;
        for (place, found) in found {
            if matches.iter().all(|known| known.place != place) {
                let text = found.around;
                matches.push(Match { place, text });
            }
        }
    }
    matches.sort_by_key(|found| found.place);
    Ok(Some(Hit {
        model: shelf.name.clone(),
        title: shelf.model.as_ref().map(|model| model.spec.title.clone()),
        rank,
        matches,
    }))
}

/// What is searched of a model. Where its record can't be read, that is its name and its card.
fn texts(catalog: &Catalog, shelf: &Shelf) -> Result<Vec<(Place, String)>, CatalogError> {
    let mut texts = vec![(Place::Name, shelf.name.to_string())];
    if let Some(model) = &shelf.model {
        let spec = &model.spec;
        texts.push((Place::Title, spec.title.clone()));
        let description = spec.description.iter();
        texts.extend(description.map(|text| (Place::Description, text.clone())));
        let fields = spec.classification.fields();
        let fields = fields.iter().filter_map(|(_, value)| *value);
        texts.push((Place::Classification, fields.collect::<Vec<_>>().join(", ")));
        let labels = model.metadata.labels.iter();
        let labels = labels.map(|(key, value)| format!("{key}={value}"));
        texts.push((Place::Labels, labels.collect::<Vec<_>>().join(", ")));
        let owners = spec.owners.iter().map(|owner| &*owner.team);
        texts.push((Place::Owners, owners.collect::<Vec<_>>().join(", ")));
    }
    let card = card(catalog, &shelf.name)?;
    texts.extend(card.map(|(_, card)| (Place::Card, text::without_front_matter(&card).to_owned())));
    Ok(texts)
}
