//! Which forge a yard is on, and where its API answers.
//!
//! | kind | the yard's page | its API |
//! | --- | --- | --- |
//! | GitHub | `https://github.com/acme/yard` | `https://api.github.com/repos/acme/yard/` |
//! | for a company's data | `https://acme.ghe.com/ml/yard` | `https://api.acme.ghe.com/repos/ml/yard/` |
//! | Enterprise Server | `https://github.acme.example/ml/yard` | `https://github.acme.example/api/v3/repos/ml/yard/` |
//! | GitLab | `https://gitlab.com/acme/ml/yard` | `https://gitlab.com/api/v4/projects/acme%2Fml%2Fyard/` |
//! | Gitea, Forgejo | `https://git.acme.example/ml/yard` | `https://git.acme.example/api/v1/repos/ml/yard/` |
//!
//! What a person says by a flag counts before what `modelyard.yaml` says, and that before what the
//! remote's URL tells. `modelyard.yaml` is to be read from main: it says where a token goes, and
//! what nobody has reviewed must not.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use url::Url;

use super::ForgeError;
use crate::platform::redact;
use crate::record::kind::{Forge, ForgeType};

/// Where a yard's pull requests live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On a forge.
    Forge(Address),
    /// Nowhere: there is no remote, or it is one without pull requests.
    Git,
    /// On a host of which nobody has said what it is.
    Unknown {
        /// The host.
        host: String,
    },
}

/// A yard's place on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What kind of forge it is.
    pub kind: ForgeType,
    /// The yard's page.
    pub page: Url,
    /// The owner and the name of its repository, as `acme/yard`; in GitLab with all its groups.
    pub project: String,
    /// Where the forge's API answers; ends with a slash.
    pub api: Url,
}

/// What a person says on the command line: `gitea`, or `gitea=https://git.example.com/acme/yard`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    kind: ForgeType,
    page: Option<Url>,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, page) = match text.split_once('=') {
            Some((kind, page)) => (kind, Some(page)),
            None => (text, None),
        };
        let kind = kind
            .parse::<ForgeType>()
            .map_err(|error| error.to_string())?;
        let page = page.map(|page| {
            let page = page.parse::<crate::record::kind::WebUrl>();
            let page = page.map_err(|error| error.to_string())?;
            Url::parse(page.as_str()).map_err(|error| error.to_string())
        });
        Ok(Self {
            kind,
            page: page.transpose()?,
        })
    }
}

/// Tells where the pull requests of a yard live, whose remote is at `remote`, whose
/// `modelyard.yaml` on main says `record`, and of which a person says `choice`.
///
/// # Errors
/// [`ForgeError::Unsettled`] if a forge is named and nothing tells the yard's page on it.
pub fn settle(
    remote: Option<&str>,
    record: Option<&Forge>,
    choice: Option<&Choice>,
) -> Result<Place, ForgeError> {
    let from_remote = remote.and_then(page_of);
    let (kind, page) = match (choice, record) {
        (Some(choice), record) => {
            let said = record.filter(|record| record.forge_type == choice.kind);
            let said = said.and_then(page_said);
            (choice.kind, choice.page.clone().or(said))
        }
        (None, Some(record)) => (record.forge_type, page_said(record)),
        (None, None) => {
            let Some(page) = from_remote else {
                return Ok(Place::Git);
            };
            let host = host_of(&page);
            match told_by_host(&host) {
                Some(kind) => (kind, Some(page)),
                None => return Ok(Place::Unknown { host }),
            }
        }
    };
    if kind == ForgeType::Git {
        return Ok(Place::Git);
    }
    let page = page.or_else(|| remote.and_then(page_of));
    let page = page.ok_or(ForgeError::Unsettled { kind, page: None })?;
    match Address::new(kind, &page) {
        Some(address) => Ok(Place::Forge(address)),
        None => Err(ForgeError::Unsettled {
            kind,
            page: Some(redact::url(&page)),
        }),
    }
}

fn page_said(record: &Forge) -> Option<Url> {
    Url::parse(record.url.as_ref()?.as_str()).ok()
}

impl Address {
    /// The yard whose page on a forge of this kind is `page`, if that can be one.
    pub fn new(kind: ForgeType, page: &Url) -> Option<Self> {
        let mut page = page.clone();
        page.set_query(None);
        page.set_fragment(None);
        let segments: Vec<String> = page.path_segments()?.map(str::to_owned).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let segments = match segments.as_slice() {
            [all @ .., ""] => all,
            all => all,
        };
        let [above @ .., owner, name] = segments else {
            return None;
        };
        let name = name.strip_suffix(".git").unwrap_or(name);
        if owner.is_empty() || name.is_empty() || above.contains(&"") {
            return None;
        }
        let (root, project) = match kind {
            ForgeType::Gitlab => {
                let groups: String = above.iter().map(|group| format!("{group}/")).collect();
                (&[] as &[&str], format!("{groups}{owner}/{name}"))
            }
            _ => (above, format!("{owner}/{name}")),
        };
        let page_path: Vec<&str> = root.iter().copied().chain(project.split('/')).collect();
        page.set_path(&page_path.join("/"));
        let api = api(kind, &page, root)?;
        Some(Self {
            kind,
            page,
            project,
            api,
        })
    }

