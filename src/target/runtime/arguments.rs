//! From a recipe to the arguments of `modelyard runtime`.

use std::ffi::OsString;
use std::path::Path;

use super::onnx::Called;
use crate::record::Name;
use crate::record::kind::CodeEnvironment;
use crate::target::Recipe;

/// The runtimes that can be started as processes here.
pub const RUNTIMES: [&str; 5] = ["onnx", "python", "mlflow", "mlserver", "command"];

/// A runtime that is none of [`RUNTIMES`], or that is not told what to run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// None of them.
    #[error("the runtime `{runtime}` can't be started here: it can be {}", RUNTIMES.join(", "))]
    Unknown {
        /// What is asked for.
        runtime: Name,
    },
    /// `command`, and the record names no program.
    #[error(
        "the runtime `command` runs the program that `entrypoint.file` names, and none is named"
    )]
    NoProgram,
}

/// The arguments with which this program becomes the runtime that `recipe` asks for, of the
/// version whose files are in `files`. It ends with whoever starts it.
///
/// # Errors
/// [`NotHere`].
pub fn arguments(recipe: &Recipe, files: &Path, called: &Called) -> Result<Vec<OsString>, NotHere> {
    let runtime = recipe.runtime.as_str();
    if !RUNTIMES.contains(&runtime) {
        return Err(NotHere::Unknown {
            runtime: recipe.runtime.clone(),
        });
    }
    let mut arguments: Vec<OsString> = vec!["runtime".into(), runtime.into(), files.into()];
    arguments.extend(["--name".into(), called.name.as_str().into()]);
    if let Some(version) = &called.version {
        arguments.extend(["--version".into(), version.to_string().into()]);
    }
    arguments.push("--with-parent".into());
    let mut add = |name: &str, value: &str| arguments.extend([name.into(), value.into()]);
    if let Some(cores) = cores(recipe) {
        match runtime {
            "onnx" => add("--instances", &cores),
            "command" => {}
            _ => add("--threads", &cores),
        }
    }
    if matches!(runtime, "python" | "mlflow" | "mlserver") {
        environment(recipe, &mut add);
    }
    let entrypoint = recipe.entrypoint.as_ref();
    match (runtime, entrypoint) {
        ("command", None) => return Err(NotHere::NoProgram),
        ("command", Some(said)) => add("--program", said.file.as_str()),
        ("python", said) => {
            if let Some(said) = said {
                add("--entrypoint", said.file.as_str());
            }
            if let Some(function) = said.and_then(|said| said.function.as_deref()) {
                add("--function", function);
            }
            if recipe.format.name.as_str() == "onnx" {
                arguments.push("--or-onnx".into());
            }
        }
        _ => {}
    }
    if !recipe.arguments.is_empty() {
        arguments.push("--".into());
        arguments.extend(recipe.arguments.words().iter().map(OsString::from));
    }
    Ok(arguments)
}

/// What is said of the environment.
fn environment(recipe: &Recipe, add: &mut impl FnMut(&str, &str)) {
    let python = |environment: &&CodeEnvironment| environment.language.as_str() == "python";
    let said = recipe.environment.as_ref().filter(python);
    if let Some(file) = said.and_then(|said| said.requirements.as_ref()) {
        add("--requirements", file.as_str());
    }
    let own = recipe.runtime_version.as_deref();
    let of_python = said.and_then(|said| said.version.as_deref());
    match recipe.runtime.as_str() {
        "mlserver" => {
            if let Some(version) = own {
                add("--mlserver", version);
            }
        }
        // The version of the runtime `python` is Python's.
        "python" => {
            if let Some(version) = of_python.or(own) {
                return add("--python", version);
            }
        }
        _ => {}
    }
    if let Some(version) = of_python {
        add("--python", version);
    }
}

/// How many cores it may take, rounded up.
fn cores(recipe: &Recipe) -> Option<String> {
    let cores = recipe.limits.cpu.as_ref()?;
    Some(cores.thousandths().div_ceil(1000).max(1).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kind::ModelVersionSpec;

    fn told(json: &str) -> String {
        let digest = "0".repeat(64);
        let json = format!(
            r#"{{"artifact": {{"repository": "oci-layout:./store", "digest": "sha256:{digest}"}}, {json}}}"#
        );
        let spec: ModelVersionSpec = serde_json::from_str(&json).unwrap();
        let limits = serde_json::from_str(r#"{"cpu": "1500m"}"#).unwrap();
        let recipe = Recipe::of(&spec, None, Some(&limits)).unwrap();
        let called = Called {
            name: "digits".parse().unwrap(),
            version: Some("1.0.0".parse().unwrap()),
        };
        match arguments(&recipe, Path::new("/f"), &called) {
            Ok(arguments) => {
                let texts: Vec<_> = arguments.iter().map(|a| a.to_string_lossy()).collect();
                texts.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_runtime_is_told_what_its_record_says() {
        insta::assert_snapshot!(
            told(r#""format": {"name": "onnx"}"#),
            @"runtime onnx /f --name digits --version 1.0.0 --with-parent --instances 2"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "onnx"}, "runtime": {"name": "python", "version": "3.12"}"#),
            @"runtime python /f --name digits --version 1.0.0 --with-parent --threads 2 --python 3.12 --or-onnx"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "pickle"}, "entrypoint": {"file": "a/p.py", "function": "f"}, "environment": {"language": "python", "version": "3.11", "requirements": "r.txt"}"#),
            @"runtime python /f --name digits --version 1.0.0 --with-parent --threads 2 --requirements r.txt --python 3.11 --entrypoint a/p.py --function f"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "mlflow"}, "environment": {"language": "python", "version": "3.11"}"#),
            @"runtime mlflow /f --name digits --version 1.0.0 --with-parent --threads 2 --python 3.11"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "mlserver"}, "runtime": {"name": "mlserver", "version": "1.7.1"}"#),
            @"runtime mlserver /f --name digits --version 1.0.0 --with-parent --threads 2 --mlserver 1.7.1"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "x"}, "runtime": {"name": "command"}, "entrypoint": {"file": "server"}"#),
            @"runtime command /f --name digits --version 1.0.0 --with-parent --program server"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "x"}, "runtime": {"name": "command", "args": ["--help", "{port}"]}, "entrypoint": {"file": "server"}"#),
            @"runtime command /f --name digits --version 1.0.0 --with-parent --program server -- --help {port}"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "x"}, "runtime": {"name": "command"}"#),
            @"the runtime `command` runs the program that `entrypoint.file` names, and none is named"
        );
        insta::assert_snapshot!(
            told(r#""format": {"name": "x"}, "runtime": {"name": "triton"}"#),
            @"the runtime `triton` can't be started here: it can be onnx, python, mlflow, mlserver, command"
        );
    }
}
