//! Puts a version's golden tests to a runtime.

use std::path::Path;

use serde::Serialize;

use super::client::{AskError, Client};
use crate::platform::atomic::{self, FileError};
use crate::protocol::golden::{self, Contents};
use crate::record::kind::GoldenTest;
use crate::record::with_causes;

/// The largest file that a golden test names.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tested {
    /// The test.
    pub name: String,
    /// Whether everything was as it has to be.
    pub passed: bool,
    /// What was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
}

/// Puts one test to `model`; the files that it names lie in `folder`.
///
/// A model that refuses the request, or answers something else, fails its test.
///
/// # Errors
/// If nobody answers, so that nothing is known of the model.
pub async fn test(
    client: &Client,
    model: &str,
    test: &GoldenTest,
    folder: &Path,
) -> Result<Tested, AskError> {
    let differences = match asked(test, folder) {
        Err(reason) => vec![reason],
        Ok((request, contents)) => match client.infer(model, &request).await {
            Ok(answer) => {
                let differences = golden::compare(test, &contents, &answer);
                differences.iter().map(ToString::to_string).collect()
            }
            Err(error) if error.is_answer() => vec![with_causes(&error)],
            Err(error) => return Err(error),
        },
    };
    Ok(Tested {
        name: test.name.clone(),
        passed: differences.is_empty(),
        differences,
    })
}

/// The request, and what the files hold that the test names; or why there is none.
fn asked(test: &GoldenTest, folder: &Path) -> Result<(crate::protocol::Request, Contents), String> {
    let contents = contents(test, folder).map_err(|error| with_causes(&error))?;
    let request = golden::request(test, &contents).map_err(|error| with_causes(&error))?;
    Ok((request, contents))
}

fn contents(test: &GoldenTest, folder: &Path) -> Result<Contents, FileError> {
    let read = golden::files(test).map(|file| {
        let bytes = atomic::read_at_most(&folder.join(file.as_str()), MAX_FILE_BYTES)?;
        Ok((file.clone(), bytes.into()))
    });
    read.collect()
}
