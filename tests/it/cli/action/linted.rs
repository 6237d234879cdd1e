//! Every workflow, those of the templates too, read by actionlint.

use std::fs;
use std::path::Path;

use crate::harness::Sandbox;

/// The labels of runners that only a yard's own people know.
const LABELS: &str = "self-hosted-runner: {labels: [host]}\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn actionlint_has_nothing_to_say() {
    let sandbox = Sandbox::new();
    let yard = sandbox.yard();
    for file in ["action.yml", "run"] {
        let text = fs::read_to_string(root().join("action").join(file)).unwrap();
        yard.write(&format!("action/{file}"), &text);
    }
    yard.write(".github/actionlint.yaml", LABELS);
    let mut files = Vec::new();
    for folder in [".github/workflows", "templates/github", "templates/gitea"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            // By its place it is read, and its inputs held against what it has.
            let text = text.replace(
                "modelyard/modelyard/action@{{commit}} # {{version}}",
                "./action",
            );
            let name = path.file_name().unwrap().to_str().unwrap();
            let name = format!(".github/workflows/{}-{name}", folder.replace('/', "-"));
            yard.write(&name, &text);
            files.push(name);
        }
    }
    assert!(files.len() >= 10, "{files:?}");
    let lint = |files: &[String]| {
        let words = ["-no-color", "-shellcheck=", "-pyflakes="].map(str::to_owned);
        let words = words.iter().chain(files);
        sandbox.tool("actionlint", words).in_folder("yard").run()
    };
    let outcome = lint(&files).success();
    assert_eq!(outcome.stdout, "", "{}", outcome.report());

    // It does look, into the Action as well.
    yard.write(
        ".github/workflows/bad.yml",
        "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: ./action\n      \
         with: {comand: check}\n    - run: echo ${{ github.event.pull_request.title }}\n",
    );
    let outcome = lint(&[".github/workflows/bad.yml".to_owned()]).exits(1);
    let outcome = outcome.prints("missing input \"command\"");
    outcome.prints("is potentially untrusted");
}

#[test]
fn no_shell_reads_an_input_and_every_action_is_pinned() {
    let mut read = 0;
    for folder in [
        "action",
        ".github/workflows",
        "templates/github",
        "templates/gitea",
    ] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yml") {
                continue;
            }
            read += 1;
            let text = fs::read_to_string(&path).unwrap();
            let document: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
            visited(&document, &mut |key, value| {
                let told = || format!("{}: {key}: {value}", path.display());
                match key {
                    "run" => assert!(!value.contains("${{"), "{}", told()),
                    "uses" => {
                        let (_, pin) = value.split_once('@').unwrap();
                        let is_commit =
                            pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit());
                        assert!(is_commit || pin == "{{commit}}", "{}", told());
                    }
                    _ => {}
                }
            });
            if !path.ends_with("action.yml") {
                assert_eq!(
                    document["permissions"],
                    serde_json::json!({}),
                    "{}",
                    path.display()
                );
            }
        }
    }
    assert!(read >= 10);
}

#[test]
fn every_input_and_output_is_told_of_and_handed_on() {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let action: serde_json::Value = serde_saphyr::from_str(&read("action/action.yml")).unwrap();
    let (docs, run) = (read("docs/action.md"), read("action/run"));
    let step = action["runs"]["steps"][0]["env"].as_object().unwrap();
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(
            docs.contains(&format!("`{name}`")),
            "{name} is not in the docs"
        );
        assert!(input["description"].is_string(), "{name}");
        let handed = format!("${{{{ inputs.{name} }}}}");
        let variable = step.iter().find(|(_, value)| **value == handed.as_str());
        let (variable, _) = variable.unwrap_or_else(|| panic!("{name} is not handed on"));
        let read_by_run = run.contains(&**variable);
        let suffix = variable
            .strip_prefix("MODELYARD_ACTION_")
            .unwrap_or_default();
        let inputs = read("src/cli/action/inputs.rs");
        assert!(
            read_by_run || inputs.contains(&format!("\"{suffix}\"")),
            "{variable}"
        );
    }
    for name in action["outputs"].as_object().unwrap().keys() {
        assert!(
            docs.contains(&format!("`{name}`")),
            "{name} is not in the docs"
        );
    }
}

fn visited(value: &serde_json::Value, visit: &mut impl FnMut(&str, &str)) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if let Some(text) = value.as_str() {
                    visit(key, text);
                }
                visited(value, visit);
            }
        }
        serde_json::Value::Array(all) => all.iter().for_each(|one| visited(one, visit)),
        _ => {}
    }
}

#[test]
fn gitlabs_component_has_the_shape_that_gitlab_documents() {
    let text = fs::read_to_string(root().join("templates/gitlab/template.yml")).unwrap();
    let (header, body) = text.split_once("\n---\n").unwrap();
    let header: serde_json::Value = serde_saphyr::from_str(header).unwrap();
    let inputs = header["spec"]["inputs"].as_object().unwrap();
    for (name, input) in inputs {
        assert!(input["description"].is_string(), "{name}");
        let known = [
            "description",
            "default",
            "type",
            "options",
            "regex",
            "rules",
        ];
        let fields = input.as_object().unwrap();
        assert!(
            fields.keys().all(|field| known.contains(&&**field)),
            "{name}"
        );
        // What is not declared as another type has to be text.
        match input["type"].as_str() {
            Some("boolean") => assert!(input["default"].is_boolean(), "{name}"),
            None => assert!(input["default"].is_string(), "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        assert!(
            body.contains(&format!("$[[ inputs.{name} ]]")),
            "{name} is not used"
        );
    }
    for used in body.split("$[[ inputs.").skip(1) {
        let (name, _) = used.split_once(" ]]").unwrap();
        assert!(inputs.contains_key(name), "{name} is not declared");
    }
    let filled = body
        .replace("$[[ inputs.evidence ]]", "false")
        .replace("$[[ inputs.environment ]]", "host")
        .replace("$[[ inputs.runner ]]", "host")
        .replace("$[[ inputs.stage ]]", "test")
        .replace("$[[ inputs.image ]]", "image");
    let jobs: serde_json::Value = serde_saphyr::from_str(&filled).unwrap();
    let known = [
        "extends",
        "stage",
        "image",
        "variables",
        "rules",
        "script",
        "artifacts",
        "tags",
        "resource_group",
    ];
    for (name, job) in jobs.as_object().unwrap() {
        let fields = job.as_object().unwrap();
        assert!(
            fields.keys().all(|field| known.contains(&&**field)),
            "{name}"
        );
        if let Some(script) = job.get("script") {
            // A line with `: ` in it would have become a map.
            let lines = script.as_array().unwrap();
            assert!(lines.iter().all(serde_json::Value::is_string), "{name}");
            assert_eq!(job["extends"], ".modelyard", "{name}");
        }
    }
    let reports = &jobs["modelyard-check"]["artifacts"]["reports"];
    assert_eq!(reports["codequality"], "gl-code-quality-report.json");
}
