//! A real control plane of Kubernetes on loopback: etcd, API server, controllers and scheduler, with
//! a node that kwok plays, whose pods run at once and hold nothing; and KServe's real controller
//! with its webhooks, in raw deployment mode and without an ingress.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::json;
use tempfile::TempDir;

use super::sandbox::{Outcome, Run, Sandbox};
use super::shared::Shared;
use super::{in_time, tools, web};

/// Who may everything.
const TOKEN: &str = "cluster-admin-token";

/// A key, and a certificate of it for 127.0.0.1 that is its own authority.
const KEY: &str = "tests/it/gateway/certificates/one.key";
const CERTIFICATE: &str = "tests/it/gateway/certificates/one.pem";

/// How KServe's own manifest says where its webhooks are.
const WEBHOOK: &str = "service:\n        name: $(webhookServiceName)\n        \
                       namespace: $(kserveNamespace)\n        path: ";

/// A running cluster with one node.
pub struct Cluster {
    // Whoever asks another ends before it.
    parts: Vec<Shared>,
    folder: TempDir,
    sandbox: Sandbox,
}

impl Cluster {
    /// What its context is called.
    pub const CONTEXT: &str = "lab";

    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut cluster = Self {
            parts: Vec::new(),
            folder,
            sandbox: Sandbox::new(),
        };
        let etcd = cluster.start_etcd();
        cluster.start_api_server(&etcd);
        let kubeconfig = cluster.kubeconfig().display().to_string();
        let kubeconfig = format!("--kubeconfig={kubeconfig}");
        let controllers = "--controllers=*,-nodeipam,-cloud-node-lifecycle";
        let alone = "--leader-elect=false";
        let quiet = "--secure-port=0";
        // A node that says nothing on a busy machine is not gone.
        let patient = "--node-monitor-grace-period=24h";
        cluster.run(
            "kube-controller-manager",
            &[&kubeconfig, controllers, alone, quiet, patient],
        );
        cluster.run("kube-scheduler", &[&kubeconfig, alone, quiet]);
        let stages = tools::path("kwok-stages.yaml");
        let stages = format!("--config={}", stages.display());
        cluster.run("kwok", &[&kubeconfig, "--manage-all-nodes", &stages]);
        cluster.apply(&json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "node", "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "200", "nvidia.com/gpu": "8"}},
        }));
        let wait = [
            "wait",
            "--for=condition=Ready",
            "node/node",
            "--timeout=300s",
        ];
        cluster.kubectl(wait).run().success();
        cluster
    }

    /// Starts one that KServe's controller works on, with KServe's own runtimes.
    pub fn with_kserve() -> Self {
        let mut cluster = Self::start();
        cluster
            .kubectl(["create", "namespace", "kserve"])
            .run()
            .success();
        for definitions in ["kserve-definitions.yaml", "kserve-runtimes.yaml"] {
            // Nobody knows a kind the moment that it is defined.
            let began = Instant::now();
            while !cluster.has_applied(&tools::path(definitions)) {
                in_time(began);
            }
        }
        cluster.apply(&json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "inferenceservice-config", "namespace": "kserve"},
            "data": kserve_settings(),
        }));
        cluster.start_kserve();
        cluster
    }

    /// The file by which clients find it.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The real `kubectl` with these words.
    pub fn kubectl<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Run {
        let run = self.sandbox.tool("kubectl", words);
        run.env("KUBECONFIG", self.kubeconfig())
    }

    /// Applies one object.
    #[track_caller]
    pub fn apply(&self, object: &serde_json::Value) {
        let words = ["apply", "--server-side", "-f", "-"];
        self.kubectl(words)
            .input(object.to_string())
            .run()
            .success();
    }

    /// What there is of these kinds in a namespace, as a list.
    #[track_caller]
    pub fn get(&self, namespace: &str, kinds: &str) -> serde_json::Value {
        let words = ["get", kinds, "--namespace", namespace, "--output=json"];
        self.kubectl(words).run().success().json()
    }

    /// Waits until everything of these kinds in a namespace says that it is ready.
    #[track_caller]
    pub fn becomes_ready(&self, namespace: &str, kinds: &str) {
        let words = [
            "wait",
            "--for=condition=Ready",
            kinds,
            "--all",
            "--timeout=300s",
        ];
        let wait = self.kubectl(words.into_iter().chain(["--namespace", namespace]));
        let outcome = wait.run();
        assert!(
            outcome.code == Some(0),
            "{}\n{:#}\n{}",
            outcome.report(),
            self.get(namespace, kinds),
            self.log()
        );
    }

    /// What its parts said, for a test that fails.
    pub fn log(&self) -> String {
        let logs = self.parts.iter().rev();
        logs.map(Shared::log).collect::<Vec<_>>().join("\n\n")
    }

    fn has_applied(&self, file: &Path) -> bool {
        let file = file.display().to_string();
        let words = ["apply", "--server-side", "-f", &file];
        self.kubectl(words).run().code == Some(0)
    }

    fn run(&mut self, program: &str, words: &[&str]) {
        let part = Shared::start(&tools::path(program), words, &[]);
        self.parts.insert(0, part);
    }

    fn start_etcd(&mut self) -> String {
        let client = format!("http://{}", web::free_host());
        let peer = format!("http://{}", web::free_host());
        let words = [
            "--data-dir=data",
            "--unsafe-no-fsync",
            &format!("--listen-client-urls={client}"),
            &format!("--advertise-client-urls={client}"),
            &format!("--listen-peer-urls={peer}"),
            &format!("--initial-advertise-peer-urls={peer}"),
            &format!("--initial-cluster=default={peer}"),
        ];
        self.run("etcd", &words);
        client
    }

    fn start_api_server(&mut self, etcd: &str) {
        let host = web::free_host();
        let (_, port) = host.rsplit_once(':').expect("a host has a port");
        let tokens = self.folder.path().join("tokens.csv");
        fs::write(&tokens, format!("{TOKEN},admin,1,system:masters\n")).expect("it can be written");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {
                "server": format!("https://{host}"),
                "insecure-skip-tls-verify": true,
            }}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": Self::CONTEXT, "context": {"cluster": "lab", "user": "admin"}}],
            "current-context": Self::CONTEXT,
        });
        fs::write(self.kubeconfig(), config.to_string()).expect("it can be written");
        let words = [
            &format!("--etcd-servers={etcd}"),
            "--cert-dir=certificates",
            "--bind-address=127.0.0.1",
            &format!("--secure-port={port}"),
            &format!("--service-account-key-file={}", checkout(CERTIFICATE)),
            &format!("--service-account-signing-key-file={}", checkout(KEY)),
            "--service-account-issuer=https://kubernetes.default.svc",
            &format!("--token-auth-file={}", tokens.display()),
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--disable-admission-plugins=ServiceAccount",
        ];
        self.run("kube-apiserver", &words);
        let began = Instant::now();
        let is_ready = || self.kubectl(["get", "--raw", "/readyz"]).run().code == Some(0);
        while !is_ready() {
            in_time(began);
        }
    }

    /// Starts KServe's controller, and has the API server ask its webhooks.
    fn start_kserve(&mut self) {
        let serving = self.folder.path().join("k8s-webhook-server/serving-certs");
        fs::create_dir_all(&serving).expect("a fresh folder can be filled");
        for (from, to) in [(KEY, "tls.key"), (CERTIFICATE, "tls.crt")] {
            fs::copy(checkout(from), serving.join(to)).expect("it can be copied");
        }
        let host = web::free_host();
        let (_, port) = host.rsplit_once(':').expect("a host has a port");
        let kubeconfig = self.kubeconfig().display().to_string();
        let words = [
            "-kubeconfig",
            &kubeconfig,
            "-webhook-port",
            port,
            "-metrics-addr=0",
            "-health-probe-addr=0",
        ];
        let folder = self.folder.path().display().to_string();
        let variables = [("POD_NAMESPACE", "kserve"), ("TMPDIR", &folder)];
        let part = Shared::start(&tools::path("kserve-manager"), &words, &variables);
        self.parts.insert(0, part);
        let began = Instant::now();
        while std::net::TcpStream::connect(&host).is_err() {
            assert!(self.parts[0].is_running(), "{}", self.parts[0].log());
            in_time(began);
        }
        let certificate = fs::read(checkout(CERTIFICATE)).expect("it is there");
        let authority = BASE64_STANDARD.encode(certificate);
        let webhooks = fs::read_to_string(tools::path("kserve-webhooks.yaml"));
        let webhooks = webhooks.expect("it is there").replace(
            WEBHOOK,
            &format!("caBundle: {authority}\n      url: https://{host}"),
        );
        let words = ["apply", "--server-side", "-f", "-"];
        self.kubectl(words).input(webhooks).run().success();
        let began = Instant::now();
        while !self.asks_kserve() {
            in_time(began);
        }
    }

    /// Whether the API server has KServe complete what it is given, and refuse what is wrong: it
    /// does a moment after it was told to.
    fn asks_kserve(&self) -> bool {
        let create = |name: &str| {
            let service = json!({
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": name},
                "spec": {"predictor": {"model": {
                    "modelFormat": {"name": "onnx"},
                    "storageUri": "s3://models/any",
                }}},
            });
            let words = ["create", "--dry-run=server", "--output=json", "-f", "-"];
            self.kubectl(words).input(service.to_string()).run()
        };
        // What completes it adds how it is deployed; and a name begins with a letter.
        create("any")
            .stdout
            .contains("serving.kserve.io/deploymentMode")
            && create("0").stderr.contains("denied the request")
    }
}

