//! What a person is asked who publishes a model for the first time.

use serde_json::{Map, Value, json};

use super::Said;
use super::records::Wish;
use crate::check::document::Document;
use crate::check::layout::{Use, use_of};
use crate::check::{File, Severity};
use crate::record::ModelName;
use crate::record::kind::{Kind, Vocabularies};
use crate::yard::model_path;

/// A question whose answer fills one field of the model's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The field, and the part of it where it has parts: `classification.technology`.
    pub field: &'static str,
    /// The flag that says the same.
    pub flag: &'static str,
    /// What to ask.
    pub prompt: &'static str,
    /// Whether there has to be an answer.
    pub required: bool,
    /// The only answers that the yard allows; any where it is empty.
    pub choices: Vec<String>,
}

/// Every question, in the order in which they are asked.
const QUESTIONS: [(&str, &str, &str, bool); 10] = [
    ("title", "--title", "What is it, in a line?", true),
    ("owners", "--owner", "Which team answers for it?", true),
    ("description", "--description", "What does it do?", false),
    (
        "license",
        "--license",
        "Under which licence? (SPDX, such as Apache-2.0)",
        false,
    ),
    ("visibility", "--visibility", "Who may see it?", false),
    (
        "classification.technology",
        "--technology",
        "Which technology? (such as computer-vision, nlp, tabular)",
        false,
    ),
    (
        "classification.category",
        "--category",
        "Which category? (such as classification, regression)",
        false,
    ),
    (
        "classification.inputDataType",
        "--input-data-type",
        "Which type of input? (such as image, text, table)",
        false,
    ),
    (
        "classification.applicationDomain",
        "--application-domain",
        "Where is it used? (such as manufacturing)",
        false,
    ),
    (
        "classification.task",
        "--task",
        "Which task? (as Hugging Face names it, such as image-classification)",
        false,
    ),
];

/// What is still to be asked of a model of which `model` has been said.
pub(super) fn open_questions(
    model: &Map<String, Value>,
    vocabularies: &Vocabularies,
) -> Vec<Question> {
    let questions = QUESTIONS
        .into_iter()
        .map(|(field, flag, prompt, required)| {
            let choices = choices(field, vocabularies);
            Question {
                field,
                flag,
                prompt,
                required,
                choices,
            }
        });
    questions
        .filter(|question| !is_said(model, question.field))
        .collect()
}

fn choices(field: &str, vocabularies: &Vocabularies) -> Vec<String> {
    if field == "visibility" {
        return ["internal", "public", "private"]
            .map(str::to_owned)
            .to_vec();
    }
    let part = field.strip_prefix("classification.");
    let closed = vocabularies
        .fields()
        .into_iter()
        .find(|(name, _)| Some(*name) == part);
    closed.map(|(_, words)| words.to_vec()).unwrap_or_default()
}

fn is_said(model: &Map<String, Value>, field: &str) -> bool {
    match field.split_once('.') {
        Some((whole, part)) => model
            .get(whole)
            .is_some_and(|value| value.get(part).is_some()),
        None => model.contains_key(field),
    }
}

impl Question {
    /// What an answer says.
    pub fn answered(&self, answer: &str) -> Said {
        let mut said = Said::default();
        let (field, value) = match self.field.split_once('.') {
            Some((whole, part)) => (whole, json!({ part: answer })),
            None if self.field == "owners" => ("owners", json!([{"team": answer}])),
            None => (self.field, json!(answer)),
        };
        said.model.insert(field.to_owned(), value);
        said
    }

    /// What a check would have against this answer in the record of `model`, so that a person can
    /// give another one at once.
    pub fn refusal(&self, answer: &str, model: &ModelName) -> Option<String> {
        // What else a record can't be without.
        let rest = [("title", json!("-")), ("owners", json!([{"team": "-"}]))];
        let mut said = Said {
            model: rest
                .map(|(field, value)| (field.to_owned(), value))
                .into_iter()
                .collect(),
            ..Said::default()
        };
        said.hear(self.answered(answer));
        let record = Wish {
            kind: Kind::Model,
            metadata: json!({"namespace": model.namespace(), "name": model.name()}),
            spec: &said.model,
        };
        let Use::Record(seat) = use_of(&model_path(model)) else {
            return None;
        };
        let (_, found) = Document::read(seat, &File::Text(record.anew().into()));
        let mut wrong = found
            .into_iter()
            .filter(|one| one.severity == Severity::Error);
        wrong.next().map(|wrong| wrong.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_a_check_would_refuse_is_refused_at_once() {
        let model = "vision/digits".parse().unwrap();
        let questions = open_questions(&Map::new(), &Vocabularies::default());
        let refusal = |field: &str, answer: &str| {
            let question = questions.iter().find(|question| question.field == field);
            question.unwrap().refusal(answer, &model)
        };
        let told = refusal("license", "Apache").unwrap();
        assert!(told.contains("not an SPDX licence expression"), "{told}");
        assert_eq!(refusal("license", "Apache-2.0"), None);
        for question in &questions {
            let told = question.refusal("a\u{1b}[31mb", &model);
            assert!(told.is_some(), "{} takes an escape", question.field);
        }
        for (field, answer) in [
            ("title", "Handwritten digits"),
            ("owners", "vision"),
            ("description", "Tells which digit: 0 to 9."),
            ("visibility", "public"),
            ("classification.technology", "computer-vision"),
            ("classification.task", "image-classification"),
        ] {
            assert_eq!(refusal(field, answer), None, "{field}");
        }
    }

    #[test]
    fn only_what_was_not_said_is_asked() {
        let vocabularies = Vocabularies {
            technology: vec!["nlp".to_owned()],
            ..Vocabularies::default()
        };
        let mut said = Said::default();
        loop {
            let questions = open_questions(&said.model, &vocabularies);
            let Some(question) = questions.first() else {
                break;
            };
            if question.field == "classification.technology" {
                assert_eq!(question.choices, ["nlp"]);
            }
            said.hear(question.answered("answer"));
        }
        assert_eq!(said.model["owners"], json!([{"team": "answer"}]));
        assert_eq!(said.model["classification"]["task"], json!("answer"));
        assert_eq!(said.model.len(), 6);
    }
}
