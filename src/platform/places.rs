//! The user's folders, found once by whoever has the environment, then handed in.

use std::path::PathBuf;

use super::codes;
use crate::record::{Code, Fault};

/// Where this user's configuration and caches are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Keys and settings: `$MODELYARD_CONFIG`, else `$XDG_CONFIG_HOME/modelyard`, else
    /// `~/.config/modelyard`.
    pub config: PathBuf,
    /// Bytes that can be fetched again: `$MODELYARD_CACHE`, else `$XDG_CACHE_HOME/modelyard`,
    /// else `~/.cache/modelyard`.
    pub cache: PathBuf,
    /// What servers of this host keep: `$MODELYARD_STATE`, else `$XDG_STATE_HOME/modelyard`, else
    /// `~/.local/state/modelyard`.
    pub state: PathBuf,
    /// The folder of Docker's `config.json`: `$DOCKER_CONFIG`, else `~/.docker`.
    pub docker_config: PathBuf,
}

/// No home folder, and no variable in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no home folder to keep {what} in")]
pub struct NoHome {
    what: &'static str,
}

impl Fault for NoHome {
    fn code(&self) -> &'static Code {
        &codes::NO_HOME
    }

    fn help(&self) -> Option<String> {
        Some(
            "set HOME, or MODELYARD_CONFIG, MODELYARD_CACHE, MODELYARD_STATE and DOCKER_CONFIG"
                .to_owned(),
        )
    }
}

impl Places {
    /// Finds the folders by `variable`, which looks up an environment variable.
    ///
    /// # Errors
    /// [`NoHome`] where neither a variable nor a home folder says where.
    pub fn find(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<Self, NoHome> {
        let variable = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
        let home = |what| variable("HOME").ok_or(NoHome { what });
        let place = |own: &str, xdg: &str, in_home: &str, what| {
            if let Some(path) = variable(own) {
                return Ok(path);
            }
            if let Some(base) = variable(xdg).filter(|path| path.is_absolute()) {
                return Ok(base.join("modelyard"));
            }
            Ok(home(what)?.join(in_home).join("modelyard"))
        };
        Ok(Self {
            config: place("MODELYARD_CONFIG", "XDG_CONFIG_HOME", ".config", "keys")?,
            cache: place("MODELYARD_CACHE", "XDG_CACHE_HOME", ".cache", "the cache")?,
            state: place(
                "MODELYARD_STATE",
                "XDG_STATE_HOME",
                ".local/state",
                "what servers keep",
            )?,
            docker_config: match variable("DOCKER_CONFIG") {
                Some(path) => path,
                None => home("registry logins")?.join(".docker"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Result<Places, NoHome> {
        Places::find(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn own_variables_win_over_xdg_and_xdg_over_home() {
        let places = find(&[
            ("HOME", "/h"),
            ("XDG_CACHE_HOME", "/x"),
            ("MODELYARD_CONFIG", "/c"),
        ]);
        let places = places.unwrap();
        assert_eq!(places.config, PathBuf::from("/c"));
        assert_eq!(places.cache, PathBuf::from("/x/modelyard"));
        assert_eq!(places.docker_config, PathBuf::from("/h/.docker"));
    }

    #[test]
    fn a_relative_xdg_folder_is_passed_over_as_its_specification_says() {
        let places = find(&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")]).unwrap();
        assert_eq!(places.cache, PathBuf::from("/h/.cache/modelyard"));
    }

    #[test]
    fn no_home_is_an_error() {
        assert!(find(&[("HOME", "")]).is_err());
    }
}
