//! What a request's path asks for. Pure.
//!
//! ```text
//! /healthz  /readyz  /metrics                 of the server, for whoever watches it
//! /hooks/forge                                what a forge tells by itself, where somebody listens
//! /v2  /v2/health/live  /v2/health/ready      of the server, in the protocol's words
//! /v2/models/NAME[/versions/VERSION]          a deployment's metadata
//! …/ready                                     whether it is ready
//! …/infer                                     a prediction
//! PATH  PATH/…                                the same, by the deployment's own path;
//!                                             posting to the path itself is a prediction
//! ```
//!
//! No deployment's own path is one of the others: see [`RoutePath::taken_by`].
//!
//! [`RoutePath::taken_by`]: crate::record::kind::RoutePath::taken_by

use crate::record::kind::route;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// Whether the server runs.
    Live,
    /// Whether it takes requests.
    Ready,
    /// What it counts.
    Metrics,
    /// What it says of itself.
    Server,
    /// Something of a deployment.
    Deployment {
        /// Which one.
        who: Who<'a>,
        /// Which version, if one is named.
        version: Option<&'a str>,
        /// What of it.
        what: What,
    },
}

/// How a deployment is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who<'a> {
    /// By its name.
    Name(&'a str),
    /// By its own path.
    Path(&'a str),
}

/// What is asked of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A prediction.
    Infer,
    /// Whether it is ready.
    Ready,
    /// What it says of itself.
    Metadata,
    /// A prediction where it is posted to, else what it says of itself.
    Either,
}

/// Reads a path; `None` if it is nothing of the protocol's.
pub(super) fn read(path: &str) -> Option<Asked<'_>> {
    let path = match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    };
    Some(match path {
        route::LIVE | "/v2/health/live" => Asked::Live,
        route::READY | "/v2/health/ready" => Asked::Ready,
        route::METRICS => Asked::Metrics,
        route::PROTOCOL => Asked::Server,
        _ => match path.strip_prefix("/v2/") {
            Some(rest) => {
                let (name, rest) = split(rest.strip_prefix("models/")?);
                let (version, what) = tail(rest)?;
                deployment(Who::Name(name), version, what.unwrap_or(What::Metadata))
            }
            None => own(path),
        },
    })
}

/// A deployment's own path, with what may stand behind it.
fn own(path: &str) -> Asked<'_> {
    let (rest, what) = match path.rsplit_once('/') {
        Some((rest, "infer")) if !rest.is_empty() => (rest, What::Infer),
        Some((rest, "ready")) if !rest.is_empty() => (rest, What::Ready),
        _ => (path, What::Either),
    };
    match rest.rsplit_once("/versions/") {
        Some((own, version)) if !own.is_empty() && !version.contains('/') => {
            deployment(Who::Path(own), Some(version), what)
        }
        _ => deployment(Who::Path(rest), None, what),
    }
}

const fn deployment<'a>(who: Who<'a>, version: Option<&'a str>, what: What) -> Asked<'a> {
    Asked::Deployment { who, version, what }
}

/// What stands behind a deployment's name: a version, and what is asked.
fn tail(rest: &str) -> Option<(Option<&str>, Option<What>)> {
    let (version, rest) = match rest.strip_prefix("versions/") {
        Some(behind) => {
            let (version, rest) = split(behind);
            (Some(version), rest)
        }
        None => (None, rest),
    };
    let what = match rest {
        "" => None,
        "infer" => Some(What::Infer),
        "ready" => Some(What::Ready),
        _ => return None,
    };
    Some((version, what))
}

/// The first part of a path, and the rest.
fn split(path: &str) -> (&str, &str) {
    path.split_once('/').unwrap_or((path, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kind::RoutePath;

    #[test]
    fn paths_are_what_the_protocol_says() {
        let of = |who, version, what| Some(deployment(who, version, what));
        let digits = Who::Name("digits");
        for (path, asked) in [
            ("/healthz", Some(Asked::Live)),
            ("/v2/health/ready/", Some(Asked::Ready)),
            ("/v2/", Some(Asked::Server)),
            ("/v2/models/digits", of(digits, None, What::Metadata)),
            ("/v2/models/digits/infer", of(digits, None, What::Infer)),
            (
                "/v2/models/digits/versions/1.0.0/infer",
                of(digits, Some("1.0.0"), What::Infer),
            ),
            (
                "/v2/models/digits/versions/1.0.0",
                of(digits, Some("1.0.0"), What::Metadata),
            ),
            ("/v2/models/digits/explain", None),
            ("/v2/models", None),
            ("/v2/repository/index", None),
            ("/line/3", of(Who::Path("/line/3"), None, What::Either)),
            ("/infer", of(Who::Path("/infer"), None, What::Either)),
            ("/d/infer", of(Who::Path("/d"), None, What::Infer)),
            (
                "/d/versions/1.0.0/ready",
                of(Who::Path("/d"), Some("1.0.0"), What::Ready),
            ),
            ("/", of(Who::Path("/"), None, What::Either)),
        ] {
            assert_eq!(read(path), asked, "{path}");
        }
    }

    #[test]
    fn a_record_may_have_each_path_that_leads_to_a_deployment_and_no_other() {
        let parts = " /a /v2 /v2a /models /live /health /healthz /readyz /metrics /hooks /forge \
                     /infer /ready /versions";
        let parts: Vec<&str> = parts.split(' ').collect();
        let add = |paths: Vec<String>| -> Vec<String> {
            let longer = |path: &String| -> Vec<String> {
                parts.iter().map(|part| path.clone() + part).collect()
            };
            paths.iter().flat_map(longer).collect()
        };
        let paths = add(add(add(vec![String::new()])));
        let routes = paths
            .iter()
            .filter_map(|path| path.parse::<RoutePath>().ok());
        let routes: Vec<RoutePath> = routes.collect();
        assert!(routes.len() > 1_000);
        for route in routes {
            let path = route.as_str();
            let own = deployment(Who::Path(path), None, What::Either);
            let leads = path != route::HOOK && read(path) == Some(own);
            assert_eq!(route.taken_by().is_none(), leads, "{path}");
        }
    }
}
