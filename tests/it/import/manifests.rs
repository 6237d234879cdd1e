//! What Seldon's and KServe's manifests have in common: reading, names, bytes, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use modelyard::artifact::StoreOptions;
use modelyard::import::export::{Find, Manifested, Served};
use modelyard::import::{Files, ImportError, Listing, Opening, Place, Source};
use modelyard::platform::progress::Silent;
use modelyard::platform::retry::Policy;
use modelyard::record::kind::{Deployment, Kind, ModelVersion};
use modelyard::record::yaml::to_yaml;
use modelyard::record::{ModelName, Version};
use serde_json::{Map, Value, json};

/// The folder of the fixtures.
pub(super) fn fixtures(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/import")
        .join(path)
}

/// The source that `word` means, with `kubectl` in `programs`.
pub(super) fn open(word: &str, programs: &Path) -> Result<Arc<dyn Source>, ImportError> {
    let variables = |name: &str| (name == "PATH").then(|| programs.display().to_string().into());
    let place: Place = word.parse().unwrap();
    place.open(&Opening {
        folder: PathBuf::from("/"),
        variables: &variables,
        retry: Policy {
            attempts: 1,
            ..Policy::default()
        },
        stores: StoreOptions {
            docker_config: PathBuf::from("/nowhere"),
            plain_http: None,
            retry: Policy::default(),
        },
        probe: false,
    })
}

/// What the source `word` lists.
pub(super) async fn list(word: &str) -> Result<Listing, ImportError> {
    open(word, Path::new("/nowhere"))?.list(&Silent).await
}

/// All that the source `word` says, as a person reads it.
pub(super) async fn told(word: &str) -> String {
    let source = open(word, Path::new("/nowhere")).unwrap();
    let listing = source.list(&Silent).await.unwrap();
    let mut versions = Vec::new();
    for listed in &listing.versions {
        let mut one = json!({
            "version": format!("{} {}", listed.model, listed.label),
            "reference": listed.reference,
        });
        if !listed.tags.is_empty() {
            one["tags"] = json!(listed.tags);
        }
        match source.candidate(listed).await {
            Ok(candidate) => {
                one["fields"] = candidate.version.into();
                one["unmapped"] = candidate.unmapped.into();
                one["files"] = files(&candidate.files).into();
                one["remarks"] = json!(candidate.remarks);
            }
            Err(error) => one["error"] = shortened(&error.to_string()).into(),
        }
        versions.push(one);
    }
    let mut deployments = Vec::new();
    for deployment in &listing.deployments {
        deployments.push(json!({
            "deployment": deployment.name,
            "environment": deployment.environment,
            "spec": deployment.spec,
            "unmapped": deployment.unmapped,
            "remarks": deployment.remarks,
        }));
    }
    valid(&listing);
    let left_out: Vec<_> = listing
        .left_out
        .iter()
        .map(|one| format!("{}: {}", one.what, one.why))
        .collect();
    to_yaml(&json!({
        "versions": versions, "deployments": deployments, "leftOut": left_out,
    }))
}

fn shortened(text: &str) -> String {
    text.replace(&fixtures("").display().to_string(), "<fixtures>/")
        .replace(env!("CARGO_MANIFEST_DIR"), "<yard>")
}

fn files(files: &Files) -> String {
    match files {
        Files::Here(path) => shortened(&path.display().to_string()),
        Files::There(files) => {
            let each: Vec<_> = files
                .iter()
                .map(|file| format!("{} from {}", file.path, file.key))
                .collect();
            each.join(", ")
        }
        Files::Inside(archives) => panic!("archives: {archives:?}"),
    }
}

/// A name of this yard for a model of a source.
fn here(model: &str) -> String {
    match model.split_once('/') {
        Some(_) => model.to_owned(),
        None => format!("acme/{model}"),
    }
}

