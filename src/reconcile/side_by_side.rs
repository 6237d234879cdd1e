//! The candidate's golden tests, put to it and to what it is held against.
//!
//! The tests are those of the candidate's own records, and their files lie beside the candidate's.
//! What the tests come to is the share that the candidate passes of those that at least one of the
//! two passes. A test that *both* fail says nothing against the candidate (the day, or a service
//! that both ask, is another than when the test was written) and counts for neither side; where
//! that is so of every test, nothing is said at all. Nobody is forgiven for want of a comparison:
//! where there is nothing to hold it against, or that does not answer, each failed test counts.

use std::path::Path;

use super::edges::Wanted;
use super::gauge::{Ground, text};
use crate::record::kind::{Finite, GoldenTest, TestChoice};
use crate::rollout::{Choice, Content, Outcome, Part, Phase, Side};
use crate::target::Running;
use crate::target::runtime::Client;
use crate::target::runtime::client::AskError;
use crate::target::runtime::golden::{self, Tested};

/// How many tests are told by name; of more, how many more there are.
const MAX_NAMED: usize = 5;
/// How much is told of what is wrong with an answer.
const MAX_DIFFERENCE_CHARACTERS: usize = 200;

/// A test, as it went with both.
#[derive(Debug, Clone)]
struct Pair {
    candidate: Tested,
    /// Whether what the candidate is held against passes it; nothing where that isn't known.
    stable: Option<bool>,
}

/// A candidate's tests and what it is held against.
#[derive(Debug)]
struct Compared {
    candidate: Content,
    stable: Option<Content>,
    pairs: Vec<Pair>,
}

/// Asks both, and compares.
pub(super) async fn measure(
    ground: &Ground,
    wanted: &Wanted,
    which: &TestChoice,
) -> Result<Outcome, String> {
    let running = ground.target.observe().await.map_err(text)?;
    let stable = wanted.stable.as_ref();
    let mut all = Vec::new();
    for choice in measured(&wanted.candidate, stable) {
        let tests = ground.main.tests(choice.content()).await.map_err(text)?;
        let tests = chosen(tests, which);
        let files = ground.bytes.files(choice.content()).await.map_err(text)?;
        let files = files.ok_or("its files are not here")?;
        let replica = replica(&running, wanted, choice)?;
        let replica = replica.ok_or("no replica of it is ready")?;
        let other = stable.and_then(|stable| counterpart(choice, stable));
        let beside = match other {
            Some(other) => self::replica(&running, wanted, other)?,
            None => None,
        };
        let mut pairs = Vec::with_capacity(tests.len());
        for test in &tests {
            let beside = async { beside.as_ref()?.asked(test, &files).await.ok() };
            let (candidate, stable) = tokio::join!(replica.asked(test, &files), beside);
            pairs.push(Pair {
                candidate: candidate.map_err(|error| error.to_string())?,
                stable: stable.map(|tested| tested.passed),
            });
        }
        all.push(Compared {
            candidate: choice.content().clone(),
            stable: other.map(|other| other.content().clone()),
            pairs,
        });
    }
    outcome(&all)
}

/// What is put to the test: what is new; where only the weights are, all of it.
fn measured<'a>(candidate: &'a Side, stable: Option<&Side>) -> Vec<&'a Choice> {
    let known = |choice: &Choice| stable.is_some_and(|stable| stable.has(choice.revision()));
    let all = candidate.choices().iter().map(|choice| &**choice);
    let new: Vec<_> = all.clone().filter(|choice| !known(choice)).collect();
    match new.is_empty() {
        true => all.collect(),
        false => new,
    }
}

/// One of a version's replicas, which can be asked.
struct Replica {
    client: Client,
    model: String,
}

impl Replica {
    async fn asked(&self, test: &GoldenTest, files: &Path) -> Result<Tested, AskError> {
        golden::test(&self.client, &self.model, test, files).await
    }
}

