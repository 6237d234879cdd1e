//! What is told of a merge, and how.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Known;
use super::claim::{Claim, Origin, Part};
use super::ledger::{Ledger, Revert};
use super::page::page;
use super::sight::{Aim, Course, Fall, Seen, Sight, View};
use crate::forge::DeploymentState;
use crate::ops::pull_request::Offer;
use crate::reconcile::status::{Health, RolloutStatus, Share};
use crate::record::{Digest, Name};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_793_534_400 + second).unwrap()
}

fn share(version: &str, weight: u8) -> Share {
    Share {
        version: format!("vision/digits {version}"),
        digest: Digest::from_bytes([0; 32]),
        weight,
    }
}

fn view(course: Course) -> View {
    View {
        course,
        wanted: Some("vision/digits 1.5.0".to_owned()),
        serving: vec![share("1.4.0", 75), share("1.5.0", 25)],
        health: Health::Progressing,
        rollout: None,
        why: Vec::new(),
        fall: None,
    }
}

fn stepping(step: u32, weight: u8, last: &str) -> View {
    View {
        rollout: Some(RolloutStatus {
            to: "vision/digits 1.5.0".to_owned(),
            step,
            steps: 3,
            weight,
            since: Some(at(1)),
            analyses: BTreeMap::from([(name("errors"), last.to_owned())]),
        }),
        why: vec![format!("step {step} lasts, until 2026-11-01T12:10:00Z")],
        ..view(Course::UnderWay)
    }
}

fn served() -> View {
    View {
        serving: vec![share("1.5.0", 100)],
        health: Health::Healthy,
        ..view(Course::Serves)
    }
}

fn failed(is_written: bool) -> View {
    View {
        serving: vec![share("1.4.0", 100)],
        health: Health::Degraded,
        fall: Some(Fall {
            cause: "the analysis errors doesn't hold: 0.25, to be below 0.01".to_owned(),
            evidence: vec!["errors: 3 good, 1 bad".to_owned()],
            at: at(9),
            to: vec!["vision/digits 1.4.0".to_owned()],
            branch: Some("revert/factory/digits/0123".to_owned()),
            is_written,
        }),
        ..view(Course::Failed)
    }
}

fn seen(asked: &str, view: &View) -> Seen {
    let sight = Sight {
        asked: asked.to_owned(),
        stands: view.course == Course::Serves,
        view: view.clone(),
    };
    Seen {
        commit: "c".repeat(40),
        sights: BTreeMap::from([(name("digits"), sight)]),
    }
}

fn claim(commit: &str, asked: &str, aim: Aim) -> Claim {
    let parts = BTreeMap::from([(name("digits"), Part::new(asked.to_owned(), aim))]);
    Claim::new(commit.to_owned(), parts)
}

/// A ledger that knew main already, and then takes in these claims.
fn ledger(claims: Vec<Claim>, seen: &Seen) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.commit = Some("before".to_owned());
    ledger.account("tip", claims, seen, at(0));
    ledger
}

/// The revert of what [`failed`].
fn offer() -> Offer {
    Offer {
        branch: "revert/factory/digits/0123".to_owned(),
        main: "main".to_owned(),
        base: "a".to_owned(),
        commit: "b".to_owned(),
    }
}

fn told(claim: &Claim) -> String {
    page(&name("factory"), claim, &BTreeMap::new())
}

