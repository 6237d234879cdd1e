//! What the parser found, in words for people who don't know YAML's grammar.

use granit_parser::ErrorKind;

use super::MAX_DEPTH;

/// What is wrong, and what to do.
pub(super) fn tell(kind: &ErrorKind) -> (String, &'static str) {
    use ErrorKind as Kind;
    let (message, help) = match kind {
        Kind::RecursionLimitExceeded => {
            let message =
                format!("lists and mappings lie more than {MAX_DEPTH} deep in each other");
            return (
                message,
                "records are flat: look at `modelyard explain record-too-deep`",
            );
        }
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => (
            "there is a tab where spaces have to be",
            "indent with spaces",
        ),
        Kind::MappingValueNotAllowed | Kind::InvalidColonPlacement => (
            "a `:` can't stand here",
            "put the text in quotes if `: ` belongs to it, or check the indentation",
        ),
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey | Kind::ExpectedBlockMappingKey => (
            "here `key: value` was expected",
            "check the indentation, and that a `:` follows the key",
        ),
        Kind::InvalidIndentation
        | Kind::InvalidFlowScalarIndent
        | Kind::InvalidQuotedScalarIndent
        | Kind::InvalidBlockScalarIndent => (
            "this line's indentation fits nothing above it",
            "align it with its neighbours",
        ),
        Kind::UnclosedQuotedScalar | Kind::DocumentIndicatorInQuotedScalar => (
            "a quote is opened and never closed",
            "close it, or delete it",
        ),
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => (
            "text follows behind the closing quote",
            "put all of it in quotes; a quote within '…' is written twice, in \"…\" as \\\"",
        ),
        Kind::UnknownQuotedScalarEscape => (
            "this escape is none of YAML's",
            "write `\\\\` for a backslash, or use single quotes",
        ),
        Kind::UnclosedFlowCollection { open, .. } => {
            let message = format!("a `{open}` is opened and never closed");
            return (message, "close it");
        }
        Kind::MismatchedFlowCollectionEnd { open, close } => {
            let message = format!("`{close}` can't close what `{open}` opened");
            return (message, "check the brackets");
        }
        Kind::ExpectedFlowMappingSeparator => {
            ("here `,` or `}` was expected", "check the brackets")
        }
        Kind::ExpectedFlowSequenceSeparator => {
            ("here `,` or `]` was expected", "check the brackets")
        }
        Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnexpectedEofImplicitFlowMapping => ("the file ends within brackets", "close them"),
        Kind::ExpectedBlockSequenceEntry | Kind::BlockSequenceEntryNotAllowed => (
            "a list item can't stand here",
            "begin each item with `- `, all at the same indentation, below its key",
        ),
        Kind::UnexpectedCharacter { character } => {
            let message = format!("no value begins with `{}`", character.escape_default());
            return (message, "put the text in quotes");
        }
        other => {
            return (
                other.to_string(),
                "check the quotes, brackets and indentation around here",
            );
        }
    };
    (message.to_owned(), help)
}
