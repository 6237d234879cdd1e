//! Edits of records keep every byte that they don't mean to change, whoever wrote them and however.

mod corpus;
mod lists;
mod written;

use std::ops::Range;

use modelyard::check::yaml::{self, Children, Place, Style, Tree};
use modelyard::yard::edit::{self, EditError};
use serde_json::{Value, json};

use corpus::{DEPLOYMENTS, MANNERS, NOTES, noted};

/// What an act does to a record.
#[derive(Debug, Clone)]
enum Act {
    /// A value is written, or with `null` removed.
    Set(String, Value),
    /// An item is added to a list.
    Add(String, Value),
}

use Act::{Add, Set};

fn set(pointer: &str, value: Value) -> Act {
    Set(pointer.to_owned(), value)
}

fn add(pointer: &str, item: Value) -> Act {
    Add(pointer.to_owned(), item)
}

impl Act {
    fn edit(&self, source: &[u8]) -> Result<Vec<u8>, EditError> {
        match self {
            Set(pointer, value) => edit::set(source, pointer, value),
            Add(pointer, item) => edit::add(source, pointer, item),
        }
    }

    fn pointer(&self) -> &str {
        let (Set(pointer, _) | Add(pointer, _)) = self;
        pointer
    }

    /// What the record says with it.
    fn done(&self, record: &Value) -> Value {
        let mut record = record.clone();
        match self {
            Set(pointer, Value::Null) => remove(&mut record, pointer),
            Set(pointer, value) => *place(&mut record, pointer) = value.clone(),
            Add(pointer, item) => {
                let list = place(&mut record, pointer);
                if list.is_null() {
                    *list = json!([]);
                }
                let list = list.as_array_mut().unwrap();
                if !list.contains(item) {
                    list.push(item.clone());
                }
            }
        }
        record
    }
}

fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    let tokens = pointer.split('/').skip(1);
    tokens.map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// The place of `pointer`, made where it is not.
fn place<'r>(record: &'r mut Value, pointer: &str) -> &'r mut Value {
    tokens(pointer).fold(record, |at, token| match at {
        Value::Array(items) => &mut items[token.parse::<usize>().unwrap()],
        _ => &mut at[token],
    })
}

fn remove(record: &mut Value, pointer: &str) {
    let (parent, _) = pointer.rsplit_once('/').unwrap();
    let key = tokens(pointer).last().unwrap();
    let map = record.pointer_mut(parent).and_then(Value::as_object_mut);
    let Some(map) = map else {
        return;
    };
    if map.shift_remove(&key).is_none() {
        return;
    }
    if map.is_empty() && parent.matches('/').count() > 1 {
        remove(record, parent);
    }
}

/// How much of the beginning and of the end of two texts is the same, without overlap.
fn same(before: &[u8], after: &[u8]) -> (usize, usize) {
    let start = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let ends = before[start..]
        .iter()
        .rev()
        .zip(after[start..].iter().rev());
    (start, ends.take_while(|(a, b)| a == b).count())
}

