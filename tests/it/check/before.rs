//! What a change may do to what is merged, and what is required only of a change.

use modelyard::check::spread::InTurn;
use modelyard::check::{Reading, Side, check};

use super::sound::Edit::{self, Copy, Remove, Swap};
use super::sound::*;

const NEW: &str = "models/vision/digits/versions/2.0.0.yaml";

/// What a check says of `edits` as a change of the sound yard with `before`.
fn changed(before: &[Edit], edits: &[Edit]) -> Vec<String> {
    let base = edited(&sound(), before);
    lines(&check(edited(&base, edits), Some(base), None))
}

/// Version 2.0.0 as a copy of the champion, at `lifecycle`.
fn new(lifecycle: &'static str) -> [Edit; 2] {
    [
        Copy(V1_1, NEW, "version: 1.1.0}", "version: 2.0.0}"),
        Swap(NEW, "lifecycle: released", lifecycle),
    ]
}

#[test]
fn a_new_version_comes_from_staged() {
    for good in ["lifecycle: staged", "lifecycle: released"] {
        assert_eq!(changed(&[], &new(good)), [""; 0], "{good}");
    }
    for bad in ["deprecated", "retired", "recycled"] {
        let lifecycle: &'static str = format!("lifecycle: {bad}").leak();
        let said = changed(&[], &new(lifecycle));
        assert_eq!(
            said,
            [format!(
                "illegal-lifecycle-move {NEW}:5:14: a new version can't be {bad}: it begins as \
                 staged (from staged it can go to released)"
            )]
        );
        // With nothing to compare with, nobody knows that it is new.
        assert_eq!(said_alone(&new(lifecycle)), [""; 0]);
    }
}

fn said_alone(edits: &[Edit]) -> Vec<String> {
    said(edited(&sound(), edits))
}

