//! The house rules that no compiler holds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::harness::Sandbox;
use super::source::sources;

/// A source longer than this has a second idea in it that wants a name and a room.
const LONGEST_SOURCE: usize = 500;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: &[&str] = &["common", "helpers", "manager", "types", "util", "utils"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything that git would track, relative to the package.
fn files() -> Vec<PathBuf> {
    ignore::WalkBuilder::new(root())
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
        .map(|entry| entry.expect("the checkout can be listed").into_path())
        .filter(|path| path.is_file())
        .map(|path| path.strip_prefix(root()).expect("it lies below").to_owned())
        .collect()
}

#[track_caller]
fn none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

/// The ids in a file's `codes! { NAME = "id"; }`.
fn declared(source: &str) -> Vec<String> {
    fn ids(tokens: TokenStream, inside: bool, found: &mut Vec<String>) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => {
                    let named = |back: usize| at.checked_sub(back).map(|at| tokens[at].to_string());
                    let codes =
                        named(2).as_deref() == Some("codes") && named(1).as_deref() == Some("!");
                    ids(group.stream(), codes, found);
                }
                TokenTree::Literal(id) if inside => {
                    found.push(id.to_string().trim_matches('"').to_owned());
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    ids(source.parse().expect("sources are Rust"), false, &mut found);
    found
}

#[test]
fn every_code_is_declared_once_and_has_a_story() {
    let mut stories: BTreeMap<PathBuf, bool> = files()
        .into_iter()
        .filter(|file| file.starts_with("src"))
        .filter(|file| {
            file.parent()
                .is_some_and(|folder| folder.ends_with("codes"))
        })
        .map(|file| (file, false))
        .collect();
    assert!(stories.len() > 5, "only {} stories found", stories.len());
    let mut ids: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut breaches = Vec::new();
    for (file, source) in sources("src") {
        for id in declared(&source) {
            let story = file.with_file_name("codes").join(format!("{id}.md"));
            if let Some(told) = stories.get_mut(&story) {
                *told = true;
            }
            if let Some(twin) = ids.insert(id.clone(), file.clone()) {
                breaches.push(format!(
                    "{}: {id} is {}'s too",
                    file.display(),
                    twin.display()
                ));
            }
        }
    }
    for (story, told) in &stories {
        let text = fs::read_to_string(root().join(story)).expect("stories are text");
        if !told {
            breaches.push(format!("{}: no `codes!` declares it", story.display()));
        }
        if !text.starts_with("# ") {
            breaches.push(format!("{}: opens with no title", story.display()));
        }
        for example in ["\nWrong", "\nRight"] {
            if !text.contains(example) {
                breaches.push(format!("{}: has no «{}»", story.display(), example.trim()));
            }
        }
    }
    none(&breaches);
}

#[test]
fn every_code_is_explained() {
    let declared: BTreeSet<String> = sources("src")
        .iter()
        .flat_map(|(_, source)| declared(source))
        .collect();
    let outcome = Sandbox::new()
        .modelyard(["explain", "--output", "name"])
        .run()
        .success();
    let explained: BTreeSet<String> = outcome.stdout.lines().map(str::to_owned).collect();
    assert_eq!(declared, explained);
}

#[test]
fn sources_are_short_and_open_with_what_they_own() {
    let breaches: Vec<String> = ["src", "tests", "benches"]
        .iter()
        .filter(|folder| root().join(folder).is_dir())
        .flat_map(|folder| sources(folder))
        .flat_map(|(file, text)| {
            let lines = text.lines().count();
            let name = file.with_extension("");
            let mut found = Vec::new();
            if lines > LONGEST_SOURCE {
                found.push(format!("{}: {lines} lines", file.display()));
            }
            if !text.starts_with("//!") {
                found.push(format!("{}: opens with no `//!`", file.display()));
            }
            if name
                .iter()
                .any(|part| EMPTY_NAMES.iter().any(|empty| part == *empty))
            {
                found.push(format!("{}: its name says nothing", file.display()));
            }
            found
        })
        .collect();
    none(&breaches);
}

#[test]
fn no_text_knows_the_machine_it_was_written_on() {
    // Put together here, so that this file does not have them.
    let places: Vec<String> = [
        ["/ro", "ot/"],
        ["/work", "/wt"],
        ["/work", "/shared"],
        ["/work", "/hub"],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect();
    let breaches: Vec<String> = files()
        .iter()
        .filter_map(|file| Some((file, fs::read_to_string(root().join(file)).ok()?)))
        .flat_map(|(file, text)| {
            let told = |line: &str| places.iter().any(|place| line.contains(place));
            let lines: Vec<usize> = text
                .lines()
                .enumerate()
                .filter(|(_, line)| told(line))
                .map(|(at, _)| at + 1)
                .collect();
            lines
                .into_iter()
                .map(|line| format!("{}:{line}", file.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&breaches);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let breaches: Vec<String> = files()
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "md"))
        .filter(|file| !file.starts_with("templates") && !file.starts_with("src"))
        .flat_map(|file| {
            let text = fs::read_to_string(root().join(file)).expect("documents are text");
            let folder = root()
                .join(file)
                .parent()
                .expect("it lies in a folder")
                .to_owned();
            links(&text)
                .into_iter()
                .filter(|link| !folder.join(link).exists())
                .map(|link| format!("{}: {link}", file.display()))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&breaches);
}

/// The targets of Markdown's `[text](target)` that are files of ours.
fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
        .map(str::to_owned)
        .collect()
}
