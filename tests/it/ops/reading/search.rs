//! `modelyard search`.

use serde_json::json;

use super::story::Story;

fn names(story: &Story, arguments: &[&str]) -> String {
    let mut all = vec!["search", "--output", "name"];
    all.extend(arguments);
    story.run(&all).stdout.replace('\n', " ")
}

#[test]
fn words_are_found_in_names_titles_descriptions_and_cards() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["search", "digit"]).report(), @r#"
    $ modelyard search digit
    exit: 0
    --- stdout
    vision/digits  Handwritten digits
      description  Reads one digit from a small gray image.
      card         Handwritten digits Trained with scans of envelopes from the sorting office.…
    --- stderr
    "#);
    insta::assert_snapshot!(story.run(&["search", "ENVELOPES", "office"]).report(), @r#"
    $ modelyard search ENVELOPES office
    exit: 0
    --- stdout
    vision/digits  Handwritten digits
      card  Handwritten digits Trained with scans of envelopes from the sorting office. Not for cheques.
    --- stderr
    "#);
    for (words, found) in [
        (&["vision/digits"][..], "vision/digits "),
        (&["letters"], "text/topics "),
        (&["small gray"], "vision/digits "),
        (&["nlp"], "text/topics "),
        (&["line=3"], "vision/digits "),
        (&["envelopes", "letters"], ""),
        (&["apache-2.0"], ""),
    ] {
        assert_eq!(names(&story, words), found, "{words:?}");
    }
}

#[test]
fn a_better_place_ranks_above_any_number_of_others() {
    let story = Story::begin();
    let model = |name: &str, title: &str, description: &str, card: &str| {
        let record = format!(
            "apiVersion: modelyard.dev/v1\nkind: Model\n\
             metadata: {{namespace: a, name: {name}}}\nspec:\n  title: {title}\n  \
             description: {description}\n  owners: [{{team: a}}]\n"
        );
        story.write(&format!("models/a/{name}/model.yaml"), &record);
        story.write(&format!("models/a/{name}/README.md"), card);
    };
    let often = "zebra ".repeat(500);
    model("in-card", "One", "Another", &often);
    model("in-description", "Two", &often, &often);
    model("in-title", "A zebra", "Another", "");
    model("in-title-in-part", "Zebras", &often, &often);
    model("zebras", "Four", "Another", "");
    model("zebra", "Five", "Another", "");
    assert_eq!(
        names(&story, &["zebra"]),
        "a/zebra a/zebras a/in-title a/in-title-in-part a/in-description a/in-card "
    );
    let found = story.run(&["search", "zebra", "a/", "-o", "json"]);
    let found = found.success().json();
    let last = &found["models"][5];
    assert_eq!(last["model"], "a/in-card");
    assert_eq!(
        last["matches"][0],
        json!({"place": "name", "text": "a/in-card"})
    );
    assert_eq!(last["matches"][1]["place"], "card");
    let text = last["matches"][1]["text"].as_str().unwrap();
    assert!(
        text.starts_with("zebra zebra") && text.ends_with("zebra…"),
        "{text}"
    );
}

#[test]
fn filters_choose_as_they_do_in_list() {
    let story = Story::begin();
    for (words, found) in [
        (
            &["t", "--where", "lifecycle=released"][..],
            "vision/digits ",
        ),
        (
            &["t", "--where", "classification.technology=nlp"],
            "text/topics ",
        ),
        (
            &[
                "t",
                "--where",
                "model=text/*",
                "--where",
                "lifecycle=released",
            ],
            "",
        ),
    ] {
        assert_eq!(names(&story, words), found, "{words:?}");
    }
    let mistyped = ["search", "t", "--where", "lifecylce=released"];
    story
        .run(&mistyped)
        .exits(2)
        .says("did you mean `lifecycle`?");
}

#[test]
fn the_yard_is_searched_as_it_was() {
    let story = Story::begin();
    story.git(&["rm", "--quiet", "-r", "models/text"]);
    story.commit("No more topics");
    assert_eq!(names(&story, &["topics"]), "");
    assert_eq!(names(&story, &["topics", "--at", "HEAD~1"]), "text/topics ");
    story
        .run(&["search", "topics", "--at", "nowhere"])
        .exits(2)
        .says("error[unknown-revision]");
}

#[test]
fn a_broken_record_hides_no_other_and_its_card_is_searched() {
    let story = Story::begin();
    story.write("models/vision/digits/model.yaml", "spec: {title: [\n");
    let found = story.run(&["search", "envelopes"]).success();
    assert!(
        found.stdout.starts_with("vision/digits\n"),
        "{}",
        found.report()
    );
    found
        .says("not read: models/vision/digits/model.yaml:")
        .says("`modelyard check` tells all that is wrong");
    assert_eq!(names(&story, &["topics"]), "text/topics ");
}

#[test]
fn what_is_no_card_is_not_followed() {
    let story = Story::begin();
    let card = story.sandbox.path("models/text/topics/README.md");
    std::fs::write(story.sandbox.path("secret.txt"), "hunter2").unwrap();
    std::os::unix::fs::symlink(story.sandbox.path("secret.txt"), &card).unwrap();
    story.run(&["search", "hunter2"]).exits(1);
    std::fs::remove_file(&card).unwrap();
    std::fs::write(&card, b"not \xff UTF-8, but a hunter all the same").unwrap();
    assert_eq!(names(&story, &["hunter"]), "text/topics ");
}

#[test]
fn nothing_found_says_what_may_be_meant() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["search", "digtis"]).report(), @r#"
    $ modelyard search digtis
    exit: 1
    --- stdout
    --- stderr
    nothing was found; did you mean vision/digits?
    "#);
    let found = story.run(&["search", "zebra", "-o", "json"]).exits(1);
    assert_eq!(found.json(), json!({"models": []}));
}

#[test]
fn no_words_are_no_search() {
    let story = Story::begin();
    insta::assert_snapshot!(story.run(&["search", " "]).report(), @r#"
    $ modelyard search  
    exit: 2
    --- stdout
    --- stderr
    error[no-words]: there is no word to search for
      help: say one or a few, as in `modelyard search digits`; `modelyard list` has all
      more: modelyard explain no-words
    "#);
    story.run(&["search"]).exits(2);
    let many = "a ".repeat(33);
    story
        .run(&["search", &many])
        .exits(2)
        .says("33 words are too many");
}
