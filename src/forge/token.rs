//! Which token a forge is asked with.
//!
//! The variables are those that each forge's own tools read: `gh` has `GH_TOKEN` and
//! `GITHUB_TOKEN` for github.com and `GH_ENTERPRISE_TOKEN` for every other host, `glab` has
//! `GITLAB_TOKEN`, `tea` has `GITEA_SERVER_TOKEN`. A workflow's own token is for the forge that
//! runs it, so it is used there only: `GITHUB_SERVER_URL` and `CI_SERVER_HOST` say which that is.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::Address;
use crate::record::kind::ForgeType;

/// A token, and where it came from.
#[derive(Clone)]
pub struct Token {
    /// The variable that had it.
    pub variable: &'static str,
    secret: SecretString,
}

impl Token {
    /// A token that `variable` had.
    pub fn new(variable: &'static str, secret: SecretString) -> Self {
        Self { variable, secret }
    }

    /// Whether it is the token of a job of GitLab's, which may do little.
    pub(super) fn is_of_a_job(&self) -> bool {
        self.variable == JOB
    }

    /// The header that carries it.
    pub(super) fn header(&self, forge: ForgeType) -> (&'static str, String) {
        let secret = self.secret.expose_secret().trim();
        match forge {
            ForgeType::Gitlab if self.is_of_a_job() => ("job-token", secret.to_owned()),
            // GitLab takes personal, project and OAuth tokens alike so.
            ForgeType::Github | ForgeType::Gitlab => ("authorization", format!("Bearer {secret}")),
            ForgeType::Gitea | ForgeType::Git => ("authorization", format!("token {secret}")),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Token({})", self.variable)
    }
}

const JOB: &str = "CI_JOB_TOKEN";

/// The variables that may have a token for the forge at `address`, the first that is set counts;
/// `variable` tells which forge runs us, if one does.
pub fn variables(
    address: &Address,
    variable: impl Fn(&str) -> Option<SecretString>,
) -> Vec<&'static str> {
    let host = address.host();
    let runs_us = |name: &str| {
        let server = variable(name)?;
        let server = server.expose_secret().trim_end_matches('/').to_owned();
        let bare = server.split_once("://").map_or(&*server, |(_, rest)| rest);
        Some(bare == host)
    };
    let action = runs_us("GITHUB_SERVER_URL").unwrap_or(false);
    match address.kind {
        ForgeType::Github if is_public(&host) => vec!["GH_TOKEN", "GITHUB_TOKEN"],
        ForgeType::Github => {
            let mut names = vec!["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
            names.extend(action.then_some("GITHUB_TOKEN"));
            names
        }
        ForgeType::Gitlab => {
            let job = runs_us("CI_SERVER_HOST").unwrap_or(false);
            let mut names = vec!["GITLAB_TOKEN"];
            names.extend(job.then_some(JOB));
            names
        }
        ForgeType::Gitea => {
            let mut names = vec!["GITEA_TOKEN", "FORGEJO_TOKEN", "GITEA_SERVER_TOKEN"];
            names.extend(action.then_some("GITHUB_TOKEN"));
            names
        }
        ForgeType::Git => Vec::new(),
    }
}

/// GitHub itself, or a subdomain of its own for a company's data.
fn is_public(host: &str) -> bool {
    host == "github.com" || host.ends_with(".ghe.com")
}

/// The token for the forge at `address`, if a variable has one.
pub fn token(address: &Address, variable: impl Fn(&str) -> Option<SecretString>) -> Option<Token> {
    let names = variables(address, &variable);
    names.into_iter().find_map(|name| {
        let secret = variable(name)?;
        (!secret.expose_secret().trim().is_empty()).then(|| Token::new(name, secret))
    })
}

#[cfg(test)]
mod tests {
    //! Which token goes where.

    use super::super::address::{Place, settle};
    use super::*;

    fn address(remote: &str, choice: Option<&str>) -> Address {
        let choice = choice.map(|choice| choice.parse().unwrap());
        match settle(Some(remote), None, choice.as_ref()).unwrap() {
            Place::Forge(address) => address,
            other => panic!("{other:?}"),
        }
    }

    fn found(address: &Address, set: &[(&str, &str)]) -> Option<&'static str> {
        let variable = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| SecretString::from(*value))
        };
        token(address, variable).map(|token| token.variable)
    }

    #[test]
    fn each_forge_reads_its_own_variables() {
        let all = [
            ("GITHUB_TOKEN", "a"),
            ("GH_TOKEN", "b"),
            ("GH_ENTERPRISE_TOKEN", "c"),
            ("GITLAB_TOKEN", "d"),
            ("CI_JOB_TOKEN", "e"),
            ("GITEA_TOKEN", "f"),
        ];
        let of = |remote| found(&address(remote, None), &all);
        assert_eq!(of("git@github.com:acme/yard.git"), Some("GH_TOKEN"));
        assert_eq!(
            of("https://github.acme.example/ml/yard"),
            Some("GH_ENTERPRISE_TOKEN")
        );
        assert_eq!(of("https://gitlab.com/acme/yard"), Some("GITLAB_TOKEN"));
        assert_eq!(of("https://codeberg.org/acme/yard"), Some("GITEA_TOKEN"));
    }

    #[test]
    fn a_workflows_token_goes_to_the_forge_that_runs_it_alone() {
        let gitea = address("http://127.0.0.1:3000/acme/yard.git", Some("gitea"));
        let token = ("GITHUB_TOKEN", "t");
        assert_eq!(found(&gitea, &[token]), None);
        let here = ("GITHUB_SERVER_URL", "http://127.0.0.1:3000/");
        assert_eq!(found(&gitea, &[token, here]), Some("GITHUB_TOKEN"));
        let elsewhere = ("GITHUB_SERVER_URL", "https://github.com");
        assert_eq!(found(&gitea, &[token, elsewhere]), None);

        let gitlab = address("https://gitlab.acme.example/ml/yard.git", None);
        let job = ("CI_JOB_TOKEN", "j");
        assert_eq!(found(&gitlab, &[job]), None);
        let server = ("CI_SERVER_HOST", "gitlab.acme.example");
        assert_eq!(found(&gitlab, &[job, server]), Some("CI_JOB_TOKEN"));
    }

    #[test]
    fn an_empty_variable_is_none_and_no_token_is_shown() {
        let github = address("git@github.com:acme/yard.git", None);
        let set = [("GH_TOKEN", " "), ("GITHUB_TOKEN", "t")];
        assert_eq!(found(&github, &set), Some("GITHUB_TOKEN"));
        let token = Token::new("GH_TOKEN", SecretString::from("secret"));
        assert_eq!(format!("{token:?}"), "Token(GH_TOKEN)");
    }
}
