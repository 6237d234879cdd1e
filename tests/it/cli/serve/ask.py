"""Asks a deployment by Triton's client: ask.py ADDRESS REQUEST.json"""

import json
import sys

import numpy
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

address, path = sys.argv[1:]
with open(path) as file:
    [tensor] = json.load(file)["inputs"]
client = http.InferenceServerClient(address)
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("digits") and client.is_model_ready("digits", "1.0.0")
metadata = client.get_model_metadata("digits")
assert metadata["name"] == "digits" and metadata["versions"] == ["1.0.0"], metadata
assert metadata["inputs"] == [
    {"name": "image", "datatype": "FP32", "shape": [-1, 1, 8, 8]}
], metadata

image = numpy.array(tensor["data"], numpy.float32).reshape(tensor["shape"])
for kind, binary in [("json", False), ("raw", True)]:
    given = http.InferInput("image", list(image.shape), "FP32")
    given.set_data_from_numpy(image, binary_data=binary)
    wanted = [http.InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")]
    answer = client.infer("digits", [given], outputs=wanted, request_id="7")
    assert answer.get_response()["id"] == "7"
    labels = answer.as_numpy("label")
    probabilities = answer.as_numpy("probabilities")
    assert labels.dtype == numpy.int64 and probabilities.shape == (10, 10)
    assert numpy.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    print(kind, *labels)

try:
    given = http.InferInput("picture", list(image.shape), "FP32")
    given.set_data_from_numpy(image)
    client.infer("digits", [given])
except InferenceServerException as error:
    assert "picture" in error.message(), error
else:
    raise AssertionError("an input that the model does not have was taken")
