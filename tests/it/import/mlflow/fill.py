"""Fills a tracking server as a team would, by MLflow's own client, and tells what is in it.

    python fill.py DATABASE BIG_MEGABYTES ONNX TOLD

What is told into the file TOLD, as JSON, is what MLflow itself downloads: for each version the digest of each file.
"""

import hashlib
import json
import os
import pathlib
import sqlite3
import sys
import tempfile

import mlflow
import numpy
import pandas
from mlflow.models import infer_signature
from mlflow.types.schema import ParamSchema, ParamSpec
from sklearn.linear_model import LogisticRegression

DATABASE, BIG_MEGABYTES, ONNX, TOLD = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
THREE = int(mlflow.__version__.split(".")[0]) >= 3
COMMIT = "4f2c1e9b7a6d5c4b3a2918070605040302010f0e"

client = mlflow.MlflowClient()
mlflow.set_experiment("Fräsen und Bohren")


def place(name):
    """How a model is told where it is logged: by a name of its own, or by a path in its run."""
    return {"name": name} if THREE else {"artifact_path": name}


def register(name, uri, tags=None, **rest):
    version = mlflow.register_model(uri, name, tags=tags).version
    if rest:
        client.update_model_version(name, version, **rest)
    return version


frame = pandas.DataFrame({"age": [20.0, 30.0, 40.0, 50.0], "visits": [1, 2, 3, 4]})
labels = numpy.array([0, 0, 1, 1])


def scikit(strength):
    """A classifier of a run that says all that a run can say."""
    with mlflow.start_run(run_name=f"strength {strength}") as run:
        mlflow.set_tags(
            {
                "mlflow.source.git.commit": COMMIT,
                "mlflow.source.git.repoURL": "https://me:secret@git.example.com/acme/train.git",
                "mlflow.source.name": "train.py",
                "purpose": "a test",
            }
        )
        data = mlflow.data.from_pandas(frame, source="s3://data/line3.csv", name="line3")
        mlflow.log_input(data, context="training")
        mlflow.log_params({"strength": strength, "solver": "lbfgs", "note": "ä b"})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metric("loss", 0.25, step=2)
        mlflow.log_metric("broken", float("nan"))
        model = LogisticRegression(C=strength).fit(frame, labels)
        signature = infer_signature(frame, model.predict(frame))
        signature.params = ParamSchema([ParamSpec("threshold", "double", 0.5)])
        logged = mlflow.sklearn.log_model(
            model,
            **place("model"),
            signature=signature,
            pip_requirements=["scikit-learn"],
            **({"params": {"depth": 3}} if THREE else {}),
        )
        if THREE:
            mlflow.log_metric("accuracy", 0.97, model_id=logged.model_id, dataset=data)
    return run, logged


# Several versions: archived, in production, deleted, and new.
NAME = "Schnee ☃ Klassifikator"
client.create_registered_model(NAME, tags={"line": "3"}, description="Tells snow.")
for strength in (0.5, 1.0, 2.0, 4.0):
    run, logged = scikit(strength)
    register(NAME, logged.model_uri, tags={"team-code": "A7", "größe": "☃"}, description=f"C = {strength}")
client.transition_model_version_stage(NAME, "1", "Archived")
client.transition_model_version_stage(NAME, "2", "Production")
client.set_registered_model_alias(NAME, "champion", "2")
client.set_registered_model_alias(NAME, "challenger", "4")
client.delete_model_version(NAME, "3")

# What is no scikit-learn.
with mlflow.start_run():
    import xgboost

    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(frame, labels), 3)
    logged = mlflow.xgboost.log_model(booster, **place("model"), pip_requirements=["xgboost"])
register("boosted", logged.model_uri)
with mlflow.start_run():
    import onnx

    logged = mlflow.onnx.log_model(onnx.load(ONNX), **place("model"), pip_requirements=["onnx"])
register("diabetes.onnx", logged.model_uri)


class Echo(mlflow.pyfunc.PythonModel):
    """Gives back what it gets."""

    def predict(self, context, model_input, params=None):
        return model_input


# A model with files of its own: nested, empty, large, and with names that need care.
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder, "Anlage")
    for name in ("tief/er/ö ä.txt", "a b/c+d&e=f.txt", "50% off?.txt", "leer"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if name == "leer" else f"in {name}")
    block = bytes(range(256)) * 4096
    with open(root / "big.bin", "wb") as file:
        for number in range(BIG_MEGABYTES):
            file.write(number.to_bytes(8, "big") + block[8:])
    with mlflow.start_run():
        logged = mlflow.pyfunc.log_model(
            **place("model"),
            python_model=Echo(),
            artifacts={"files": str(root)},
            pip_requirements=["numpy"],
        )
register("plain", logged.model_uri)

# Files of a run that no flavor wrote, registered by where they lie; and the run failed.
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "weights.bin").write_bytes(b"weights")
    run = client.create_run("0", tags={"mlflow.user": "ada"})
    client.log_artifacts(run.info.run_id, folder, "out/of the/way")
    client.set_terminated(run.info.run_id, "FAILED")
source = f"{run.info.artifact_uri}/out/of the/way"
client.create_registered_model("of a failed run")
client.create_model_version("of a failed run", source, run.info.run_id)

# Versions that are a single file: in the server's own store, by a run, and elsewhere; and a folder
# that has a file of its own name.
SINGLE = "a single file"
elsewhere = pathlib.Path(DATABASE).with_name("else where").as_uri()
single = client.create_run("0")
other = client.create_run(client.create_experiment("elsewhere", artifact_location=elsewhere))
for run, folder in ((single, None), (single, "in/the way"), (single, "model.onnx.d/model.onnx"), (other, "in")):
    client.log_artifact(run.info.run_id, ONNX, folder)
client.create_registered_model(SINGLE)
for run, source in (
    (single, f"{single.info.artifact_uri}/in/the way/model.onnx"),
    (single, f"runs:/{single.info.run_id}/model.onnx"),
    (single, f"{single.info.artifact_uri}/model.onnx.d/model.onnx"),
    (other, f"{other.info.artifact_uri}/in/model.onnx"),
):
    client.create_model_version(SINGLE, source, run.info.run_id)

# One that is on its way, one that never came, a model with none, and a prompt in between.
client.create_registered_model("pending")
for _ in range(2):
    client.create_model_version("pending", source, run.info.run_id)
with sqlite3.connect(DATABASE, timeout=60) as database:
    for version, status in ((1, "PENDING_REGISTRATION"), (2, "FAILED_REGISTRATION")):
        database.execute(
            "UPDATE model_versions SET status = ? WHERE name = 'pending' AND version = ?",
            (status, version),
        )
client.create_registered_model("of none")
prompts = mlflow.genai if THREE else mlflow
prompts.register_prompt(name="greeting", template="Hello, {{name}}!")

told = {}
for version in client.search_model_versions():
    if version.status != "READY":
        continue
    if version.name == SINGLE:
        # By a version's name MLflow itself finds nothing of a single file.
        digest = hashlib.sha256(pathlib.Path(ONNX).read_bytes()).hexdigest()
        told[f"models:/{SINGLE}/{version.version}"] = {"model.onnx": digest}
        continue
    with tempfile.TemporaryDirectory() as folder:
        uri = f"models:/{version.name}/{version.version}"
        root = pathlib.Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder))
        files = {}
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.name != "registered_model_meta":
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                files[path.relative_to(root).as_posix()] = digest
        told[uri] = files
pathlib.Path(TOLD).write_text(json.dumps(told))
