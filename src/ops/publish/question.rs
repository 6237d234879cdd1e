//! What a person is asked who publishes a model for the first time.

use serde_json::{Map, Value, json};

use super::Said;
use crate::record::kind::Vocabularies;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
