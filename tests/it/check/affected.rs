//! Checking only what a change affects tells what checking everything tells, but for what was wrong
//! before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use modelyard::check::codes::UNKNOWN_MODEL;
use modelyard::check::gates::{Answers, Gates, Known, evaluate};
use modelyard::check::spread::InTurn;
use modelyard::check::{Diagnostic, File, Files, Reading, Referrers, Report};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::codes::{cases, gated};
use super::sound::{edited, sound, text};

/// What changed from `base` to `head`, each with what it was.
fn changed(head: &Files, base: &Files) -> BTreeMap<String, Option<File>> {
    let old = base
        .iter()
        .filter(|(path, file)| head.get(path) != Some(*file));
    let new = head.iter().filter(|(path, _)| !base.contains(path));
    let old = old.map(|(path, file)| (path.to_owned(), Some(file.clone())));
    old.chain(new.map(|(path, _)| (path.to_owned(), None)))
        .collect()
}

fn referrers(files: &Files) -> Referrers {
    let lines = files
        .iter()
        .flat_map(|(path, file)| Referrers::lines(path, file));
    Referrers::of(lines)
}

/// A check of what the change from `base` to `head` affects; `None` if that is everything.
fn of_change(head: &Files, base: &Files) -> Option<Report> {
    let changed = changed(head, base);
    let reading = Reading::of_change(Arc::new(head.clone()), &changed, &referrers(base), &InTurn)?;
    let mut answers = Answers::default();
    for question in reading.questions(&Known::default()) {
        answers.insert(&question, evaluate(&question));
    }
    Some(reading.report(None, Gates::Answered(&answers)))
}

/// All that a diagnostic says but for what helps, which may name what was added elsewhere.
fn said(diagnostic: &Diagnostic) -> String {
    let mut said = diagnostic.clone();
    said.help = None;
    let code = std::mem::replace(&mut said.code, &UNKNOWN_MODEL);
    format!("{} {said:?}", code.id)
}

