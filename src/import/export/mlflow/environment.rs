//! What a model of MLflow's needs to run: three files, of which the first says the packages.

use serde_json::{Value, json};

use super::flavor::Flavor;
use crate::import::export::Laid;
use crate::record::kind::ModelVersion;
use crate::record::yaml::to_yaml;

/// The file that lists packages.
const REQUIREMENTS: &str = "requirements.txt";

/// The files and their texts.
pub(super) fn files(
    version: &ModelVersion,
    flavor: &Flavor,
    paths: &[&str],
    laid: &mut Laid,
) -> [(&'static str, String); 3] {
    let environment = version.spec.environment.as_ref();
    let environment = environment.filter(|one| one.language.as_str() == "python");
    let python = environment.and_then(|one| one.version.as_deref());
    let own = environment.and_then(|one| one.requirements.as_ref());
    let own = own
        .map(|path| path.as_str())
        .filter(|own| paths.contains(own));
    let interpreter = python.map_or("python".to_owned(), |version| format!("python={version}"));
    let listed = json!({"pip": [format!("-r {REQUIREMENTS}")]});
    let conda = json!({
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [interpreter, "pip", listed],
    });
    let mut virtualenv = json!({
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": [format!("-r {REQUIREMENTS}")],
    });
    if let Some(version) = python {
        virtualenv["python"] = Value::from(version);
    }
    [
        (REQUIREMENTS, requirements(version, flavor, own, laid)),
        ("conda.yaml", to_yaml(&conda)),
        ("python_env.yaml", to_yaml(&virtualenv)),
    ]
}

/// One package a line: what the version's own list has, what its record says it runs with, and
/// what MLflow needs to load it.
fn requirements(
    version: &ModelVersion,
    flavor: &Flavor,
    own: Option<&str>,
    laid: &mut Laid,
) -> String {
    let mut lines = Vec::new();
    let mut named = Vec::new();
    if let Some(own) = own {
        lines.push(format!("-r {own}"));
    }
    let dependencies = version.spec.dependencies.iter();
    for package in dependencies.flat_map(|all| &all.run) {
        match requirement(&package.name, package.version.as_deref()) {
            Some(line) => {
                named.push(canonical(&package.name));
                lines.push(line);
            }
            None => laid.no_place(
                format!("dependencies.run {}", package.name),
                "its version is none that pip knows",
            ),
        }
    }
    let mlflow = [("mlflow", None)];
    for (name, wanted) in mlflow.iter().chain(&flavor.packages) {
        if named.contains(&canonical(name)) {
            continue;
        }
        // The version's own list knows better.
        let wanted = wanted.as_deref().filter(|_| own.is_none());
        lines.extend(requirement(name, wanted));
    }
    lines.join("\n") + "\n"
}

/// A package as pip names it, with an exact version or a range.
fn requirement(name: &str, version: Option<&str>) -> Option<String> {
    let fits = |text: &str, more: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        !text.is_empty() && text.chars().all(known)
    };
    if !fits(name, "-_.[],") {
        return None;
    }
    match version {
        None => Some(name.to_owned()),
        Some(version) if !fits(version, ".*+!-_<>=~, ") => None,
        Some(version) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            Some(format!("{name}=={version}"))
        }
        Some(version) => Some(format!("{name}{version}")),
    }
}

/// A package's name as the index compares it.
fn canonical(name: &str) -> String {
    let bare = name.split('[').next().unwrap_or(name);
    bare.to_ascii_lowercase().replace(['_', '.'], "-")
}
