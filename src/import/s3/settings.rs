//! With whose keys a store is asked, and where it is: what the variables say, or a profile of AWS's
//! files, in the order of AWS's own tools.
//!
//! | what | is said by the first of |
//! | --- | --- |
//! | keys | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; the profile in the credentials file; the one in the config file |
//! | region | `AWS_REGION`; `AWS_DEFAULT_REGION`; the profile; `us-east-1` |
//! | endpoint | the source's own variable; `AWS_ENDPOINT_URL_S3`; `AWS_ENDPOINT_URL`; the profile's services; the profile; Amazon's own of the region |
//!
//! Keys that first have to be asked for somewhere (roles, single sign-on, programs) are not: such a
//! profile has none, with the reason.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::VARIABLES;
use super::profile::{Profile, Section, says};
use crate::import::{ImportError, Opening};

/// What a source's own tools read besides AWS's.
pub(in crate::import) struct Own {
    /// The variable that says where the store is, heard before AWS's.
    pub(in crate::import) endpoint: Option<&'static str>,
    /// The variable that, with this value, has certificates not looked at.
    pub(in crate::import) ignores_tls: Option<(&'static str, &'static str)>,
}

/// The variables that say where the store is, as AWS's own tools read them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

/// Where AWS's tools go if nothing says where.
const REGION: &str = "us-east-1";

/// What has AWS's tools ask for keys although a profile has some.
const ASKED_FIRST: [&str; 4] = [
    "role_arn",
    "web_identity_token_file",
    "sso_account_id",
    "sso_role_name",
];

/// What has them ask unless the credentials file has keys.
const ASKED_THEN: [&str; 2] = ["login_session", "credential_process"];

/// What S3-compatible stores are opened with.
#[derive(Clone)]
pub(in crate::import) struct Settings {
    /// The keys, or why there are none.
    pub(super) keys: Result<Keys, String>,
    pub(super) region: String,
    pub(super) endpoint: Option<Url>,
    pub(super) ignores_tls: bool,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: SecretString,
    pub(super) session: Option<SecretString>,
}

impl Settings {
    /// What the variables say, AWS's and the source's `own`, and AWS's files.
    ///
    /// That a file can't be read is told where there would be need of it, by [`Self::keyless`].
    ///
    /// # Errors
    /// If the endpoint in a variable is no URL.
    pub(in crate::import) fn read(opening: &Opening<'_>, own: &Own) -> Result<Self, ImportError> {
        let plain = |name: &str| {
            let value = opening.said(name)?;
            Some(value.expose_secret().to_owned())
        };
        let names = own.endpoint.into_iter().chain(ENDPOINTS);
        let mut endpoints = names.filter_map(|name| Some((name, plain(name)?)));
        let endpoint = endpoints.next().map(|(name, text)| {
            url(name, &text).map_err(|reason| ImportError::Malformed {
                place: name.to_owned(),
                reason,
            })
        });
        let endpoint = endpoint.transpose()?;
        let is_ignored = |(name, word): (&str, &str)| plain(name).as_deref() == Some(word);
        let mut settings = Self {
            keys: Err(String::new()),
            region: REGION.to_owned(),
            endpoint,
            ignores_tls: own.ignores_tls.is_some_and(is_ignored),
        };
        settings.keys = settings.hear(opening, &plain);
        Ok(settings)
    }