/// What is not as it should be of the check of a change.
fn off(head: &Files, base: &Files) -> Result<(), String> {
    let Some(of_change) = of_change(head, base) else {
        let yard = "modelyard.yaml";
        return match head.get(yard) == base.get(yard) {
            true => Err("not everything is affected".to_owned()),
            false => Ok(()),
        };
    };
    let full = gated(head.clone(), Some(base.clone()));
    let before: BTreeSet<_> = gated(base.clone(), None)
        .diagnostics
        .iter()
        .map(said)
        .collect();
    let told: BTreeSet<_> = of_change.diagnostics.iter().map(said).collect();
    let mut wrong = Vec::new();
    for diagnostic in &full.diagnostics {
        let said = said(diagnostic);
        if !told.contains(&said) && !before.contains(&said) {
            wrong.push(format!("not told: {said}"));
        }
    }
    for diagnostic in &of_change.diagnostics {
        if !full.diagnostics.contains(diagnostic) {
            wrong.push(format!("told wrongly: {}", said(diagnostic)));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

#[test]
fn every_code_is_told_by_a_check_of_its_change() {
    for case in cases() {
        let base = edited(&sound(), case.before.as_deref().unwrap_or_default());
        if let Err(off) = off(&edited(&base, &case.wrong), &base) {
            panic!("{}: {off}", case.code);
        }
    }
}

#[test]
fn what_was_wrong_before_and_is_not_touched_is_not_told() {
    let base = yard(&[
        ("environments/dev.yaml", ENVIRONMENT),
        ("deployments/dev/x.yaml", DANGLING),
    ]);
    let mut head = base.clone();
    head.insert(
        "environments/prod.yaml",
        text(ENVIRONMENT.replace("name: dev", "name: prod")),
    );
    let report = of_change(&head, &base).unwrap();
    assert_eq!((report.records, report.diagnostics), (1, Vec::new()));
    // What touches it tells it.
    let mut touched = base.clone();
    touched.insert(
        "environments/dev.yaml",
        text(format!("# It is ours.\n{ENVIRONMENT}")),
    );
    let report = of_change(&touched, &base).unwrap();
    let codes: Vec<_> = report.diagnostics.iter().map(|one| one.code.id).collect();
    assert_eq!((report.records, codes), (2, vec!["unknown-model"]));
}

const ENVIRONMENT: &str = "apiVersion: modelyard.dev/v1
kind: Environment
metadata: {name: dev}
spec: {target: {type: process}}
";

const DANGLING: &str = "apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: x, environment: dev}
spec: {model: a/nothing, version: 1.0.0}
";

fn yard(files: &[(&str, &str)]) -> Files {
    let mut yard: Files = files
        .iter()
        .map(|(path, content)| (*path, text(*content)))
        .collect();
    yard.insert("modelyard.yaml", text(YARDS[0]));
    yard
}

/// Two yards; the second one differs in what concerns every model.
const YARDS: [&str; 2] = [
    "apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores: [{name: main, repository: registry.example.com/acme}]
  trust: {rules: [{match: {models: '*'}, require: {signatures: 1}, accept: [{key: keys/a.pub}]}]}
  classification: {technology: [nlp]}
  releases: {require: [inputs, license]}
",
    "apiVersion: modelyard.dev/v1
kind: Yard
metadata: {name: acme}
spec:
  stores: [{name: main, repository: registry.example.com/acme}]
  classification: {technology: [tabular]}
",
];

const MODELS: [&str; 4] = ["a/one", "a/two", "b/one", "b/three"];
const VERSIONS: [&str; 3] = ["1.0.0", "1.1.0", "2.0.0"];
const ENVIRONMENTS: [&str; 2] = ["dev", "prod"];
const DEPLOYMENTS: [&str; 3] = ["x", "y", "z"];

/// How a version or deployment may name a version of any model, one that is not there included.
fn named() -> impl Strategy<Value = String> {
    let models = MODELS.into_iter().chain(["a/ones"]).collect::<Vec<_>>();
    let versions = select(vec![
        ", version: 1.0.0",
        ", version: 1.1.0",
        ", version: 2.0.0",
        ", version: 9.9.9",
        ", version: champion",
        ", version: other",
        ", version: ^1",
        "",
    ]);
    (select(models), versions).prop_map(|(model, version)| format!("model: {model}{version}"))
}

const TENSORS: [&str; 3] = [
    "[]",
    "[{name: t, datatype: FP32, shape: [-1, 4]}]",
    "[{name: t, datatype: INT64, shape: [-1]}, {name: u, datatype: FP32, shape: [-1, 4]}]",
];

fn version(model: &str, version: &str) -> impl Strategy<Value = String> + use<> {
    let (namespace, name) = model.split_once('/').unwrap();
    let head = format!(
        "apiVersion: modelyard.dev/v1\nkind: ModelVersion\n\
         metadata: {{namespace: {namespace}, name: {name}, version: {version}}}\nspec:\n"
    );
    let product = select(vec!["output: t", "output: v", "file: f.txt"]);
    let needs = vec((select(vec!["t", "w"]), named(), product), 0..3);
    let lifecycles = [
        "staged",
        "released",
        "released",
        "deprecated",
        "retired",
        "recycled",
    ];
    let fields = (
        select(lifecycles.to_vec()),
        select(TENSORS.to_vec()),
        select(TENSORS.to_vec()),
        any::<bool>(),
        select(vec!["[]", "[cpu]", "[cuda]"]),
        needs,
    );
    fields.prop_map(
        move |(lifecycle, inputs, outputs, tested, devices, needs)| {
            let mut record = format!(
                "{head}  lifecycle: {lifecycle}\n  \
             artifact: {{repository: registry.example.com/acme, digest: 'sha256:{}'}}\n  \
             format: {{name: onnx}}\n  inputs: {inputs}\n  outputs: {outputs}\n  \
             targetDevices: {devices}\n",
                "a".repeat(64)
            );
            if tested {
                record += "  tests: [{name: good, request: {inputs: []}, expect: {outputs: []}}]\n";
            }
            if !needs.is_empty() {
                record += "  dependencies:\n    models:\n";
            }
            for (name, named, product) in needs {
                record += &format!("    - {{name: {name}, producedBy: {{{named}, {product}}}}}\n");
            }
            record
        },
    )
}

fn model(model: &str) -> impl Strategy<Value = String> + use<> {
    let (namespace, name) = model.split_once('/').unwrap();
    let head = format!(
        "apiVersion: modelyard.dev/v1\nkind: Model\n\
         metadata: {{namespace: {namespace}, name: {name}}}\nspec:\n  title: It\n  \
         owners: [{{team: t}}]\n"
    );
    let version = || option::of(select(VERSIONS.to_vec()));
    let word = option::of(select(vec!["nlp", "tabular"]));
    (version(), version(), word, any::<bool>()).prop_map(
        move |(champion, other, word, licensed)| {
            let mut record = head.clone();
            if licensed {
                record += "  license: MIT\n";
            }
            if let Some(word) = word {
                record += &format!("  classification: {{technology: {word}}}\n");
            }
            let aliases = [("champion", champion), ("other", other)];
            let aliases = aliases
                .iter()
                .filter_map(|(alias, version)| Some((alias, (*version)?)));
            let aliases: Vec<_> = aliases
                .map(|(alias, version)| format!("{alias}: {version}"))
                .collect();
            record + &format!("  aliases: {{{}}}\n", aliases.join(", "))
        },
    )
}

fn environment(name: &'static str) -> impl Strategy<Value = String> {
    let pools = select(vec![
        "[]",
        "[{name: p, cpu: '2'}]",
        "[{name: p, cpu: '1'}, {name: q, gpu: 1}]",
        "[{name: q, memory: 1Gi}, {name: q, gpu: 1}]",
    ]);
    let requires = select(vec!["{}", "{lifecycle: [released]}", "{tests: 1}"]);
    (pools, requires).prop_map(move |(pools, requires)| {
        format!(
            "apiVersion: modelyard.dev/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec:\n  \
             target: {{type: process}}\n  pools: {pools}\n  requires: {requires}\n"
        )
    })
}

fn deployment(environment: &'static str, name: &'static str) -> impl Strategy<Value = String> {
    let pool = || select(vec!["", ", pool: p", ", pool: q"]);
    let fields = (
        vec((named(), pool()), 1..3),
        option::of(named()),
        vec(select(DEPLOYMENTS.to_vec()), 0..2),
        select(vec!["", "cpu: '1'", "cpu: '2', gpu: 1", "memory: 1Gi"]),
        any::<bool>(),
    );
    fields.prop_map(move |(shares, before, depends_on, requests, golden)| {
        let mut record = format!(
            "apiVersion: modelyard.dev/v1\nkind: Deployment\n\
             metadata: {{name: {name}, environment: {environment}}}\nspec:\n"
        );
        match shares.as_slice() {
            [(named, pool)] => {
                for field in format!("{named}{pool}").split(", ") {
                    record += &format!("  {field}\n");
                }
            }
            shares => {
                record += "  split:\n";
                for (named, pool) in shares {
                    record += &format!("  - {{{named}{pool}, weight: 50}}\n");
                }
            }
        }
        if let Some(before) = before {
            record += &format!("  before: [{{{before}}}]\n");
        }
        record += &format!("  dependsOn: [{}]\n", depends_on.join(", "));
        record += &format!("  resources: {{requests: {{{requests}}}}}\n");
        if golden {
            record += "  strategy: {type: canary, steps: [{weight: 50, analysis: [g]}]}\n  analysis: \
                       [{name: g, source: golden, tests: [good], atLeast: 1.0}]\n";
        }
        record
    })
}

fn policy() -> impl Strategy<Value = String> {
    let kinds = select(vec!["ModelVersion", "Deployment", "Model"]);
    let gates = select(vec![
        "'false'",
        "'true'",
        "1 +",
        "'champion != null && has(champion.license)'",
        "'before == null'",
    ]);
    (kinds, gates).prop_map(|(kind, gate)| {
        format!(
            "apiVersion: modelyard.dev/v1\nkind: Policy\nmetadata: {{name: p}}\nspec:\n  \
             match: {{kinds: [{kind}]}}\n  gates: [{{name: g, expr: {gate}}}]\n"
        )
    })
}

/// What may be at a path: what belongs there, now and then something that can't be read, or another
/// record's, or nothing.
fn at(path: &'static str, sound: BoxedStrategy<String>) -> BoxedStrategy<(String, Option<String>)> {
    let broken = select(vec![
        "kind: [",
        "",
        "apiVersion: modelyard.dev/v1\nkind: Policy\n",
        DANGLING,
    ]);
    let content = prop_oneof![
        12 => sound.prop_map(Some),
        1 => broken.prop_map(|text| Some(text.to_owned())),
        2 => Just(None),
    ];
    content
        .prop_map(move |content| (path.to_owned(), content))
        .boxed()
}

/// Each path of the yards that are made, and what may be there.
fn places() -> Vec<BoxedStrategy<(String, Option<String>)>> {
    let leak = |path: String| -> &'static str { path.leak() };
    let mut places = Vec::new();
    for name in MODELS {
        places.push(at(
            leak(format!("models/{name}/model.yaml")),
            model(name).boxed(),
        ));
        for number in VERSIONS {
            let path = leak(format!("models/{name}/versions/{number}.yaml"));
            places.push(at(path, version(name, number).boxed()));
        }
    }
    for name in ENVIRONMENTS {
        places.push(at(
            leak(format!("environments/{name}.yaml")),
            environment(name).boxed(),
        ));
        for deployed in DEPLOYMENTS {
            let path = leak(format!("deployments/{name}/{deployed}.yaml"));
            places.push(at(path, deployment(name, deployed).boxed()));
        }
    }
    places.push(at("policies/p.yaml", policy().boxed()));
    for free in [
        "keys/a.pub",
        "keys/b.pub",
        "models/a/one/versions/one.onnx",
        "models/c.yaml",
    ] {
        places.push(at(free, Just("free".to_owned()).boxed()));
    }
    let yard = select(vec![YARDS[0], YARDS[0], YARDS[0], YARDS[1]]);
    places.push(at("modelyard.yaml", yard.prop_map(str::to_owned).boxed()));
    places
}

/// A yard, and what becomes of some of its files.
fn change() -> impl Strategy<Value = (Files, Files)> {
    let count = places().len();
    let base = places();
    let which = btree_set(0..count, 1..4);
    let changes = which.prop_flat_map(|which| {
        let places = places();
        which
            .into_iter()
            .map(|index| places[index].clone())
            .collect::<Vec<_>>()
    });
    (base, changes).prop_map(|(base, changes)| {
        let files = |all: BTreeMap<String, Option<String>>| -> Files {
            let there = all
                .into_iter()
                .filter_map(|(path, content)| Some((path, text(content?))));
            there.collect()
        };
        let mut all: BTreeMap<_, _> = base.into_iter().collect();
        let base = files(all.clone());
        all.extend(changes);
        (base, files(all))
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn a_check_of_a_change_tells_all_that_the_change_causes((base, head) in change()) {
        if let Err(off) = off(&head, &base) {
            let changed: Vec<_> = changed(&head, &base).into_keys().collect();
            return Err(TestCaseError::fail(format!("of {changed:?}: {off}")));
        }
        // And who names whom is brought forward as if it were found out anew.
        let paths = changed(&head, &base).into_keys().collect();
        let there = changed(&head, &base).into_keys();
        let lines = there.filter_map(|path| Some(Referrers::lines(&path, head.get(&path)?)));
        prop_assert_eq!(referrers(&base).after(&paths, lines.flatten()), referrers(&head));
    }
}