/// The comments of a text, `# c1` and so on.
fn comments(text: &str) -> Vec<&str> {
    let is_number = |word: &str| {
        let number = word.strip_prefix('c');
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let words = text.split_whitespace().collect::<Vec<_>>();
    let pairs = words
        .windows(2)
        .filter(|pair| pair[0] == "#" && is_number(pair[1]));
    pairs.map(|pair| pair[1]).collect()
}

/// What is wrong with how `act` changes `source`.
fn wrong(source: &str, act: &Act) -> Result<(), String> {
    let old = yaml::parse(source.as_bytes()).map_err(|error| format!("before: {error}"))?;
    let edited = act
        .edit(source.as_bytes())
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8(edited.clone()).map_err(|error| error.to_string())?;
    let new = yaml::parse(&edited).map_err(|error| format!("{error}\n{text:?}"))?;
    let wanted = act.done(old.value());
    if *new.value() != wanted {
        return Err(format!("it says {}, not {wanted}", new.value()));
    }
    let again = act
        .edit(&edited)
        .map_err(|error| format!("again: {error}"))?;
    if again != edited {
        return Err(format!("again it is {:?}", String::from_utf8_lossy(&again)));
    }
    if wanted == *old.value() {
        return match text == source {
            true => Ok(()),
            false => Err(format!("nothing was to be done, and it is {text:?}")),
        };
    }
    span(source, &text, act, &old).map_err(|error| format!("{error}: {text:?}"))
}

/// What goes with what `act` removes: the mappings that it leaves empty.
fn outermost(act: &Act, old: &Tree) -> String {
    let mut outermost = act.pointer().to_owned();
    let left = act.done(old.value());
    while let Some((parent, _)) = outermost.rsplit_once('/')
        && left.pointer(parent).is_none()
    {
        outermost = parent.to_owned();
    }
    outermost
}

/// Where nothing stands, said so or not, which gives way to what comes in `act`.
fn nothing(act: &Act, old: &Tree) -> Range<usize> {
    let mut pointer = act.pointer();
    let place = loop {
        match (old.place(pointer), pointer.rsplit_once('/')) {
            (Some(place), _) => break place,
            (None, Some((parent, _))) => pointer = parent,
            (None, None) => return 0..0,
        }
    };
    match old.value().pointer(pointer) {
        Some(Value::Null) => place.span.start..place.span.end,
        Some(Value::Array(items)) if items.is_empty() => place.span.start..place.span.end,
        Some(Value::Object(map)) if map.is_empty() => place.span.start..place.span.end,
        _ => 0..0,
    }
}

/// Where the line at `from` ends, and the lines of comments alone behind it.
fn comments_end(source: &str, from: usize) -> usize {
    let mut lines = source[from..].split_inclusive('\n');
    let first = lines.next().map_or(0, str::len);
    let is_comment = |line: &&str| matches!(line.trim().chars().next(), None | Some('#'));
    from + first + lines.take_while(is_comment).map(str::len).sum::<usize>()
}

/// Whether all that a list or mapping keeps on its way to `new` is there byte for byte, with the
/// comments behind it.
fn kept(
    source: &str,
    text: &str,
    (place, old): (&Place, &Value),
    new: &Value,
) -> Result<(), String> {
    let stays = |start: usize, end: usize| {
        let line = source[end..].find(['\r', '\n']);
        let end = match place.style {
            Style::Flow => end,
            _ => line.map_or(source.len(), |at| end + at),
        };
        match text.contains(&source[start..end]) {
            true => Ok(()),
            false => Err(format!("{:?} is lost", &source[start..end])),
        }
    };
    match (&place.children, old, new) {
        (Children::Fields(fields), Value::Object(old), Value::Object(new)) => {
            for (field, (name, value)) in fields.iter().zip(old) {
                match new.get(name) {
                    Some(same) if same == value => {
                        stays(field.start, field.key.end.max(field.value.span.end))?;
                    }
                    Some(other) => kept(source, text, (&field.value, value), other)?,
                    None => {}
                }
            }
        }
        (Children::Items(items), Value::Array(old), Value::Array(new)) => {
            for (item, value) in items.iter().zip(old) {
                if new.contains(value) && old.iter().filter(|one| *one == value).count() == 1 {
                    stays(item.span.start, item.span.end)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether nothing but what `act` means was touched.
fn span(source: &str, text: &str, act: &Act, old: &Tree) -> Result<(), String> {
    let (start, end) = same(source.as_bytes(), text.as_bytes());
    let gone = start..source.len() - end;
    let value = old.place(act.pointer());
    let is_text = |value: &Value| !value.is_object() && !value.is_array();
    let becomes = |pointer: &str, place: &Place, new: &Value| {
        let key = old.key_span(pointer);
        let key = key.map_or(place.span.start, |key| key.end);
        let reach = comments_end(source, place.span.end.max(key));
        // The margin of what follows may be that of what went.
        let end = gone.start + source[gone.clone()].trim_end().len();
        match key <= gone.start && end <= reach || gone.is_empty() {
            true => kept(
                source,
                text,
                (place, old.value().pointer(pointer).unwrap()),
                new,
            ),
            false => Err(format!("{:?} went", &source[gone.clone()])),
        }
    };
    match (act, value) {
        // What is removed goes with the line that it stands on, and nothing comes.
        (Set(_, Value::Null), Some(_)) => {
            let emptied = text[start..text.len() - end].trim();
            // One of the two brackets may have been there.
            if !matches!(emptied, "" | "{}" | "{" | "}") {
                return Err(format!("{emptied:?} came"));
            }
            let lost = comments(source).len() - comments(text).len();
            let own = comments(&source[gone.clone()]).len();
            if lost > own {
                return Err("a comment is lost".to_owned());
            }
            let key = old
                .key_span(&outermost(act, old))
                .map_or(0, |key| key.start);
            let lead = &source[gone.start.min(key)..key];
            if lead.contains('#') {
                return Err("a comment before it is lost".to_owned());
            }
            Ok(())
        }
        // A text takes another's place, within its bounds.
        (Set(pointer, new), Some(place)) if is_text(new) => {
            let was = old.value().pointer(pointer).unwrap();
            let within = place.span.start <= gone.start && gone.end <= place.span.end;
            match is_text(was) && place.span.start < place.span.end {
                true if !within => Err(format!("{:?} went", &source[gone])),
                false if is_text(was) && !gone.is_empty() => Err("something went".to_owned()),
                _ => Ok(()),
            }
        }
        // A list or mapping becomes another one, and what stands around it stays.
        (Set(pointer, new), Some(place)) => becomes(pointer, place, new),
        (Add(pointer, _), Some(place)) if !gone.is_empty() && nothing(act, old).is_empty() => {
            if comments(source) != comments(text) {
                return Err("a comment is lost".to_owned());
            }
            let record = act.done(old.value());
            becomes(pointer, place, record.pointer(pointer).unwrap())
        }
        // What is new comes between what is there, or in place of what is nothing.
        (Set(..), None) | (Add(..), _) if !gone.is_empty() => {
            let nothing = nothing(act, old);
            let before = &source[gone.start..gone.end.min(nothing.start).max(gone.start)];
            let behind = &source[gone.start.max(nothing.end).min(gone.end)..gone.end];
            match before.trim().is_empty() && behind.trim().is_empty() {
                true => Ok(()),
                false => Err(format!("{:?} went", &source[gone])),
            }
        }
        _ => match comments(source) == comments(text) {
            true => Ok(()),
            false => Err("a comment is lost".to_owned()),
        },
    }
}

/// What is wrong with any of `acts` on any of `records`, in any manner.
fn all_wrong(records: &[(&str, String)], acts: &[Act]) -> Vec<String> {
    let mut all = Vec::new();
    for (name, record) in records {
        for (manner, change) in MANNERS {
            let source = change(record);
            for act in acts {
                if let Err(wrong) = wrong(&source, act) {
                    all.push(format!("{name}, {manner}: {act:?}: {wrong}"));
                }
            }
        }
    }
    all
}

#[track_caller]
fn assert_right(records: &[(&str, String)], acts: &[Act]) {
    let wrong = all_wrong(records, acts);
    let shown = wrong.iter().take(10).cloned().collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        shown.join("\n\n")
    );
}

#[test]
fn deployments_are_changed_by_each_act() {
    let records = DEPLOYMENTS.map(|(name, text)| (name, text.to_owned()));
    assert_right(
        &records,
        &[
            set("/spec/version", json!("1.4.0")),
            set("/spec/version", json!("^1.2")),
            set("/spec/version", Value::Null),
            set("/spec/suspend", json!(true)),
            set("/spec/suspend", Value::Null),
            set("/spec/suspend", json!(false)),
            set("/spec/restart", json!("2026-11-01T10:00:00Z")),
            set("/spec/restart", Value::Null),
            set("/spec/split/0/weight", json!(100)),
            set("/spec/split/1/weight", json!(0)),
            set("/spec/split/0/version", json!("2.0.0")),
            set("/spec/split/1/version", json!("2.0.0")),
            set("/spec/split/0/version", Value::Null),
            set(
                "/spec/rollout",
                json!({"digest": "sha256:ab", "step": 2, "action": "pause"}),
            ),
            set("/spec/replicas/min", json!(2)),
            set(
                "/spec/resources/requests",
                json!({"cpu": "1", "memory": "2Gi"}),
            ),
            set("/metadata/labels/line", json!("3")),
            add("/spec/dependsOn", json!("embedder")),
            add("/spec/dependsOn", json!("words")),
            add("/spec/split", json!({"model": "a/b", "weight": 10})),
            add("/spec/analysis", json!({"name": "errors", "below": 0.01})),
        ],
    );
}

#[test]
fn versions_are_changed_by_each_act_whatever_their_notes_are() {
    let records = NOTES.map(|(name, notes)| (name, noted(notes)));
    assert_right(
        &records,
        &[
            set("/spec/lifecycle", json!("released")),
            set("/spec/notes", json!("Wet.")),
            set("/spec/notes", json!("Wet: # all\nover.\n")),
            set("/spec/notes", json!("- ? |\t ")),
            set("/spec/notes", Value::Null),
            set("/spec/links", Value::Null),
            set("/spec/author", json!("Größe 寸法")),
            set("/spec/author", Value::Null),
            set("/spec/changes", json!("One.\n\nTwo.")),
            set("/spec/metrics/0/value", json!(0.98)),
            set("/spec/metrics/0/dataset", json!("holdout")),
            set(
                "/spec/imported",
                json!({"from": "mlflow", "unmapped": {"a": [1, {}]}}),
            ),
            add(
                "/spec/links",
                json!({"title": "Other", "url": "https://b.example/#x"}),
            ),
            add("/spec/metrics", json!({"name": "f1", "value": 0.5})),
            add("/spec/tests", json!({"name": "one"})),
        ],
    );
}

#[test]
fn models_are_changed_by_each_act() {
    let records = [
        (
            "aliases in a block",
            "# c1\napiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: a, name: b} # c2\n\
             spec:\n  title: It # c3\n  aliases: # c4\n    # c5\n    champion: 1.0.0 # c6\n    # c7\n  \
             # c8\n  owners:\n    - team: one # c9\n      # c10\n    # c11\n# c12\n",
        ),
        (
            "one alias in brackets, at the end",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: a, name: b}\nspec:\n  \
             title: It\n  owners: [{team: one}]\n  aliases: {champion: 1.0.0} # c1\n",
        ),
        (
            "two aliases in brackets over lines",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: a, name: b}\nspec: {title: \
             It,\n  owners: [ {team: one} ],\n  aliases: { other: 0.9.0,\n    champion: 1.0.0 }} # c1\n",
        ),
        (
            "none, as nothing",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: a, name: b}\nspec:\n  \
             title: It\n  aliases: # c1\n  owners: # c2\n    # c3\n  - {team: one}\n",
        ),
        (
            "none, in brackets",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata: {namespace: a, name: b}\nspec:\n  \
             title: It\n  aliases: {} # c1\n  owners: [ ] # c2\n",
        ),
        (
            "none, and the title at the end",
            "apiVersion: modelyard.dev/v1\nkind: Model\nmetadata:\n  namespace: a\n  name: b\nspec:\n  \
             owners:\n  -   team: one\n\n      contact: x\n  title: \"It\"",
        ),
    ];
    let records = records.map(|(name, text)| (name, text.to_owned()));
    assert_right(
        &records,
        &[
            set("/spec/aliases/champion", json!("1.1.0")),
            set("/spec/aliases/challenger", json!("1.1.0")),
            set("/spec/aliases/champion", Value::Null),
            set("/spec/aliases", json!({"a": "1.0.0", "b": "2.0.0"})),
            set("/spec/title", json!("Other: one")),
            set("/spec/description", json!("Long.\nLonger.\n")),
            set("/spec/license", json!("MIT")),
            set("/spec/classification/task", json!("image-classification")),
            set("/spec/owners", json!([{"team": "two"}])),
            set("/metadata/labels/line", json!("3")),
            add(
                "/spec/owners",
                json!({"team": "two", "contact": "two@example.com"}),
            ),
            add("/spec/citation/references", json!("https://doi.example/1")),
        ],
    );
    let with_owner: Vec<_> = records
        .iter()
        .filter(|(_, text)| text.contains("team"))
        .cloned()
        .collect();
    assert_right(
        &with_owner,
        &[
            set("/spec/owners/0/contact", json!("me@example.com")),
            set("/spec/owners/0/contact", Value::Null),
            set("/spec/owners/0/team", json!("three")),
        ],
    );
}

#[test]
fn what_no_record_may_be_is_not_edited() {
    for source in [
        "kind: Model\nspec: {a: &a 1, b: *a}\n",
        "kind: Model\nspec:\n  <<: {a: 1}\n",
        "kind: Model\nkind: Model\n",
        "kind: Model\n---\nkind: Model\n",
        "kind: !!str Model\n",
        "kind: Model\n\tspec: 1\n",
        "",
    ] {
        let edited = edit::set(source.as_bytes(), "/spec/title", &json!("x"));
        assert!(edited.is_err(), "{source:?} became {edited:?}");
    }
}
