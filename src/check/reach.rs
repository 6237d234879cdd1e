//! What a change can affect.
//!
//! A rule is about a record and may look at others beside it, in the few ways of [`Reads`], which
//! every rule declares. Turned around they tell whom a change reaches: who names a version that
//! changed, who lies in an environment that did. Who is reached is held to all rules again, and
//! nobody else.
//!
//! What is in use depends on what uses that in turn, so versions are followed up to the
//! deployments at the end of the chain.

use std::collections::BTreeSet;

use super::holdings::Holdings;
use super::layout::{Seat, Use, use_of};
use super::records::Changes;
use super::referrers::{Referrers, folder};
use super::rules::some_rule_reads;
use crate::record::ModelName;
use crate::record::kind::Signer;

/// What a rule looks at beside the record that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Of a model: its versions.
    Line,
    /// Of a version or deployment: the versions that it names, by whatever they are named, and what
    /// these name in turn.
    Named,
    /// Of a deployment: its environment.
    Environment,
    /// Of a deployment: those that it names.
    Neighbours,
    /// Of an environment: its deployments.
    Deployments,
    /// Of the yard: the files of keys that it names.
    Keys,
    /// Of any record: the yard's own.
    Yard,
}

/// The places whose records a change can affect, whether there is a record or not; `None` if that
/// may be all of them.
pub(super) fn affected(
    changes: &Changes,
    holdings: &Holdings,
    before: &Referrers,
) -> Option<BTreeSet<Seat>> {
    let mut reach = Reach {
        holdings,
        before,
        seats: BTreeSet::new(),
        models: BTreeSet::new(),
        open: Vec::new(),
    };
    for path in changes.keys() {
        if is_key(path, holdings) && some_rule_reads(Reads::Keys) {
            reach.seats.insert(Seat::Yard);
        }
        let Use::Record(seat) = use_of(path) else {
            continue;
        };
        if seat == Seat::Yard && some_rule_reads(Reads::Yard) {
            return None;
        }
        reach.changed(seat);
    }
    while let Some((model, path)) = reach.open.pop() {
        reach.named(&model, &path);
    }
    Some(reach.seats)
}

struct Reach<'a> {
    holdings: &'a Holdings,
    /// Who names whom before the change. What the change names anew is named by what changed.
    before: &'a Referrers,
    seats: BTreeSet<Seat>,
    /// The models of which those were found who name no version's number.
    models: BTreeSet<ModelName>,
    /// Records of models of which it is to be found out who names them.
    open: Vec<(ModelName, String)>,
}

impl Reach<'_> {
    /// Goes one step from a record that changed.
    fn changed(&mut self, seat: Seat) {
        let path = seat.path();
        match &seat {
            Seat::Model(model) | Seat::Version(model, _) => {
                if some_rule_reads(Reads::Line) {
                    self.seats.insert(Seat::Model(model.clone()));
                }
                if some_rule_reads(Reads::Named) {
                    self.open.push((model.clone(), path));
                }
            }
            Seat::Environment(environment) if some_rule_reads(Reads::Environment) => {
                for name in self.holdings.deployments_of(environment) {
                    self.seats.insert(Seat::Deployment {
                        environment: environment.clone(),
                        name: name.clone(),
                    });
                }
            }
            Seat::Deployment { environment, .. } => {
                if some_rule_reads(Reads::Deployments) {
                    self.seats.insert(Seat::Environment(environment.clone()));
                }
                if some_rule_reads(Reads::Neighbours) {
                    for by in self.before.of_path(&path) {
                        self.seats.extend(seat_of(by));
                    }
                }
            }
            Seat::Environment(_) | Seat::Policy(_) | Seat::Yard => {}
        }
        self.seats.insert(seat);
    }

    /// Goes from a model's record, which changed or names something that did, to those who name it:
    /// by its number, or by what may mean another one now. Who names a version that is not there is
    /// told what is.
    fn named(&mut self, model: &ModelName, path: &str) {
        let mut reached: Vec<&str> = self.before.of_path(path).collect();
        if self.models.insert(model.clone()) {
            let folder = folder(model);
            let is_there = |path: &str| match use_of(path) {
                Use::Record(seat) => self.holdings.has(&seat),
                _ => false,
            };
            for (named, by) in self.before.below(&folder) {
                if named == folder || !is_there(named) {
                    reached.push(by);
                }
            }
        }
        for by in reached {
            let Some(seat) = seat_of(by) else {
                continue;
            };
            if !self.holdings.has(&seat) || !self.seats.insert(seat.clone()) {
                continue;
            }
            if let Seat::Version(model, _) = seat {
                self.open.push((model, by.to_owned()));
            }
        }
    }
}

fn seat_of(path: &str) -> Option<Seat> {
    match use_of(path) {
        Use::Record(seat) => Some(seat),
        _ => None,
    }
}

/// Whether the yard's record names the file at `path` as a key.
fn is_key(path: &str, holdings: &Holdings) -> bool {
    let yard = holdings.document(&Seat::Yard);
    let yard = yard.and_then(|document| document.yard());
    let rules = yard.into_iter().flat_map(|yard| &yard.spec.trust.rules);
    let mut signers = rules.flat_map(|rule| &rule.accept);
    signers.any(|signer| match signer {
        Signer::Key(signer) => signer.key.as_str() == path,
        _ => false,
    })
}
