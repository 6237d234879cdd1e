//! What `modelyard check` prints for pipelines, read by those who read it there.

use super::check::{DIGITS, V1_0, acme, change};
use crate::harness::{Sandbox, Yard};

/// Names that want to be commands, properties, mentions and markup.
const HOSTILE: &str = "models/vision/a,b%0A::error title=x::@all `<img src=x>`/model.yaml";

/// A yard with problems of several kinds: two errors at places, one about a file, a warning.
fn troubled(sandbox: &Sandbox) -> Yard<'_> {
    let yard = acme(sandbox);
    change(&yard, V1_0, "lifecycle:", "lifecyle:");
    change(&yard, DIGITS, "computer-vision", "vision");
    yard.write(
        HOSTILE,
        "kind: Model\nmetadata: {name: \"::stop-commands::x\"}\n",
    );
    yard
}

fn printed(yard: &Yard<'_>, format: &str) -> String {
    let words = ["check", "--output", format];
    yard.modelyard(words).run().exits(1).stdout
}

#[test]
fn a_workflow_of_githubs_gets_annotations_and_no_command_of_somebody_elses() {
    let sandbox = Sandbox::new();
    let yard = troubled(&sandbox);
    let told = printed(&yard, "github");
    let (first, rest) = told.split_once('\n').unwrap();
    let token = first.strip_prefix("::stop-commands::").unwrap();
    let (log, rest) = rest.split_once(&format!("::{token}::\n")).unwrap();
    assert!(token.len() == 64 && !log.contains(token));
    assert!(
        log.contains("error[unknown-field]: `spec` has no field `lifecyle`"),
        "{log}"
    );
    insta::assert_snapshot!(rest, @r#"
    ::error file=models/vision/a%2Cb%250A%3A%3Aerror title=x%3A%3A@all `<img src=x>`/model.yaml,title=unexpected-file::this file counts for nothing: `a,b%250A::error title=x::@all `<img src=x>`` is not a name: only a-z, 0-9, `-`, `_` and `.` may be in it%0Ause lower-case letters, digits and single `-`, `_` or `.` between them, as in `surface-defects`
    ::error file=models/vision/digits/model.yaml,line=7,col=32,endColumn=37,title=outside-vocabulary::`vision` is not in this yard's vocabulary of `technology`%0Athere are `computer-vision`, `nlp`
    ::error file=models/vision/digits/versions/1.0.0.yaml,line=5,col=3,endColumn=10,title=unknown-field::`spec` has no field `lifecyle`%0Adid you mean `lifecycle`?
    12 records: 3 errors
    "#);
}

#[test]
fn what_a_step_would_drop_is_counted() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    for number in 0..14 {
        yard.write(
            &format!("models/vision/m{number:02}/model.yaml"),
            "kind: [\n",
        );
    }
    let told = printed(&yard, "github");
    let errors: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("::error "))
        .collect();
    assert_eq!(errors.len(), 10, "{told}");
    assert!(
        errors[8].starts_with("::error file=models/vision/m08/model.yaml,line="),
        "{told}"
    );
    assert_eq!(
        errors[9],
        "::error title=modelyard::5 more: see the log of this step"
    );
}

#[test]
#[cfg(feature = "real-tools")]
fn sarif_is_what_its_schema_says_and_alerts_are_known_again() {
    let sandbox = Sandbox::new();
    let yard = troubled(&sandbox);
    let told = printed(&yard, "sarif");
    let file = sandbox.write("check.sarif", &told);
    let schema = crate::harness::tools::path("sarif-2.1.0.json");
    let words = [
        "--schemafile",
        schema.to_str().unwrap(),
        file.to_str().unwrap(),
    ];
    sandbox.tool("check-jsonschema", words).run().success();
    let prints = |text: &str| -> Vec<(String, String, u64)> {
        let log: serde_json::Value = serde_json::from_str(text).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        let print = |one: &serde_json::Value| {
            let print = one["partialFingerprints"]["modelyardDiagnostic/v1"].as_str();
            let line = one["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64();
            let rule = one["ruleId"].as_str().unwrap().to_owned();
            (print.unwrap().to_owned(), rule, line.unwrap_or(0))
        };
        results.map(print).collect()
    };
    let before = prints(&told);
    let mut unique: Vec<_> = before.iter().map(|(print, ..)| print).collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), before.len());
    // Three lines more above them, and the alerts are the same.
    let source = std::fs::read_to_string(yard.path(V1_0)).unwrap();
    yard.write(V1_0, &format!("# one\n# two\n# three\n{source}"));
    let after = prints(&printed(&yard, "sarif"));
    assert_eq!(
        before.iter().map(|(print, ..)| print).collect::<Vec<_>>(),
        after.iter().map(|(print, ..)| print).collect::<Vec<_>>()
    );
    let line = |all: &[(String, String, u64)]| {
        all.iter()
            .find(|(_, rule, _)| rule == "unknown-field")
            .unwrap()
            .2
    };
    assert_eq!(line(&before) + 3, line(&after));
    // A path is a URI there.
    assert!(
        told.contains(
            "models/vision/a,b%250A::error%20title=x::@all%20%60%3Cimg%20src=x%3E%60/model.yaml"
        ),
        "{told}"
    );
}

