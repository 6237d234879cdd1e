//! Profiles in the files that AWS's own tools share: `~/.aws/config` and `~/.aws/credentials`.
//!
//! ```text
//! # config                                  # credentials
//! [profile lab]                             [lab]
//! region = eu-central-1                     aws_access_key_id = …
//! services = lab                            aws_secret_access_key = …
//! [services lab]
//! s3 =
//!   endpoint_url = https://s3.lab.example
//! ```
//!
//! The two are read as one, in which `credentials` counts more; the default profile needs no
//! `profile` before its name. What stands deeper than the line above goes on with its value, or below
//! it (`s3.endpoint_url`). Source: "Using shared config and credentials files", AWS SDKs and Tools
//! Reference Guide; where that leaves it open, as boto3 reads them, with which MLflow and KServe fetch:
//! a `#` or `;` begins a comment only where it begins the line.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::import::{Opening, place};
use crate::platform::atomic::read_if_there;
use crate::platform::redact::printable;

/// The largest file: thousands of profiles.
const MAX_BYTES: u64 = 1 << 20;

/// The profile where nobody names one.
const DEFAULT: &str = "default";

/// The settings of a section, by their names in small letters.
pub(super) type Section = BTreeMap<String, SecretString>;

/// A profile, as both files have it.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// What it is called.
    pub(super) name: String,
    /// What the credentials file says.
    pub(super) credentials: Section,
    /// What the config file says.
    pub(super) config: Section,
    /// What the config file says of services, if the profile means some of that.
    services: Section,
}

impl Profile {
    /// The profile that `AWS_PROFILE` names, or the default one, in the files that
    /// `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` name, or the user's. One without any
    /// setting where there is none.
    ///
    /// # Errors
    /// Why it can't be read, for a person.
    pub(super) fn read(opening: &Opening<'_>) -> Result<Self, String> {
        let file = |variable: &str, own: &str| {
            let said = opening.said(variable);
            let path = said.as_ref().map_or(own, |path| path.expose_secret());
            opening
                .folder
                .join(place::expanded(opening.variables, path))
        };
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        let config = file("AWS_CONFIG_FILE", "~/.aws/config");
        let named = opening.said("AWS_PROFILE");
        let name = named.as_ref().map_or(DEFAULT, |name| name.expose_secret());
        let mut in_credentials = sections(&credentials)?;
        let mut in_config = sections(&config)?;
        let of_credentials = in_credentials.remove(name);
        let mut of_config = in_config.remove(&format!("profile {name}"));
        if name == DEFAULT {
            of_config = of_config.or_else(|| in_config.remove(DEFAULT));
        }
        if named.is_some() && of_credentials.is_none() && of_config.is_none() {
            return Err(printable(&format!(
                "there is no profile `{name}` in {} or {}, which AWS_PROFILE names",
                credentials.display(),
                config.display()
            )));
        }
        let mut profile = Self {
            name: name.to_owned(),
            credentials: of_credentials.unwrap_or_default(),
            config: of_config.unwrap_or_default(),
            services: Section::new(),
        };
        if let Some(services) = profile.says("services").map(str::to_owned) {
            let section = in_config.remove(&format!("services {services}"));
            profile.services = section.ok_or_else(|| {
                let config = config.display();
                printable(&format!("there is no `[services {services}]` in {config}"))
            })?;
        }
        Ok(profile)
    }

    /// What it says for `setting`.
    pub(super) fn says(&self, setting: &str) -> Option<&str> {
        let sections = [&self.credentials, &self.config];
        sections
            .into_iter()
            .find_map(|section| says(section, setting))
    }

    /// Where S3-compatible stores are.
    pub(super) fn endpoint(&self) -> Option<&str> {
        says(&self.services, "s3.endpoint_url").or_else(|| self.says("endpoint_url"))
    }
}

/// What a section says for `setting`.
pub(super) fn says<'a>(section: &'a Section, setting: &str) -> Option<&'a str> {
    let value = section.get(setting)?.expose_secret();
    (!value.is_empty()).then_some(value)
}

/// The sections of a file; none where there is no file.
fn sections(path: &Path) -> Result<BTreeMap<String, Section>, String> {
    let bytes = read_if_there(path, MAX_BYTES).map_err(|error| error.to_string())?;
    let no = |line: usize, why: &str| format!("{}:{line}: {why}", path.display());
    let bytes = bytes.unwrap_or_default();
    let text = std::str::from_utf8(&bytes).map_err(|_| no(1, "it is no text"))?;
    read(text).map_err(|(line, why)| no(line, why))
}

