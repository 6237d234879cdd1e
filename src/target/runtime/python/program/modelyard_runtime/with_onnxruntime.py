"""ONNX models on onnxruntime, also those whose operators the built-in runtime lacks.

What is no tensor becomes one: the sequence of maps that scikit-learn's exports give by `ZipMap`
(a map from classes to probabilities for each row) is an array with a row for each map and a column
for each class, in the order of the first map.
"""

import os

import numpy
import onnxruntime

from . import Refusal

DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
# The types of maps' values, which onnxruntime tells in the type of the whole.
VALUES = {"tensor(float)": "FP32", "tensor(double)": "FP64", "tensor(int64)": "INT64"}


class OnnxModel:
    """One session, whose threads are as many as `OMP_NUM_THREADS` says."""

    platform = "onnx_onnxruntime"

    def __init__(self, file):
        options = onnxruntime.SessionOptions()
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdigit():
            options.intra_op_num_threads = int(threads)
        providers = onnxruntime.get_available_providers()
        self._session = onnxruntime.InferenceSession(file, options, providers=providers)
        self.inputs = [described(port) for port in self._session.get_inputs()]
        self._ports = self._session.get_outputs()
        self.outputs = [described(port) for port in self._ports]
        self._texts = {tensor["name"] for tensor in self.inputs if tensor["datatype"] == "BYTES"}

    def predict(self, inputs, _parameters):
        given = {name: decoded(name, array) if name in self._texts else array for name, array in inputs.items()}
        try:
            outputs = self._session.run(None, given)
        except Exception as error:
            wrong = type(error).__name__ == "InvalidArgument"
            raise Refusal(400 if wrong else 500, f"the model failed: {error}") from None
        return {port.name: tensor(output) for port, output in zip(self._ports, outputs)}


def described(port):
    """An input or output, as the protocol's metadata has it."""
    shape = [size if isinstance(size, int) and size >= 0 else -1 for size in port.shape or ()]
    if port.type in DATATYPES:
        return {"name": port.name, "datatype": DATATYPES[port.type], "shape": shape}
    for value, datatype in VALUES.items():
        if port.type.startswith("seq(map(") and port.type.endswith(f",{value}))"):
            return {"name": port.name, "datatype": datatype, "shape": [-1, -1]}
    raise TypeError(f"`{port.name}` is a {port.type}, which no request or answer can carry")


def decoded(name, array):
    try:
        return numpy.array([text.decode("utf-8") for text in array.ravel()], dtype=object).reshape(array.shape)
    except UnicodeDecodeError as error:
        raise Refusal(400, f"input `{name}` has a text that is not UTF-8: {error}") from None


def tensor(output):
    """What a session gives, as an array."""
    if not isinstance(output, list):
        return output
    classes = list(output[0]) if output else []
    if any(set(row) != set(classes) for row in output):
        raise Refusal(500, "the model failed: its maps have not all the same keys")
    return numpy.array([[row[name] for name in classes] for row in output], dtype=numpy.float32)
