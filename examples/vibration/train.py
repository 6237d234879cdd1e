"""Makes the vibration of a bearing, with faults in it, and learns to find them.

The series is synthetic, and written beside the model as the data set that it came from. The model
learns what a healthy window of it looks like (its principal components) and scores a window by
how much of it those components can't explain.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import steady  # noqa: F401  (first: it sets what the libraries below read when they load)

import numpy as np
from onnx import TensorProto
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

import golden
import sample
from graph import Graph

SEED = 7
VERSION = "1.0.0"
WINDOW = 32
WINDOWS = 320
FAULTY_FROM = 160  # everything before is healthy, and what is learned from
FAULT_EVERY = 6
HYPERPARAMETERS = {"window": WINDOW, "components": 4, "threshold_quantile": 0.99}
HOLDOUT = "bearing-second-half"
SERIES = "data/vibration.csv"


def series() -> tuple[np.ndarray, np.ndarray]:
    """Acceleration in g, thousandths, one row a window, and which windows have a fault in them.

    A shaft's turn and its second harmonic, with noise; a fault is a short ringing burst.
    """
    random = np.random.default_rng(SEED)
    time = np.arange(WINDOWS * WINDOW)
    turn = 2 * np.pi * time / 21.3
    signal = np.sin(turn) + 0.4 * np.sin(2 * turn + 0.7) + random.normal(0, 0.12, time.size)
    windows = signal.reshape(WINDOWS, WINDOW)
    faulty = np.zeros(WINDOWS, dtype=bool)
    faulty[FAULTY_FROM::FAULT_EVERY] = True
    ringing = np.arange(12)
    for window in np.flatnonzero(faulty):
        start = random.integers(0, WINDOW - ringing.size)
        strength = random.uniform(0.3, 1.2)
        burst = strength * np.exp(-ringing / 4) * np.cos(2.4 * ringing)
        windows[window, start : start + ringing.size] += burst
    return windows.round(3).astype(np.float32), faulty


def csv(windows: np.ndarray, faulty: np.ndarray) -> str:
    lines = ["window,acceleration_g,fault"]
    for number, (values, fault) in enumerate(zip(windows, faulty)):
        lines += [f"{number},{value:.3f},{int(fault)}" for value in values]
    return "\n".join(lines) + "\n"


def onnx_model(pca: PCA, threshold: float) -> bytes:
    graph = Graph("vibration")
    window = graph.input("window", TensorProto.FLOAT, WINDOW)
    centred = graph.node("Sub", [window, graph.weight("mean", pca.mean_)], "centred")
    known = graph.weight("known", pca.components_.T @ pca.components_)
    explained = graph.node("MatMul", [centred, known], "explained")
    rest = graph.node("Sub", [centred, explained], "rest")
    squared = graph.node("Mul", [rest, rest], "squared")
    score = graph.node("ReduceMean", [squared], "score", axes=[1], keepdims=0)
    above = graph.node("Greater", [score, graph.weight("threshold", threshold)], "above")
    yes, no = graph.weight("yes", 1, np.int64), graph.weight("no", 0, np.int64)
    graph.node("Where", [above, yes, no], "anomaly")
    graph.output("anomaly", TensorProto.INT64)
    graph.output("score", TensorProto.FLOAT)
    return graph.serialized()


def scores(pca: PCA, windows: np.ndarray) -> np.ndarray:
    return np.square(windows - pca.inverse_transform(pca.transform(windows))).mean(axis=1)


def golden_tests(model: golden.Model, windows: np.ndarray, faulty: np.ndarray) -> list[sample.Golden]:
    answer = model.run({"window": windows})
    right = answer["anomaly"] == faulty
    healthy, worn = np.flatnonzero(right & ~faulty)[0], np.flatnonzero(right & faulty)[0]
    tests = []
    for name, chosen in (("a healthy window", [healthy]), ("a fault", [worn]), ("both at once", [healthy, worn])):
        count = len(chosen)
        tests.append(
            sample.Golden(
                name,
                [sample.tensor("window", "FP32", [count, WINDOW], windows[chosen].ravel())],
                [
                    sample.tensor("anomaly", "INT64", [count], faulty[chosen]),
                    sample.tensor("score", "FP32", [count], answer["score"][chosen].round(4)),
                ],
                0.0005,
            )
        )
    return tests


CARD = """---
license: apache-2.0
library_name: onnx
tags: [time-series, anomaly-detection, onnx, scikit-learn]
metrics: [f1, precision, recall, roc_auc]
model-index:
  - name: bearing-anomalies
    results:
      - task: {{type: anomaly-detection}}
        dataset: {{name: second half of the series, type: bearing-second-half, split: test}}
        metrics:
          - {{type: f1, value: {f1}}}
          - {{type: roc_auc, value: {roc_auc}}}
