//! `modelyard set`.

use crate::harness::Run;
use crate::yard::story::Story;

fn set(story: &Story, arguments: &[&str]) -> Run {
    let words = ["set"].into_iter().chain(arguments.iter().copied());
    story.sandbox.modelyard(words).in_folder("yard")
}

fn proposed(story: &Story) -> String {
    story.git("show set/vision/digits/model:models/vision/digits/model.yaml")
}

#[test]
fn fields_of_a_model_change_and_its_comments_stay() {
    let story = Story::local();
    let done = set(
        &story,
        &[
            "vision/digits",
            "title=Handwritten digits: all ten",
            "license=",
            "classification.task=image-classification",
            "labels.line=3",
            "owners+={team: nlp, contact: nlp@example.com}",
        ],
    );
    let done = done.run().success();
    let commit = story.git("rev-parse --short=12 set/vision/digits/model");
    insta::assert_snapshot!(done.stdout.replace(&commit, "[commit]"), @r#"
    vision/digits
      title                Digits -> Handwritten digits: all ten
      license              MIT -> nothing
      classification.task  nothing -> image-classification
      labels.line          nothing -> 3
      owners               + {"team":"nlp","contact":"nlp@example.com"}

      proposed  branch set/vision/digits/model, commit [commit]

    Once it is reviewed, merge it:
      git switch main
      git merge --no-ff --no-edit set/vision/digits/model
    "#);
    insta::assert_snapshot!(proposed(&story), @r#"
    # Who reads digits.
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata: {namespace: vision, name: digits, labels: {line: "3"}}
    spec:
      title: "Handwritten digits: all ten"   # shown in lists
      owners:
      - {team: vision, contact: vision@example.com}
      - team: nlp
        contact: nlp@example.com
      classification:
        task: image-classification
    "#);
}

#[test]
fn a_list_becomes_another_and_its_items_keep_their_comments() {
    let story = Story::local();
    let model = crate::yard::story::MODEL.replace(
        "  - {team: vision, contact: vision@example.com}\n",
        "  # Asked first.\n  - team: vision   # in building 7\n    contact: vision@example.com\n  \
         # Asked at night.\n  - {team: night, contact: night@example.com}   # by phone\n",
    );
    story.write("models/vision/digits/model.yaml", &model);
    story.git("commit -q -am owners");
    let owners = "owners=[{team: night, contact: night@example.com}, {team: vision, contact: \
                  v@example.com}]";
    set(&story, &["vision/digits", owners]).run().success();
    insta::assert_snapshot!(proposed(&story), @r"
    # Who reads digits.
    apiVersion: modelyard.dev/v1
    kind: Model
    metadata: {namespace: vision, name: digits}
    spec:
      title: Digits   # shown in lists
      owners:
      # Asked at night.
      - {team: night, contact: night@example.com}   # by phone
      # Asked first.
      - team: vision   # in building 7
        contact: v@example.com
      license: MIT
    ");

    let before = proposed(&story);
    let done = set(&story, &["vision/digits", "owners.1="]).run().success();
    let nothing = r#"owners.1  {"team":"vision","contact":"v@example.com"} -> nothing"#;
    assert!(done.stdout.contains(nothing), "{}", done.stdout);
    let gone = "  # Asked first.\n  - team: vision   # in building 7\n    contact: v@example.com\n";
    assert_eq!(proposed(&story), before.replacen(gone, "", 1));
}

#[test]
fn notes_and_links_of_a_merged_version_change() {
    let story = Story::local();
    set(
        &story,
        &[
            "vision/digits:1.0.0",
            "notes=Keep the camera at 40 cm.\nAnd dry.",
            "links+={title: Report, url: \"https://example.com/r\"}",
        ],
    )
    .run()
    .success();
    let diff = story.git("diff -U0 main set/vision/digits/1.0.0");
    let added: Vec<_> = diff.lines().filter(|line| line.starts_with("+ ")).collect();
    assert_eq!(
        added,
        [
            "+  notes: |-",
            "+    Keep the camera at 40 cm.",
            "+    And dry.",
            "+  links:",
            "+    - title: Report",
            "+      url: https://example.com/r",
        ]
    );
}

#[test]
fn what_is_immutable_or_unknown_is_refused_with_the_way_out() {
    let story = Story::local();
    for (arguments, code, help) in [
        (
            ["vision/digits:1.0.0", "artifact.size=1"],
            "field-is-fixed",
            "publish a new version; what may still change is notes and links",
        ),
        (
            ["vision/digits:1.0.0", "lifecycle=released"],
            "field-is-fixed",
            "modelyard promote … --to",
        ),
        (
            ["vision/digits", "aliases.champion=1.0.0"],
            "field-is-fixed",
            "modelyard promote … --alias",
        ),
        (
            ["vision/digits", "name=numbers"],
            "field-is-fixed",
            "what may change is title",
        ),
        (
            ["vision/digits", "tilte=x"],
            "no-such-field",
            "did you mean `title`?",
        ),
        (
            ["vision/digits", "owners=[{"],
            "yaml-syntax",
            "in quotes of their own",
        ),
        (
            ["vision/nothing", "title=x"],
            "no-such-model",
            "did you mean vision/digits?",
        ),
        (
            ["vision/digits:7.0.0", "notes=x"],
            "no-such-version",
            "there is 1.0.0 (staged)",
        ),
    ] {
        set(&story, &arguments)
            .run()
            .exits(2)
            .says(&format!("error[{code}]"))
            .says(help);
    }
    set(&story, &["vision/digits", "title"])
        .run()
        .exits(2)
        .says("is not FIELD=VALUE");
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn a_value_that_a_check_would_refuse_is_told_with_its_place() {
    let story = Story::of("  classification: {technology: [computer-vision, nlp]}\n");
    for (assignment, code) in [
        ("title=", "missing-field"),
        ("visibility=secret", "wrong-value"),
        ("license=Not-A-License", "invalid-value"),
        ("classification.technology=vision", "outside-vocabulary"),
    ] {
        set(&story, &["vision/digits", assignment])
            .run()
            .exits(2)
            .says(&format!("error[{code}]"))
            .says("models/vision/digits/model.yaml")
            .says("nothing was written");
    }
    assert_eq!(story.git("branch --list --format=%(refname:short)"), "main");
}

#[test]
fn an_alias_can_be_taken_away() {
    let story = Story::local();
    story.json("promote vision/digits:0.9.0 --alias champion");
    story.git("merge -q promote/vision/digits/0.9.0");
    story.json("set vision/digits aliases.champion=");
    assert_eq!(proposed(&story), crate::yard::story::MODEL.trim_end());
}

#[test]
fn machines_read_what_was_set() {
    let story = Story::local();
    let mut done = story.json("set vision/digits license=Apache-2.0 description=Reads");
    for hidden in ["commit", "base"] {
        done[hidden] = "…".into();
    }
    insta::assert_json_snapshot!(done, @r#"
    {
      "model": "vision/digits",
      "fields": [
        {
          "field": "license",
          "from": "MIT",
          "to": "Apache-2.0"
        },
        {
          "field": "description",
          "to": "Reads"
        }
      ],
      "branch": "set/vision/digits/model",
      "commit": "…",
      "base": "…",
      "unchanged": false,
      "onMain": false,
      "howToMerge": [
        "git switch main",
        "git merge --no-ff --no-edit set/vision/digits/model"
      ]
    }
    "#);
}
