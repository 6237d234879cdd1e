"""Writes an ONNX model as scikit-learn's exports are: `Scaler`, `LinearClassifier`, `ZipMap`.

`exported.py FOLDER` writes `FOLDER/onnx/model.onnx` and `FOLDER/onnx.json`: a request, and the
outputs that scikit-learn's own model answers.
"""

import json
import pathlib
import sys

import onnx
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

place = pathlib.Path(sys.argv[1])
rows, classes = load_iris(return_X_y=True)
scaler = StandardScaler().fit(rows)
model = LogisticRegression().fit(scaler.transform(rows), classes)


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs, outputs, domain="ai.onnx.ml", **attributes)


nodes = [
    node("Scaler", ["x"], ["scaled"], offset=scaler.mean_.tolist(), scale=(1 / scaler.scale_).tolist()),
    node(
        "LinearClassifier",
        ["scaled"],
        ["output_label", "probabilities"],
        coefficients=model.coef_.ravel().tolist(),
        intercepts=model.intercept_.tolist(),
        classlabels_ints=[0, 1, 2],
        multi_class=1,
        post_transform="SOFTMAX",
    ),
    node("ZipMap", ["probabilities"], ["output_probability"], classlabels_int64s=[0, 1, 2]),
]
probability = helper.make_sequence_type_proto(
    helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
)
graph = helper.make_graph(
    nodes,
    "iris",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
    [
        helper.make_tensor_value_info("output_label", TensorProto.INT64, ["batch"]),
        helper.make_value_info("output_probability", probability),
    ],
)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
(place / "onnx").mkdir()
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), place / "onnx/model.onnx")
asked = rows[[0, 60, 120]]
tensor = {"name": "x", "shape": [3, 4], "datatype": "FP32", "data": asked.ravel().tolist()}
outputs = {
    "output_label": model.predict(scaler.transform(asked)).tolist(),
    "output_probability": model.predict_proba(scaler.transform(asked)).ravel().tolist(),
}
(place / "onnx.json").write_text(json.dumps({"request": {"inputs": [tensor]}, "outputs": outputs}))