/// The deployments of `listing` with names of a yard: each is a record by the types and the schema.
fn valid(listing: &Listing) -> Vec<Deployment> {
    let schema: Value = serde_json::from_str(Kind::Deployment.schema()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let version = |model: &str, label: Option<&str>| {
        let is_it = |one: &&modelyard::import::Listed| {
            one.model == model && Some(one.label.as_str()) == label
        };
        let listed = listing.versions.iter().find(is_it)?;
        Some((here(model), listed.version.clone()?.to_string()))
    };
    let mut records = Vec::new();
    for deployment in &listing.deployments {
        let mut named = deployment.clone();
        named.name_models(version).unwrap();
        let record = json!({
            "apiVersion": "modelyard.dev/v1",
            "kind": "Deployment",
            "metadata": {"name": named.name, "environment": "factory"},
            "spec": named.spec,
        });
        let wrong: Vec<_> = schema
            .iter_errors(&record)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{record}");
        records.push(serde_json::from_value(record).unwrap());
    }
    records
}

/// The records that the source `word` becomes: deployments, and versions with their addresses.
pub(super) async fn records(word: &str) -> (Vec<Deployment>, Vec<Served>) {
    let source = open(word, Path::new("/nowhere")).unwrap();
    let listing = source.list(&Silent).await.unwrap();
    let mut versions = Vec::new();
    for listed in &listing.versions {
        let Ok(candidate) = source.candidate(listed).await else {
            continue;
        };
        let uri = candidate.unmapped["storageUri"]
            .as_str()
            .unwrap()
            .to_owned();
        let name: ModelName = here(&listed.model).parse().unwrap();
        let version: Version = listed.version.clone().unwrap();
        let mut spec = Map::new();
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let repository = "registry.acme.example/models";
        spec.insert(
            "artifact".to_owned(),
            json!({"repository": repository, "digest": digest}),
        );
        spec.insert("format".to_owned(), json!({"name": "custom"}));
        spec.extend(candidate.version);
        let record = json!({
            "apiVersion": "modelyard.dev/v1",
            "kind": "ModelVersion",
            "metadata": {"namespace": name.namespace(), "name": name.name(), "version": version},
            "spec": spec,
        });
        let record: ModelVersion = serde_json::from_value(record).unwrap();
        versions.push(Served { record, uri });
    }
    (valid(&listing), versions)
}

/// Writes `deployments` with `export`, reads what came out, and holds it against what went in.
pub(super) async fn goes_round(
    kind: &str,
    (deployments, versions): (Vec<Deployment>, Vec<Served>),
    export: impl Fn(&[Deployment], Find<'_>) -> Manifested,
) -> Manifested {
    let find = |model: &ModelName, selector: Option<&modelyard::record::Selector>| {
        let is_it = |one: &&Served| {
            one.record.model_name() == *model
                && selector.map(ToString::to_string)
                    == Some(one.record.metadata.version.to_string())
        };
        versions.iter().find(is_it).cloned()
    };
    let exported = export(&deployments, &find);
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<_> = exported.manifests.iter().map(to_yaml).collect();
    fs::write(folder.path().join("all.yaml"), texts.join("---\n")).unwrap();
    let word = format!("{kind}:{}", folder.path().display());
    let (again, versions_again) = records(&word).await;
    let as_text = |deployments: &[Deployment]| {
        let mut texts: Vec<_> = deployments
            .iter()
            .map(|one| to_yaml(&serde_json::to_value(one).unwrap()))
            .collect();
        texts.sort();
        texts.join("---\n")
    };
    assert_eq!(as_text(&again), as_text(&deployments));
    let of = |versions: &[Served]| {
        let mut texts: Vec<_> = versions
            .iter()
            .map(|one| format!("{} {}", one.uri, serde_json::to_value(&one.record).unwrap()))
            .collect();
        texts.sort();
        texts
    };
    let served: Vec<_> = versions
        .iter()
        .filter(|one| {
            let name = one.record.model_name().to_string();
            as_text(&deployments).contains(&format!("model: {name}\n"))
        })
        .cloned()
        .collect();
    assert_eq!(of(&versions_again), of(&served));
    exported
}

/// What is said of a single file with `text` that is read as `kind`.
async fn refused(kind: &str, name: &str, text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let error = list(&format!("{kind}:{}", path.display()))
        .await
        .unwrap_err();
    error
        .to_string()
        .replace(&folder.path().display().to_string(), "<folder>")
}

const SERVICE: &str = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n";

#[tokio::test]
async fn what_cant_be_read_is_refused_with_its_file_and_document() {
    let bomb = (0..30).fold(format!("{SERVICE}---\na0: &a0 [x]\n"), |text, level| {
        let alias = format!("*a{level}, ").repeat(9);
        format!("{text}a{}: &a{} [{alias}]\n", level + 1, level + 1)
    });
    let many = format!("---\n{SERVICE}").repeat(10_001);
    let deep = format!("{SERVICE}spec: {}", "{a: ".repeat(20_000));
    for (kind, name, text, told) in [
        (
            "kserve",
            "bomb.yaml",
            bomb.as_str(),
            "bomb.yaml can't be read",
        ),
        ("kserve", "bomb.yaml", &bomb, "(document 2)"),
        (
            "kserve",
            "many.yaml",
            &many,
            "more than 10000 documents (document 10001)",
        ),
        (
            "kserve",
            "deep.yaml",
            &deep,
            "64 deep in each other (document 1)",
        ),
        (
            "kserve",
            "half.yaml",
            &format!("{SERVICE}---\nspec: [1"),
            "(document 2)",
        ),
        (
            "kserve",
            "half.json",
            "{\"apiVersion\": \"serving.kserve.io/v1\", ",
            "half.json can't be read: EOF",
        ),
        (
            "kserve",
            "other.yaml",
            "apiVersion: apps/v1\nkind: Deployment\n---\nkind: Service\n",
            "it has Deployment, Service, and none of InferenceService",
        ),
        (
            "seldon",
            "other.yaml",
            SERVICE,
            "it has InferenceService, and none of SeldonDeployment, Model",
        ),
        ("seldon", "empty.yaml", "", "it has no object of Kubernetes"),
    ] {
        let error = refused(kind, name, text).await;
        assert!(error.contains(told), "{name}: {told}: {error}");
        assert!(error.len() < 400, "{error}");
    }
    let error = list("kserve:/nowhere/at-all")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/at-all"), "{error}");
}

#[tokio::test]
async fn one_broken_file_of_a_folder_is_told_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let service = |name: &str| {
        format!(
            "{SERVICE}metadata: {{name: {name}}}\nspec: {{predictor: {{sklearn: {{storageUri: \"https://models.acme.example/{name}\"}}}}}}\n"
        )
    };
    write("a/good.yaml", &service("good"));
    write("a/again.yaml", &service("good"));
    write("b/nameless.yml", SERVICE);
    write("b/broken.yaml", &format!("{SERVICE}spec: [\n"));
    write("chart/template.yaml", "kind: {{ .Values.kind }}\n");
    write("data.json", "[1, 2");
    write(".git/hidden.yaml", &service("hidden"));
    write("list.json", &json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
         "metadata": {"name": "listed"}, "spec": {"predictor": {"model": {"modelFormat": {"name": "onnx"}}}}},
        {"apiVersion": "v1", "kind": "ConfigMap"},
    ]}).to_string());
    let listing = list(&format!("kserve:{}", folder.path().display()))
        .await
        .unwrap();
    let names: Vec<_> = listing
        .versions
        .iter()
        .map(|one| one.model.as_str())
        .collect();
    assert_eq!(names, ["good", "listed"]);
    let left_out: Vec<_> = listing
        .left_out
        .iter()
        .map(|one| format!("{}: {}", one.what, one.why))
        .collect();
    insta::assert_snapshot!(left_out.join("\n"), @r##"
    InferenceService/default/ (b/nameless.yml:1 (document 1)): it has no name
    InferenceService/default/good (a/good.yaml:1 (document 1)): the same name stands at a/again.yaml:1 (document 1)
    b/broken.yaml: 3:7: a `[` is opened and never closed (document 1)
    "##);
}

