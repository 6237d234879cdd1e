//! Programs with their arguments, and arguments of programs that are named elsewhere.

use serde::{Deserialize, Serialize};

/// The most words of a command line.
const MAX_WORDS: usize = 64;
/// The longest word, in characters.
const MAX_WORD_LENGTH: usize = 4096;

/// A program and its arguments, each a word of its own. No shell reads them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct CommandLine(Vec<String>);

/// What a program is told, each a word of its own. No shell reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Arguments(Vec<String>);

/// Why words are no command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Nothing says what to run.
    #[error("a command begins with its program, as in `[\"compare\", \"--last\", \"5m\"]`")]
    NoProgram,
    /// There are too many words.
    #[error("a command has at most 64 words")]
    TooManyWords,
    /// A word is too long.
    #[error("a word of a command has at most 4096 characters")]
    TooLong,
    /// A word can't be shown, or not be handed to a program.
    #[error("a word of a command has a control character; only line breaks and tabs may be in it")]
    Control,
}

impl CommandLine {
    /// The program, then its arguments.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for CommandLine {
    type Error = CommandError;

    fn try_from(words: Vec<String>) -> Result<Self, CommandError> {
        if words.first().is_none_or(String::is_empty) {
            return Err(CommandError::NoProgram);
        }
        bounded(&words)?;
        Ok(Self(words))
    }
}

fn bounded(words: &[String]) -> Result<(), CommandError> {
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_long = |word: &String| word.chars().count() > MAX_WORD_LENGTH;
    if words.len() > MAX_WORDS {
        Err(CommandError::TooManyWords)
    } else if words.iter().any(is_long) {
        Err(CommandError::TooLong)
    } else if words.iter().any(|word| word.contains(is_control)) {
        Err(CommandError::Control)
    } else {
        Ok(())
    }
}

impl Arguments {
    /// The words.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<String>> for Arguments {
    type Error = CommandError;

    fn try_from(words: Vec<String>) -> Result<Self, CommandError> {
        bounded(&words)?;
        Ok(Self(words))
    }
}

impl From<Arguments> for Vec<String> {
    fn from(arguments: Arguments) -> Self {
        arguments.0
    }
}

impl From<CommandLine> for Vec<String> {
    fn from(command: CommandLine) -> Self {
        command.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_a_program_and_bounds() {
        let of = |words: &[&str]| {
            CommandLine::try_from(
                words
                    .iter()
                    .map(|&word| word.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let longest = "é".repeat(4096);
        for good in [
            &["true"][..],
            &["sh", "-c", "a\n\tb"],
            &["a", "", &longest],
            &["a"; 64],
        ] {
            assert_eq!(of(good).unwrap().words(), good);
        }
        let longer = format!("{longest}é");
        assert_eq!(of(&[]), Err(CommandError::NoProgram));
        assert_eq!(of(&["", "a"]), Err(CommandError::NoProgram));
        assert_eq!(of(&["a"; 65]), Err(CommandError::TooManyWords));
        assert_eq!(of(&["a", &longer]), Err(CommandError::TooLong));
        assert_eq!(of(&["a", "b\0"]), Err(CommandError::Control));
        for bad in [&["a"; 65][..], &["", &longer], &["b\0"]] {
            let words: Vec<String> = bad.iter().map(|&word| word.to_owned()).collect();
            assert!(Arguments::try_from(words).is_err());
        }
        assert!(Arguments::try_from(Vec::new()).unwrap().is_empty());
    }
}
