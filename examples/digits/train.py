"""Trains three versions of a digit classifier on scikit-learn's digits.

1.0.0 is linear, 1.1.0 a small neural network that is better, and 1.2.0 is broken on purpose: its
last layer's columns moved by one place on the way into the file, so that it loads, runs fast and
answers wrongly. All figures are measured on the written file, with ONNX Runtime, on a part of
the data that no training saw.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import steady  # noqa: F401  (first: it sets what the libraries below read when they load)

import numpy as np
import sklearn.datasets
from onnx import TensorProto
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import golden
import sample
from graph import Graph

SEED = 7
CLASSES = 10
SOURCE = Path(sklearn.datasets.__file__).parent / "data" / "digits.csv.gz"
HOLDOUT = "digits-holdout"


def layers(version: str, images, labels) -> tuple[list[tuple], dict]:
    """Weights and bias of each layer, and the hyperparameters that they came from."""
    if version == "1.0.0":
        hyperparameters = {"C": 0.1, "solver": "lbfgs", "max_iter": 1000, "tol": 1e-8}
        model = LogisticRegression(**hyperparameters).fit(images, labels)
        return [(model.coef_.T, model.intercept_)], hyperparameters
    width = {"1.1.0": 32, "1.2.0": 48}[version]
    hyperparameters = {
        "hidden_layer_sizes": [width],
        "activation": "relu",
        "solver": "lbfgs",
        "alpha": 1.0,
        "max_iter": 5000,
        "random_state": SEED,
    }
    model = MLPClassifier(**hyperparameters | {"hidden_layer_sizes": (width,)}).fit(images, labels)
    trained = list(zip(model.coefs_, model.intercepts_))
    if version == "1.2.0":
        weights, bias = trained[-1]
        trained[-1] = (np.roll(weights, 1, axis=1), np.roll(bias, 1))
    return trained, hyperparameters


def onnx_model(layers: list[tuple]) -> bytes:
    graph = Graph("digits")
    value = graph.node("Flatten", [graph.input("image", TensorProto.FLOAT, 1, 8, 8)], "pixels", axis=1)
    *hidden, last = layers
    for place, (weights, bias) in enumerate(hidden, start=1):
        value = graph.node("Relu", [graph.dense(value, weights, bias, f"hidden_{place}")], f"relu_{place}")
    scores = graph.dense(value, *last, "scores")
    graph.largest(scores, CLASSES, "label")
    graph.node("Softmax", [scores], "probabilities", axis=1)
    graph.output("label", TensorProto.INT64)
    graph.output("probabilities", TensorProto.FLOAT, CLASSES)
    return graph.serialized()


def measured(model: golden.Model, images, labels) -> dict:
    answer = model.run({"image": images})
    probabilities = answer["probabilities"].astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return {
        "accuracy": round(accuracy_score(labels, answer["label"]), 4),
        "macro_f1": round(f1_score(labels, answer["label"], average="macro", zero_division=0), 4),
        "log_loss": round(log_loss(labels, probabilities), 4),
    }


def exemplars(images, labels) -> list[int]:
    """The most typical image of each digit: the one nearest to the mean of its kind."""
    chosen = []
    for digit in range(CLASSES):
        places = np.flatnonzero(labels == digit)
        distances = np.square(images[places] - images[places].mean(axis=0)).sum(axis=(1, 2, 3))
        chosen.append(int(places[distances.argmin()]))
    return chosen


def golden_tests(version: str, model: golden.Model, images, labels) -> list[sample.Golden]:
    """What a right model answers: the labels are the truth, the probabilities this file's own.

    The broken version is held to the truth alone: its own probabilities prove nothing.
    """
    chosen = exemplars(images, labels)
    tests = []
    for digit, name in ((0, "a zero"), (3, "a three"), (8, "an eight")):
        image = images[chosen[digit]][np.newaxis]
        expected = [sample.tensor("label", "INT64", [1], [digit])]
        if version != "1.2.0":
            probabilities = model.run({"image": image})["probabilities"].ravel()
            expected.append(sample.tensor("probabilities", "FP32", [1, 10], probabilities.round(4)))
        shape = [1, 1, 8, 8]
        tests.append(
            sample.Golden(name, [sample.tensor("image", "FP32", shape, image.ravel())], expected, 0.001)
        )
    tests.append(
        sample.Golden(
            "all ten at once",
            [sample.tensor("image", "FP32", [CLASSES, 1, 8, 8], images[chosen].ravel())],
            [sample.tensor("label", "INT64", [CLASSES], range(CLASSES))],
            data_in_file=True,
        )
    )
    return tests


CHANGES = {
    "1.0.0": "A linear classifier to start from.",
    "1.1.0": "A neural network with one hidden layer, better on every figure.",
    "1.2.0": "A wider network, broken on purpose on its way into the file. Do not use it.",
}

ARCHITECTURE = {
    "1.0.0": "Multinomial logistic regression on the 64 pixels.",
    "1.1.0": "One hidden layer of 32 rectified units.",
    "1.2.0": (
        "One hidden layer of 48 rectified units, **broken on purpose**: the last layer's columns moved by\n"
        "one place when the file was written. It loads and runs, and takes a one for a two."
    ),
}

CARD = """---
license: apache-2.0
library_name: onnx
pipeline_tag: image-classification
tags: [digits, onnx, scikit-learn]
datasets: [optical-recognition-of-handwritten-digits]
metrics: [accuracy, f1]
model-index:
  - name: digits
    results:
      - task: {{type: image-classification}}
        dataset: {{name: digits holdout, type: digits-holdout, split: test}}
        metrics:
          - {{type: accuracy, value: {accuracy}}}
          - {{type: f1, value: {macro_f1}}}
