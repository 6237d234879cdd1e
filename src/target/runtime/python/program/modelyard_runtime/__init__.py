"""A runtime for models in Python, as one of the processes of modelyard.

| module             | has                                                     |
| ------------------ | ------------------------------------------------------- |
| `server`           | HTTP: paths, bounds, connections, the end                |
| `protocol`         | requests, answers and tensors, as JSON and as raw bytes  |
| `worker`           | the one thread in which the model is loaded and asked    |
| `entrypoint`       | a model's own `serve.py`                                 |
| `with_onnxruntime` | ONNX models on onnxruntime                               |
| `with_mlflow`      | models that MLflow packed                                |
| `with_mlserver`    | MLServer, which speaks the protocol itself               |
| `until_parent`     | any module, ended when whoever started it is gone        |

A model is an object with `platform` (a text), `inputs` and `outputs` (what is known of them, as the
protocol's metadata has it; empty where nothing is) and `predict(inputs, parameters)`.
"""


class Refusal(Exception):
    """An answer that is none: an HTTP status, and why."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status
        self.reason = reason
