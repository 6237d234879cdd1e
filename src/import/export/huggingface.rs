//! A version as a snapshot of Hugging Face's hub: its files, and a card that says what the records
//! say.

use super::Laid;
use crate::import::huggingface::export_card;
use crate::record::kind::{Model, ModelVersion, SourceType};

/// The card.
const CARD: &str = "README.md";

/// What makes a snapshot of the files of `version`; `card` is its model's card in the yard.
pub fn to_huggingface(model: &Model, version: &ModelVersion, card: Option<&str>) -> Laid {
    let mut laid = Laid::default();
    laid.lay(CARD, export_card(model, version, card));
    laid.of_the_yard(model, version);
    let imported = version.spec.imported.as_ref();
    let from_hub = imported.is_some_and(|imported| imported.from == SourceType::Huggingface);
    let unmapped = imported.into_iter().flat_map(|imported| &imported.unmapped);
    for (field, _) in unmapped.filter(|(field, _)| !(from_hub && field.starts_with("card."))) {
        let field = format!("imported.unmapped.{field}");
        laid.no_place(
            field,
            "it found no field at its import, and has none in a card",
        );
    }
    laid
}
