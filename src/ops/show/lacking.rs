//! What a version's record still lacks for the version to be made again.
//!
//! That takes the code of one commit, the same data by their digests, and the same packages in the
//! same versions. A file of requirements in the artifact is not enough: nobody knows from the
//! record whether it pins them.

use serde::Serialize;

use crate::record::kind::{ModelVersionSpec, Package};

/// Something that is missing, and where it would stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// The field of the version's record; an item of a list by its name.
    pub field: String,
    /// What is missing.
    pub what: &'static str,
}

/// What the record would have to say, in the order of its fields.
pub(super) fn lacking(spec: &ModelVersionSpec) -> Vec<Lacking> {
    let mut lacking = packages(spec);
    let lineage = spec.lineage.as_ref();
    match lineage.and_then(|lineage| lineage.source.as_ref()) {
        None => lacking.push(lacks("lineage.source", "the code that made it")),
        Some(source) if source.commit.is_none() => {
            let what = "the commit of the code that made it";
            lacking.push(lacks("lineage.source.commit", what));
        }
        Some(_) => {}
    }
    let datasets = lineage.map_or(&[][..], |lineage| &lineage.datasets);
    if datasets.is_empty() {
        lacking.push(lacks("lineage.datasets", "the data it was made with"));
    }
    for dataset in datasets.iter().filter(|dataset| dataset.digest.is_none()) {
        let field = format!("lineage.datasets.{}.digest", dataset.name);
        lacking.push(lacks(field, "which bytes the data are"));
    }
    lacking
}

fn packages(spec: &ModelVersionSpec) -> Vec<Lacking> {
    let dependencies = spec.dependencies.as_ref();
    let build = dependencies.map_or(&[][..], |dependencies| &dependencies.build);
    if build.is_empty() {
        return vec![lacks(
            "dependencies.build",
            "the packages it was made with, in their versions",
        )];
    }
    let open = build.iter().filter(|package| !is_pinned(package));
    open.map(|package| {
        let field = format!("dependencies.build.{}.version", package.name);
        lacks(field, "the exact version of the package")
    })
    .collect()
}

fn lacks(field: impl Into<String>, what: &'static str) -> Lacking {
    Lacking {
        field: field.into(),
        what,
    }
}

/// Whether a package's version is one and no range, in Python's words or in others'.
fn is_pinned(package: &Package) -> bool {
    let version = package.version.as_deref().unwrap_or_default().trim();
    let version = version.trim_start_matches('=').trim_start();
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split('.');
    version.starts_with(|c: char| c.is_ascii_digit())
        && !version.contains(['*', ',', '|', '<', '>', ' '])
        && !parts.any(|part| matches!(part, "x" | "X"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(spec: &str) -> Vec<String> {
        let spec = format!(
            "artifact: {{repository: \"oci-layout:./s\", digest: \"sha256:{}\"}}\n\
             format: {{name: onnx}}\n{spec}",
            "0".repeat(64)
        );
        let spec: ModelVersionSpec = serde_saphyr::from_str(&spec).unwrap();
        lacking(&spec)
            .into_iter()
            .map(|lacking| lacking.field)
            .collect()
    }

    #[test]
    fn nothing_said_lacks_everything() {
        let all = ["dependencies.build", "lineage.source", "lineage.datasets"];
        assert_eq!(fields(""), all);
        let requirements = "environment: {language: python, requirements: requirements.txt}";
        assert_eq!(fields(requirements), all, "it may leave versions open");
    }

    #[test]
    fn what_is_said_by_half_is_told_by_its_place() {
        let spec = "dependencies: {build: [{name: torch, version: '>=2'}, {name: numpy}, \
             {name: onnx, version: '==1.19.0'}]}\n\
             lineage: {source: {repository: 'https://git.example.com/a.git'}, \
             datasets: [{name: scans}]}";
        assert_eq!(
            fields(spec),
            [
                "dependencies.build.torch.version",
                "dependencies.build.numpy.version",
                "lineage.source.commit",
                "lineage.datasets.scans.digest",
            ]
        );
    }

    #[test]
    fn a_commit_digests_and_exact_packages_are_enough() {
        let spec = format!(
            "dependencies: {{build: [{{name: torch, version: 2.9.0}}]}}\n\
             lineage: {{source: {{repository: 'https://git.example.com/a.git', commit: '{}'}}, \
             datasets: [{{name: scans, digest: 'sha256:{}'}}]}}",
            "4f2c1e90".repeat(5),
            "1".repeat(64)
        );
        assert_eq!(fields(&spec), [""; 0]);
    }

    #[test]
    fn a_range_is_no_version() {
        let pinned = |version: &str| {
            is_pinned(&Package {
                name: "torch".to_owned(),
                version: Some(version.to_owned()),
            })
        };
        for one in [
            "2.9.0",
            "==2.9.0",
            "=2.9.0",
            "v2.9.0",
            "2",
            "1!2.0",
            "2.9.0+cu128",
            "2.9rc1",
        ] {
            assert!(pinned(one), "{one}");
        }
        for range in [
            ">=2", "^2.9", "~=2.9", "2.*", "2.x", "==2.9.*", "2 || 3", "2.0 - 3", "latest", "",
        ] {
            assert!(!pinned(range), "{range}");
        }
    }
}
