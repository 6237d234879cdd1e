//! One expression over one record's variables, in the Common Expression Language.
//!
//! Source: <https://github.com/cel-expr/cel-spec>. Beside its own functions there are
//! `x.metric(NAME[, DATASET[, SPLIT]])`, a metric's value, and `x.hasMetric(…)`, whether there is
//! one.

use cel::common::ast::{Expr, IdedExpr, operators};
use cel::extractors::{Arguments, This};
use cel::{Context, ExecutionError, Program, Value};

use super::{Answer, MAX_EXPRESSION_BYTES, Question};

/// The longest text of a value that is told.
const MAX_VALUE_CHARS: usize = 200;

/// The longest message.
const MAX_MESSAGE_CHARS: usize = 2000;

/// Answers a question. It can take any time and any memory, and overflow the stack: call it where
/// that does no harm.
pub fn evaluate(question: &Question) -> Answer {
    if question.expression.len() > MAX_EXPRESSION_BYTES {
        let why = format!("it is longer than {MAX_EXPRESSION_BYTES} bytes");
        return Answer::Invalid { why };
    }
    let program = match Program::compile(&question.expression) {
        Ok(program) => program,
        Err(errors) => {
            let why = errors.to_string();
            return Answer::Invalid { why };
        }
    };
    if question.path.is_none() {
        return Answer::Holds;
    }
    let context = match context(question) {
        Ok(context) => context,
        Err(why) => return Answer::Missing { why },
    };
    match program.execute(&context) {
        Ok(Value::Bool(true)) => Answer::Holds,
        Ok(Value::Bool(false)) => {
            let mut values = Vec::new();
            failing(program.expression(), &context, &mut values);
            let message = question.message.as_deref();
            Answer::Fails {
                message: message.map(|message| filled(message, &context)),
                values,
            }
        }
        Ok(other) => Answer::Invalid {
            why: format!("it is {}, neither true nor false", told(&other)),
        },
        Err(error) => Answer::Missing {
            why: reason(&error),
        },
    }
}

fn context(question: &Question) -> Result<Context<'static, 'static>, String> {
    let mut context = Context::default();
    let told = |error: &dyn std::fmt::Display| error.to_string();
    for (name, value) in &question.variables {
        let value = cel::to_value(value).map_err(|error| told(&error))?;
        context.add_variable_from_value(name.clone(), value);
    }
    let added = context
        .add_function("metric", |This(this): This<Value>, wanted: Arguments| {
            let found = metric(&this, &wanted.0)?;
            found.ok_or_else(|| ExecutionError::function_error("metric", absent(&wanted.0)))
        })
        .and_then(|()| {
            context.add_function("hasMetric", |This(this): This<Value>, wanted: Arguments| {
                Ok::<_, ExecutionError>(Value::Bool(
                    this != Value::Null && metric(&this, &wanted.0)?.is_some(),
                ))
            })
        });
    added.map_err(|error| told(&error))?;
    Ok(context)
}

/// The value of a metric among a version's `metrics`.
fn metric(this: &Value, wanted: &[Value]) -> Result<Option<Value>, ExecutionError> {
    let refused = |why: &str| ExecutionError::function_error("metric", why);
    if *this == Value::Null {
        return Err(refused("there is no version to have a metric"));
    }
    let json = this.json().map_err(|error| refused(&error.to_string()))?;
    let mut names = Vec::new();
    for one in wanted {
        match one {
            Value::String(text) => names.push(text.as_str()),
            _ => return Err(refused("it takes a name, and then a dataset and a split")),
        }
    }
    let metrics = json["metrics"].as_array().map_or(&[][..], Vec::as_slice);
    let found = metrics.iter().find(|one| {
        let fields = ["name", "dataset", "split"];
        let mut wanted = fields.iter().zip(&names);
        wanted.all(|(field, wanted)| one[*field].as_str() == Some(*wanted))
    });
    Ok(found.and_then(|one| Some(Value::Float(one["value"].as_f64()?))))
}

fn absent(wanted: &[Value]) -> String {
    let names: Vec<String> = wanted.iter().map(told).collect();
    format!("there is no metric {}", names.join(", "))
}

/// The comparisons that make an expression false, with the values of their sides.
fn failing(expression: &IdedExpr, context: &Context<'_, '_>, values: &mut Vec<String>) {
    let Expr::Call(call) = &expression.expr else {
        return;
    };
    let is_false = |one: &IdedExpr| Value::resolve(one, context) == Ok(Value::Bool(false));
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, sides) => {
            for side in sides.iter().filter(|side| is_false(side)) {
                failing(side, context, values);
            }
        }
        (name, [left, right]) => {
            let Some(sign) = sign(name) else {
                return;
            };
            let side = |one: &IdedExpr| Value::resolve(one, context);
            if let (Ok(left), Ok(right)) = (side(left), side(right)) {
                values.push(format!("{} {sign} {}", told(&left), told(&right)));
            }
        }
        _ => {}
    }
}

