//! The path under which a deployment answers, and the paths that a server keeps for itself.

use super::grammar::text_type;

/// The longest path.
const MAX_LENGTH: usize = 255;

/// Where a server tells whether it runs.
pub const LIVE: &str = "/healthz";
/// Where it tells whether it takes requests.
pub const READY: &str = "/readyz";
/// Where it tells what it counts.
pub const METRICS: &str = "/metrics";
/// Where it hears what a forge tells by itself.
pub const HOOK: &str = "/hooks/forge";
/// Where the Open Inference Protocol is spoken, as is all below.
pub const PROTOCOL: &str = "/v2";

text_type! {
    /// The path under which a deployment answers.
    RoutePath, "a route's path", as in "/defects", broken_route
}

impl RoutePath {
    /// Who else answers at this path, so that nobody would reach a deployment there.
    pub fn taken_by(&self) -> Option<&'static str> {
        let path = self.as_str();
        if [LIVE, READY, METRICS, HOOK].contains(&path) {
            return Some("the server itself answers there");
        }
        if let Some(rest) = path.strip_prefix(PROTOCOL)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Some("the protocol has all that begins with `/v2`");
        }
        let (before, last) = path.rsplit_once('/')?;
        let before = match last {
            "infer" | "ready" => before,
            _ => before.strip_suffix("/versions")?,
        };
        (!before.is_empty()).then_some("that is asked of the deployment at the path before")
    }
}

fn broken_route(text: &str) -> Option<&'static str> {
    if text.len() > MAX_LENGTH {
        return Some("it is longer than 255 characters");
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Some("it has to begin with `/`");
    };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part =
        |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(valid);
    if !rest.split('/').all(part) {
        return Some("between its slashes letters, digits, `-`, `.`, `_` and `~` have to stand");
    }
    None
}

#[cfg(test)]
mod tests {
    //! Which paths there are, and which of them are free.

    use super::*;

    #[test]
    fn a_path_has_no_surprises() {
        for good in ["/defects", "/v1/line-3"] {
            assert!(good.parse::<RoutePath>().is_ok(), "{good:?} was refused");
        }
        for bad in [
            "", "/", "defects", "/a/", "//a", "/a/../b", "/a b", "/a?b", "/%2e",
        ] {
            assert!(bad.parse::<RoutePath>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn what_others_answer_at_is_taken() {
        let is_taken = |path: &str| path.parse::<RoutePath>().unwrap().taken_by().is_some();
        for path in [
            LIVE,
            READY,
            METRICS,
            HOOK,
            PROTOCOL,
            "/v2/models/digits",
            "/digits/infer",
            "/digits/ready",
            "/digits/versions/1.0.0",
        ] {
            assert!(is_taken(path), "{path}");
        }
        for path in ["/v2x", "/hooks", "/hooks/forge/a", "/infer", "/versions/a"] {
            assert!(!is_taken(path), "{path}");
        }
    }
}