/// A line that can't be understood, counted from 1, and why not. Lines may have secrets, so none is
/// told.
type NoLine = (usize, &'static str);

/// Reads the sections of a file.
fn read(text: &str) -> Result<BTreeMap<String, Section>, NoLine> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut section = None;
    // The setting above, and how deep it stands.
    let mut above: Option<(String, usize)> = None;
    for (index, line) in text.lines().enumerate() {
        let no = |why| (index + 1, why);
        let depth = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let is_below = above.as_ref().is_some_and(|(_, its)| depth > *its);
        if let Some(header) = line.strip_prefix('[').filter(|_| !is_below) {
            let (name, _) = header
                .split_once(']')
                .ok_or(no("a section's `[` has no `]`"))?;
            section = Some(sections.entry(called(name)).or_default());
            above = None;
            continue;
        }
        let section = section.as_mut().ok_or(no("it stands in no section"))?;
        if let Some((name, _)) = above.as_ref().filter(|_| is_below) {
            let value = section.get(name).map_or("", |value| value.expose_secret());
            if !value.is_empty() {
                let value = format!("{value}\n{line}");
                section.insert(name.clone(), value.into());
                continue;
            }
        }
        let (name, value) = line.split_once('=').ok_or(no("it is no `name = value`"))?;
        let mut name = name.trim().to_lowercase();
        match &above {
            Some((above, _)) if is_below => name = format!("{above}.{name}"),
            _ => above = Some((name.clone(), depth)),
        }
        if section.insert(name, value.trim().into()).is_some() {
            return Err(no("its setting is said twice"));
        }
    }
    Ok(sections)
}

/// A section's name, of which the part behind its kind may stand in quotation marks.
fn called(name: &str) -> String {
    let name = name.trim();
    let Some((kind, name)) = name.split_once(char::is_whitespace) else {
        return name.to_owned();
    };
    format!("{kind} {}", name.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    //! What people and AWS's own tools write.

    use super::*;

    fn said(text: &str) -> Vec<(String, String, String)> {
        let sections = read(text).unwrap();
        let settings = sections.into_iter().flat_map(|(section, settings)| {
            settings.into_iter().map(move |(name, value)| {
                let value = value.expose_secret().to_owned();
                (section.clone(), name, value)
            })
        });
        settings.collect()
    }

    #[test]
    fn sections_have_settings_and_settings_have_more() {
        let text = "\
# of mine
[default]
region=eu-central-1
s3 =
    max_concurrent_requests = 20
    # deep
    endpoint_url = http://127.0.0.1:9000
output = json

[profile  \"my lab\"] ; another
  AWS_Access_Key_Id = AKIA#1 ;2
  aws_secret_access_key = a=b/c+d
  credential_process = one
      two
[profile empty]
";
        let due = [
            ("default", "output", "json"),
            ("default", "region", "eu-central-1"),
            ("default", "s3", ""),
            ("default", "s3.endpoint_url", "http://127.0.0.1:9000"),
            ("default", "s3.max_concurrent_requests", "20"),
            ("profile my lab", "aws_access_key_id", "AKIA#1 ;2"),
            ("profile my lab", "aws_secret_access_key", "a=b/c+d"),
            ("profile my lab", "credential_process", "one\ntwo"),
        ];
        let due = due.map(|(section, name, value)| (section.into(), name.into(), value.into()));
        assert_eq!(said(text), due);
        assert_eq!(said(&text.replace('\n', "\r\n")), due);
        assert!(read(text).unwrap().contains_key("profile empty"));
    }

    #[test]
    fn a_line_that_is_not_understood_is_told_by_its_number_alone() {
        for (text, line, why) in [
            ("aws_secret_access_key = s3cret", 1, "no section"),
            ("[default]\n\ns3cret", 3, "no `name = value`"),
            ("[default\nregion = a", 1, "no `]`"),
            ("[default]\na = s3cret\nA = s3cret", 3, "twice"),
            ("[default]\ns3 =\n  s3cret", 3, "no `name = value`"),
        ] {
            let (found, told) = read(text).unwrap_err();
            assert_eq!(found, line, "{text}");
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