#[test]
fn only_lifecycle_notes_and_links_of_a_merged_version_may_change() {
    let free = [
        Swap(V1_1, "lifecycle: released", "lifecycle: deprecated"),
        Swap(
            V1_1,
            "changes:",
            "notes: Dry.\n  links: [{title: Log, url: https://a.example}]\n  changes:",
        ),
        // The same said in another way.
        Swap(
            V1_1,
            "targetDevices: [cpu, cuda]",
            "# both\n  targetDevices:\n  - cpu\n  - cuda",
        ),
    ];
    assert_eq!(changed(&[], &free), [""; 0]);
    let fixed = [
        Swap(V1_1, "value: 0.97", "value: 0.98"),
        Swap(V1_1, "  changes: The 1.1.0 of it.\n", ""),
        Swap(V1_1, "size: 20480", "size: 20481"),
        Swap(V1_1, "  metrics:", "  precision: int8\n  metrics:"),
    ];
    insta::assert_snapshot!(changed(&[], &fixed).join("\n"), @r#"
    version-changed models/vision/digits/versions/1.1.0.yaml:4:1: `changes` of a merged version is gone (only `lifecycle`, `notes` and `links` may change; publish another version)
    version-changed models/vision/digits/versions/1.1.0.yaml:9:11: `artifact.size` of a merged version changed: it was 20480 (only `lifecycle`, `notes` and `links` may change; publish another version)
    version-changed models/vision/digits/versions/1.1.0.yaml:16:14: `precision` of a merged version changed: it was not there (only `lifecycle`, `notes` and `links` may change; publish another version)
    version-changed models/vision/digits/versions/1.1.0.yaml:18:31: `metrics[0].value` of a merged version changed: it was 0.97 (only `lifecycle`, `notes` and `links` may change; publish another version)
    "#);
}

#[test]
fn a_changed_digest_is_told_as_such_and_once() {
    let said = changed(
        &[],
        &[
            Swap(V1_1, "sha256:bbbb", "sha256:cccc"),
            Swap(V1_1, "20480", "7"),
        ],
    );
    insta::assert_snapshot!(said.join("\n"), @r#"
    digest-changed models/vision/digits/versions/1.1.0.yaml:9:13: the digest of a merged version changed: it was sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb (publish other bytes as another version)
    "#);
}

#[test]
fn retiring_what_is_in_use_is_told_at_what_was_changed() {
    let retire = Swap(V1_0, "lifecycle: deprecated", "lifecycle: retired");
    let use_it = Swap(COMPARED, "version: 1.1.0", "version: 1.0.0");
    let unused = Swap(COMPARED, "version: 1.0.0", "version: 1.1.0");
    let said = changed(&[], &[retire]);
    insta::assert_snapshot!(said.join("\n"), @r#"
    version-in-use models/vision/digits/versions/1.0.0.yaml:5:14: vision/digits 1.0.0 can't be retired, because it is in use (let the deployment use another version first)
    "#);
    let retired = Swap(V1_0, "lifecycle: deprecated", "lifecycle: retired");
    let said = changed(&[retired, unused], &[use_it]);
    insta::assert_snapshot!(said.join("\n"), @r#"
    version-in-use deployments/factory/compared.yaml:6:39: vision/digits 1.0.0 can't be used, because it is retired (use another version)
    version-in-use deployments/factory/compared.yaml:7:39: vision/digits 1.0.0 can't be used, because it is retired (use another version)
    "#);
}

#[test]
fn what_a_version_in_use_needs_is_in_use_too() {
    let release = Swap(V1_2, "lifecycle: staged", "lifecycle: released");
    let serve = Swap(COMPARED, "version: 1.1.0", "version: 1.2.0");
    let retire = Swap(EMBEDDER, "lifecycle: released", "lifecycle: retired");
    let said = changed(&[release, serve], &[retire]);
    insta::assert_snapshot!(said.join("\n"), @r#"
    illegal-lifecycle-move models/text/embedder/versions/1.0.0.yaml:5:14: a version can't go from released to retired (from released it can go to deprecated)
    version-in-use models/text/embedder/versions/1.0.0.yaml:5:14: text/embedder 1.0.0 can't be retired, because it is in use (let the deployment use another version first)
    "#);
}

#[test]
fn a_release_is_held_to_the_requirements_of_its_day() {
    let require = || {
        Swap(
            YARD,
            "[inputs, outputs, license]",
            "[lineage.source, lineage.datasets]",
        )
    };
    // What was released before can't change any more.
    assert_eq!(changed(&[], &[require()]), [""; 0]);
    let release = Swap(V1_2, "lifecycle: staged", "lifecycle: released");
    let said = changed(&[require()], &[release]);
    insta::assert_snapshot!(said.join("\n"), @r#"
    release-incomplete models/vision/digits/versions/1.2.0.yaml:5:14: version 1.2.0 is released without `lineage.source`, `lineage.datasets` (add it, or keep the version staged)
    "#);
}

#[test]
fn no_change_vouches_for_itself() {
    let rule = || Swap(YARD, "signatures: 1", "signatures: 0");
    let needed = |reading: &Reading| {
        let (side, trust) = reading.trust();
        (side, trust.map(|trust| trust.rules[0].require.signatures))
    };
    let change = Reading::new(edited(&sound(), &[rule()]), Some(sound()), &InTurn);
    assert_eq!(needed(&change), (Side::Base, Some(Some(1))));
    let alone = Reading::new(edited(&sound(), &[rule()]), None, &InTurn);
    assert_eq!(needed(&alone), (Side::Head, Some(Some(0))));
    let first = Reading::new(sound(), Some(edited(&sound(), &[Remove(YARD)])), &InTurn);
    assert_eq!(needed(&first), (Side::Head, Some(Some(1))));
    // A policy that can't be read is not an empty one.
    let broken = edited(&sound(), &[Swap(YARD, "rules:", "rules")]);
    let repaired = Reading::new(sound(), Some(broken), &InTurn);
    assert_eq!(needed(&repaired), (Side::Base, None));
}

#[test]
fn evidence_is_wanted_of_what_changed_and_of_what_that_needs() {
    let paths = |base: Option<&[Edit]>, edits: &[Edit]| {
        let base = base.map(|before| edited(&sound(), before));
        let reading = Reading::new(edited(&sound(), edits), base, &InTurn);
        let wanted = reading.wanted().into_iter();
        wanted.map(|wanted| wanted.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(None, &[]), [EMBEDDER, V1_0, V1_1, V1_2, RESIZE]);
    assert_eq!(paths(Some(&[]), &[]), [""; 0]);
    let release = Swap(V1_2, "lifecycle: staged", "lifecycle: released");
    assert_eq!(paths(Some(&[]), &[release]), [EMBEDDER, V1_2]);
}