/// A ready replica of `choice`, if there is one.
fn replica(
    running: &[Running],
    wanted: &Wanted,
    choice: &Choice,
) -> Result<Option<Replica>, String> {
    let replica = running.iter().find(|one| {
        one.id.deployment == wanted.ask.deployment
            && one.choice.revision() == choice.revision()
            && one.part == Part::Model
            && one.phase == Phase::Ready
    });
    let Some(endpoint) = replica.and_then(|one| one.endpoint.as_ref()) else {
        return Ok(None);
    };
    let client = Client::direct(endpoint.address).map_err(|error| error.to_string())?;
    let model = endpoint.model.clone();
    Ok(Some(Replica { client, model }))
}

/// What serves in the place that `choice` is to take: another version of its model, or, where the
/// deployment changes its model, what serves now.
fn counterpart<'a>(choice: &Choice, stable: &'a Side) -> Option<&'a Choice> {
    let model = |content: &Content| match content {
        Content::Model(release) => Some(release.model.clone()),
        Content::Image(_) => None,
    };
    let mine = model(choice.content());
    let all = stable.choices();
    let same = all.iter().find(|other| model(other.content()) == mine);
    same.or(all.first()).map(|other| &**other)
}

fn chosen(tests: Vec<GoldenTest>, which: &TestChoice) -> Vec<GoldenTest> {
    let is_chosen = |test: &GoldenTest| match which {
        TestChoice::All(_) => true,
        TestChoice::Named(names) => names.contains(&test.name),
    };
    tests.into_iter().filter(is_chosen).collect()
}

impl Pair {
    /// Whether it fails with both.
    fn says_nothing(&self) -> bool {
        !self.candidate.passed && self.stable == Some(false)
    }
}

fn outcome(all: &[Compared]) -> Result<Outcome, String> {
    let pairs = || all.iter().flat_map(|one| &one.pairs);
    if pairs().next().is_none() {
        let why = "there is no such golden test".to_owned();
        return Ok(Outcome::Nothing { why });
    }
    let told: Vec<String> = all.iter().map(told).collect();
    let note = told.join("; ");
    let counted = pairs().filter(|pair| !pair.says_nothing());
    let (mut passed, mut number) = (0_u32, 0_u32);
    for pair in counted {
        number += 1;
        passed += u32::from(pair.candidate.passed);
    }
    if number == 0 {
        return Ok(Outcome::Nothing { why: note });
    }
    let share = Finite::try_from(f64::from(passed) / f64::from(number));
    let value = share.map_err(|error| error.to_string())?;
    Ok(Outcome::Value {
        value,
        samples: None,
        note: Some(note),
    })
}

/// What came of one candidate's tests, for people.
fn told(one: &Compared) -> String {
    let Compared {
        candidate,
        stable,
        pairs,
    } = one;
    let failed: Vec<&Pair> = pairs.iter().filter(|pair| !pair.candidate.passed).collect();
    let mut text = match failed.len() {
        0 => format!("{candidate} passes all {}", pairs.len()),
        some => format!("{candidate} fails {some} of {}", pairs.len()),
    };
    let Some(stable) = stable else {
        return text + &because(&failed);
    };
    if pairs.iter().any(|pair| pair.stable.is_none()) {
        text += &format!(", {stable} does not answer");
    } else if failed.is_empty() {
        let passed = pairs.iter().filter(|pair| pair.stable == Some(true));
        match passed.count() {
            passed if passed == pairs.len() => text += &format!(", and so does {stable}"),
            passed => text += &format!(", {stable} passes {passed}"),
        }
    } else {
        match failed.iter().filter(|pair| pair.says_nothing()).count() {
            0 => text += &format!(", {stable} fails none of them"),
            both if both == failed.len() => text += &format!(", {stable} fails the same"),
            both => text += &format!(", {stable} fails {both} of them"),
        }
    }
    let (both, alone): (Vec<&Pair>, _) = failed.into_iter().partition(|pair| pair.says_nothing());
    text += &because(&alone);
    if !both.is_empty() {
        text += &format!("; not counted, as both fail: {}", named(&both));
    }
    text
}

