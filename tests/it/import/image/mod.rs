//! Container images, built by buildah, in registries, archives and layouts.

mod copied;
mod faults;
mod models;
mod probe;

use crate::harness::Sandbox;

/// Puts an ONNX model and its card into the folder `context`, which images are built from.
fn model(sandbox: &Sandbox) {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/diabetes/1.0.0/model.onnx"
    );
    let bytes = std::fs::read(model).unwrap();
    sandbox.write("context/fraud/model.onnx", bytes);
    sandbox.write("context/fraud/README.md", "# Fraud\n");
}

/// A server's image with that model in it.
const SERVER: &str = "\
FROM scratch
COPY fraud /models/fraud
ENV MODEL_NAME=fraud API_TOKEN=s3cret
LABEL org.opencontainers.image.source=https://git.example/ml/serve team=vision
EXPOSE 8080
WORKDIR /models
ENTRYPOINT [\"/serve\", \"--password=s3cret\"]
CMD [\"--quiet\"]
";
