"""Golden tests: a request and what must come back, both in the Open Inference Protocol's JSON."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

DTYPES = {"FP32": np.float32, "INT64": np.int64, "BOOL": np.bool_}
DATATYPES = {
    "tensor(float)": "FP32",
    "tensor(int64)": "INT64",
    "tensor(bool)": "BOOL",
}


class Model:
    """A model in ONNX Runtime, on one thread so that sums come out in one order."""

    def __init__(self, model: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

    def run(self, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, feed)))

    def answer(self, request: dict, files: Path) -> dict[str, np.ndarray]:
        """What comes back for a request whose data may lie in `files`."""
        return self.run({tensor["name"]: array(tensor, files) for tensor in request["inputs"]})

    def tensors(self) -> tuple[list[dict], list[dict]]:
        """Inputs and outputs as a record says them: name, datatype, shape with -1 for the batch."""

        def described(value):
            shape = [size if isinstance(size, int) else -1 for size in value.shape]
            return {"name": value.name, "datatype": DATATYPES[value.type], "shape": shape}

        return (
            [described(value) for value in self.session.get_inputs()],
            [described(value) for value in self.session.get_outputs()],
        )


def array(tensor: dict, files: Path) -> np.ndarray:
    data = tensor["data"] if "data" in tensor else json.loads((files / tensor["file"]).read_text())
    return np.array(data, dtype=DTYPES[tensor["datatype"]]).reshape(tensor["shape"])


def failures(model: Model, test: dict, files: Path) -> list[str]:
    """What of a record's golden test does not come out as it says; nothing when it passes."""
    answer = model.answer(test["request"], files)
    tolerance = test["expect"].get("tolerance", 0)
    wrong = []
    for expected in test["expect"]["outputs"]:
        got = answer[expected["name"]].ravel()
        wanted = np.array(expected["data"]).ravel()
        if got.shape != wanted.shape:
            wrong.append(f"{expected['name']}: {wanted.size} values expected, {got.size} came")
        elif not np.all(np.abs(got.astype(np.float64) - wanted) <= tolerance):
            wrong.append(f"{expected['name']}: expected {wanted.tolist()}, got {got.tolist()}")
    return wrong
