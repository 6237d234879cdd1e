//! Protocols of model servers, told by what they answer.
//!
//! | asked | answered | it speaks |
//! | --- | --- | --- |
//! | `/v2` | `{"name", "extensions"}` | Open Inference Protocol |
//! | `/v1/models` | `{"models": […]}` | KServe's V1 |
//! | `/v1/models` | `{"object": "list", "data": […]}` | OpenAI's |
//! | `/v1/models` | `{"error": "Malformed request: GET …"}` | TensorFlow Serving's |
//! | `/info` | `{"model_id", …}` | Text Generation Inference's own |
//! | `/api/tags` | `{"models": […]}` | Ollama's |
//! | `/metadata` | `{"name", "platform", "inputs"}` | Seldon's V1 |
//! | `/ping` | `{"status": "Healthy"}` | TorchServe's |
//! | `/ping` and `/version` | nothing, a version | MLflow's scoring server's |
//! | `/health` | 200 | nothing that is known |
//!
//! Sources: the Open Inference Protocol's REST specification; KServe's "V1 protocol"; the
//! documentation of TensorFlow Serving, TGI, vLLM, Ollama, TorchServe, MLflow and Seldon Core.

use serde_json::{Value, json};

use super::Probed;
use crate::protocol::metadata;
use crate::record::kind::Tensor;

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import::image) enum Protocol {
    OpenInference,
    KserveV1,
    OpenAi,
    TensorFlowServing,
    Tgi,
    Ollama,
    SeldonV1,
    TorchServe,
    MlflowScoring,
}

/// What every server is asked, in this order.
pub(super) const PATHS: [&str; 9] = [
    "/v2",
    "/v2/health/ready",
    "/v1/models",
    "/info",
    "/api/tags",
    "/metadata",
    "/version",
    "/ping",
    "/health",
];

/// What a server answered to one of [`PATHS`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answered {
    pub(super) path: &'static str,
    pub(super) status: u16,
    /// As text, so far as it is one.
    pub(super) body: String,
}

impl Protocol {
    /// Its name in records.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OpenInference => "open-inference",
            Self::KserveV1 => "kserve-v1",
            Self::OpenAi => "openai",
            Self::TensorFlowServing => "tensorflow-serving",
            Self::Tgi => "tgi",
            Self::Ollama => "ollama",
            Self::SeldonV1 => "seldon-v1",
            Self::TorchServe => "torchserve",
            Self::MlflowScoring => "mlflow-scoring",
        }
    }

    /// Its name for people.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::OpenInference => "the Open Inference Protocol (V2)",
            Self::KserveV1 => "KServe's V1 protocol",
            Self::OpenAi => "OpenAI's protocol",
            Self::TensorFlowServing => "TensorFlow Serving's protocol",
            Self::Tgi => "Text Generation Inference's protocol",
            Self::Ollama => "Ollama's protocol",
            Self::SeldonV1 => "Seldon's V1 protocol",
            Self::TorchServe => "TorchServe's protocol",
            Self::MlflowScoring => "MLflow's scoring protocol",
        }
    }
}

/// What answers tell, the first of [`PATHS`] that tells something first.
pub(super) fn recognise(answers: &[Answered]) -> Option<Probed> {
    let json = |path: &str| -> Option<Value> {
        let answer = answers.iter().find(|answer| answer.path == path)?;
        let is_told = (200..300).contains(&answer.status) || path == "/v1/models";
        let parsed = serde_json::from_str(&answer.body).ok();
        parsed.filter(|_| is_told)
    };
    let ok = |path: &str| {
        let mut ok = answers.iter();
        ok.any(|answer| answer.path == path && answer.status == 200)
    };
    let text = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
    let told = |protocol, server: Option<String>, models: Vec<String>| {
        Some(Probed {
            protocol: Some(protocol),
            server,
            models,
            ..Probed::default()
        })
    };
    if let Some(server) = json("/v2")
        && server["name"].is_string()
        && (server["extensions"].is_array() || server["version"].is_string())
    {
        return told(Protocol::OpenInference, text(&server, "name"), Vec::new());
    }
    if let Some(models) = json("/v1/models") {
        if let Some(data) = models["data"].as_array() {
            let ids = names(data, "id");
            let owner = data.first().and_then(|model| text(model, "owned_by"));
            return told(Protocol::OpenAi, owner, ids);
        }
        if let Some(listed) = models["models"].as_array() {
            return told(Protocol::KserveV1, None, names(listed, "name"));
        }
        let error = models["error"].as_str().unwrap_or_default();
        if error.starts_with("Malformed request: GET") {
            return told(Protocol::TensorFlowServing, None, Vec::new());
        }
    }
    if let Some(info) = json("/info")
        && let Some(model) = text(&info, "model_id")
    {
        return told(Protocol::Tgi, text(&info, "router"), vec![model]);
    }
    if let Some(tags) = json("/api/tags")
        && let Some(models) = tags["models"].as_array()
    {
        return told(Protocol::Ollama, None, names(models, "name"));
    }
    if ok("/v2/health/ready") {
        return told(Protocol::OpenInference, None, Vec::new());
    }
    if let Some(metadata) = json("/metadata")
        && metadata["name"].is_string()
        && metadata["inputs"].is_array()
    {
        return told(Protocol::SeldonV1, None, names(&[metadata], "name"));
    }
    if let Some(ping) = json("/ping")
        && ping["status"].as_str() == Some("Healthy")
    {
        return told(Protocol::TorchServe, None, Vec::new());
    }
    if ok("/ping") && ok("/version") {
        return told(Protocol::MlflowScoring, None, Vec::new());
    }
    None
}