#[test]
fn gitlab_gets_issues_with_fingerprints() {
    let sandbox = Sandbox::new();
    let yard = troubled(&sandbox);
    let issues: serde_json::Value = serde_json::from_str(&printed(&yard, "gitlab")).unwrap();
    let issues = issues.as_array().unwrap();
    let told: Vec<_> = issues
        .iter()
        .filter(|issue| issue["location"]["path"] == V1_0)
        .map(|issue| {
            let line = &issue["location"]["lines"]["begin"];
            format!(
                "{} {} {line} {}",
                issue["severity"], issue["check_name"], issue["description"]
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#""critical" "unknown-field" 5 "`spec` has no field `lifecyle`: did you mean `lifecycle`?""#);
    for issue in issues {
        assert_eq!(issue["fingerprint"].as_str().unwrap().len(), 64, "{issue}");
    }
}

#[test]
#[cfg(feature = "real-tools")]
fn junits_readers_count_the_same() {
    let sandbox = Sandbox::new();
    let yard = troubled(&sandbox);
    let script = "import sys, junitparser as j
x = j.JUnitXml.fromfile(sys.argv[1])
for s in x:
    for c in s:
        r = c.result[0] if c.result else None
        print(s.name, c.name, r.type if r is not None else 'ok', sep='|')
";
    let read = |text: &str| {
        let file = sandbox.write("check.xml", text);
        let words = ["-c", script, file.to_str().unwrap()];
        sandbox.tool("tools-python", words).run().success().stdout
    };
    insta::assert_snapshot!(read(&printed(&yard, "junit")), @r#"
    models/vision/a,b%0A::error title=x::@all `<img src=x>`/model.yaml|unexpected-file|unexpected-file
    models/vision/digits/model.yaml|outside-vocabulary (line 7)|outside-vocabulary
    models/vision/digits/versions/1.0.0.yaml|unknown-field (line 5)|unknown-field
    "#);
    let other = Sandbox::new();
    let words = ["check", "--output", "junit"];
    let well = acme(&other).modelyard(words).run().success().stdout;
    insta::assert_snapshot!(read(&well), @"modelyard check|12 records: all is well|ok");
}

#[test]
fn a_comment_names_nobody_and_is_known_again() {
    let sandbox = Sandbox::new();
    let yard = troubled(&sandbox);
    let told = printed(&yard, "markdown");
    insta::assert_snapshot!(told, @r#"
    <!-- modelyard:check -->
    ### ❌ Not to be merged: 3 errors

    12 records: 3 errors

    **A file lies where only records do** (`unexpected-file`)

    ``` this file counts for nothing: `a,b%0A::error title=x::@all `<img src=x>`` is not a name: only a-z, 0-9, `-`, `_` and `.` may be in it ```

    ```text
        --> models/vision/a,b%0A::error title=x::@all `<img src=x>`/model.yaml
    ```

    What to do: `` use lower-case letters, digits and single `-`, `_` or `.` between them, as in `surface-defects` ``

    **A classification is not in the yard's vocabulary** (`outside-vocabulary`)

    `` `vision` is not in this yard's vocabulary of `technology` ``

    ```text
        --> models/vision/digits/model.yaml:7:32
         |
       7 |   classification: {technology: vision}
         |                                ^^^^^^
        ::: modelyard.yaml:14:5
         |
      14 |     technology: [computer-vision, nlp]
         |     ---------- it is closed here
    ```

    What to do: `` there are `computer-vision`, `nlp` ``

    **A record has a field that its kind does not know** (`unknown-field`)

    `` `spec` has no field `lifecyle` ``

    ```text
        --> models/vision/digits/versions/1.0.0.yaml:5:3
         |
       5 |   lifecyle: deprecated
         |   ^^^^^^^^
    ```

    What to do: `` did you mean `lifecycle`? ``

    `modelyard explain CODE` tells the story of a code.
    "#);
    // Nothing of a record stands outside of code.
    let mut fenced = false;
    for line in told.lines() {
        fenced ^= line.starts_with("```") && !line[3..].contains('`');
        let span = line.trim_start_matches("What to do: ").starts_with('`');
        for hostile in ["@all", "<img", "::"] {
            assert!(fenced || span || !line.contains(hostile), "{line}");
        }
    }
}

#[test]
fn a_comment_is_no_longer_than_forges_take() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    for number in 0..400 {
        let title = "x".repeat(600);
        let source = format!("kind: Model\nspec: {{titel: {title}, `: 1}}\n");
        yard.write(&format!("models/vision/m{number:03}/model.yaml"), &source);
    }
    let told = printed(&yard, "markdown");
    assert!(told.len() < 65_536, "{}", told.len());
    assert!(
        told.contains("** are in the log of the check."),
        "{}",
        &told[told.len() - 300..]
    );
}

#[test]
fn other_commands_print_no_such_thing() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    yard.modelyard(["list", "--output", "sarif"])
        .run()
        .exits(2)
        .says("`modelyard check` alone prints that");
}
