//! The files that a new yard begins with: `templates/yard/`, and the schemas of all kinds.

use std::path::{Component, Path};

use crate::record::kind::Kind;
use crate::record::{Name, Repository};

/// One file of a yard, by its path with `/` between the parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TemplateFile {
    pub(super) path: String,
    pub(super) text: String,
}

macro_rules! templates {
    ($($path:literal),+ $(,)?) => {
        &[$((
            $path,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/yard/", $path)),
        )),+]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "modelyard.yaml",
    "README.md",
    "models/README.md",
    "environments/README.md",
    "deployments/README.md",
    "policies/README.md",
    "keys/README.md",
    "CODEOWNERS",
    ".github/pull_request_template.md",
    ".gitattributes",
    ".gitignore",
    ".vscode/extensions.json",
    ".vscode/settings.json",
    ".zed/settings.json",
];

/// The files of a yard called `name` whose bytes go to `store`.
///
/// `ignored` is the store's folder in the work tree, if it lies there: git is told to leave it be.
pub(super) fn files(name: &Name, store: &Repository, ignored: Option<&str>) -> Vec<TemplateFile> {
    let schemas = Kind::ALL.iter().map(|kind| TemplateFile {
        path: schema_path(*kind),
        text: kind.schema().to_owned(),
    });
    let templates = TEMPLATES.iter().map(|(path, text)| {
        let mut text = text
            .replace("{{name}}", name.as_str())
            .replace("{{store}}", &quoted(&store.to_string()));
        if let (".gitignore", Some(folder)) = (*path, ignored) {
            text = format!(
                "# The store: models' bytes are never in git.\n/{}/\n{text}",
                escaped_pattern(folder)
            );
        }
        TemplateFile {
            path: (*path).to_owned(),
            text,
        }
    });
    templates.chain(schemas).collect()
}

/// Where a yard keeps the schema of `kind`, for its editors.
fn schema_path(kind: Kind) -> String {
    let file = kind.schema_id().rsplit('/').next();
    format!(".modelyard/schemas/{}", file.unwrap_or_default())
}

/// The folder of `store` within `work_tree`, with `/` between its parts; `None` if its bytes lie
/// elsewhere.
pub(super) fn folder_within(store: &Repository, work_tree: &Path) -> Option<String> {
    let Repository::Layout { path } = store else {
        return None;
    };
    let path = path.strip_prefix(work_tree).unwrap_or(path);
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Keeps the folder `store` out of git from within, where the yard's own `.gitignore` says nothing.
pub(super) fn ignoring_file(store: &str) -> TemplateFile {
    TemplateFile {
        path: format!("{store}/.gitignore"),
        text: "# Models' bytes are never in git.\n*\n!.gitignore\n".to_owned(),
    }
}

/// A double-quoted YAML scalar; YAML takes every JSON string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `path` as a pattern of gitignore's language that means only itself.
fn escaped_pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | ' ') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_template_folder_is_in_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/yard");
        let mut there: Vec<String> = walkdir::WalkDir::new(&folder)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&folder).unwrap();
                path.to_str().unwrap().replace('\\', "/")
            })
            .collect();
        let mut listed: Vec<&str> = TEMPLATES.iter().map(|(path, _)| *path).collect();
        there.sort();
        listed.sort();
        assert_eq!(listed, there);
    }

    #[test]
    fn a_store_in_the_work_tree_is_kept_out_of_git_and_no_other_is() {
        let tree = Path::new("/yard");
        for (store, folder) in [
            ("oci-layout:./store", Some("store")),
            ("oci-layout:bytes/of models", Some("bytes/of models")),
            ("oci-layout:/yard/store", Some("store")),
            ("oci-layout:../store", None),
            ("oci-layout:/srv/store", None),
            ("oci-layout:.", None),
            ("registry.example.com/models", None),
        ] {
            let store: Repository = store.parse().unwrap();
            assert_eq!(folder_within(&store, tree).as_deref(), folder, "{store}");
        }
        let store = "oci-layout:./store".parse().unwrap();
        let name = "acme".parse().unwrap();
        let ignored = |folder| {
            let files = files(&name, &store, folder);
            let file = files.into_iter().find(|file| file.path == ".gitignore");
            file.unwrap().text.contains("\n/a\\ b\\*/\n")
        };
        assert!(ignored(Some("a b*")));
        assert!(!ignored(None));
    }

    #[test]
    fn a_store_with_odd_letters_is_still_one_yaml_text() {
        let store: Repository = r#"oci-layout:./a, "b" #c: {d}"#.parse().unwrap();
        let files = files(&"acme".parse().unwrap(), &store, None);
        let yard: serde_json::Value = serde_saphyr::from_str(&files[0].text).unwrap();
        assert_eq!(yard["metadata"]["name"], "acme");
        assert_eq!(
            yard["spec"]["stores"][0]["repository"],
            store.to_string().as_str()
        );
    }

    fn template(wanted: &str) -> &'static str {
        let found = TEMPLATES.iter().find(|(path, _)| *path == wanted);
        found.map(|(_, text)| *text).unwrap()
    }

    #[test]
    fn editors_find_the_schema_of_every_kind() {
        let code: serde_json::Value =
            serde_json::from_str(template(".vscode/settings.json")).unwrap();
        let zed: serde_json::Value = serde_json::from_str(template(".zed/settings.json")).unwrap();
        let schemas = code["yaml.schemas"].as_object().unwrap();
        let in_zed = &zed["lsp"]["yaml-language-server"]["settings"]["yaml"]["schemas"];
        assert_eq!(in_zed.as_object(), Some(schemas));
        let example = |kind| match kind {
            Kind::Yard => "/modelyard.yaml",
            Kind::Model => "/models/vision/digits/model.yaml",
            Kind::ModelVersion => "/models/vision/digits/versions/1.0.0.yaml",
            Kind::Environment => "/environments/lab.yaml",
            Kind::Deployment => "/deployments/lab/digits.yaml",
            Kind::Policy => "/policies/release.yaml",
        };
        for kind in Kind::ALL {
            let pattern = &schemas[&format!("./{}", schema_path(*kind))];
            let glob = globset::GlobBuilder::new(pattern.as_str().unwrap())
                .literal_separator(true)
                .build()
                .unwrap();
            assert!(glob.compile_matcher().is_match(example(*kind)), "{kind:?}");
        }
        assert_eq!(schemas.len(), Kind::ALL.len());
    }

    #[test]
    fn every_example_in_it_is_a_record() {
        let yard = template("modelyard.yaml")
            .replace("{{name}}", "acme")
            .replace("{{store}}", "oci-layout:./store");
        // What is commented out stands in runs that begin with a key and nothing behind it.
        let mut uncommented = Vec::new();
        let mut in_example = false;
        for line in yard.lines() {
            let content = line.strip_prefix("  # ");
            let begins = content.is_some_and(|content| {
                content.ends_with(':')
                    && content
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b':')
            });
            in_example = content.is_some() && (in_example || begins);
            uncommented.push(match content {
                Some(content) if in_example => format!("  {content}"),
                _ => line.to_owned(),
            });
        }
        let uncommented = uncommented.join("\n");
        assert!(
            uncommented.contains("\n  trust:\n") && uncommented.contains("\n  classification:\n")
        );
        read(Kind::Yard, &yard);
        read(Kind::Yard, &uncommented);
        for (path, kind) in [
            ("environments/README.md", Kind::Environment),
            ("deployments/README.md", Kind::Deployment),
            ("policies/README.md", Kind::Policy),
        ] {
            let (_, behind) = template(path).split_once("```yaml\n").unwrap();
            read(kind, behind.split_once("```").unwrap().0);
        }
    }

    fn read(kind: Kind, text: &str) {
        let value = serde_saphyr::from_str(text).unwrap();
        let schema = serde_json::from_str(kind.schema()).unwrap();
        if let Err(error) = jsonschema::validate(&schema, &value) {
            panic!("{kind:?}: {}: {error}", error.instance_path());
        }
        crate::record::kind::Record::from_value(kind, &value).unwrap();
    }
}
