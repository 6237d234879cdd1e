//! Records that are written in any style, and edited anywhere.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use modelyard::check::yaml::{self, escape};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{Act, wrong};

/// Writes a value, in a style that `choices` make.
struct Writer<'c> {
    choices: &'c [u8],
    at: usize,
    comments: usize,
}

impl Writer<'_> {
    /// One of so many.
    fn one_of(&mut self, count: u8) -> u8 {
        self.at += 1;
        self.choices[self.at % self.choices.len()] % count
    }

    fn spaces(&mut self) -> &'static str {
        ["", "", "", " ", "   ", "\t"][usize::from(self.one_of(6))]
    }

    /// The end of a line, maybe with a comment.
    fn end(&mut self) -> String {
        let mut end = self.spaces().to_owned();
        if self.one_of(4) == 0 {
            self.comments += 1;
            end += &format!(" # c{}", self.comments);
        }
        end + "\n"
    }

    /// Lines between others.
    fn between(&mut self, indent: usize) -> String {
        match self.one_of(8) {
            0 => "\n".to_owned(),
            1 => {
                self.comments += 1;
                format!("{}# c{}\n", " ".repeat(indent), self.comments)
            }
            _ => String::new(),
        }
    }

    fn text(&mut self, value: &Value) -> String {
        let json = value.to_string();
        let Value::String(text) = value else {
            return json;
        };
        let plain = [text.clone(), format!("'{}'", text.replace('\'', "''"))];
        let mut ways = vec![json];
        for way in plain {
            let parsed = yaml::parse(format!("[{{k: {way} }}]").as_bytes());
            if parsed.is_ok_and(|tree| tree.value() == &json!([{"k": text}])) {
                ways.push(way);
            }
        }
        let count = u8::try_from(ways.len()).unwrap();
        ways.swap_remove(usize::from(self.one_of(count)))
    }

    /// A key with its colon, which may say that it is one.
    fn key(&mut self, key: &str, indent: usize) -> String {
        let says = self.one_of(6) == 0;
        let key = self.text(&json!(key));
        match says {
            true => format!("? {key}{}{}:", self.end(), " ".repeat(indent)),
            false => key + ":",
        }
    }

    /// A value in brackets, over one line or several.
    fn flow(&mut self, value: &Value, indent: usize) -> String {
        let (open, close, items) = match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.flow(item, indent + 1));
                ("[", "]", items.collect::<Vec<_>>())
            }
            Value::Object(map) => {
                let fields = map.iter().map(|(key, value)| {
                    let says = if self.one_of(8) == 0 { "? " } else { "" };
                    let key = self.text(&json!(key));
                    let space = self.spaces();
                    format!("{says}{key}:{space} {}", self.flow(value, indent + 1))
                });
                ("{", "}", fields.collect())
            }
            other => return self.text(other),
        };
        let mut text = open.to_owned();
        let broken = self.one_of(3) == 0 && !items.is_empty();
        let count = items.len();
        for (index, item) in items.into_iter().enumerate() {
            if broken {
                text += &format!("{}{}", self.end(), " ".repeat(indent + 1));
            } else if index > 0 {
                text += " ";
            }
            text += &item;
            if index + 1 < count || self.one_of(5) == 0 {
                text += self.spaces();
                text.push(',');
            }
        }
        if broken {
            text += &format!("{}{}", self.end(), " ".repeat(indent));
        }
        text + close
    }

    /// What stands behind a key's colon or a dash, its line's end included.
    fn behind(&mut self, value: &Value, indent: usize, is_item: bool) -> String {
        let step = 1 + usize::from(self.one_of(3));
        match value {
            Value::Array(items) if !items.is_empty() && self.one_of(4) > 0 => {
                // A list of a field may stand where its key does.
                let indent = if is_item || self.one_of(2) == 0 {
                    indent + step
                } else {
                    indent
                };
                let mut text = self.end();
                for item in items {
                    text += &self.between(indent);
                    let dash = format!("{}-", " ".repeat(indent));
                    text += &dash;
                    text += &self.behind(item, indent, true);
                }
                text
            }
            Value::Object(map) if !map.is_empty() && self.one_of(4) > 0 => {
                let indent = indent + 1 + step;
                let (mut text, mut lead) = match is_item && self.one_of(2) == 0 {
                    true => (" ".repeat(step), String::new()),
                    false => (self.end(), " ".repeat(indent)),
                };
                for (key, value) in map {
                    if !lead.is_empty() {
                        text += &self.between(indent);
                    }
                    text += &format!("{lead}{}", self.key(key, indent));
                    text += &self.behind(value, indent, false);
                    lead = " ".repeat(indent);
                }
                text
            }
            Value::Null => match self.one_of(3) {
                0 if !is_item => self.end(),
                1 => " ~".to_owned() + &self.end(),
                _ => " null".to_owned() + &self.end(),
            },
            Value::String(text) if self.one_of(4) == 0 && is_block(text) => {
                let margin = " ".repeat(indent + step);
                let lines = text
                    .trim_end_matches('\n')
                    .split('\n')
                    .map(|line| match line {
                        "" => String::new(),
                        line => format!("{margin}{line}"),
                    });
                let lines = lines.collect::<Vec<_>>().join("\n");
                let ends = text.len() - text.trim_end_matches('\n').len();
                let chomp = ["-", "", "+"][ends.min(2)];
                let more = "\n".repeat(ends.max(1));
                format!(" |{chomp}{}{lines}{more}", self.end())
            }
            other => {
                let space = self.spaces();
                format!(" {space}{}", self.flow(other, indent + 1)) + &self.end()
            }
        }
    }
}

