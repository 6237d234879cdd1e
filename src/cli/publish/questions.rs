//! The guided way: asks a person at a terminal what was not said.

use dialoguer::theme::ColorfulTheme;
use dialoguer::{Error, Input, Select};

use crate::cli::fault::CliError;
use crate::ops::publish::{Question, Said};
use crate::platform::redact::printable;
use crate::record::{Failure, ModelName};

/// What stands first in a list of choices where none has to be made.
const LEAVE_OPEN: &str = "(leave open)";

/// Asks every question about `model` and gives what the answers say.
pub(super) fn ask(questions: &[Question], model: &ModelName) -> Result<Said, Failure> {
    let mut said = Said::default();
    for question in questions {
        let answer =
            ask_one(question, model).map_err(|Error::IO(error)| CliError::unanswered(error))?;
        if let Some(answer) = answer {
            said.hear(question.answered(&answer));
        }
    }
    Ok(said)
}

fn ask_one(question: &Question, model: &ModelName) -> Result<Option<String>, Error> {
    let theme = ColorfulTheme::default();
    if question.choices.is_empty() {
        let input = Input::<String>::with_theme(&theme)
            .with_prompt(question.prompt)
            .allow_empty(!question.required)
            .validate_with(|answer: &String| match answer.trim() {
                "" if question.required => Err("it has to have an answer".to_owned()),
                "" => Ok(()),
                answer => question.refusal(answer, model).map_or(Ok(()), Err),
            });
        let answer = input.interact_text()?;
        return Ok(Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty()));
    }
    let open = (!question.required).then(|| LEAVE_OPEN.to_owned());
    let items: Vec<_> = open
        .into_iter()
        .chain(question.choices.iter().map(|word| printable(word)))
        .collect();
    let chosen = Select::with_theme(&theme)
        .with_prompt(question.prompt)
        .items(&items)
        .default(0)
        .interact()?;
    let skipped = usize::from(!question.required);
    Ok(chosen
        .checked_sub(skipped)
        .map(|choice| question.choices[choice].clone()))
}