    /// Hears the region, and the endpoint if there is none yet; gives the keys.
    fn hear(
        &mut self,
        opening: &Opening<'_>,
        plain: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Keys, String> {
        let profile = Profile::read(opening)?;
        let region = plain("AWS_REGION").or_else(|| plain("AWS_DEFAULT_REGION"));
        let region = region.or_else(|| profile.says("region").map(str::to_owned));
        self.region = region.unwrap_or_else(|| REGION.to_owned());
        if self.endpoint.is_none()
            && let Some(endpoint) = profile.endpoint()
        {
            let of_profile = format!("endpoint_url of the profile `{}`", profile.name);
            self.endpoint = Some(url(&of_profile, endpoint)?);
        }
        if let Some(id) = plain("AWS_ACCESS_KEY_ID") {
            let secret = opening.said("AWS_SECRET_ACCESS_KEY");
            return Ok(Keys {
                id,
                secret: secret
                    .ok_or("AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")?,
                session: opening.said("AWS_SESSION_TOKEN"),
            });
        }
        profile.keys()?.ok_or_else(|| {
            let keys = VARIABLES.join(" or ");
            format!(
                "it is read with keys alone: set {keys}, or AWS_PROFILE to a profile that has some"
            )
        })
    }

    /// Why it has no keys, if it has none.
    pub(in crate::import) fn keyless(&self) -> Option<&str> {
        self.keys.as_ref().err().map(String::as_str)
    }

    /// Whether `error` can come of it that these are not for the store that was asked.
    pub(in crate::import) fn misfit(&self, error: &ImportError) -> bool {
        match error {
            ImportError::Unauthorized { .. } | ImportError::Refused { .. } => true,
            // Nobody says where the store is, so Amazon's was asked.
            ImportError::Away { .. } => self.endpoint.is_none(),
            _ => self.keys.is_err(),
        }
    }
}

impl Profile {
    /// The keys that it has, if it has some.
    ///
    /// # Errors
    /// If they would have to be asked for somewhere, or are there by half.
    fn keys(&self) -> Result<Option<Keys>, String> {
        let name = &self.name;
        let refuse = |settings: &[&str]| {
            let asked = settings.iter().find(|setting| self.says(setting).is_some());
            asked.map_or(Ok(()), |setting| {
                Err(format!(
                    "AWS's profile `{name}` has keys asked for ({setting}), which is not done here: \
                     set the variables that `aws configure export-credentials --profile {name} \
                     --format env` prints"
                ))
            })
        };
        let keys = |section: &Section| {
            let Some(id) = says(section, "aws_access_key_id") else {
                return Ok(None);
            };
            let secret = says(section, "aws_secret_access_key").ok_or_else(|| {
                format!(
                    "AWS's profile `{name}` has aws_access_key_id, and no aws_secret_access_key"
                )
            })?;
            Ok(Some(Keys {
                id: id.to_owned(),
                secret: secret.into(),
                session: says(section, "aws_session_token").map(Into::into),
            }))
        };
        refuse(&ASKED_FIRST)?;
        if let Some(keys) = keys(&self.credentials)? {
            return Ok(Some(keys));
        }
        refuse(&ASKED_THEN)?;
        keys(&self.config)
    }
}

fn url(of: &str, text: &str) -> Result<Url, String> {
    let url: Result<Url, _> = text.parse();
    url.map_err(|error| format!("{of} is no URL: {error}"))
}

#[cfg(test)]
mod tests {
    //! Who is heard first.

    use std::collections::BTreeMap;
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const OWN: Own = Own {
        endpoint: Some("OWN_URL"),
        ignores_tls: None,
    };

    const CREDENTIALS: &str = "\
[default]
aws_access_key_id = mine
aws_secret_access_key = secret
[lab]
aws_access_key_id = labs
aws_secret_access_key = secret
aws_session_token = token
[role]
aws_access_key_id = roles
aws_secret_access_key = secret
[process]
aws_access_key_id = kept
aws_secret_access_key = secret
[half]
aws_access_key_id = half
";

    const CONFIG: &str = "\
[default]
region = eu-default
aws_access_key_id = not this one
aws_secret_access_key = secret
[profile lab]
region = eu-lab
endpoint_url = http://all.lab
services = lab
[services lab]
s3 =
  endpoint_url = http://s3.lab
[profile config]
aws_access_key_id = configs
aws_secret_access_key = secret
endpoint_url = http://config
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = default
[profile process]
credential_process = /bin/keys
[profile asked]
credential_process = /bin/keys
aws_access_key_id = not this one
aws_secret_access_key = secret
[profile sso]
sso_account_id = 1
[profile lost]
services = nowhere
";

    /// What these variables come to, where the user's home has both files.
    fn read(variables: &[(&str, &str)]) -> String {
        let home = TempDir::new().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        fs::write(home.path().join(".aws/config"), CONFIG).unwrap();
        let home = home.path().to_str().unwrap();
        told(&[&[("HOME", home)], variables].concat()).replace(home, "~")
    }

    fn told(variables: &[(&str, &str)]) -> String {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let variable = |name: &str| variables.get(name).map(|value| (*value).into());
        let settings = Settings::read(&Opening::once(&variable), &OWN).unwrap();
        if let Some(why) = settings.keyless() {
            return why.to_owned();
        }
        let Keys {
            id,
            secret,
            session,
        } = settings.keys.unwrap();
        assert_eq!(secret.expose_secret(), "secret");
        let session = session.map_or("", |_| "+token");
        let endpoint = settings.endpoint.map_or("".into(), |url| format!(" {url}"));
        format!("{id}{session} {}{endpoint}", settings.region)
    }