#[tokio::test]
async fn bytes_come_from_the_repository_and_from_nowhere_else_on_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir_all(tree.join(".git")).unwrap();
    fs::create_dir_all(tree.join("deploy")).unwrap();
    fs::create_dir_all(tree.join("models/iris")).unwrap();
    fs::write(folder.path().join("secret"), "s").unwrap();
    let mut text = String::new();
    for (name, uri) in [
        ("inside", "models/iris"),
        ("climbs", "../../secret"),
        ("absolute", "file:///etc/passwd"),
    ] {
        text += &format!(
            "---\n{SERVICE}metadata: {{name: {name}}}\nspec: {{predictor: {{onnx: {{storageUri: \"{uri}\"}}}}}}\n"
        );
    }
    fs::write(tree.join("deploy/all.yaml"), text).unwrap();
    let word = format!("kserve:{}", tree.join("deploy/all.yaml").display());
    let source = open(&word, Path::new("/nowhere")).unwrap();
    let listing = source.list(&Silent).await.unwrap();
    for listed in &listing.versions {
        match (listed.model.as_str(), source.candidate(listed).await) {
            ("inside", Ok(candidate)) => match candidate.files {
                Files::Here(path) => assert!(path.ends_with("tree/models/iris"), "{path:?}"),
                Files::There(_) | Files::Inside(_) => panic!("they are here"),
            },
            (_, Err(error)) => assert!(error.to_string().contains("leads out of"), "{error}"),
            (name, Ok(_)) => panic!("{name} was read"),
        }
    }
    assert_eq!(listing.versions.len(), 3);
}

