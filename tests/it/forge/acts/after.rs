//! Pull requests that were closed, merged, or came into conflict.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Clone, PROMOTE};
use crate::forge::contract::Stage as _;

#[test]
fn a_closed_one_is_reopened_and_a_merged_one_followed_by_the_next() {
    let clone = Clone::new();
    let number = |words: &str| clone.json(words)["pullRequest"]["number"].clone();
    assert_eq!(number(PROMOTE), 1);
    let closed = json!({ "state": "closed" });
    let path = "repos/acme/yard/pulls/1";
    clone
        .forge
        .gitea
        .ask(&clone.forge.reviewer, "PATCH", path, closed);
    assert_eq!(number(PROMOTE), 1);
    assert_eq!(clone.pull(1)["state"], "open");
    clone.forge.merge(1);
    clone.forge.remove_branch("promote/vision/digits/1.0.0");
    // The branch is made anew, and so is its pull request.
    assert_eq!(number("promote vision/digits:1.0.0 --alias champion"), 2);
    assert_eq!(clone.pull(2)["state"], "open");
    clone.forge.merge(2);
    clone.story.git("fetch -q");
    let model = clone
        .story
        .git("show origin/main:models/vision/digits/model.yaml");
    assert!(model.contains("champion: 1.0.0"), "{model}");
}

#[test]
fn a_conflict_loses_nothing_and_has_a_way_out() {
    let clone = Clone::new();
    let mine = "set vision/digits title=Mine";
    assert_eq!(clone.json(mine)["pullRequest"]["number"], 1);
    let before = clone.pull(1)["head"]["sha"].clone();
    // Somebody else was faster, on the same line.
    clone
        .modelyard("set vision/digits title=Theirs --direct")
        .run()
        .success();
    let deadline = Instant::now() + Duration::from_secs(120);
    while clone.pull(1)["mergeable"] == true {
        assert!(Instant::now() < deadline, "it sees no conflict");
    }
    let refused = clone.modelyard(mine).run().exits(2);
    refused
        .says("branch-has-other-work")
        .says("git push origin --delete set/vision/digits/model");
    assert_eq!(clone.pull(1)["head"]["sha"], before);
    // It is settled on the branch, as anywhere else, and the same pull request goes on.
    clone.story.git("fetch -q");
    clone.story.git("switch -q set/vision/digits/model");
    clone.story.git("merge -q --no-edit -X ours origin/main");
    clone.story.git("push -q origin set/vision/digits/model");
    clone.story.git("switch -q main");
    clone.forge.merge(1);
    clone.story.git("fetch -q");
    let model = clone
        .story
        .git("show origin/main:models/vision/digits/model.yaml");
    assert!(model.contains("title: Mine"), "{model}");
}