#[test]
fn a_rollout_is_told_at_a_glance() {
    let mut one = claim(&"4f2c1e9b7a6d".repeat(4), "b", Aim::Serve);
    let last = "0.002, to be below 0.01, of 400 requests";
    assert!(one.take(&seen("b", &stepping(1, 5, "")), at(1)));
    assert!(one.take(&seen("b", &stepping(2, 25, last)), at(61)));
    assert!(!one.take(&seen("b", &stepping(2, 25, last)), at(62)));
    assert_eq!(one.state(), DeploymentState::InProgress);
    assert_eq!(one.summary(), "digits: step 2 of 3, 25 %");
    insta::assert_snapshot!(told(&one), @r"
    ### ⏳ `factory` is under way

    | | Deployment | How it goes | Serves now | Health |
    | --- | --- | --- | --- | --- |
    | ⏳ | `digits` to `vision/digits 1.5.0` | step 2 of 3, 25 % | 75 % `vision/digits 1.4.0`, 25 % `vision/digits 1.5.0` | progressing |

    `digits`:

    - `step 2 lasts, until 2026-11-01T12:10:00Z`
    - analysis `errors`: `0.002, to be below 0.01, of 400 requests`

    <sub>main at `4f2c1e9b7a6d`</sub>

    <details><summary>What happened</summary>

    | When (UTC) | Deployment | |
    | --- | --- | --- |
    | 2026-11-01 12:00:01 | `digits` | step 1 of 3, 5 % |
    | 2026-11-01 12:01:01 | `digits` | step 2 of 3, 25 % |

    </details>
    ");
    assert!(one.take(&seen("b", &served()), at(120)));
    assert!(one.is_over());
    assert_eq!(one.state(), DeploymentState::Success);
    // What becomes of it later is no more of this merge's business.
    assert!(!one.take(&seen("b", &view(Course::UnderWay)), at(130)));
    assert_eq!(one.summary(), "digits: serves");
}

#[test]
fn a_failure_is_told_with_its_evidence_and_its_revert() {
    let mut one = claim(&"c".repeat(40), "b", Aim::Serve);
    one.take(&seen("b", &failed(false)), at(9));
    assert_eq!(one.state(), DeploymentState::Failure);
    assert!(!one.is_over(), "its revert is not written");
    assert!(told(&one).contains("Its revert is on the branch `revert/factory/digits/0123`."));
    one.take(&seen("b", &failed(true)), at(10));
    assert!(one.is_over());
    let url = "https://git.example.com/acme/yard/pulls/14";
    let branch = "revert/factory/digits/0123".to_owned();
    let reverts = BTreeMap::from([(branch, Some(url.to_owned()))]);
    insta::assert_snapshot!(page(&name("factory"), &one, &reverts), @r"
    ### ❌ `factory` is not as main says

    **`digits` failed** at 2026-11-01 12:00:09 UTC; `vision/digits 1.4.0` serves again.

    - `the analysis errors doesn't hold: 0.25, to be below 0.01`
    - `errors: 3 good, 1 bad`

    Its revert: https://git.example.com/acme/yard/pulls/14

    | | Deployment | How it goes | Serves now | Health |
    | --- | --- | --- | --- | --- |
    | ❌ | `digits` to `vision/digits 1.5.0` | failed, and was taken back | 100 % `vision/digits 1.4.0` | degraded |

    <sub>main at `cccccccccccc`</sub>

    <details><summary>What happened</summary>

    | When (UTC) | Deployment | |
    | --- | --- | --- |
    | 2026-11-01 12:00:09 | `digits` | failed, and was taken back |

    </details>
    ");
}

#[test]
fn nothing_that_others_say_is_markup_or_calls_anybody() {
    let sly = "@everybody | <img src=x> [a](http://b) `x` \n# big <!-- modelyard:plan -->\u{7}";
    let mut view = failed(true);
    let fall = view.fall.as_mut().unwrap();
    fall.cause = sly.to_owned();
    fall.evidence = vec![sly.repeat(30); 40];
    view.why = vec![sly.to_owned()];
    let mut one = claim(&"c".repeat(40), "b", Aim::Serve);
    one.take(&seen("b", &view), at(9));
    let bad = "https://git.example.com/`](x) @all";
    let branch = "revert/factory/digits/0123".to_owned();
    let text = page(
        &name("factory"),
        &one,
        &BTreeMap::from([(branch, Some(bad.to_owned()))]),
    );
    // Outside of code nothing is left of it.
    for line in text
        .lines()
        .filter(|line| line.contains("everybody") || line.contains("@all"))
    {
        let ticks = line.split(|c| c != '`').map(str::len).max().unwrap();
        let fence = "`".repeat(ticks);
        let parts: Vec<&str> = line.split(&fence).collect();
        assert_eq!(parts.len(), 3, "{line}");
        assert!(
            !parts[0].contains('@') && parts[2].trim().is_empty(),
            "{line}"
        );
        assert!(!line.contains('|') && !line.contains('\u{7}'), "{line}");
    }
    assert!(text.chars().count() < 20_000);
}

#[test]
fn a_later_commit_takes_the_place_of_an_earlier_one() {
    let shown = seen("b", &stepping(1, 5, ""));
    let mut all = ledger(vec![claim("one", "b", Aim::Serve)], &shown);
    // To pause it is to ask for the same, and both are told.
    all.account("two", vec![claim("two", "b", Aim::Pause)], &shown, at(5));
    all.take(&seen("b", &view(Course::Paused)), at(6));
    let states: Vec<_> = all.claims.iter().map(Claim::state).collect();
    assert_eq!(
        states,
        [DeploymentState::InProgress, DeploymentState::Success]
    );
    all.account(
        "three",
        vec![claim("three", "c", Aim::Serve)],
        &shown,
        at(7),
    );
    assert_eq!(all.claims[0].state(), DeploymentState::Superseded);
    assert!(told(&all.claims[0]).contains("main asks for something else since `three`"));
    // What serves now is that of the third alone.
    all.take(&seen("c", &served()), at(8));
    let states: Vec<_> = all.claims.iter().map(Claim::state).collect();
    assert_eq!(states[0], DeploymentState::Superseded);
    assert_eq!(states[2], DeploymentState::Success);
}

#[test]
fn what_is_taken_away_is_gone_when_nothing_shows_it() {
    let shown = seen("gone", &view(Course::UnderWay));
    let mut all = ledger(vec![claim("one", "gone", Aim::Remove)], &shown);
    assert_eq!(all.claims[0].state(), DeploymentState::InProgress);
    let nothing = Seen {
        commit: "tip".to_owned(),
        sights: BTreeMap::new(),
    };
    assert!(all.take(&nothing, at(3)));
    assert_eq!(all.claims[0].state(), DeploymentState::Success);
    assert_eq!(all.claims[0].summary(), "digits: is gone");
}

#[test]
fn who_begins_does_not_tell_of_what_has_been_there_for_long() {
    let claims = || vec![claim("one", "a", Aim::Serve), claim("two", "b", Aim::Serve)];
    let mut fresh = Ledger::default();
    fresh.account("tip", claims(), &seen("b", &served()), at(0));
    assert_eq!(fresh.claims, []);
    let mut fresh = Ledger::default();
    fresh.account("tip", claims(), &seen("b", &stepping(1, 5, "")), at(0));
    assert_eq!(fresh.claims.len(), 1);
    assert_eq!(fresh.claims[0].commit, "two");
}

#[test]
fn what_came_by_one_pull_request_is_told_in_one_place() {
    let shown = seen("b", &stepping(1, 5, ""));
    let mut other = claim("two", "x", Aim::Serve);
    let part = other.parts.remove(&name("digits")).unwrap();
    other.parts.insert(name("other"), part);
    let mut all = ledger(vec![claim("one", "b", Aim::Serve), other], &shown);
    let came = || Origin::PullRequest {
        number: 7,
        url: "u".to_owned(),
    };
    all.came("one", came(), Some("landed".to_owned()));
    all.came("two", came(), Some("landed".to_owned()));
    assert_eq!(all.claims.len(), 1);
    assert_eq!(all.claims[0].commit, "landed");
    assert_eq!(all.claims[0].parts.len(), 2);
}

#[test]
fn a_revert_that_is_open_before_its_failure_is_seen_is_told_all_the_same() {
    let shown = seen("b", &stepping(1, 5, ""));
    let mut known = Known {
        ledger: ledger(vec![claim("one", "b", Aim::Serve)], &shown),
        seen: Some(shown.clone()),
        is_dirty: false,
        is_behind: false,
    };
    known.ledger.commit = Some(shown.commit);
    known.owe(offer());
    let url = "https://git.example.com/acme/yard/pulls/14".to_owned();
    let opened = Revert::Opened { url: url.clone() };
    known.ledger.reverts.insert(offer().branch, opened);
    known.forget_reverts();
    known.take(seen("b", &failed(true)), at(9));
    known.forget_reverts();
    assert_eq!(known.ledger.pages()[&offer().branch], Some(url));
    // Once nobody is to be told of it any more, it is let go of.
    known.ledger.claims.clear();
    known.forget_reverts();
    assert!(known.ledger.reverts.is_empty());
}

#[test]
fn what_is_to_be_told_outlives_a_restart_and_is_bounded() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(Ledger::read(place.path()).unwrap(), Ledger::default());
    let shown = seen("b", &failed(true));
    let claims = (0..150).map(|at| claim(&format!("{at}"), "b", Aim::Serve));
    let mut all = ledger(claims.collect(), &shown);
    assert_eq!(all.claims.len(), 100);
    assert_eq!(all.claims[0].commit, "50");
    all.owe(offer());
    assert!(all.owes(&all.claims[0]));
    all.write(place.path()).unwrap();
    assert_eq!(Ledger::read(place.path()).unwrap(), all);
    let url = "u".to_owned();
    all.reverts.insert(offer().branch, Revert::Opened { url });
    assert!(!all.owes(&all.claims[0]));
    all.claims.clear();
    all.forget_reverts();
    assert!(all.reverts.is_empty());
    // What another program wrote is begun anew.
    std::fs::write(place.path().join("told.json"), "{}").unwrap();
    assert_eq!(Ledger::read(place.path()).unwrap(), Ledger::default());
}
