"""Writes a version as its author would publish it: the folder of files and the record beside it.

    <sample>/<version>/            what is published: model, card, labels, metrics, requests to try
    <sample>/<version>.yaml        what is said of it; the artifact's digest comes with publishing
    <sample>/model.yaml            what is said of the whole line of versions
"""

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np

import golden
import record

API_VERSION = "modelyard.dev/v1"


@dataclass
class Golden:
    """A request of one or more tensors, and the outputs that must come back, within `tolerance`.

    With `data_in_file` the elements lie in a file of the artifact, and the record stays short.
    """

    name: str
    inputs: list[dict]
    outputs: list[dict]
    tolerance: float = 0
    data_in_file: bool = False

    def request(self) -> dict:
        """The body of an inference request."""
        return {"inputs": self.inputs}

    def files(self) -> dict[str, str]:
        """What of it is published with the model."""
        name = self.name.replace(" ", "-")
        files = {f"requests/{name}.json": self.request()}
        if self.data_in_file:
            files |= {f"tests/{name}.{tensor['name']}.json": tensor["data"] for tensor in self.inputs}
        return {path: json.dumps(content, separators=(",", ":")) + "\n" for path, content in files.items()}

    def record(self) -> dict:
        inputs = self.inputs
        if self.data_in_file:
            name = self.name.replace(" ", "-")
            files = [{"file": f"tests/{name}.{tensor['name']}.json"} for tensor in inputs]
            inputs = [
                {key: value for key, value in tensor.items() if key != "data"} | file
                for tensor, file in zip(inputs, files)
            ]
        return {
            "name": self.name,
            "request": {"inputs": inputs},
            "expect": {"outputs": self.outputs, "tolerance": self.tolerance},
        }


@dataclass
class Release:
    """Everything that a training run hands over for one version."""

    version: str
    model: bytes
    changes: str
    card: str
    metrics: dict
    tests: list[Golden]
    spec: dict
    files: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict] = field(default_factory=dict)
    inputs: dict[str, dict] = field(default_factory=dict)


def write_model(folder: Path, namespace: str, name: str, spec: dict) -> None:
    text = record.written(
        {
            "apiVersion": API_VERSION,
            "kind": "Model",
            "metadata": {"namespace": namespace, "name": name},
            "spec": spec,
        }
    )
    (folder / "model.yaml").write_text(text)


def write(folder: Path, namespace: str, name: str, release: Release) -> None:
    inputs, outputs = golden.Model(release.model).tensors()
    inputs = [tensor | release.inputs.get(tensor["name"], {}) for tensor in inputs]
    outputs = [tensor | release.outputs.get(tensor["name"], {}) for tensor in outputs]
    spec = {
        "lifecycle": "staged",
        "changes": release.changes,
        "format": {"name": "onnx", "version": "17"},
        "framework": {"name": "scikit-learn", "version": installed("scikit-learn")},
        "precision": "fp32",
        "targetDevices": ["cpu"],
        "inputs": inputs,
        "outputs": outputs,
        "runtime": {"name": "onnx", "version": "1"},
        **release.spec,
        "tests": [test.record() for test in release.tests],
    }
    text = record.written(
        {
            "apiVersion": API_VERSION,
            "kind": "ModelVersion",
            "metadata": {"namespace": namespace, "name": name, "version": release.version},
            "spec": spec,
        }
    )
    (folder / f"{release.version}.yaml").write_text(text)

    published = folder / release.version
    shutil.rmtree(published, ignore_errors=True)
    published.mkdir()
    (published / "model.onnx").write_bytes(release.model)
    (published / "README.md").write_text(release.card)
    (published / "metrics.json").write_text(json.dumps(release.metrics, indent=2) + "\n")
    files = dict(release.files)
    for test in release.tests:
        files |= test.files()
    for path, content in files.items():
        (published / path).parent.mkdir(parents=True, exist_ok=True)
        (published / path).write_text(content)


def tensor(name: str, datatype: str, shape: list[int], data) -> dict:
    """A tensor as the Open Inference Protocol writes it, each value in its shortest form."""
    flat = [int(value) if float(value).is_integer() else float(str(np.float32(value))) for value in data]
    return {"name": name, "datatype": datatype, "shape": shape, "data": flat}


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def build_dependencies() -> list[dict]:
    return [{"name": name, "version": installed(name)} for name in ("numpy", "onnx", "scikit-learn")]
