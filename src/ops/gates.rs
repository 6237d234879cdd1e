//! Gates of policies, evaluated where they can do no harm: in a process of their own, this program
//! again as `modelyard gates`, with a limit on its memory and a deadline for each expression. One
//! that breaks off costs its own answer and no other.
//!
//! A question goes in as a line of JSON, and an answer comes out as one.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout};

use crate::check::gates::{Answer, Answers, Question};
use crate::platform::atomic::FileError;
use crate::record::Failure;

/// How long one expression may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How long all of them may take.
const ALL: Duration = Duration::from_secs(60);

/// The longest answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Who answers.
struct Evaluator {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// Has `program`, which is this one, answer `questions`.
///
/// # Errors
/// If it can't be started.
pub(super) async fn answers(questions: &[Question], program: &Path) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    let mut evaluator = None;
    let until = Instant::now() + ALL;
    for question in questions {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let why = format!("all gates together took longer than {} s", ALL.as_secs());
            answers.insert(question, Answer::Missing { why });
            continue;
        }
        let mut at_work = match evaluator.take() {
            Some(evaluator) => evaluator,
            None => Evaluator::start(program)?,
        };
        let answer = match timeout(DEADLINE.min(left), at_work.ask(question)).await {
            Ok(Ok(answer)) => {
                evaluator = Some(at_work);
                answer
            }
            // What it does or holds ends with it.
            Ok(Err(why)) => Answer::Missing { why },
            Err(_) => Answer::Missing {
                why: format!("it took longer than {} s", DEADLINE.as_secs()),
            },
        };
        answers.insert(question, answer);
    }
    Ok(answers)
}

impl Evaluator {
    fn start(program: &Path) -> Result<Self, FileError> {
        let mut command = Command::new(program);
        command
            .arg("gates")
            .env_clear()
            // It needs nothing of the user's, but every command asks where that would be.
            .env("HOME", "/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(FileError::at("run", program))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            child,
            stdin: stdin.expect("it is piped"),
            stdout: BufReader::new(stdout.expect("it is piped")),
        })
    }

    /// The answer, or why there is none and never will be.
    async fn ask(&mut self, question: &Question) -> Result<Answer, String> {
        let mut line = serde_json::to_vec(question).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let mut answer = Vec::new();
        // One that ends while it reads has ended: that is told below.
        let _ = self.stdin.write_all(&line).await;
        let _ = self.stdin.flush().await;
        let mut bounded = (&mut self.stdout).take(MAX_ANSWER_BYTES);
        let read = bounded.read_until(b'\n', &mut answer).await;
        if read.is_ok() && answer.ends_with(b"\n") {
            return serde_json::from_slice(&answer).map_err(|error| error.to_string());
        }
        let ended = self.child.wait().await;
        let ended = ended.map_or("it ended".to_owned(), |status| status.to_string());
        Err(format!(
            "it is too deep, or takes too much memory ({ended})"
        ))
    }
}
