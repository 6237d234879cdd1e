"""Registers models at a tracking server, and tells what MLflow's own `predict` answers for them.

    python serves.py ONNX REQUIREMENTS TOLD

Into the file TOLD goes for each model a request of the Open Inference Protocol, and the outputs that
`mlflow.pyfunc` gives for the same rows.
"""

import json
import pathlib
import sys
import tempfile

import mlflow
import numpy
import onnx
import pandas
from mlflow.types import ColSpec, Schema
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ONNX, REQUIREMENTS, TOLD = map(pathlib.Path, sys.argv[1:])
DATATYPES = {"float32": "FP32", "float64": "FP64"}
client = mlflow.MlflowClient()
told = {}


def register(name, save, rows):
    """Logs what `save` saves, registers it, and asks it as MLflow loads it from the registry."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "model")
        save(str(place))
        # The environment that other models of the tests have is built once for all of them.
        (place / "requirements.txt").write_bytes(REQUIREMENTS.read_bytes())
        with mlflow.start_run() as run:
            mlflow.log_artifacts(str(place), "model")
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
    answer = mlflow.pyfunc.load_model(f"models:/{name}/1").predict(rows)
    inputs = [
        {"name": column, "shape": [len(rows)], "datatype": DATATYPES[str(rows[column].dtype)], "data": rows[column].tolist()}
        for column in rows.columns
    ]
    named = isinstance(answer, (dict, pandas.DataFrame))
    answers = dict(answer) if named else {"predictions": answer}
    told[name] = {
        "request": {"inputs": inputs},
        "outputs": {output: numpy.asarray(data).ravel().tolist() for output, data in answers.items()},
    }


table, classes = load_iris(return_X_y=True, as_frame=True)
table.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
forest = make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=7)).fit(table, classes)
register(
    "iris",
    lambda place: mlflow.sklearn.save_model(
        forest,
        place,
        signature=mlflow.models.infer_signature(table, forest.predict(table)),
        serialization_format="cloudpickle",
    ),
    table.iloc[::7],
)

progression = onnx.load(str(ONNX))
columns = [column.name for column in progression.graph.input]
signature = mlflow.models.ModelSignature(
    inputs=Schema([ColSpec("float", column) for column in columns]),
    outputs=Schema([ColSpec("float", "progression")]),
)
random = numpy.random.default_rng(7)
rows = {column: random.uniform(1, 100, 23).astype("float32") for column in columns}
register(
    "diabetes",
    lambda place: mlflow.onnx.save_model(progression, place, signature=signature),
    pandas.DataFrame(rows),
)
TOLD.write_text(json.dumps(told))