    #[test]
    fn variables_are_heard_before_the_profile_and_credentials_before_the_config() {
        const KEYS: [(&str, &str); 2] = [
            ("AWS_ACCESS_KEY_ID", "set"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let with_keys = |more: &[(&str, &str)]| read(&[&KEYS[..], more].concat());
        let lab = ("AWS_PROFILE", "lab");
        for (told, due) in [
            (told(&KEYS), "set us-east-1"),
            (read(&[]), "mine eu-default"),
            (read(&[("AWS_PROFILE", "")]), "mine eu-default"),
            (read(&[lab]), "labs+token eu-lab http://s3.lab/"),
            (
                read(&[("AWS_PROFILE", "config")]),
                "configs us-east-1 http://config/",
            ),
            (read(&[("AWS_PROFILE", "process")]), "kept us-east-1"),
            (with_keys(&[]), "set eu-default"),
            // The profile's token is not of these keys.
            (with_keys(&[lab]), "set eu-lab http://s3.lab/"),
            (
                with_keys(&[("AWS_SESSION_TOKEN", "t"), ("AWS_PROFILE", "sso")]),
                "set+token us-east-1",
            ),
            (
                read(&[
                    lab,
                    ("AWS_REGION", "one"),
                    ("AWS_DEFAULT_REGION", "other"),
                    ("AWS_ENDPOINT_URL", "http://all"),
                ]),
                "labs+token one http://all/",
            ),
            (
                read(&[
                    lab,
                    ("AWS_DEFAULT_REGION", "other"),
                    ("AWS_ENDPOINT_URL_S3", "http://s3"),
                    ("AWS_ENDPOINT_URL", "http://all"),
                ]),
                "labs+token other http://s3/",
            ),
            (
                read(&[
                    lab,
                    ("OWN_URL", "http://own"),
                    ("AWS_ENDPOINT_URL_S3", "http://s3"),
                ]),
                "labs+token eu-lab http://own/",
            ),
        ] {
            assert_eq!(told, due);
        }
    }

    #[test]
    fn files_are_where_variables_say() {
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let config = file(
            "config",
            "[profile default]\nregion = here\n[default]\nregion = no\n",
        );
        let keys = "[default]\naws_access_key_id = its\naws_secret_access_key = secret\n";
        let keys = file("keys", keys);
        let variables = [
            ("AWS_CONFIG_FILE", &*config),
            ("AWS_SHARED_CREDENTIALS_FILE", &*keys),
        ];
        assert_eq!(read(&variables), "its here");
        assert_eq!(read(&variables[1..]), "its eu-default");
        let broken = file("broken", "[default]\naws_secret_access_key: s3cret\n");
        let told = read(&[("AWS_SHARED_CREDENTIALS_FILE", &broken)]);
        assert_eq!(told, format!("{broken}:2: it is no `name = value`"));
    }

    #[test]
    fn without_keys_it_is_said_why_and_what_to_do() {
        let of = |profile: &str| read(&[("AWS_PROFILE", profile)]);
        for (told, words) in [
            (
                told(&[]),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or",
            ),
            (of("role"), "(role_arn)"),
            (of("asked"), "(credential_process)"),
            (
                of("sso"),
                "`aws configure export-credentials --profile sso --format env`",
            ),
            (
                of("half"),
                "`half` has aws_access_key_id, and no aws_secret_access_key",
            ),
            (of("lost"), "no `[services nowhere]` in ~/.aws/config"),
            (
                of("none"),
                "no profile `none` in ~/.aws/credentials or ~/.aws/config",
            ),
            (
                read(&[("AWS_ACCESS_KEY_ID", "half")]),
                "AWS_SECRET_ACCESS_KEY is not",
            ),
        ] {
            assert!(told.contains(words), "no «{words}» in {told}");
        }
        let own = |name: &str| (name == "OWN_URL").then(|| "nowhere".into());
        let error = Settings::read(&Opening::once(&own), &OWN).err().unwrap();
        assert!(error.to_string().starts_with("OWN_URL"), "{error}");
    }

    #[test]
    fn a_store_that_is_not_the_one_meant_is_told_by_what_it_answers() {
        let variable = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("k".into()),
            _ => None,
        };
        let mut settings = Settings::read(&Opening::once(&variable), &OWN).unwrap();
        let refused = ImportError::Refused {
            place: String::new(),
            doing: String::new(),
            status: 404,
            detail: None,
        };
        let away = ImportError::Away {
            place: String::new(),
            doing: String::new(),
            detail: None,
            retry_after: None,
            source: None,
        };
        let malformed = ImportError::Malformed {
            place: String::new(),
            reason: String::new(),
        };
        let misfits = |settings: &Settings| {
            let errors = [&refused, &away, &malformed];
            errors.map(|error| settings.misfit(error))
        };
        // Amazon's, as nobody says another; then one that somebody said.
        assert_eq!(misfits(&settings), [true, true, false]);
        settings.endpoint = Some("http://s3.lab".parse().unwrap());
        assert_eq!(misfits(&settings), [true, false, false]);
        settings.keys = Err(String::new());
        assert_eq!(misfits(&settings), [true, false, true]);
    }
}