fn sign(name: &str) -> Option<&'static str> {
    Some(match name {
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        operators::GREATER_EQUALS => ">=",
        operators::LESS_EQUALS => "<=",
        operators::GREATER => ">",
        operators::LESS => "<",
        operators::IN => "in",
        _ => return None,
    })
}

/// `message` with what stands in braces evaluated.
fn filled(message: &str, context: &Context<'_, '_>) -> String {
    let mut filled = String::new();
    let mut rest = message;
    while let Some((text, behind)) = rest.split_once('{') {
        filled += text;
        let Some((inside, behind)) = behind.split_once('}') else {
            filled.push('{');
            rest = behind;
            continue;
        };
        let value = Program::compile(inside).ok();
        let value = value.and_then(|program| program.execute(context).ok());
        match value {
            Some(Value::String(text)) => filled += &text,
            Some(value) => filled += &told(&value),
            None => filled += &format!("{{{inside}}}"),
        }
        rest = behind;
    }
    filled += rest;
    filled.chars().take(MAX_MESSAGE_CHARS).collect()
}

/// A value as it is told: in JSON, its fields by name, and in bounds.
fn told(value: &Value) -> String {
    let text = value.json().map_or("?".to_owned(), |mut json| {
        json.sort_all_objects();
        json.to_string()
    });
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn reason(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no `{key}`"),
        ExecutionError::UndeclaredReference(name) => format!("nothing is known of `{name}`"),
        ExecutionError::FunctionError { message, .. } => message.clone(),
        other => {
            let text = other.to_string();
            text.chars().take(MAX_VALUE_CHARS).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    //! Expressions, and what is told of them.

    use serde_json::json;

    use super::*;

    fn answer(expression: &str, message: Option<&str>) -> Answer {
        let variables = json!({
            "version": {
                "name": "digits",
                "metrics": [
                    {"name": "accuracy", "dataset": "holdout", "value": 0.91},
                    {"name": "accuracy", "dataset": "holdout", "split": "test", "value": 1},
                ],
                "tests": [],
            },
            "champion": {"metrics": [{"name": "accuracy", "dataset": "holdout", "value": 0.97}]},
            "before": null,
        });
        evaluate(&Question {
            policy: "policies/release.yaml".to_owned(),
            gate: 0,
            path: Some("models/vision/digits/versions/1.0.0.yaml".to_owned()),
            expression: expression.to_owned(),
            message: message.map(str::to_owned),
            variables: variables.as_object().unwrap().clone(),
        })
    }

    fn why(answer: Answer) -> String {
        match answer {
            Answer::Missing { why } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_holds_holds() {
        for expression in [
            "version.metric('accuracy', 'holdout', 'test') >= 1.0",
            "version.metric('accuracy', 'holdout', 'test') >= 1",
            "!has(version.license) && size(version.tests) == 0",
            "before == null || before.name == 'x'",
            "!version.hasMetric('loss') && !before.hasMetric('accuracy')",
            "version.metrics.exists(one, one.value > 0.9)",
        ] {
            assert_eq!(answer(expression, None), Answer::Holds, "{expression}");
        }
    }

    #[test]
    fn what_fails_tells_the_values_and_the_message() {
        let expression = "version.metric('accuracy', 'holdout') >= champion.metric('accuracy', \
                          'holdout') && size(version.tests) > 0";
        let message = "{version.name}: {version.metric('accuracy')} is below {nothing}, {";
        assert_eq!(
            answer(expression, Some(message)),
            Answer::Fails {
                message: Some("digits: 0.91 is below {nothing}, {".to_owned()),
                values: vec!["0.91 >= 0.97".to_owned(), "0 > 0".to_owned()],
            }
        );
        // The same each time: who compares two checks sees no difference where none is.
        assert_eq!(
            answer("{'b': 1, 'a': {'d': 2, 'c': 3}} == {}", None),
            Answer::Fails {
                message: None,
                values: vec![r#"{"a":{"c":3,"d":2},"b":1} == {}"#.to_owned()],
            }
        );
    }

    #[test]
    fn what_is_missing_is_told() {
        for (expression, reason) in [
            (
                "version.metric('loss', 'holdout') < 1.0",
                "there is no metric \"loss\", \"holdout\"",
            ),
            (
                "before.metric('accuracy') < 1.0",
                "there is no version to have a metric",
            ),
            ("size(version.license) > 0", "there is no `license`"),
            ("evidence.present", "nothing is known of `evidence`"),
        ] {
            assert_eq!(why(answer(expression, None)), reason);
        }
    }

    #[test]
    fn what_is_no_expression_is_invalid() {
        for expression in ["version.", "1 + 1", "'yes'", &"x".repeat(5000)] {
            let answer = answer(expression, None);
            assert!(
                matches!(answer, Answer::Invalid { .. }),
                "{expression}: {answer:?}"
            );
        }
    }
}