/// The names of models that a list has: texts, or objects with a field of that name.
fn names(list: &[Value], field: &str) -> Vec<String> {
    let one = |item: &Value| item.as_str().or(item[field].as_str()).map(str::to_owned);
    list.iter().filter_map(one).take(100).collect()
}

/// The models in an answer to `/v2/models` or `/v2/repository/index`.
pub(super) fn listed(body: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(body) {
        Ok(Value::Array(models)) => names(&models, "name"),
        Ok(value) => names(
            value["models"].as_array().map_or(&[], Vec::as_slice),
            "name",
        ),
        Err(_) => Vec::new(),
    }
}

/// Takes over what the answer to `/v2/models/NAME` says of tensors, where a record can say it.
pub(super) fn describe(probed: &mut Probed, body: &str) {
    let Ok(model) = serde_json::from_str::<metadata::Model>(body) else {
        return;
    };
    let tensors = |tensors: &[metadata::TensorMetadata]| {
        let plain = json!(tensors);
        let fits = serde_json::from_value::<Vec<Tensor>>(plain.clone()).is_ok();
        (fits && !tensors.is_empty()).then_some(plain)
    };
    (probed.inputs, probed.outputs) = (tensors(&model.inputs), tensors(&model.outputs));
}

#[cfg(test)]
mod tests {
    //! What servers answer, and what that tells.

    use super::*;

    fn told(answers: &[(&'static str, u16, &str)]) -> String {
        let answers: Vec<_> = answers
            .iter()
            .map(|(path, status, body)| Answered {
                path,
                status: *status,
                body: (*body).to_owned(),
            })
            .collect();
        match recognise(&answers) {
            Some(probed) => format!(
                "{} {} {}",
                probed.protocol.map_or("", Protocol::as_str),
                probed.server.unwrap_or_default(),
                probed.models.join(" ")
            ),
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn each_protocol_is_told_by_its_answers() {
        for (answers, expected) in [
            (
                vec![(
                    "/v2",
                    200,
                    r#"{"name":"mlserver","version":"1.7","extensions":[]}"#,
                )],
                "open-inference mlserver ",
            ),
            (vec![("/v2/health/ready", 200, "")], "open-inference  "),
            (
                vec![("/v1/models", 200, r#"{"models":["iris"]}"#)],
                "kserve-v1  iris",
            ),
            (
                vec![
                    (
                        "/v1/models",
                        200,
                        r#"{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}"#,
                    ),
                    ("/health", 200, ""),
                ],
                "openai vllm m",
            ),
            (
                vec![(
                    "/v1/models",
                    404,
                    r#"{"error": "Malformed request: GET /v1/models"}"#,
                )],
                "tensorflow-serving  ",
            ),
            (
                vec![
                    ("/v1/models", 404, ""),
                    (
                        "/info",
                        200,
                        r#"{"model_id":"org/m","router":"text-generation-router"}"#,
                    ),
                ],
                "tgi text-generation-router org/m",
            ),
            (
                vec![("/api/tags", 200, r#"{"models":[{"name":"llama:8b"}]}"#)],
                "ollama  llama:8b",
            ),
            (
                vec![(
                    "/metadata",
                    200,
                    r#"{"name":"m","platform":"p","inputs":[],"outputs":[]}"#,
                )],
                "seldon-v1  m",
            ),
            (
                vec![("/ping", 200, r#"{"status": "Healthy"}"#)],
                "torchserve  ",
            ),
            (
                vec![("/ping", 200, "\n"), ("/version", 200, "3.17.0")],
                "mlflow-scoring  ",
            ),
            (vec![("/ping", 200, ""), ("/health", 200, "ok")], "nothing"),
            (vec![("/v2", 200, "<html>"), ("/v2", 404, "{}")], "nothing"),
            (
                vec![("/v2", 500, r#"{"name":"x","extensions":[]}"#)],
                "nothing",
            ),
        ] {
            assert_eq!(told(&answers), expected, "{answers:?}");
        }
    }

    #[test]
    fn tensors_are_taken_over_where_a_record_can_say_them() {
        let mut probed = Probed::default();
        let body = json!({
            "name": "iris", "platform": "sklearn", "versions": ["1"],
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}], "outputs": [],
        });
        describe(&mut probed, &body.to_string());
        assert_eq!(
            probed.inputs,
            Some(json!([{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]))
        );
        assert_eq!(probed.outputs, None);
        describe(&mut probed, "{}");
        assert_eq!(listed(r#"[{"name":"a","state":"READY"}]"#), ["a"]);
        assert_eq!(listed(r#"{"models":["b"]}"#), ["b"]);
        assert!(listed("<html>").is_empty());
    }
}
