"""Writes an ONNX graph node by node, with fixed names and the batch left open.

Converters choose operators as they like, and some of those run in few runtimes. Written by hand,
a graph has exactly the operators, names and types that its record promises.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    def __init__(self, name: str):
        self.name = name
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []
        self.domains = {"": OPSET}

    def input(self, name: str, kind: int, *inner: int) -> str:
        """A graph input of shape `[batch, *inner]`."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["batch", *inner]))
        return name

    def output(self, name: str, kind: int, *inner: int) -> None:
        """Declares the value `name` as a graph output of shape `[batch, *inner]`."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, ["batch", *inner]))

    def weight(self, name: str, values, dtype=np.float32) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes) -> str:
        self.nodes.append(
            helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes)
        )
        if domain:
            self.domains[domain] = 3
        return output

    def dense(self, value: str, weights, bias, output: str) -> str:
        """`value @ weights + bias`."""
        weights = self.weight(f"{output}_weights", weights)
        return self.node("Gemm", [value, weights, self.weight(f"{output}_bias", bias)], output)

    def largest(self, value: str, classes: int, output: str) -> str:
        """The index of each row's largest value, as INT64 of shape `[batch]`.

        `ArgMax`, or a cast to INT64, would say the same, but where the batch is open some runtimes
        give those their own type of dimensions.
        """
        top = self.node("ReduceMax", [value], "top", axes=[1], keepdims=1)
        is_top = self.node("GreaterOrEqual", [value, top], "is_top")
        places = self.weight("places", [range(classes)], np.int64)
        nowhere = self.weight("nowhere", [[classes]], np.int64)
        place = self.node("Where", [is_top, places, nowhere], "place_or_nowhere")
        return self.node("ReduceMin", [place], output, axes=[1], keepdims=0)

    def serialized(self) -> bytes:
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid(*domain) for domain in self.domains.items()],
            producer_name="modelyard-examples",
            producer_version="1",
        )
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