---
# Faults of a bearing

Tells from 32 samples of a bearing's vibration whether there is a fault in them: what the four
principal components of healthy windows can't explain is its score.

| | |
| --- | --- |
| input `window` | FP32 `[batch, 32]`, acceleration in g |
| output `anomaly` | INT64 `[batch]`, 1 for a fault |
| output `score` | FP32 `[batch]`, the mean square that is left unexplained |
| F1 | {f1} on {samples} windows that nothing was learned from |
| precision, recall | {precision}, {recall} |
| area under the ROC curve | {roc_auc} |

## Data
`data/vibration.csv`, made by the training script: a shaft's turn, its second harmonic and noise,
with ringing bursts in every sixth window of the second half. The first half, all healthy, is what
was learned from; the threshold is the 99th percentile of its scores.

## Limits
A sample to learn with: no real bearing is in it.
"""

MODEL = {
    "title": "Faults of a bearing",
    "description": "Tells from a window of a bearing's vibration whether there is a fault in it.",
    "owners": [{"team": "maintenance"}],
    "visibility": "internal",
    "classification": {
        "technology": "time-series",
        "category": "anomaly-detection",
        "inputDataType": "time-series",
        "applicationDomain": "manufacturing",
    },
    "license": "Apache-2.0",
}


def release() -> sample.Release:
    windows, faulty = series()
    learned, holdout = windows[:FAULTY_FROM], windows[FAULTY_FROM:]
    holdout_faulty = faulty[FAULTY_FROM:]
    pca = PCA(HYPERPARAMETERS["components"], svd_solver="full").fit(learned.astype(np.float64))
    threshold = np.quantile(scores(pca, learned), HYPERPARAMETERS["threshold_quantile"])
    serialized = onnx_model(pca, threshold)
    model = golden.Model(serialized)
    answer = model.run({"window": holdout})
    figures = {
        "f1": round(f1_score(holdout_faulty, answer["anomaly"]), 4),
        "precision": round(precision_score(holdout_faulty, answer["anomaly"]), 4),
        "recall": round(recall_score(holdout_faulty, answer["anomaly"]), 4),
        "roc_auc": round(roc_auc_score(holdout_faulty, answer["score"]), 4),
    }
    named = {"dataset": HOLDOUT, "split": "test"}
    table = csv(windows, faulty)
    return sample.Release(
        version=VERSION,
        model=serialized,
        changes="What healthy windows have in common, learned from the first half of the series.",
        card=CARD.format(samples=len(holdout), **figures),
        metrics=named | {"samples": len(holdout)} | figures,
        tests=golden_tests(model, holdout, holdout_faulty),
        files={SERIES: table},
        outputs={"anomaly": {"labels": ["healthy", "fault"]}},
        spec={
            "hyperparameters": HYPERPARAMETERS,
            "dependencies": {"build": sample.build_dependencies()},
            "metrics": [
                {"name": name, "value": value, **named, "higherIsBetter": True}
                | ({"score": True} if name == "f1" else {})
                for name, value in figures.items()
            ],
            "lineage": {
                "datasets": [{"name": "vibration", "digest": sample.digest(table.encode())}]
            },
        },
    )


if __name__ == "__main__":
    sample.write_model(HERE, "machines", "bearing-anomalies", MODEL)
    made = release()
    sample.write(HERE, "machines", "bearing-anomalies", made)
    print(VERSION, made.metrics)
