//! The pipelines that a yard may begin with: `templates/github`, `gitea` and `gitlab`.

use super::template::TemplateFile;

/// Where a yard's pipelines run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipelines {
    /// GitHub Actions.
    Github,
    /// Actions of Gitea or Forgejo.
    Gitea,
    /// GitLab CI.
    Gitlab,
}

macro_rules! pipelines {
    ($($from:literal => $to:literal),+ $(,)?) => {
        &[$((
            $to,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $from)),
        )),+]
    };
}

const GITHUB: &[(&str, &str)] = pipelines![
    "github/check.yml" => ".github/workflows/modelyard-check.yml",
    "github/comment.yml" => ".github/workflows/modelyard-comment.yml",
    "github/reconcile.yml" => ".github/workflows/modelyard-reconcile.yml",
    "github/nightly.yml" => ".github/workflows/modelyard-nightly.yml",
];

const GITEA: &[(&str, &str)] = pipelines![
    "gitea/check.yml" => ".gitea/workflows/modelyard-check.yml",
    "gitea/comment.yml" => ".gitea/workflows/modelyard-comment.yml",
    "gitea/reconcile.yml" => ".gitea/workflows/modelyard-reconcile.yml",
    "gitea/nightly.yml" => ".gitea/workflows/modelyard-nightly.yml",
];

const GITLAB: &[(&str, &str)] = pipelines![
    "gitlab/template.yml" => ".gitlab/modelyard.yml",
    "gitlab/gitlab-ci.yml" => ".gitlab-ci.yml",
];

/// This version, by the name of its tag.
const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The commit that this was built from, where the release says it; its tag otherwise.
const COMMIT: &str = match option_env!("MODELYARD_COMMIT") {
    Some(commit) => commit,
    None => VERSION,
};

impl Pipelines {
    /// The files, by the place where the forge looks for them.
    pub(super) fn files(self) -> Vec<TemplateFile> {
        let templates = match self {
            Self::Github => GITHUB,
            Self::Gitea => GITEA,
            Self::Gitlab => GITLAB,
        };
        let filled = templates.iter().map(|(path, text)| TemplateFile {
            path: (*path).to_owned(),
            text: text
                .replace("{{commit}}", COMMIT)
                .replace("{{version}}", VERSION),
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    //! That none is left out, and nothing left open.

    use std::fs;
    use std::path::Path;

    use super::*;

    /// GitLab reads it from our own repository as well, where nothing is filled in.
    #[test]
    fn gitlabs_component_is_of_this_version() {
        let [component, _] = &Pipelines::Gitlab.files()[..] else {
            panic!("two files");
        };
        let image = format!("ghcr.io/modelyard/modelyard:{VERSION}-pipelines\n");
        assert!(component.text.contains(&image), "{}", component.text);
        let reference = format!("modelyard/modelyard/gitlab@{VERSION}\n");
        assert!(component.text.contains(&reference), "{}", component.text);
    }

    #[test]
    fn every_template_is_one_of_them_and_is_filled() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for (pipelines, name) in [
            (Pipelines::Github, "github"),
            (Pipelines::Gitea, "gitea"),
            (Pipelines::Gitlab, "gitlab"),
        ] {
            let files = pipelines.files();
            let there = fs::read_dir(folder.join(name)).unwrap().count();
            assert_eq!(files.len(), there, "{name}");
            for file in files {
                // What is a workflow's own stays.
                let open = file.text.replace("${{", "");
                assert!(!open.contains("{{"), "{}: {open}", file.path);
            }
        }
    }
}