    /// Its host, with the port where that is not the usual one.
    pub fn host(&self) -> String {
        host_of(&self.page)
    }

    /// Whether what is sent there can be read on the way.
    pub(super) fn is_open(&self) -> bool {
        let local = self.api.host_str().is_some_and(|host| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        self.api.scheme() != "https" && !local
    }

    /// The reference under which git has what a pull request would merge, a fork's as well.
    pub fn head_of(&self, number: u64) -> String {
        match self.kind {
            ForgeType::Gitlab => format!("refs/merge-requests/{number}/head"),
            _ => format!("refs/pull/{number}/head"),
        }
    }

    /// Where a person opens the pull request for `branch` by hand.
    pub fn by_hand(&self, main: &str, branch: &str) -> String {
        let mut page = self.page.clone();
        match self.kind {
            ForgeType::Gitlab => {
                page.set_path(&format!("{}/-/merge_requests/new", page.path()));
                page.query_pairs_mut()
                    .append_pair("merge_request[source_branch]", branch);
            }
            _ => page.set_path(&format!("{}/compare/{main}...{branch}", page.path())),
        }
        page.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.page.as_str())
    }
}

fn api(kind: ForgeType, page: &Url, root: &[&str]) -> Option<Url> {
    let mut api = page.clone();
    let host = page.host_str()?;
    let above: String = root.iter().map(|part| format!("/{part}")).collect();
    match kind {
        ForgeType::Github if host == "github.com" || host.ends_with(".ghe.com") => {
            api.set_host(Some(&format!("api.{host}"))).ok()?;
            api.set_path("/");
        }
        ForgeType::Github => api.set_path(&format!("{above}/api/v3/")),
        ForgeType::Gitlab => api.set_path(&format!("{above}/api/v4/")),
        ForgeType::Gitea | ForgeType::Git => api.set_path(&format!("{above}/api/v1/")),
    }
    Some(api)
}

/// What a host's name gives away.
fn told_by_host(host: &str) -> Option<ForgeType> {
    let first = host.split(['.', ':']).next().unwrap_or_default();
    match (host, first) {
        ("github.com", _) | (_, "github") => Some(ForgeType::Github),
        (host, _) if host.ends_with(".ghe.com") => Some(ForgeType::Github),
        ("gitlab.com", _) | (_, "gitlab") => Some(ForgeType::Gitlab),
        ("codeberg.org" | "gitea.com", _) | (_, "gitea" | "forgejo") => Some(ForgeType::Gitea),
        _ => None,
    }
}

fn host_of(page: &Url) -> String {
    let host = page.host_str().unwrap_or_default();
    match page.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The page of what git fetches from `remote`, if that is on a host.
fn page_of(remote: &str) -> Option<Url> {
    let (host, path) = match Url::parse(remote) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let mut page = url;
            page.set_username("").ok()?;
            page.set_password(None).ok()?;
            return page.has_host().then_some(page);
        }
        Ok(url) if matches!(url.scheme(), "ssh" | "git+ssh" | "ssh+git" | "git") => {
            (url.host_str()?.to_owned(), url.path().to_owned())
        }
        Ok(url) if url.scheme() == "file" => return None,
        // `git@host:path`, which has a colon before its first slash.
        _ => {
            let (place, path) = remote.split_once(':')?;
            let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
            if host.contains('/') || path.starts_with("//") {
                return None;
            }
            (host.to_owned(), path.to_owned())
        }
    };
    // Two forges answer SSH under another name where port 22 is closed.
    let host = match &*host {
        "ssh.github.com" => "github.com",
        "altssh.gitlab.com" => "gitlab.com",
        other => other,
    };
    Url::parse(&format!("https://{host}/{}", path.trim_start_matches('/'))).ok()
}

#[cfg(test)]
mod tests {
    //! From what people have to where the API is.

    use super::*;

    fn told(remote: &str) -> String {
        match settle(Some(remote), None, None).unwrap() {
            Place::Forge(at) => format!("{} {} {} {}", at.kind, at.page, at.project, at.api),
            Place::Git => "git".to_owned(),
            Place::Unknown { host } => format!("unknown {host}"),
        }
    }

