//! From the parser's events to a [`Tree`].

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};
use serde_json::{Map, Value};

use super::extent::Extent;
use super::scalar::{self, Unheld};
use super::text::readable;
use super::{
    Children, Field, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, Place, Problem, Span, Style, Tree,
};
use crate::check::codes;
use crate::record::Code;

pub(super) fn read(source: &[u8]) -> (Option<Tree>, Vec<Problem>) {
    let text = match readable(source) {
        Ok(text) => text,
        Err(problem) => return (None, vec![problem]),
    };
    let mut builder = Builder::new(text, source.len() - text.len());
    let finished = builder.run();
    if let Err(problem) = finished {
        builder.problems.push(problem);
        return (None, builder.problems);
    }
    let tree = builder.root.map(|(value, root)| Tree { value, root });
    (tree.filter(|_| builder.faithful), builder.problems)
}

/// A list or mapping whose end has not come yet.
struct Open {
    start: usize,
    style: Style,
    holds: Holds,
}

enum Holds {
    Items(Vec<Value>, Vec<Place>),
    Fields(Map<String, Value>, Vec<Field>, Key),
}

/// What comes next in a mapping.
enum Key {
    /// A key.
    Awaited,
    /// The value of this key.
    Known(String, Span),
    /// The value of a key that can't be kept.
    Dropped,
}

