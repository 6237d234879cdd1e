//! How a unit is started: what a target reads of a [`Launch`].
//!
//! A recipe is part of what an instance *is*: where it changes, other instances take over. So it
//! has what a running process depends on and nothing else; golden tests, signatures of inputs and
//! everything for people stay in the record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::codes;
use crate::record::kind::{
    Arguments, CodeEnvironment, DefaultRuntime, Entrypoint, Format, ModelVersionSpec,
    ResourceAmounts, Runtime, SecretEnvironment, VariableName,
};
use crate::record::{Code, Fault, Name};
use crate::rollout::Launch;

/// How a unit is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recipe {
    /// Which runtime serves it, such as `onnx` or `python`.
    pub runtime: Name,
    /// Which version of that runtime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_version: Option<String>,
    /// What the version's main file is.
    pub format: Format,
    /// The function that serves it, for code that serves itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Entrypoint>,
    /// What the program of the runtime `command` is told.
    #[serde(default, skip_serializing_if = "Arguments::is_empty")]
    pub arguments: Arguments,
    /// The language environment that its code needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<CodeEnvironment>,
    /// Variables that everybody may see.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<VariableName, String>,
    /// Variables that nobody may see, by reference: a target reads them when it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretEnvironment>,
    /// What it may take at most.
    #[serde(default)]
    pub limits: ResourceAmounts,
}

/// A recipe that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// Neither record says what serves it, and its format doesn't either.
    #[error("nothing says which runtime serves the format `{format}`")]
    NoRuntime {
        /// The format.
        format: Name,
    },
    /// Arguments for what takes none.
    #[error("the runtime `{runtime}` takes no `args`")]
    TakesNone {
        /// The runtime.
        runtime: Name,
    },
    /// A launch that no recipe was made into.
    #[error("can't read how the instance was started: {source}")]
    Unreadable {
        /// Where and why.
        #[from]
        source: serde_json::Error,
    },
}

impl Fault for RecipeError {
    fn code(&self) -> &'static Code {
        match self {
            Self::NoRuntime { .. } => &codes::RUNTIME_UNSAID,
            Self::TakesNone { .. } => &codes::ARGUMENTS_UNHEARD,
            Self::Unreadable { .. } => &codes::RECIPE_UNREADABLE,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoRuntime { .. } => {
                "set `runtime.name` in the deployment, or in the version's record".to_owned()
            }
            Self::TakesNone { .. } => {
                "leave them out, or say `name: command` and, in the version's record, which program \
                 takes them (`entrypoint.file`)"
                    .to_owned()
            }
            Self::Unreadable { .. } => {
                "stop the instance: it is started again as the yard says".to_owned()
            }
        })
    }
}

impl Recipe {
    /// How a version is started where a deployment says `said` and allows `limits`.
    ///
    /// # Errors
    /// [`RecipeError::NoRuntime`], [`RecipeError::TakesNone`].
    pub fn of(
        version: &ModelVersionSpec,
        said: Option<&Runtime>,
        limits: Option<&ResourceAmounts>,
    ) -> Result<Self, RecipeError> {
        let nothing = Runtime::default();
        let said = said.unwrap_or(&nothing);
        let own = default_runtime(version);
        let runtime = match (&said.name, &own) {
            (Some(name), _) => name.clone(),
            (None, Some(own)) => own.name.clone(),
            (None, None) => {
                return Err(RecipeError::NoRuntime {
                    format: version.format.name.clone(),
                });
            }
        };
        // The version of a runtime is one of the runtime that it was said of.
        let same = own.filter(|own| own.name == runtime);
        let runtime_version = said.version.clone();
        let arguments = match (&same, said.args.is_empty()) {
            (Some(own), true) => own.args.clone(),
            _ => said.args.clone(),
        };
        if !arguments.is_empty() && runtime.as_str() != "command" {
            return Err(RecipeError::TakesNone { runtime });
        }
        Ok(Self {
            runtime,
            runtime_version: runtime_version.or_else(|| same.and_then(|own| own.version)),
            format: version.format.clone(),
            entrypoint: version.entrypoint.clone(),
            arguments,
            environment: version.environment.clone(),
            variables: said.env.clone(),
            secrets: said.secrets.clone(),
            limits: limits.cloned().unwrap_or_default(),
        })
    }

    /// What is kept of it in a choice.
    pub fn launch(&self) -> Launch {
        Launch(serde_json::to_value(self).expect("a recipe has text keys and finite numbers only"))
    }

