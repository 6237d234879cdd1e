"""Fills a tracking server with versions, as a team's training runs would, by MLflow's own client.

    python fill.py FOLDER MODELS VERSIONS BYTES

Each of MODELS models gets VERSIONS versions: the model of MLflow's in FOLDER with BYTES bytes of
weights of its own, a run with parameters and metrics, tags and a description.
"""

import concurrent.futures
import os
import pathlib
import shutil
import sys
import tempfile

import mlflow
from mlflow.entities import Metric, Param, RunTag

FOLDER = pathlib.Path(sys.argv[1])
MODELS, VERSIONS, BYTES = map(int, sys.argv[2:])
client = mlflow.MlflowClient()


def fill(model):
    name = f"model {model}"
    client.create_registered_model(name, tags={"line": str(model)}, description=f"The model of line {model}.")
    for version in range(1, VERSIONS + 1):
        run = client.create_run("0", tags={"mlflow.source.name": "train.py"})
        client.log_batch(
            run.info.run_id,
            metrics=[Metric(f"metric{number}", version / (number + 1), 0, 0) for number in range(10)],
            params=[Param(f"parameter{number}", str(version * number)) for number in range(10)],
            tags=[RunTag("purpose", "nightly")],
        )
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder, "model")
            shutil.copytree(FOLDER, place)
            (place / "weights.bin").write_bytes(os.urandom(BYTES))
            client.log_artifacts(run.info.run_id, str(place), "model")
        client.set_terminated(run.info.run_id)
        source = f"{run.info.artifact_uri}/model"
        client.create_model_version(name, source, run.info.run_id, tags={"night": str(version)}, description=f"Night {version}")
    client.set_registered_model_alias(name, "champion", str(VERSIONS))


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    list(pool.map(fill, range(MODELS)))
