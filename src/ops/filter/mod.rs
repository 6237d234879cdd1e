//! The little language in which records are chosen: `lifecycle=released and metrics.accuracy>=0.9`.
//!
//! ```text
//! filter     any ("or" any)*
//! any        one ("and" one)*
//! one        "not" one | "(" filter ")" | FIELD [OPERATOR VALUE]
//! FIELD      names with dots between them, as in the record: classification.task
//! OPERATOR   =  !=  >  >=  <  <=  ~
//! VALUE      a word, or anything in single or double quotes
//! ```
//!
//! A field is looked for in the version and then in its model. Where it is a list, one of its
//! items is enough; an item that has a name is found by it (`metrics.accuracy`, whose value is
//! then meant). `=` compares whole values, in which `*` stands for anything; `~` finds a part,
//! whatever its case; `<` and the like compare numbers (`100MiB` is one), versions, dates, or
//! else text. A field alone asks whether it is there. What is not there equals nothing.

mod compare;
mod fields;
mod parse;

use serde_json::Value;

pub use fields::{Subject, known};
pub use parse::FilterError;

use compare::Literal;

/// Which records are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq)]
enum Wanted {
    All(Vec<Wanted>),
    Any(Vec<Wanted>),
    Not(Box<Wanted>),
    Present(Field),
    Compares(Field, Operator, Literal),
}

/// The names on the way to a value.
type Field = Vec<String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    More,
    AtLeast,
    Less,
    AtMost,
    Has,
}

impl Filter {
    /// Reads a filter for records of `subject`.
    ///
    /// # Errors
    /// [`FilterError`] with the place of what can't be read, or of a field that there is not.
    pub fn parse(text: &str, subject: Subject) -> Result<Self, FilterError> {
        let wanted = parse::parse(text, subject)?;
        Ok(Self { wanted })
    }

    /// Whether `record`, all fields of which lie at its top, is wanted.
    pub fn wants(&self, record: &Value) -> bool {
        self.wanted.is_met_by(record)
    }
}

impl Wanted {
    fn is_met_by(&self, record: &Value) -> bool {
        match self {
            Self::All(all) => all.iter().all(|wanted| wanted.is_met_by(record)),
            Self::Any(any) => any.iter().any(|wanted| wanted.is_met_by(record)),
            Self::Not(not) => !not.is_met_by(record),
            Self::Present(field) => fields::any(record, field, &|_| true),
            // Of a list nothing may be it, and what is not there is nothing.
            Self::Compares(field, Operator::IsNot, literal) => {
                !fields::any(record, field, &|value| literal.is(value))
            }
            Self::Compares(field, operator, literal) => {
                fields::any(record, field, &|value| literal.holds(*operator, value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wants(text: &str) -> bool {
        let record = json!({
            "model": "vision/digits", "version": "1.10.0", "lifecycle": "released",
            "title": "Digit classifier", "createdAt": "2026-03-01T10:00:00Z",
            "precision": "int8", "targetDevices": ["cpu", "cuda"],
            "owners": [{"team": "vision", "contact": "vision@example.com"}, {"team": "platform"}],
            "classification": {"technology": "nlp", "task": "text-classification"},
            "aliases": {"champion": "1.10.0"}, "labels": {"line": "3"},
            "metrics": [
                {"name": "accuracy", "value": 0.93, "dataset": "holdout"},
                {"name": "accuracy", "value": 0.85, "dataset": "field"},
                {"name": "latency", "value": 12, "higherIsBetter": false},
            ],
            "size": 104857600, "properties": {"team-code": "A7", "nested": {"deep": [1, 2]}},
            "dependencies": {"run": [{"name": "onnxruntime", "version": "1.20.0"}]},
        });
        Filter::parse(text, Subject::Versions)
            .unwrap()
            .wants(&record)
    }

    #[test]
    fn fields_are_compared_by_what_they_are() {
        for yes in [
            "lifecycle=released",
            "lifecycle!=staged",
            "classification.technology=nlp",
            "owners.team=vision",
            "owners.team=platform",
            "owners=vision",
            "precision=int8",
            "targetDevices=cuda",
            "metrics.accuracy>=0.9",
            "metrics.accuracy<0.9",
            "metrics.latency<=12",
            "metrics.latency.higherIsBetter=false",
            "metrics.dataset=holdout",
            "version>1.9.0",
            "createdAt>=2026-03-01",
            "createdAt<2026-03-02",
            "size>=100MiB",
            "size<105MB",
            "title~DIGIT",
            "title='Digit classifier'",
            "title=\"Digit*\"",
            "model=vision/*",
            "aliases.champion",
            "aliases.champion=1.10.0",
            "labels.line=3",
            "properties.team-code=A7",
            "properties.nested.deep=2",
            "dependencies.run.onnxruntime>=1.9",
            "not aliases.challenger",
            "lifecycle=staged or precision=int8",
            "lifecycle=staged and precision=fp32 or precision=int8",
            "not (lifecycle=staged or precision=fp32)",
            "license!=MIT",
        ] {
            assert!(wants(yes), "{yes}");
        }
        for no in [
            "lifecycle=Released",
            "owners.team!=vision",
            "targetDevices!=cuda",
            "metrics.accuracy>0.93",
            "metrics.f1>=0",
            "version>=1.10.1",
            "size>101MiB",
            "title~letter",
            "model=text/*",
            "license=MIT",
            "license",
            "lifecycle=staged and (precision=fp32 or precision=int8)",
            "lifecycle>0.5 and version<0",
        ] {
            assert!(!wants(no), "{no}");
        }
    }

    #[test]
    fn errors_tell_their_place() {
        let error = |text: &str| {
            Filter::parse(text, Subject::Versions)
                .unwrap_err()
                .to_string()
        };
        insta::assert_snapshot!(error("lifecylce=released"), @r#"
        there is no field `lifecylce`, at column 1 of the filter
        lifecylce=released
        ^
        "#);
        insta::assert_snapshot!(error("lifecycle=released and classification.tecnology=nlp"), @r#"
        there is no field `classification.tecnology`, at column 39 of the filter
        lifecycle=released and classification.tecnology=nlp
                                              ^
        "#);
        insta::assert_snapshot!(error("lifecycle="), @r#"
        a value has to stand here, at column 11 of the filter
        lifecycle=
                  ^
        "#);
        insta::assert_snapshot!(error("lifecycle=released precision=int8"), @r#"
        one condition ends here, at column 20 of the filter
        lifecycle=released precision=int8
                           ^
        "#);
        insta::assert_snapshot!(error("(lifecycle=released"), @r#"
        a `)` is missing, at column 20 of the filter
        (lifecycle=released
                           ^
        "#);
        insta::assert_snapshot!(error("title='open"), @r#"
        this quote has no end, at column 7 of the filter
        title='open
              ^
        "#);
        insta::assert_snapshot!(error("size>many"), @r#"
        a number, a version or a date has to stand here, at column 6 of the filter
        size>many
             ^
        "#);
        insta::assert_snapshot!(error(""), @r#"
        a field's name has to stand here, at column 1 of the filter

        ^
        "#);
        insta::assert_snapshot!(error(&"(".repeat(3000)), @r#"
        parentheses lie deeper in each other than 64, at column 65 of the filter
        ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((
                                                ^
        "#);
    }
}