/// KServe's settings: as its own but where there is a comment.
fn kserve_settings() -> serde_json::Value {
    let container = |image: &str| {
        json!({
            "image": format!("kserve/{image}:v0.15.2"),
            "memoryRequest": "100Mi", "memoryLimit": "1Gi", "cpuRequest": "100m", "cpuLimit": "1",
        })
    };
    let mut storage = container("storage-initializer");
    // Images with models are a part of what is exported.
    storage["enableModelcar"] = true.into();
    storage["cpuModelcar"] = "10m".into();
    storage["memoryModelcar"] = "15Mi".into();
    let mut logger = container("agent");
    logger["defaultUrl"] = "http://default-broker".into();
    let settings = json!({
        // Neither Knative nor Istio is here.
        "deploy": {"defaultDeploymentMode": "RawDeployment"},
        "ingress": {
            "ingressGateway": "kserve/gateway",
            "ingressDomain": "example.com",
            "disableIngressCreation": true,
        },
        "storageInitializer": storage,
        "credentials": {},
        "logger": logger,
        "agent": container("agent"),
        "batcher": container("agent"),
        "router": container("router"),
    });
    let settings = settings.as_object().expect("it is one").iter();
    settings
        .map(|(name, value)| (name.clone(), json!(value.to_string())))
        .collect()
}

/// A file of the checkout.
fn checkout(path: &str) -> String {
    format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))
}
