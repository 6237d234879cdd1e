//! A yard's files, read: every record parsed, and those of before that a change touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::document::Document;
use super::evidence::{Evidence, Wanted};
use super::files::{File, Files};
use super::gates::{self, Gates, Known, Question};
use super::holdings::Holdings;
use super::layout::{Seat, Use, use_of};
use super::records::{Changes, Records, Scope};
use super::referrers::Referrers;
use super::source::Source;
use super::spread::Spread;
use super::{Report, reach, rules};
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
    holdings: Holdings,
    changes: Option<Changes>,
    /// The places that a change affects; `None` where everything is checked.
    affected: Option<BTreeSet<Seat>>,
    before: BTreeMap<String, Document>,
    found: Vec<Diagnostic>,
    records: usize,
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
        let changed = base.map(|base| {
            let new = head.iter().filter(|(path, _)| !base.contains(path));
            let mut changed: BTreeMap<_, _> =
                new.map(|(path, _)| (path.to_owned(), None)).collect();
            let old = base
                .into_iter()
                .filter(|(path, file)| head.get(path) != Some(file));
            changed.extend(old.map(|(path, file)| (path, Some(file))));
            changed
        });
        let before = before(changed.iter().flatten(), spread);
        Self {
            records: documents.len(),
            holdings: Holdings::read(Arc::new(head), documents),
            changes: changed.as_ref().map(told),
            affected: None,
            before,
            found,
        }
    }

    /// Reads what a change can affect: of `head`, in which the files at `changed` are others than
    /// they were, each with what it was before (`None` where it was not there). `referrers` are
    /// those of before.
    ///
    /// What comes of it is what [`Reading::new`] tells of the records that the change affects; what
    /// was wrong before and is not touched is not told. `None` if the change can affect everything.
    pub fn of_change(
        head: Arc<dyn Source>,
        changed: &BTreeMap<String, Option<File>>,
        referrers: &Referrers,
        spread: &impl Spread,
    ) -> Option<Self> {
        let changes = told(changed);
        let holdings = Holdings::listed(head);
        let affected = reach::affected(&changes, &holdings, referrers)?;
        let mut found = Vec::new();
        for path in changes.keys().filter(|path| holdings.contains(path)) {
            found.extend(rules::stray::tell(path, &use_of(path)));
        }
        let files: Vec<_> = affected
            .iter()
            .filter(|seat| holdings.has(seat))
            .filter_map(|seat| Some((seat.clone(), holdings.file(&seat.path())?)))
            .collect();
        let seats = files.iter().map(|(seat, file)| (seat.clone(), file));
        let (documents, diagnostics) = read_all(seats.collect(), spread);
        found.extend(diagnostics);
        let records = documents.len();
        documents
            .into_iter()
            .for_each(|document| holdings.keep(document));
        Some(Self {
            holdings,
            before: before(changed, spread),
            changes: Some(changes),
            affected: Some(affected),
            found,
            records,
        })
    }

    /// The trust policy that artifacts are held against, and whose it is: the base's, so that no
    /// change vouches for itself, and the head's where there is no base, or no yard in it yet.
    /// `None` if the record that has it can't be read: then nothing is trusted.
    pub fn trust(&self) -> (Side, Option<Trust>) {
        let head = self.holdings.document(&Seat::Yard);
        let yard = Seat::Yard.path();
        // Of the base only what is another in the head was read.
        let document = self.before.get(&yard).or(head);
        let trust = document.and_then(|document| Some(document.yard()?.spec.trust.clone()));
        let was_there = self.changes.as_ref().is_some_and(|changes| {
            let changed = changes.get(&yard).copied();
            changed.unwrap_or(head.is_some())
        });
        match was_there {
            true => (Side::Base, trust),
            false => (Side::Head, trust),
        }
    }

    /// The versions whose artifacts [`Evidence`] has to tell of.
    pub fn wanted(&self) -> Vec<Wanted> {
        rules::wanted(&self.records())
    }

    /// Whether there are policies, here or before, whose gates may ask something.
    pub fn has_policies(&self) -> bool {
        let is_policy = |document: &Document| matches!(document.seat, Seat::Policy(_));
        self.holdings.policies().next().is_some() || self.before.values().any(is_policy)
    }

    /// What the gates of policies ask, with what is known beside the records.
    pub fn questions(&self, known: &Known<'_>) -> Vec<Question> {
        gates::asked(&self.records(), known)
    }

    /// Holds every rule against what was read.
    pub fn report(mut self, evidence: Option<&Evidence>, gates: Gates<'_>) -> Report {
        let mut found = std::mem::take(&mut self.found);
        let records = Records {
            evidence,
            gates,
            ..self.records()
        };
        rules::hold(&records, &mut found);
        // Within a file from its beginning, and what is about the whole of it first.
        found.sort_by(|a, b| {
            let key =
                |diagnostic: &Diagnostic| diagnostic.place.as_ref().map(|place| place.span.start);
            (&a.path, key(a), a.code.id).cmp(&(&b.path, key(b), b.code.id))
        });
        Report {
            diagnostics: found,
            records: self.records,
            of_change: self.affected.is_some(),
        }
    }

    fn records(&self) -> Records<'_> {
        Records {
            scope: self.affected.as_ref().map_or(Scope::All, Scope::Affected),
            changes: self.changes.as_ref(),
            ..Records::new(&self.holdings, &self.before)
        }
    }
}

/// Which files changed, and whether each was there before.
fn told(changed: &BTreeMap<String, Option<File>>) -> Changes {
    let was_there = |(path, file): (&String, &Option<File>)| (path.clone(), file.is_some());
    changed.iter().map(was_there).collect()
}

/// What changed records were before.
fn before<'f>(
    changed: impl IntoIterator<Item = (&'f String, &'f Option<File>)>,
    spread: &impl Spread,
) -> BTreeMap<String, Document> {
    let seats = changed.into_iter().filter_map(|(path, file)| {
        let Use::Record(seat) = use_of(path) else {
            return None;
        };
        Some((seat, file.as_ref()?))
    });
    let (documents, _) = read_all(seats.collect(), spread);
    let documents = documents.into_iter();
    documents
        .map(|document| (document.path.clone(), document))
        .collect()
}

/// Reads records; what comes back is in the order of `files`.
fn read_all(files: Vec<(Seat, &File)>, spread: &impl Spread) -> (Vec<Document>, Vec<Diagnostic>) {
    let read = spread.spread(files, |(seat, file)| Document::read(seat, file));
    let (documents, diagnostics): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    (documents, diagnostics.into_iter().flatten().collect())
}