struct Builder<'a> {
    text: &'a str,
    /// How many bytes of BOM stand before the text.
    skipped: usize,
    open: Vec<Open>,
    root: Option<(Value, Place)>,
    documents: usize,
    nodes: usize,
    /// Where the last event ended: a block scalar's header stands behind it.
    behind: usize,
    /// Whether the tree says what was written.
    faithful: bool,
    problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, skipped: usize) -> Self {
        Self {
            text,
            skipped,
            open: Vec::new(),
            root: None,
            documents: 0,
            nodes: 0,
            behind: 0,
            faithful: true,
            problems: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Problem> {
        let options = granit_parser::options! {
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            let span = span.byte_range().unwrap_or_default();
            let span = Span::new(span.start + self.skipped, span.end + self.skipped);
            self.take(event, span)?;
            self.behind = self.behind.max(span.end);
            if self.problems.len() > MAX_PROBLEMS {
                self.problems.truncate(MAX_PROBLEMS);
                self.faithful = false;
                break;
            }
        }
        if self.documents == 0 || matches!(&self.root, Some((Value::Null, _))) {
            self.faithful = false;
            let empty = "the file holds no record";
            let help = "write the record, or delete the file";
            self.problem(&codes::RECORD_EMPTY, Span::new(0, 0), empty, help);
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins here, but a file holds one record";
                    let help = "move it into a file of its own, or delete the `---`";
                    return Err(Problem::new(&codes::YAML_DOCUMENTS, span, message, help));
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let message = "records have no aliases";
                self.distorted(
                    &codes::YAML_ANCHOR,
                    span,
                    message,
                    "write the value out here",
                );
                self.count(span)?;
                self.deliver(Value::Null, scalar_place(span, Style::Plain));
            }
            Event::Anchor(..) => {
                let message = "records have no anchors";
                let help = "delete the anchor, and write the value out where it was used";
                self.distorted(&codes::YAML_ANCHOR, span, message, help);
            }
            Event::Scalar(text, style, _, tag) => {
                self.count(span)?;
                if tag.is_some() {
                    self.tagged(span);
                }
                self.scalar(&text, style, span);
            }
            Event::SequenceStart(style, _, tag) => {
                self.begin(span, style, tag.is_some(), Holds::Items(vec![], vec![]))?;
            }
            Event::MappingStart(style, _, tag) => {
                let fields = Holds::Fields(Map::new(), vec![], Key::Awaited);
                self.begin(span, style, tag.is_some(), fields)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, span: Span) -> Result<(), Problem> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the record has more than {MAX_NODES} keys and values");
        let help = "keep data in the artifact, or in a file that the record links to";
        Err(Problem::new(&codes::RECORD_TOO_LARGE, span, message, help))
    }

    fn begin(
        &mut self,
        span: Span,
        style: StructureStyle,
        tagged: bool,
        holds: Holds,
    ) -> Result<(), Problem> {
        self.count(span)?;
        if tagged {
            self.tagged(span);
        }
        let style = match style {
            StructureStyle::Block => Style::Block,
            StructureStyle::Flow => Style::Flow,
        };
        let start = span.start;
        self.open.push(Open {
            start,
            style,
            holds,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let (value, children) = match open.holds {
            Holds::Items(values, places) => (Value::Array(values), Children::Items(places)),
            Holds::Fields(map, fields, _) => (Value::Object(map), Children::Fields(fields)),
        };
        let span = match open.style {
            Style::Flow => Span::new(open.start, span.end),
            _ => self.extent().of_block(open.start, &children),
        };
        let style = open.style;
        self.deliver(
            value,
            Place {
                span,
                style,
                children,
            },
        );
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        let style = match style {
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
            _ => Style::Plain,
        };
        let span = match style {
            Style::Literal | Style::Folded => self.extent().of_scalar(span, self.behind),
            _ => span,
        };
        let place = scalar_place(span, style);
        if style != Style::Plain {
            return self.deliver(Value::String(text.to_owned()), place);
        }
        if text == "<<" && self.key_awaited() {
            let message = "records have no merge keys (`<<`)";
            let help = "write the fields out here";
            self.distorted(&codes::YAML_MERGE_KEY, span, message, help);
        }
        match scalar::resolve(text) {
            Ok(value) => {
                let value = value.unwrap_or_else(|| Value::String(text.to_owned()));
                self.deliver(value, place);
            }
            Err(unheld) => {
                let (message, help) = match unheld {
                    Unheld::NotFinite => (
                        format!("`{text}` is a number that records can't hold"),
                        "leave the field out, or put it in quotes if it is a text",
                    ),
                    Unheld::TooLarge => (
                        format!("`{}` is too large for a number", shortened(text)),
                        "put it in quotes if it is a text",
                    ),
                };
                self.distorted(&codes::YAML_NUMBER, span, &message, help);
                self.deliver(Value::Null, place);
            }
        }
    }

    fn extent(&self) -> Extent<'a> {
        Extent {
            text: self.text,
            skipped: self.skipped,
        }
    }

    fn key_awaited(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                holds: Holds::Fields(_, _, Key::Awaited),
                ..
            })
        )
    }

    /// Puts a finished value where it belongs.
    fn deliver(&mut self, value: Value, place: Place) {
        let extent = self.extent();
        let Some(open) = self.open.last_mut() else {
            self.root = Some((value, place));
            return;
        };
        match &mut open.holds {
            Holds::Items(values, places) => {
                values.push(value);
                places.push(place);
            }
            Holds::Fields(map, fields, key) => match std::mem::replace(key, Key::Awaited) {
                Key::Known(name, span) => {
                    map.insert(name, value);
                    fields.push(Field {
                        start: extent.of_key(span),
                        key: span,
                        value: place,
                    });
                }
                Key::Dropped => {}
                Key::Awaited => match value {
                    Value::String(name) if !map.contains_key(&name) => {
                        *key = Key::Known(name, place.span);
                    }
                    Value::String(name) => {
                        *key = Key::Dropped;
                        let first = map.keys().zip(&*fields).find(|(known, _)| **known == name);
                        let first = first.map_or(place.span, |(_, field)| field.key);
                        self.problems.push(duplicate(&name, place.span, first));
                    }
                    other => {
                        *key = Key::Dropped;
                        self.no_key(&other, place.span);
                    }
                },
            },
        }
    }

    fn no_key(&mut self, value: &Value, span: Span) {
        let within = |problem: &Problem| {
            problem.code == &codes::YAML_KEY && problem.span.start >= span.start
        };
        if self.problems.iter().any(within) {
            return;
        }
        let (what, help) = match value {
            Value::Array(_) => ("a list", "keys are texts"),
            Value::Object(_) => ("a mapping", "put it in quotes if it is a template"),
            Value::Number(_) => ("a number", "put the key in quotes"),
            Value::Bool(_) => ("true or false", "put the key in quotes"),
            Value::Null | Value::String(_) => ("nothing", "write the key before the `:`"),
        };
        let message = format!("a key has to be a text, but this is {what}");
        self.distorted(&codes::YAML_KEY, span, &message, help);
    }

    fn tagged(&mut self, span: Span) {
        let message = "records have no tags (`!…`)";
        let help = "delete the tag; put the value in quotes to make it a text";
        self.distorted(&codes::YAML_TAG, span, message, help);
    }

    /// Reports what makes the tree say something else than the text.
    fn distorted(&mut self, code: &'static Code, span: Span, message: &str, help: &str) {
        self.faithful = false;
        self.problem(code, span, message, help);
    }

    fn problem(&mut self, code: &'static Code, span: Span, message: &str, help: &str) {
        self.problems.push(Problem::new(code, span, message, help));
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = error.marker().byte_offset().unwrap_or(self.text.len());
        let at = self.skipped + at.min(self.text.len());
        let code = match error.kind() {
            ErrorKind::RecursionLimitExceeded => &codes::RECORD_TOO_DEEP,
            _ => &codes::YAML_SYNTAX,
        };
        let (message, help) = super::syntax::tell(error.kind());
        Problem::new(code, Span::new(at, at + 1), message, help)
    }
}

fn scalar_place(span: Span, style: Style) -> Place {
    Place {
        span,
        style,
        children: Children::None,
    }
}

fn duplicate(name: &str, again: Span, first: Span) -> Problem {
    let message = format!("the key `{}` stands here again", shortened(name));
    let help = "keep one of the two";
    let problem = Problem::new(&codes::DUPLICATE_KEY, again, message, help);
    problem.related(first, "it stood here first")
}

/// At most the first 40 characters of `text`, no control character as it is.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect::<String>();
    if short.len() < text.len() {
        short.push('…');
    }
    short.escape_debug().to_string()
}
