//! Who commits, and when, as git would say it.

use git2::{Repository as GitRepository, Signature, Time};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::error::YardError;

/// Author and committer of a commit.
pub(super) struct Identity {
    pub(super) author: Signature<'static>,
    pub(super) committer: Signature<'static>,
}

impl Identity {
    /// Who `git commit` would name at `now`: `GIT_AUTHOR_NAME`, `GIT_AUTHOR_EMAIL`,
    /// `GIT_AUTHOR_DATE` and the same for the committer, then `user.name` and `user.email`.
    ///
    /// # Errors
    /// [`YardError::NoIdentity`]; a name is never made up of the machine's.
    pub(super) fn of(git: &GitRepository, now: Timestamp) -> Result<Self, YardError> {
        let author = git.author_from_env().map_err(|_| YardError::NoIdentity)?;
        let committer = git
            .committer_from_env()
            .map_err(|_| YardError::NoIdentity)?;
        Ok(Self {
            author: at(author, "GIT_AUTHOR_DATE", now)?,
            committer: at(committer, "GIT_COMMITTER_DATE", now)?,
        })
    }
}

/// `signature` at `now`, unless the environment names a date of its own.
#[allow(clippy::disallowed_methods, reason = "git's own variable")]
fn at(
    signature: Signature<'static>,
    date: &str,
    now: Timestamp,
) -> Result<Signature<'static>, YardError> {
    if std::env::var_os(date).is_some_and(|date| !date.is_empty()) {
        return Ok(signature);
    }
    let name = String::from_utf8_lossy(signature.name_bytes()).into_owned();
    let email = String::from_utf8_lossy(signature.email_bytes()).into_owned();
    let offset = TimeZone::system().to_offset(now).seconds() / 60;
    Signature::new(&name, &email, &Time::new(now.as_second(), offset))
        .map_err(|_| YardError::NoIdentity)
}
