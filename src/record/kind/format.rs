//! The `format`s of the schemas: the grammars of this room, by name.
//!
//! A schema's pattern is all that an editor can check. Whoever validates with this crate also
//! asks these, so that a schema refuses exactly what the types refuse, at the place where it
//! stands, with the same words.

use crate::record::{
    Alias, Digest, Failure, Fault, ModelName, Name, Repository, Selector, Version,
};

use super::{
    Address, CommitId, CookieName, Doi, HeaderName, ImageReference, JsonPointer, LabelKey,
    LabelValue, License, ModelPattern, Orcid, Quantity, RelativePath, RoutePath, SecretKey, Span,
    Subject, VariableName, WebUrl,
};

/// A `format` of the schemas.
pub struct Format {
    /// What the schemas call it.
    pub name: &'static str,
    /// Says what is wrong with a text, if something is.
    pub check: fn(&str) -> Result<(), Failure>,
}

/// Every `format` of the schemas but `date-time`, which JSON Schema owns.
pub const FORMATS: &[Format] = &[
    of::<Address>("address"),
    of::<Alias>("alias"),
    of::<CommitId>("commit"),
    of::<CookieName>("cookie-name"),
    of::<Digest>("digest"),
    of::<Doi>("doi"),
    of::<HeaderName>("header-name"),
    of::<ImageReference>("image-reference"),
    of::<JsonPointer>("json-pointer"),
    of::<LabelKey>("label-key"),
    of::<LabelValue>("label-value"),
    of::<ModelName>("model-name"),
    of::<ModelPattern>("model-pattern"),
    of::<Name>("name"),
    of::<Orcid>("orcid"),
    of::<Quantity>("quantity"),
    of::<RelativePath>("relative-path"),
    of::<Repository>("repository"),
    of::<RoutePath>("route-path"),
    of::<SecretKey>("secret-key"),
    of::<Selector>("version-selector"),
    of::<Span>("span"),
    of::<License>("spdx-expression"),
    of::<Subject>("subject"),
    of::<VariableName>("variable-name"),
    of::<Version>("semver"),
    of::<WebUrl>("web-url"),
];

const fn of<T>(name: &'static str) -> Format
where
    T: std::str::FromStr,
    T::Err: Fault,
{
    Format {
        name,
        check: |text| {
            text.parse::<T>()?;
            Ok(())
        },
    }
}
