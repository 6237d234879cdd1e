//! A gateway that serves on loopback, and routings that read like a story.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use modelyard::gateway::{Access, Certificates, Drained, Gateway, Limits, Registered, Routing};
use modelyard::platform::clock::SystemClock;
use modelyard::record::Name;
use modelyard::rollout::{Backend, Backends, Content, Hop, InstanceId, Revision, Route};
use modelyard::target::Endpoint;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::replica::Replica;

/// Limits for tests: times that a test can wait for.
pub(super) fn limits() -> Limits {
    Limits {
        answer_time: Duration::from_secs(5),
        wait_time: Duration::from_secs(5),
        body_time: Duration::from_secs(5),
        ..Limits::default()
    }
}

pub(super) struct Stage {
    pub(super) gateway: Gateway,
    pub(super) address: SocketAddr,
    pub(super) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<Drained>>,
}

impl Stage {
    pub(super) fn new(limits: Limits) -> Self {
        Self::with(limits, Access::Open, None)
    }

    pub(super) fn with(limits: Limits, access: Access, tls: Option<Arc<Certificates>>) -> Self {
        let gateway = Gateway::new(limits, access, Arc::new(SystemClock));
        let listener = modelyard::gateway::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = gateway.clone();
        let served = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            serving.serve(listener, tls, stop).await.unwrap()
        });
        Self {
            gateway,
            address,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop: Some(stop),
            served: Some(served),
        }
    }

    /// Tells the server to stop.
    pub(super) fn stop(&mut self) -> JoinHandle<Drained> {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.take().unwrap()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Posts a body.
    pub(super) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Told {
        let sent = self.client.post(self.url(path)).body(body).send().await;
        Told::of(sent.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Told {
        Told::of(self.client.get(self.url(path)).send().await.unwrap()).await
    }

    /// A prediction of the deployment `digits`, and the number that it answers.
    pub(super) async fn predict(&self) -> Told {
        self.post("/v2/models/digits/infer", request()).await
    }
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Told {
    pub(super) async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().into(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one number that it answers.
    #[track_caller]
    pub(super) fn label(&self) -> i64 {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["outputs"][0]["data"][0].as_i64().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// `STATUS code: error`.
    pub(super) fn refusal(&self) -> String {
        let body = self.json();
        let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", self.status, text("code"), text("error"))
    }
}

/// A request that fits [`Routes::registered`].
pub(super) fn request() -> String {
    json!({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1.5, 2]}]})
        .to_string()
}

/// A routing as it is put together.
#[derive(Clone, Default)]
pub(super) struct Routes(pub(super) Routing);

pub(super) fn content(version: &str) -> Content {
    let digest = format!("sha256:{}", hex(version));
    let release = json!({"model": "vision/digits", "version": version, "digest": digest});
    serde_json::from_value(json!({"model": release})).unwrap()
}

pub(super) fn revision(version: &str) -> Revision {
    serde_json::from_value(json!(format!("sha256:{}", hex(&format!("{version}!"))))).unwrap()
}

/// Sixty-four hexadecimal digits for a text.
fn hex(text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<64}")
}

pub(super) fn id(number: u64) -> InstanceId {
    InstanceId {
        deployment: name("digits"),
        number,
    }
}

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

impl Routes {
    /// Knows a replica by a number.
    pub(super) fn at(mut self, number: u64, address: SocketAddr) -> Self {
        let model = "m".to_owned();
        self.0
            .endpoints
            .insert(id(number), Endpoint { address, model });
        self
    }

    /// Knows replicas by the numbers in which they stand, from 1.
    pub(super) fn of(replicas: &[&Replica]) -> Self {
        let numbered = (1..).zip(replicas);
        numbered.fold(Self::default(), |routes, (number, replica)| {
            routes.at(number, replica.address)
        })
    }

    /// A backend of a version with a weight and replicas.
    pub(super) fn backend(version: &str, weight: u8, replicas: &[u64]) -> Backend {
        Backend {
            content: content(version),
            revision: revision(version),
            weight,
            instances: replicas.iter().copied().map(id).collect(),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// The deployment `digits`, at `/digits` too, with versions, weights and replicas.
    pub(super) fn digits(self, backends: &[(&str, u8, &[u64])]) -> Self {
        let backends = backends
            .iter()
            .map(|(version, weight, replicas)| Self::backend(version, *weight, replicas));
        let backends = backends.collect();
        self.route(|route| route.backends = of(backends))
    }

    /// Changes the route of `digits`.
    pub(super) fn route(mut self, change: impl FnOnce(&mut Route)) -> Self {
        let route = self.0.table.entry(name("digits")).or_default();
        route.path = Some("/digits".parse().unwrap());
        change(route);
        self
    }

    /// Says what a version takes: `x`, FP32 of shape [-1, 2], and gives: `y`, INT64.
    pub(super) fn registered(mut self, version: &str) -> Self {
        let tensor = |value: Value| serde_json::from_value(value).unwrap();
        let registered = Registered {
            platform: "onnx_onnx".to_owned(),
            inputs: vec![tensor(
                json!({"name": "x", "datatype": "FP32", "shape": [-1, 2]}),
            )],
            outputs: vec![tensor(
                json!({"name": "y", "datatype": "INT64", "shape": [-1]}),
            )],
            parameters: Vec::new(),
        };
        self.0
            .registered
            .insert(content(version), Arc::new(registered));
        self
    }
}

pub(super) fn of(backends: Vec<Backend>) -> Backends {
    Backends::try_from(backends).unwrap()
}

/// A coprocessor of a version of the same model, with replicas.
pub(super) fn hop(version: &str, replicas: &[u64]) -> Hop {
    Hop {
        content: content(version),
        instances: replicas.iter().copied().map(id).collect(),
    }
}