/// What is wrong with the first, and which others there are.
fn because(failed: &[&Pair]) -> String {
    let Some((first, others)) = failed.split_first() else {
        return String::new();
    };
    let difference = first.candidate.differences.join(", ");
    let difference: String = difference.chars().take(MAX_DIFFERENCE_CHARACTERS).collect();
    let mut text = format!(" ({}: {difference}", first.candidate.name);
    if !others.is_empty() {
        text += &format!("; {}", named(others));
    }
    text + ")"
}

fn named(pairs: &[&Pair]) -> String {
    let names = pairs.iter().map(|pair| pair.candidate.name.as_str());
    let names: Vec<&str> = names.take(MAX_NAMED).collect();
    let mut text = names.join(", ");
    if pairs.len() > MAX_NAMED {
        text += &format!(" and {} more", pairs.len() - MAX_NAMED);
    }
    text
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::record::Digest;
    use crate::rollout::Release;

    fn version(version: &str) -> Content {
        Content::Model(Release {
            model: "vision/digits".parse().unwrap(),
            version: version.parse().unwrap(),
            digest: Digest::from_bytes([1; 32]),
        })
    }

    /// What comes of tests: each is a pair of signs, the candidate's and the other's; `+` passes,
    /// `-` fails, `?` is not known.
    fn compared(tests: &str, stable: Option<&str>) -> String {
        let pairs = tests.split_whitespace().enumerate().map(|(at, signs)| {
            let passed = signs.starts_with('+');
            Pair {
                candidate: Tested {
                    name: format!("t{at}"),
                    passed,
                    differences: (!passed)
                        .then(|| "it is 1".to_owned())
                        .into_iter()
                        .collect(),
                },
                stable: (!signs.ends_with('?')).then(|| signs.ends_with('+')),
            }
        });
        let all = [Compared {
            candidate: version("1.2.0"),
            stable: stable.map(version),
            pairs: pairs.collect(),
        }];
        match outcome(&all).unwrap() {
            Outcome::Value { value, note, .. } => format!("{value}: {}", note.unwrap()),
            Outcome::Nothing { why } => format!("nothing: {why}"),
            Outcome::Error { why } => why,
        }
    }

    #[test]
    fn what_only_the_candidate_fails_counts_against_it() {
        assert_snapshot!(
            compared("++ -+ -+ ++", Some("1.1.0")),
            @"0.5: vision/digits 1.2.0 fails 2 of 4, vision/digits 1.1.0 fails none of them (t1: it is 1; t2)"
        );
        assert_snapshot!(
            compared("++ -+ -- ++", Some("1.1.0")),
            @"0.6666666666666666: vision/digits 1.2.0 fails 2 of 4, vision/digits 1.1.0 fails 1 of them (t1: it is 1); not counted, as both fail: t2"
        );
    }

    #[test]
    fn what_both_fail_says_nothing_and_what_it_alone_passes_speaks_for_it() {
        assert_snapshot!(
            compared("-- --", Some("1.1.0")),
            @"nothing: vision/digits 1.2.0 fails 2 of 2, vision/digits 1.1.0 fails the same; not counted, as both fail: t0, t1"
        );
        assert_snapshot!(
            compared("++ +-", Some("1.1.0")),
            @"1: vision/digits 1.2.0 passes all 2, vision/digits 1.1.0 passes 1"
        );
        assert_snapshot!(
            compared("++ ++", Some("1.1.0")),
            @"1: vision/digits 1.2.0 passes all 2, and so does vision/digits 1.1.0"
        );
    }

    #[test]
    fn without_a_comparison_every_failed_test_counts() {
        assert_snapshot!(
            compared("+? -? -?", Some("1.1.0")),
            @"0.3333333333333333: vision/digits 1.2.0 fails 2 of 3, vision/digits 1.1.0 does not answer (t1: it is 1; t2)"
        );
        assert_snapshot!(compared("-? +?", None), @"0.5: vision/digits 1.2.0 fails 1 of 2 (t0: it is 1)");
        assert_snapshot!(compared("", None), @"nothing: there is no such golden test");
    }

    #[test]
    fn of_many_tests_some_are_named() {
        let many = "-- ".repeat(8);
        assert!(compared(&many, Some("1.1.0")).ends_with("t3, t4 and 3 more"));
    }
}