/// A program named `kubectl` that knows one kind and prints one service: a fake.
fn fake_kubectl(folder: &Path, seen: &Path) {
    let service = json!({
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris", "namespace": "lab", "creationTimestamp": "2026-11-01T09:30:00Z",
            "generation": 4, "managedFields": [{"manager": "x"}]},
        "spec": {"predictor": {"sklearn": {"storageUri": "/mnt/models"}}},
        "status": {"url": "http://iris.lab"},
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [service]});
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\ncase \"$*\" in\n*away*) echo 'connection refused' >&2; exit 1;;\n\
         *secret*) echo 'inferenceservices is forbidden' >&2; exit 1;;\n\
         *inferenceservices*) cat <<'END'\n{list}\nEND\n;;\n\
         *) echo \"error: the server doesn't have a resource type \\\"$4\\\"\" >&2; exit 1;;\nesac\n",
        seen.display()
    );
    let path = folder.join("kubectl");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn a_cluster_is_read_through_kubectl() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    fake_kubectl(folder.path(), &seen);
    let source = open("kserve:context=prod,namespace=lab", folder.path()).unwrap();
    let listing = source.list(&Silent).await.unwrap();
    assert_eq!(listing.versions[0].reference, "InferenceService/lab/iris");
    assert_eq!(
        listing.versions[0].created_at.unwrap().to_string(),
        "2026-11-01T09:30:00Z"
    );
    assert_eq!(listing.deployments[0].cluster.as_deref(), Some("prod"));
    assert_eq!(listing.deployments[0].unmapped, Map::new());
    let error = source
        .candidate(&listing.versions[0])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a path in a container of the cluster"),
        "{error}"
    );
    let asked = fs::read_to_string(&seen).unwrap();
    let first = asked.lines().next().unwrap();
    let expected = "--context prod get inferenceservices.serving.kserve.io -o json --namespace lab";
    assert_eq!(first, expected);

    let refused = async |word: &str| {
        let source = open(word, folder.path()).unwrap();
        source.list(&Silent).await.unwrap_err().to_string()
    };
    assert!(
        refused("kserve:context=away")
            .await
            .contains("connection refused")
    );
    assert!(
        refused("kserve:context=secret")
            .await
            .contains("is forbidden")
    );
    assert!(
        refused("seldon:context=prod")
            .await
            .contains("none of their definitions is installed")
    );
    let error = open("kserve:context=prod", Path::new("/nowhere")).unwrap();
    let error = error.list(&Silent).await.unwrap_err().to_string();
    assert_eq!(error, "PATH has no kubectl");
}
