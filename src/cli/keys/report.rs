//! What is told of keys.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::cli::proposing::Proposes;
use crate::cli::{Page, Report, proposed};
use crate::ops::keys::{Accepted, Generated, RuleChange, StoredKey};
use crate::ops::propose::Proposed;
use crate::platform::redact::printable;

/// A new key.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Generation(pub(super) Generated);

/// A key that a yard is to accept.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Acceptance(pub(super) Accepted);

/// All keys.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct KeyList(pub(super) Vec<StoredKey>);

/// One key.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct KeyDetails(pub(super) StoredKey);

impl Proposes for Generation {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        let yard = self.0.yard.as_mut();
        yard.map(|yard| &mut yard.proposed).into_iter().collect()
    }
}

impl Proposes for Acceptance {
    fn proposed(&mut self) -> Vec<&mut Proposed> {
        vec![&mut self.0.proposed]
    }
}

impl Report for Generation {
    fn text(&self, page: &mut Page) -> fmt::Result {
        let Generated { key, yard } = &self.0;
        head(key, page)?;
        if let Some(accepted) = yard {
            writeln!(page)?;
            acceptance(accepted, page)?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.key.name.to_string()]
    }
}

impl Report for Acceptance {
    fn text(&self, page: &mut Page) -> fmt::Result {
        acceptance(&self.0, page)
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.key.clone()]
    }
}

impl Report for KeyList {
    fn text(&self, page: &mut Page) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(page, "no keys yet: `modelyard keys generate` makes one");
        }
        let width = self.names().iter().map(String::len).max().unwrap_or(0);
        for key in &self.0 {
            let name = key.name.as_str();
            writeln!(page, "{name:width$}  {}", fingerprint(key))?;
        }
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|key| key.name.to_string()).collect()
    }
}

impl Report for KeyDetails {
    fn text(&self, page: &mut Page) -> fmt::Result {
        head(&self.0, page)?;
        match &self.0.public {
            Some(pem) => write!(page, "\n{pem}"),
            None => Ok(()),
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.name.to_string()]
    }
}

fn head(key: &StoredKey, page: &mut Page) -> fmt::Result {
    writeln!(page, "key {}", key.name)?;
    writeln!(page, "  fingerprint  {}", fingerprint(key))?;
    let path = printable(&key.path.display().to_string());
    writeln!(page, "  private      {path}")
}

fn fingerprint(key: &StoredKey) -> String {
    match &key.fingerprint {
        Some(fingerprint) => fingerprint.to_string(),
        None => "its public half is missing: `modelyard keys show` makes it anew".to_owned(),
    }
}

fn acceptance(accepted: &Accepted, page: &mut Page) -> fmt::Result {
    writeln!(page, "yard {}", printable(&accepted.place))?;
    writeln!(page, "  public    {}", printable(&accepted.key))?;
    let rule = match accepted.rule {
        RuleChange::Added => "new: what it fits needs this key's signature",
        RuleChange::Extended => "there already: it accepts this key as well",
        RuleChange::Unchanged => "there already, and accepts this key",
    };
    writeln!(page, "  rule      {rule}")?;
    proposed::text(&accepted.proposed, page)?;
    if accepted.rule == RuleChange::Added && !accepted.proposed.unchanged {
        writeln!(
            page,
            "\nFrom then on versions without its signature are refused: `modelyard sign` signs \
             those\nthat were published before."
        )?;
    }
    Ok(())
}
