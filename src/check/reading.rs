//! A yard's files, read: every record parsed, and those of before that a change touched.

use std::collections::BTreeMap;

use super::diagnostic::Diagnostic;
use super::document::Document;
use super::evidence::{Evidence, Wanted};
use super::files::{File, Files};
use super::gates::{self, Gates, Known, Question};
use super::layout::{Seat, Use, use_of};
use super::records::Records;
use super::spread::Spread;
use super::{Report, rules};
use crate::record::kind::Trust;

/// One of the two states of a yard that a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is checked.
    Head,
    /// What it is compared with.
    Base,
}

/// A yard that was read and can be checked.
#[derive(Debug)]
pub struct Reading {
    head: Files,
    base: Option<Files>,
    documents: Vec<Document>,
    before: BTreeMap<String, Document>,
    found: Vec<Diagnostic>,
}

impl Reading {
    /// Reads all records of `head`, and those of `base` that are others in `head`, the work spread
    /// by `spread`.
    pub fn new(head: Files, base: Option<Files>, spread: &impl Spread) -> Self {
        let mut found = Vec::new();
        let mut seats = Vec::new();
        for (path, file) in head.iter() {
            match use_of(path) {
                Use::Record(seat) => seats.push((seat, file)),
                other => found.extend(rules::stray::tell(path, &other)),
            }
        }
        let (documents, diagnostics) = read_all(seats, spread);
        found.extend(diagnostics);
        let changed = base
            .iter()
            .flat_map(Files::iter)
            .filter_map(|(path, file)| match use_of(path) {
                Use::Record(seat) if head.get(path) != Some(file) => Some((seat, file)),
                _ => None,
            });
        let (before, _) = read_all(changed.collect(), spread);
        Self {
            head,
            base,
            documents,
            before: before
                .into_iter()
                .map(|document| (document.path.clone(), document))
                .collect(),
            found,
        }
    }

    /// The trust policy that artifacts are held against, and whose it is: the base's, so that no
    /// change vouches for itself, and the head's where there is no base, or no yard in it yet.
    /// `None` if the record that has it can't be read: then nothing is trusted.
    pub fn trust(&self) -> (Side, Option<Trust>) {
        const YARD: &str = "modelyard.yaml";
        let head = self
            .documents
            .iter()
            .find(|document| document.seat == Seat::Yard);
        // Of the base only what is another in the head was read.
        let document = self.before.get(YARD).or(head);
        let trust = document.and_then(|document| Some(document.yard()?.spec.trust.clone()));
        match &self.base {
            Some(base) if base.contains(YARD) => (Side::Base, trust),
            _ => (Side::Head, trust),
        }
    }

    /// The versions whose artifacts [`Evidence`] has to tell of.
    pub fn wanted(&self) -> Vec<Wanted> {
        rules::wanted(&self.records())
    }

    /// Whether there are policies, here or before, whose gates may ask something.
    pub fn has_policies(&self) -> bool {
        let mut documents = self.documents.iter().chain(self.before.values());
        documents.any(|document| matches!(document.seat, Seat::Policy(_)))
    }

    /// What the gates of policies ask, with what is known beside the records.
    pub fn questions(&self, known: &Known<'_>) -> Vec<Question> {
        gates::asked(&self.records(), known)
    }

    /// Holds every rule against what was read.
    pub fn report(mut self, evidence: Option<&Evidence>, gates: Gates<'_>) -> Report {
        let mut found = std::mem::take(&mut self.found);
        rules::hold(&self.records(), evidence, gates, &mut found);
        // Within a file from its beginning, and what is about the whole of it first.
        found.sort_by(|a, b| {
            let key =
                |diagnostic: &Diagnostic| diagnostic.place.as_ref().map(|place| place.span.start);
            (&a.path, key(a), a.code.id).cmp(&(&b.path, key(b), b.code.id))
        });
        Report {
            diagnostics: found,
            records: self.documents.len(),
        }
    }

    fn records(&self) -> Records<'_> {
        Records::new(
            &self.head,
            self.base.as_ref(),
            &self.documents,
            &self.before,
        )
    }
}

/// Reads records; what comes back is in the order of `files`.
fn read_all(files: Vec<(Seat, &File)>, spread: &impl Spread) -> (Vec<Document>, Vec<Diagnostic>) {
    let read = spread.spread(files, |(seat, file)| Document::read(seat, file));
    let (documents, diagnostics): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    (documents, diagnostics.into_iter().flatten().collect())
}