---
# Handwritten digits

Tells which digit an 8 × 8 grey image shows. {architecture}

| | |
| --- | --- |
| input `image` | FP32 `[batch, 1, 8, 8]`, ink as 1, paper as 0 (`preprocess.py` makes it from grey values) |
| output `label` | INT64 `[batch]`, the digit |
| output `probabilities` | FP32 `[batch, 10]`, sums to 1 |
| accuracy | {accuracy} on {samples} images that no training saw |
| macro F1 | {macro_f1} |
| log loss | {log_loss} |

## Data
The test part of *Optical Recognition of Handwritten Digits* (E. Alpaydin and C. Kaynak, 1998,
doi:10.24432/C50P49), 1,797 images, as scikit-learn ships it. A fifth of it is held out.

## Limits
Digits of 43 writers, cut out, centred and scaled to 8 × 8. It says nothing of letters, of several
digits in one image, or of photographs.
"""

PREPROCESS = '''"""Makes the model's input from grey images of 8 x 8 pixels, 0 for paper and 255 for ink."""

import numpy as np


def preprocess(images: np.ndarray) -> np.ndarray:
    """From `[batch, 8, 8]` or `[8, 8]`, 0 to 255, to FP32 `[batch, 1, 8, 8]`, 0 to 1."""
    return np.asarray(images, dtype=np.float32).reshape(-1, 1, 8, 8) / 255
'''


def release(version: str) -> sample.Release:
    data = sklearn.datasets.load_digits()
    images = (data.images / 16).astype(np.float32)[:, np.newaxis]
    train, holdout, train_labels, holdout_labels = train_test_split(
        images, data.target, test_size=0.2, random_state=SEED, stratify=data.target
    )
    trained, hyperparameters = layers(version, train.reshape(len(train), -1).astype(np.float64), train_labels)
    serialized = onnx_model(trained)
    model = golden.Model(serialized)
    figures = measured(model, holdout, holdout_labels)
    named = {"dataset": HOLDOUT, "split": "test"}
    return sample.Release(
        version=version,
        model=serialized,
        changes=CHANGES[version],
        card=CARD.format(architecture=ARCHITECTURE[version], samples=len(holdout), **figures),
        metrics=named | {"samples": len(holdout)} | figures,
        tests=golden_tests(version, model, holdout, holdout_labels),
        files={
            "labels.txt": "".join(f"{digit}\n" for digit in range(CLASSES)),
            "preprocess.py": PREPROCESS,
        },
        inputs={
            "image": {"image": {"layout": "NCHW", "color": "GRAY", "scale": 0.00392157, "mean": [0], "std": [1]}}
        },
        outputs={"label": {"labels": [str(digit) for digit in range(CLASSES)]}},
        spec={
            "hyperparameters": hyperparameters,
            "dependencies": {"build": sample.build_dependencies()},
            "metrics": [
                {"name": "accuracy", "value": figures["accuracy"], **named, "higherIsBetter": True, "score": True},
                {"name": "macro_f1", "value": figures["macro_f1"], **named, "higherIsBetter": True},
                {"name": "log_loss", "value": figures["log_loss"], **named, "higherIsBetter": False},
            ],
            "lineage": {
                "datasets": [
                    {
                        "name": "optical-recognition-of-handwritten-digits",
                        "uri": "https://doi.org/10.24432/C50P49",
                        "digest": sample.digest(SOURCE.read_bytes()),
                    }
                ]
            },
        },
    )


MODEL = {
    "title": "Handwritten digits",
    "description": "Tells which digit an image of 8 by 8 pixels shows.",
    "owners": [{"team": "vision"}],
    "visibility": "internal",
    "classification": {
        "technology": "computer-vision",
        "category": "classification",
        "inputDataType": "image",
        "applicationDomain": "document-processing",
        "task": "image-classification",
    },
    "license": "Apache-2.0",
}


if __name__ == "__main__":
    sample.write_model(HERE, "vision", "digits", MODEL)
    for version in CHANGES:
        made = release(version)
        sample.write(HERE, "vision", "digits", made)
        print(version, made.metrics)