    /// Reads what [`Recipe::launch`] made.
    ///
    /// # Errors
    /// [`RecipeError::Unreadable`] for anything else, such as what a newer program wrote.
    pub fn read(launch: &Launch) -> Result<Self, RecipeError> {
        Ok(serde_json::from_value(launch.0.clone())?)
    }
}

/// What serves a version where its deployment says nothing: its own word, or what its format or
/// its files tell.
pub fn default_runtime(version: &ModelVersionSpec) -> Option<DefaultRuntime> {
    if let Some(own) = &version.runtime {
        return Some(own.clone());
    }
    let python = |environment: &CodeEnvironment| environment.language.as_str() == "python";
    let name = match version.format.name.as_str() {
        format @ ("onnx" | "mlflow" | "mlserver") => format,
        _ if version.environment.as_ref().is_some_and(python) => "python",
        _ => return None,
    };
    Some(DefaultRuntime {
        name: name.parse().expect("it is a name"),
        version: None,
        args: Arguments::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(more: &str) -> ModelVersionSpec {
        let digest = "0".repeat(64);
        let json = format!(
            r#"{{"artifact": {{"repository": "oci-layout:./store", "digest": "sha256:{digest}"}}{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn deployment(json: &str) -> Runtime {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn who_serves_is_said_by_the_deployment_the_version_or_the_format() {
        let onnx = version(r#", "format": {"name": "onnx"}"#);
        let own = version(
            r#", "format": {"name": "onnx"}, "runtime": {"name": "python", "version": "3"}"#,
        );
        let code =
            version(r#", "format": {"name": "pickle"}, "environment": {"language": "python"}"#);
        let other = version(r#", "format": {"name": "safetensors"}"#);
        let said = deployment(r#"{"name": "mlserver"}"#);
        let told = |version: &ModelVersionSpec, said: Option<&Runtime>| {
            let recipe = Recipe::of(version, said, None);
            recipe.map(|recipe| (recipe.runtime.to_string(), recipe.runtime_version))
        };
        let name = |text: &str| (text.to_owned(), None);
        assert_eq!(told(&onnx, None).unwrap(), name("onnx"));
        assert_eq!(told(&code, None).unwrap(), name("python"));
        assert_eq!(told(&own, Some(&said)).unwrap(), name("mlserver"));
        let third = Some("3".to_owned());
        assert_eq!(told(&own, None).unwrap(), ("python".to_owned(), third));
        insta::assert_snapshot!(
            told(&other, None).unwrap_err(),
            @"nothing says which runtime serves the format `safetensors`"
        );
    }

    #[test]
    fn arguments_are_the_versions_or_the_deployments_and_for_programs_alone() {
        let own = version(
            r#", "format": {"name": "x"}, "runtime": {"name": "command", "args": ["--own", "{port}"]}"#,
        );
        let onnx = version(r#", "format": {"name": "onnx"}"#);
        let told = |version: &ModelVersionSpec, said: &str| {
            let recipe = Recipe::of(version, Some(&deployment(said)), None);
            recipe.map(|recipe| recipe.arguments.words().join(" "))
        };
        assert_eq!(told(&own, "{}").unwrap(), "--own {port}");
        assert_eq!(
            told(&own, r#"{"name": "command", "args": ["a b"]}"#).unwrap(),
            "a b"
        );
        // What was said of one runtime is not for another.
        assert_eq!(told(&own, r#"{"name": "python"}"#).unwrap(), "");
        insta::assert_snapshot!(
            told(&onnx, r#"{"args": ["--fast"]}"#).unwrap_err(),
            @"the runtime `onnx` takes no `args`"
        );
    }

    #[test]
    fn a_launch_is_read_back_and_secrets_are_only_referred_to() {
        let onnx = version(r#", "format": {"name": "onnx"}"#);
        let said = deployment(
            r#"{"env": {"THREADS": "2"}, "secrets": [{"env": "TOKEN", "from": {"env": "OURS"}}]}"#,
        );
        let limits = serde_json::from_str(r#"{"memory": "4Gi"}"#).unwrap();
        let recipe = Recipe::of(&onnx, Some(&said), Some(&limits)).unwrap();
        let launch = recipe.launch();
        assert_eq!(Recipe::read(&launch).unwrap(), recipe);
        insta::assert_snapshot!(
            launch.0,
            @r#"{"runtime":"onnx","format":{"name":"onnx"},"variables":{"THREADS":"2"},"secrets":[{"env":"TOKEN","from":{"env":"OURS"}}],"limits":{"memory":"4Gi"}}"#
        );
        assert!(Recipe::read(&Launch::default()).is_err());
    }
}