/// Whether a text can be written as it stands in a block.
fn is_block(text: &str) -> bool {
    let body = text.trim_end_matches('\n');
    let fits = |line: &str| line.trim() == line && !line.chars().any(char::is_control);
    !body.is_empty() && !body.starts_with('\n') && body.split('\n').all(fits)
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        4 => "[a-z]{1,8}",
        1 => "\\PC{0,12}",
        1 => "[a-z]{1,5}(\n{1,2}[a-z:# -]{0,5}[a-z]){0,3}\n{0,3}",
        1 => prop::sample::select(vec!["1.0", "a: b", "a # b", "---", "- a", "'", "\"", "|", "~", "é"])
            .prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        4 => text.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{1,5}|[ -~]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn pointers(value: &Value, at: &str, all: &mut Vec<(String, bool)>) {
    match value {
        Value::Object(map) => {
            all.push((format!("{at}/new"), false));
            for (key, value) in map {
                let pointer = format!("{at}/{}", escape(key));
                all.push((pointer.clone(), true));
                pointers(value, &pointer, all);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// A value that is no `null`, which means that something goes.
fn some() -> impl Strategy<Value = Value> {
    values().prop_filter("it is something", |value| !value.is_null())
}

/// What all is made from: another number each time, and the same again where it is given.
static SEED: LazyLock<u64> = LazyLock::new(|| match std::env::var("PROPTEST_RNG_SEED") {
    Ok(seed) => seed.parse().expect("a seed is a number"),
    Err(_) => RandomState::new().hash_one(()),
});

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(*SEED),
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn any_record_can_be_edited_anywhere(
        one in values(),
        two in values(),
        new in some(),
        pick in any::<Index>(),
        does in 0_u8..3,
        manner in any::<Index>(),
        choices in vec(any::<u8>(), 40..80),
    ) {
        let record = json!({"kind": "It", "spec": {"one": one, "it": two, "last": "x"}});
        let mut writer = Writer { choices: &choices, at: 0, comments: 0 };
        let source = record.as_object().unwrap().iter().map(|(key, value)| {
            format!("{key}:{}", writer.behind(value, 0, false))
        });
        let source: String = source.collect();
        let source = super::MANNERS[manner.index(super::MANNERS.len())].1(&source);
        let parsed = yaml::parse(source.as_bytes());
        prop_assume!(parsed.is_ok());
        let record = parsed.unwrap().into_value();
        let mut all = Vec::new();
        pointers(&record["spec"], "/spec", &mut all);
        let (pointer, is_there) = pick.get(&all).clone();
        let at = record.pointer(&pointer);
        let act = match does {
            0 if is_there => Act::Set(pointer, Value::Null),
            1 if at.is_none_or(|at| at.is_array() || at.is_null()) => Act::Add(pointer, new),
            _ => Act::Set(pointer, new),
        };
        // A text that keeps the blank lines behind it would take those that the edit leaves there,
        // and so the edit is refused.
        let keeps = source.contains("|+");
        let refused = act.edit(source.as_bytes()).is_err();
        if let Err(wrong) = wrong(&source, &act) && !(keeps && refused) {
            let seed = format!("PROPTEST_RNG_SEED={}", *SEED);
            let told = format!("{seed}: {act:?}: {wrong}\n{source}\n{source:?}");
            return Err(TestCaseError::fail(told));
        }
    }
}
