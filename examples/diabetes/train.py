"""Trains a regression over a table's columns on scikit-learn's diabetes data, in its raw units.

Each column is an input of its own, so that a request reads like a row of the table.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import steady  # noqa: F401  (first: it sets what the libraries below read when they load)

import numpy as np
import sklearn.datasets
from onnx import TensorProto
from sklearn.linear_model import RidgeCV
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import golden
import sample
from graph import Graph

SEED = 7
VERSION = "1.0.0"
SOURCES = [
    Path(sklearn.datasets.__file__).parent / "data" / name
    for name in ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz")
]
HOLDOUT = "diabetes-holdout"
HYPERPARAMETERS = {"alphas": [0.1, 1.0, 10.0, 100.0], "cv": 5}


def trained_on(rows: np.ndarray, target: np.ndarray) -> Pipeline:
    return make_pipeline(StandardScaler(), RidgeCV(**HYPERPARAMETERS)).fit(rows, target)


def onnx_model(model: Pipeline, columns: list[str]) -> bytes:
    """Columns side by side, centred and scaled, then the weighted sum."""
    scaler, ridge = model[0], model[1]
    graph = Graph("diabetes")
    axis = graph.weight("column_axis", [1], np.int64)
    cells = [
        graph.node("Unsqueeze", [graph.input(column, TensorProto.FLOAT), axis], f"{column}_cell")
        for column in columns
    ]
    row = graph.node("Concat", cells, "row", axis=1)
    centred = graph.node("Sub", [row, graph.weight("mean", scaler.mean_)], "centred")
    scaled = graph.node("Div", [centred, graph.weight("deviation", scaler.scale_)], "scaled")
    value = graph.dense(scaled, ridge.coef_[:, np.newaxis], [ridge.intercept_], "progression_cell")
    graph.node("Squeeze", [value, axis], "progression")
    graph.output("progression", TensorProto.FLOAT)
    return graph.serialized()


def feed(rows: np.ndarray, columns: list[str]) -> dict[str, np.ndarray]:
    return {column: rows[:, place] for place, column in enumerate(columns)}


def golden_tests(model: golden.Model, rows: np.ndarray, columns: list[str]) -> list[sample.Golden]:
    tests = []
    for name, chosen in (("one patient", rows[:1]), ("three patients", rows[1:4])):
        shape = [len(chosen)]
        tests.append(
            sample.Golden(
                name,
                [sample.tensor(column, "FP32", shape, values) for column, values in feed(chosen, columns).items()],
                [sample.tensor("progression", "FP32", shape, model.run(feed(chosen, columns))["progression"].round(2))],
                0.05,
            )
        )
    return tests


CARD = """---
license: apache-2.0
library_name: onnx
pipeline_tag: tabular-regression
tags: [tabular, onnx, scikit-learn]
datasets: [diabetes]
metrics: [mae, r_squared]
model-index:
  - name: diabetes-progression
    results:
      - task: {{type: tabular-regression}}
        dataset: {{name: diabetes holdout, type: diabetes-holdout, split: test}}
        metrics:
          - {{type: mae, value: {mean_absolute_error}}}
          - {{type: r_squared, value: {r2}}}
---
# Progression of diabetes

Estimates how far a patient's diabetes has gone one year on, from ten figures of today. Ridge
regression, one input a column, in the units of the raw table.

| | |
| --- | --- |
| inputs `age`, `sex`, `bmi`, `bp`, `s1` … `s6` | FP32 `[batch]` each; `sex` is 1 or 2, `s1` … `s6` are blood serum measurements |
| output `progression` | FP32 `[batch]`, 25 to 346 in the data |
| mean absolute error | {mean_absolute_error} on {samples} patients that no training saw |
| R² | {r2} |

## Data
442 patients, from B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, *Least Angle Regression*,
Annals of Statistics, 2004, as scikit-learn ships them. A fifth of them is held out.

## Limits
A sample to learn with. It explains less than half of what varies, and is not for patients.
"""

MODEL = {
    "title": "Progression of diabetes",
    "description": "Estimates from ten columns of a table how far diabetes has gone one year on.",
    "owners": [{"team": "health"}],
    "visibility": "internal",
    "classification": {
        "technology": "tabular",
        "category": "regression",
        "inputDataType": "table",
        "applicationDomain": "health",
        "task": "tabular-regression",
    },
    "license": "Apache-2.0",
}


def release() -> sample.Release:
    data = sklearn.datasets.load_diabetes(scaled=False)
    columns = list(data.feature_names)
    train, holdout, train_target, holdout_target = train_test_split(
        data.data.astype(np.float32), data.target, test_size=0.2, random_state=SEED
    )
    trained = trained_on(train, train_target)
    serialized = onnx_model(trained, columns)
    model = golden.Model(serialized)
    answered = model.run(feed(holdout, columns))["progression"]
    figures = {
        "mean_absolute_error": round(mean_absolute_error(holdout_target, answered), 2),
        "r2": round(r2_score(holdout_target, answered), 4),
    }
    named = {"dataset": HOLDOUT, "split": "test"}
    return sample.Release(
        version=VERSION,
        model=serialized,
        changes="Ridge regression over the raw table.",
        card=CARD.format(samples=len(holdout), **figures),
        metrics=named | {"samples": len(holdout)} | figures,
        tests=golden_tests(model, holdout, columns),
        spec={
            "hyperparameters": HYPERPARAMETERS | {"alpha": float(trained[1].alpha_)},
            "dependencies": {"build": sample.build_dependencies()},
            "metrics": [
                {
                    "name": "mean_absolute_error",
                    "value": figures["mean_absolute_error"],
                    **named,
                    "higherIsBetter": False,
                    "score": True,
                },
                {"name": "r2", "value": figures["r2"], **named, "higherIsBetter": True},
            ],
            "lineage": {
                "datasets": [
                    {"name": source.name.removesuffix(".csv.gz"), "digest": sample.digest(source.read_bytes())}
                    for source in SOURCES
                ]
            },
        },
    )


if __name__ == "__main__":
    sample.write_model(HERE, "health", "diabetes-progression", MODEL)
    made = release()
    sample.write(HERE, "health", "diabetes-progression", made)
    print(VERSION, made.metrics)