    #[test]
    fn a_remote_tells_its_forge() {
        let github = "github https://github.com/acme/yard acme/yard https://api.github.com/";
        for remote in [
            "git@github.com:acme/yard.git",
            "github.com:acme/yard",
            "https://user:secret@github.com/acme/yard.git",
            "ssh://git@ssh.github.com:443/acme/yard.git",
            "https://github.com/acme/yard/",
        ] {
            assert_eq!(told(remote), github, "{remote}");
        }
        for (remote, wanted) in [
            (
                "git@acme.ghe.com:ml/yard.git",
                "github https://acme.ghe.com/ml/yard ml/yard https://api.acme.ghe.com/",
            ),
            (
                "https://github.acme.example/ml/yard",
                "github https://github.acme.example/ml/yard ml/yard \
                 https://github.acme.example/api/v3/",
            ),
            (
                "git@gitlab.com:acme/ml/vision/yard.git",
                "gitlab https://gitlab.com/acme/ml/vision/yard acme/ml/vision/yard \
                 https://gitlab.com/api/v4/",
            ),
            (
                "https://codeberg.org/acme/yard.git",
                "gitea https://codeberg.org/acme/yard acme/yard https://codeberg.org/api/v1/",
            ),
            (
                "https://gitea.acme.example:3000/git/ml/yard",
                "gitea https://gitea.acme.example:3000/git/ml/yard ml/yard \
                 https://gitea.acme.example:3000/git/api/v1/",
            ),
            (
                "https://git.acme.example/ml/yard",
                "unknown git.acme.example",
            ),
            ("/srv/yard.git", "git"),
            ("../yard.git", "git"),
            ("file:///srv/yard.git", "git"),
        ] {
            assert_eq!(told(remote), wanted, "{remote}");
        }
    }

    #[test]
    fn a_flag_counts_before_the_record_and_that_before_the_remote() {
        let record = Forge {
            forge_type: ForgeType::Gitea,
            url: Some("https://git.acme.example/ml/yard".parse().unwrap()),
        };
        let remote = Some("git@github.com:acme/yard.git");
        let of = |record, choice: Option<&str>| {
            let choice = choice.map(|choice| choice.parse::<Choice>().unwrap());
            match settle(remote, record, choice.as_ref()) {
                Ok(Place::Forge(at)) => format!("{} {}", at.kind, at.page),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(
            of(Some(&record), None),
            "gitea https://git.acme.example/ml/yard"
        );
        assert_eq!(
            of(Some(&record), Some("gitea")),
            "gitea https://git.acme.example/ml/yard"
        );
        assert_eq!(
            of(Some(&record), Some("github")),
            "github https://github.com/acme/yard"
        );
        assert_eq!(
            of(
                Some(&record),
                Some("gitlab=https://gitlab.acme.example/a/b")
            ),
            "gitlab https://gitlab.acme.example/a/b"
        );
        assert_eq!(of(Some(&record), Some("git")), "Ok(Git)");
        assert!("bazaar".parse::<Choice>().is_err());
        assert!("gitea=ftp://x".parse::<Choice>().is_err());
    }

    #[test]
    fn a_named_forge_needs_a_page() {
        let choice = "gitea".parse().unwrap();
        for remote in ["/srv/yard.git", "https://git.acme.example/yard.git"] {
            let error = settle(Some(remote), None, Some(&choice)).unwrap_err();
            assert!(matches!(error, ForgeError::Unsettled { .. }), "{remote}");
        }
    }

    #[test]
    fn tokens_travel_over_closed_lines_only() {
        let open = |page: &str| {
            let page = Url::parse(page).unwrap();
            Address::new(ForgeType::Gitea, &page).unwrap().is_open()
        };
        assert!(open("http://git.acme.example/ml/yard"));
        assert!(!open("https://git.acme.example/ml/yard"));
        assert!(!open("http://127.0.0.1:3000/ml/yard"));
        assert!(!open("http://[::1]:3000/ml/yard"));
    }

    #[test]
    fn people_are_told_where_to_open_it_by_hand() {
        let by_hand = |remote: &str| match settle(Some(remote), None, None).unwrap() {
            Place::Forge(at) => at.by_hand("main", "promote/vision/digits/1.0.0"),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            by_hand("git@github.com:acme/yard.git"),
            "https://github.com/acme/yard/compare/main...promote/vision/digits/1.0.0"
        );
        assert_eq!(
            by_hand("git@gitlab.com:acme/yard.git"),
            "https://gitlab.com/acme/yard/-/merge_requests/new?\
             merge_request%5Bsource_branch%5D=promote%2Fvision%2Fdigits%2F1.0.0"
        );
    }
}
