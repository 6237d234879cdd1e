//! What is sent to a server that models are registered at: JSON, and files.
//!
//! A call is not sent twice: one that may have done its work and was not answered is told, and what
//! it made is looked for by the next run.

use std::path::Path;

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::fs::File;

use super::Client;
use crate::import::ImportError;
use crate::platform::atomic::FileError;

impl Client {
    /// Posts `body`, once, and gives the JSON that is answered.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(in crate::import) async fn tell<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &Value,
        doing: &str,
    ) -> Result<T, ImportError> {
        let request = self.request(Method::POST, self.url(path, &[]));
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = self.answer(request.body(body.to_string()), doing).await?;
        self.understood(&answer.0, doing)
    }

    /// Puts the file at `from` to `path`; tried again where that helps.
    ///
    /// # Errors
    /// As [`Self::json`], and if the file can't be read.
    pub(in crate::import) async fn put(
        &self,
        path: &[&str],
        from: &Path,
        doing: &str,
    ) -> Result<(), ImportError> {
        let put = || async {
            let read = |error| FileError::at("read", from)(error);
            let file = File::open(from).await.map_err(read)?;
            let length = file.metadata().await.map_err(read)?.len();
            let request = self.request(Method::PUT, self.url(path, &[]));
            let request = request.header(CONTENT_LENGTH, length);
            self.answer(request.body(file), doing).await.map(drop)
        };
        self.retry().run(put).await
    }
}
