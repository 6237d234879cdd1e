//! From receipts to turns: when a deployment began to serve something, and until when it did.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::{Asked, Served, Told};
use crate::ops::receipt::{Receipt, Serving};
use crate::record::Name;

/// A walk through the receipts of an environment, from the newest one back.
pub(super) struct Walk<'a> {
    environment: &'a Name,
    asked: &'a Asked,
    /// The one that was visited last: it came after the next one.
    newer: Option<Receipt>,
    /// Until when what that has served.
    ends: BTreeMap<Name, Option<Timestamp>>,
    /// When each deployment began to serve that was visited.
    began: BTreeMap<Name, Timestamp>,
    served: Vec<Served>,
}

impl<'a> Walk<'a> {
    /// A walk through the receipts of `environment`, for what is asked.
    pub(super) fn new(environment: &'a Name, asked: &'a Asked) -> Self {
        Self {
            environment,
            asked,
            newer: None,
            ends: BTreeMap::new(),
            began: BTreeMap::new(),
            served: Vec::new(),
        }
    }

    /// Takes in a receipt that came before all others so far; breaks when no more are needed.
    pub(super) fn visit(&mut self, receipt: Receipt) -> ControlFlow<()> {
        let end = |(name, serving): (&Name, &Serving)| {
            let end = match &self.newer {
                None => None,
                Some(newer) if has(newer, name, serving) => self.ends.get(name).copied().flatten(),
                Some(newer) => Some(newer.at),
            };
            (name.clone(), end)
        };
        let ends = receipt.deployments.iter().map(end).collect();
        match (self.asked.at, self.newer.take()) {
            (Some(at), _) if receipt.at <= at => {
                self.ends = ends;
                self.tell(&receipt, |_, _| true);
                return ControlFlow::Break(());
            }
            (None, Some(newer)) => {
                // A receipt has all that serves; most of it was so before.
                self.tell(&newer, |name, serving| !has(&receipt, name, serving));
                self.tell_ended(&newer, &receipt);
            }
            _ => {}
        }
        let began = receipt.deployments.iter();
        let began = began.map(|(name, serving)| (name.clone(), serving.since));
        self.began.extend(began);
        self.ends = ends;
        self.newer = Some(receipt);
        match self.served.len() > self.asked.limit {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// What was found; before the oldest receipt nothing served that is known.
    pub(super) fn end(mut self) -> Vec<Served> {
        if let Some(oldest) = self.newer.take().filter(|_| self.asked.at.is_none()) {
            self.tell(&oldest, |_, _| true);
        }
        self.served
    }

    fn tell(&mut self, receipt: &Receipt, is_told: impl Fn(&Name, &Serving) -> bool) {
        for (name, serving) in &receipt.deployments {
            if !self.is_meant(name) || !is_told(name, serving) {
                continue;
            }
            self.served.push(Served {
                since: serving.since,
                until: self.ends.get(name).copied().flatten(),
                shares: serving.shares.iter().map(Told::of).collect(),
                commit: serving.commit.clone(),
                because: serving.because.clone(),
                step: serving.step.clone(),
                measured: serving.measured.clone(),
                ..Served::nothing(self.environment, name, serving.since)
            });
        }
    }

    /// Tells what `before` has and `receipt` has no more.
    fn tell_ended(&mut self, receipt: &Receipt, before: &Receipt) {
        for name in before.deployments.keys() {
            if self.is_meant(name) && !receipt.deployments.contains_key(name) {
                self.served.push(Served {
                    until: self.began.get(name).copied(),
                    ..Served::nothing(self.environment, name, receipt.at)
                });
            }
        }
    }

    fn is_meant(&self, name: &Name) -> bool {
        let asked = self.asked.deployment.as_ref();
        asked.is_none_or(|asked| asked == name)
    }
}

impl Served {
    fn nothing(environment: &Name, deployment: &Name, since: Timestamp) -> Self {
        Self {
            environment: environment.clone(),
            deployment: deployment.clone(),
            since,
            until: None,
            shares: Vec::new(),
            commit: None,
            because: Vec::new(),
            step: None,
            measured: BTreeMap::new(),
        }
    }
}

fn has(receipt: &Receipt, name: &Name, serving: &Serving) -> bool {
    receipt
        .deployments
        .get(name)
        .is_some_and(|other| other.since == serving.since)
}

#[cfg(test)]
mod tests {
    //! Turns are told from receipts, whichever the order of comings and goings.

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// Receipts at minutes, each with the deployments that serve and since when; newest first.
    fn walked(
        receipts: &[(i64, &[(&str, i64)])],
        asked: &Asked,
    ) -> Vec<(String, i64, Option<i64>)> {
        let environment: Name = "host".parse().unwrap();
        let mut walk = Walk::new(&environment, asked);
        for (minute, serving) in receipts {
            let serving = serving.iter().map(|(name, since)| {
                let serving = Serving {
                    since: at(*since),
                    commit: None,
                    shares: Vec::new(),
                    because: vec!["it began".to_owned()],
                    step: None,
                    measured: BTreeMap::new(),
                };
                (name.parse().unwrap(), serving)
            });
            let receipt = Receipt {
                environment: environment.clone(),
                at: at(*minute),
                deployments: serving.collect(),
            };
            if walk.visit(receipt).is_break() {
                break;
            }
        }
        let told = walk.end().into_iter().map(|served| {
            let name = match served.because.is_empty() {
                true => format!("no {}", served.deployment),
                false => served.deployment.to_string(),
            };
            let minute = |time: Timestamp| time.as_second() / 60;
            (name, minute(served.since), served.until.map(minute))
        });
        told.collect()
    }

    const RECEIPTS: [(i64, &[(&str, i64)]); 5] = [
        (50, &[("a", 50), ("b", 20)]),
        (40, &[("b", 20)]),
        (30, &[("a", 30), ("b", 20)]),
        (20, &[("a", 10), ("b", 20)]),
        (10, &[("a", 10)]),
    ];

    #[test]
    fn each_turn_is_told_once_with_its_end() {
        let all = Asked {
            limit: 100,
            ..Asked::default()
        };
        let told = |name: &str, since, until| (name.to_owned(), since, until);
        assert_eq!(
            walked(&RECEIPTS, &all),
            [
                told("a", 50, None),
                told("no a", 40, Some(50)),
                told("a", 30, Some(40)),
                told("b", 20, None),
                told("a", 10, Some(30)),
            ]
        );
        let of_b = Asked {
            deployment: Some("b".parse().unwrap()),
            ..all.clone()
        };
        assert_eq!(walked(&RECEIPTS, &of_b), [told("b", 20, None)]);
        let few = Asked { limit: 1, ..all };
        assert!(
            walked(&RECEIPTS, &few).len() > 1,
            "that there is more is seen"
        );
    }

    #[test]
    fn a_time_shows_what_served_then() {
        let told = |name: &str, since, until| (name.to_owned(), since, until);
        for (minute, wanted) in [
            (9, vec![]),
            (25, vec![told("a", 10, Some(30)), told("b", 20, None)]),
            (40, vec![told("b", 20, None)]),
            (99, vec![told("a", 50, None), told("b", 20, None)]),
        ] {
            let asked = Asked {
                at: Some(at(minute)),
                limit: 100,
                ..Asked::default()
            };
            assert_eq!(walked(&RECEIPTS, &asked), wanted, "{minute}");
        }
    }
}
