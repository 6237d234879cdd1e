//! What goes out as KServe's, under KServe's own controller and webhooks on a real API server; and
//! back from there.

use modelyard::check::yaml;
use serde_json::{Value, json};

use super::{ENVIRONMENT, FILES, RECORD, copy_files, yard};
use crate::harness::cluster::Cluster;
use crate::harness::{Sandbox, Yard, tools};
use crate::import::storage::Filled;

const NAMESPACE: &str = "clinics";

/// A canary with all that a predictor can say, and a coprocessor.
const CANARY: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: diabetes, environment: hospital}
spec:
  model: health/diabetes-progression
  version: 1.0.0
  replicas: {min: 2, max: 4, metric: cpu, target: 70}
  resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: \"1\", memory: 2Gi}}
  runtime: {name: triton, env: {THREADS: \"2\"}, secrets: [{env: TOKEN, from: {secret: diabetes, key: token}}]}
  before: [{container: {image: \"registry.acme.example/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}]
  after: [{container: {image: \"registry.acme.example/label@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}]
  strategy:
    type: canary
    steps: [{weight: 10, approval: true}]
";

/// Two versions at once.
const SPLIT: &str = "\
apiVersion: modelyard.dev/v1
kind: Deployment
metadata: {name: progression, environment: hospital}
spec:
  split:
    - {model: health/diabetes-progression, version: 1.0.0, weight: 80}
    - {model: health/diabetes-progression, version: 2.0.0, weight: 20}
  runtime: {name: triton}
  resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: \"1\", memory: 2Gi}}
";

const STORAGE: &str = "--storage-uri=s3://models/{namespace}/{name}/{version}";

/// A second version of the model, and what serves both.
fn serve_two(sandbox: &Sandbox, yard: &Yard<'_>) {
    copy_files(sandbox, "two");
    sandbox.write("two/README.md", "# The second\n");
    yard.publish("two", "health/diabetes-progression:2.0.0")
        .success();
    yard.merge("publish/health/diabetes-progression/2.0.0");
    yard.write("environments/hospital.yaml", ENVIRONMENT);
    yard.write("deployments/hospital/diabetes.yaml", CANARY);
    yard.write("deployments/hospital/progression.yaml", SPLIT);
    yard.commit("They serve");
    yard.modelyard(["check"]).run().success();
}

#[test]
fn what_goes_out_becomes_ready_and_comes_back() {
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    serve_two(&sandbox, &yard);
    let filled = Filled::new();
    filled.put_folder("health/diabetes-progression/1.0.0", FILES.as_ref());
    filled.put_folder("health/diabetes-progression/2.0.0", &sandbox.path("two"));

    let cluster = Cluster::with_kserve();
    cluster
        .kubectl(["create", "namespace", NAMESPACE])
        .run()
        .success();
    for name in ["diabetes", "progression"] {
        let words = [
            "export",
            &format!("hospital/{name}"),
            "--to=kserve",
            &format!("--namespace={NAMESPACE}"),
            STORAGE,
        ];
        let manifests = yard.modelyard(words).run().success().stdout;
        let apply = cluster.kubectl(["apply", "-f", "-"]);
        apply.input(manifests).run().success();
    }
    cluster.becomes_ready(NAMESPACE, "inferenceservices,inferencegraphs");
    let services = cluster.get(NAMESPACE, "inferenceservices");
    let loaded = |service: &Value| {
        let transition = &service["status"]["modelStatus"]["transitionStatus"];
        (service["metadata"]["name"].clone(), transition.clone())
    };
    let loaded: Vec<_> = items(&services).map(loaded).collect();
    assert_eq!(
        json!(loaded),
        json!([
            ["diabetes", "UpToDate"],
            ["progression-diabetes-progression", "UpToDate"],
            ["progression-diabetes-progression-2-0-0", "UpToDate"],
        ])
    );
    // What KServe made of it: the server has what the deployment says, and the files come from there.
    let pods = cluster.get(NAMESPACE, "pods");
    let pod = items(&pods).find(|pod| name(pod).starts_with("diabetes-predictor"));
    let pod = &pod.unwrap()["spec"];
    let fetched = &pod["initContainers"][0]["args"][0];
    assert_eq!(fetched, "s3://models/health/diabetes-progression/1.0.0");
    let server = &pod["containers"][0];
    assert_eq!(server["resources"]["requests"]["cpu"], "500m");
    let variables = server["env"].as_array().unwrap();
    assert!(
        variables.contains(&json!({"name": "THREADS", "value": "2"})),
        "{server:#}"
    );

    let other = Sandbox::new();
    let back = other.yard();
    back.write("environments/hospital.yaml", ENVIRONMENT);
    back.commit("A hospital");
    let map = format!("environments: {{{NAMESPACE}: hospital}}\n");
    let map = format!("--map={}", other.write("map.yaml", map).display());
    let source = format!("kserve:context={},namespace={NAMESPACE}", Cluster::CONTEXT);
    let words = [
        "import",
        &source,
        &map,
        "--unsigned",
        "--owner=health",
        "--name=back",
    ];
    let mut import = back
        .modelyard(words)
        .path_first(tools::path("kubectl").parent().unwrap())
        .env("KUBECONFIG", cluster.kubeconfig());
    for (name, value) in filled.variables() {
        import = import.env(name, value);
    }
    let came = import.run().success();
    assert!(!came.stdout.contains("left out"), "{}", came.report());
    back.merge("import/back");
    for (name, went) in [("diabetes", CANARY), ("progression", SPLIT)] {
        let came = back.show("main", &format!("deployments/hospital/{name}.yaml"));
        assert_eq!(record(&came), record(went), "{came}");
    }
    for version in ["1.0.0", "2.0.0"] {
        let path = format!("models/health/diabetes-progression/versions/{version}.yaml");
        let digest = |yard: &Yard<'_>| {
            record(&yard.show("main", &path))["spec"]["artifact"]["digest"].take()
        };
        assert_eq!(digest(&back), digest(&yard));
    }
}

#[test]
fn a_version_in_an_image_is_mounted() {
    const IMAGE: &str = "registry.acme.example/images/diabetes@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let sandbox = Sandbox::new();
    let yard = yard(&sandbox);
    let (repository, digest) = IMAGE.split_once('@').unwrap();
    let image = format!(
        "  images: [{{purpose: modelcar, repository: {repository}, digest: \"{digest}\"}}]\n"
    );
    yard.write(RECORD, &format!("{}{image}", yard.show("main", RECORD)));
    yard.commit("An image, too");

    let cluster = Cluster::with_kserve();
    let words = ["export", "health/diabetes-progression:1.0.0", "--to=kserve"];
    let manifest = yard.modelyard(words).run().success().stdout;
    let apply = cluster.kubectl(["apply", "-f", "-"]);
    apply.input(manifest).run().success();
    cluster.becomes_ready("default", "inferenceservices");
    let pods = cluster.get("default", "pods");
    let pod = &items(&pods).next().unwrap()["spec"];
    let containers = pod["containers"].as_array().unwrap();
    let modelcar = containers.iter().find(|one| one["name"] == "modelcar");
    assert_eq!(modelcar.unwrap()["image"], IMAGE, "{pod:#}");
}

fn record(text: &str) -> Value {
    yaml::parse(text.as_bytes()).unwrap().into_value()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().unwrap().iter()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}
