"""Registers one model in each kind of store: the server's own one, and one of everybody's.

    python stores.py TOLD
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import sys
import tempfile

import boto3
import mlflow

s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
s3.create_bucket(Bucket="models")


class Echo(mlflow.pyfunc.PythonModel):
    """Gives back what it gets."""

    def predict(self, context, model_input, params=None):
        return model_input


client = mlflow.MlflowClient()
for name, location in (("proxied", None), ("direct", "s3://models/in/di rect")):
    experiment = mlflow.create_experiment(name, artifact_location=location)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "files")
        path = root / "tief/ö +&.txt"
        path.parent.mkdir(parents=True)
        path.write_text("ä" * 100_000)
        with mlflow.start_run(experiment_id=experiment):
            logged = mlflow.pyfunc.log_model(
                name="model",
                python_model=Echo(),
                artifacts={"files": str(root)},
                pip_requirements=["numpy"],
                registered_model_name=name,
            )
            mlflow.log_text("only", "in/only.txt")
        run = mlflow.last_active_run().info
        model = mlflow.get_logged_model(logged.model_id)
        # A single file of a run, and one of a logged model.
        client.create_model_version(name, f"{run.artifact_uri}/in/only.txt", run.run_id)
        source = f"{model.artifact_location}/requirements.txt"
        client.create_model_version(name, source, model_id=logged.model_id)
    if location:
        # More than one page of a listing has, and a marker of a folder as some clients write it.
        prefix = model.artifact_location.removeprefix("s3://models/")
        s3.put_object(Bucket="models", Key=f"{prefix}/many/", Body=b"")
        # Of another that begins alike.
        s3.put_object(Bucket="models", Key=f"{prefix}-2/other", Body=b"other")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for number in range(1010):
                key, body = f"{prefix}/many/{number}", f"{number}".encode()
                pool.submit(s3.put_object, Bucket="models", Key=key, Body=body)

told = {}
for version in client.search_model_versions():
    with tempfile.TemporaryDirectory() as folder:
        # By where it lies: by its name MLflow itself finds nothing of a single file.
        root = pathlib.Path(mlflow.artifacts.download_artifacts(version.source, dst_path=folder))
        base = root.parent if root.is_file() else root
        told[f"models:/{version.name}/{version.version}"] = {
            path.relative_to(base).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (root, *root.rglob("*"))
            if path.is_file() and path.name != "registered_model_meta"
        }
pathlib.Path(sys.argv[1]).write_text(json.dumps(told))
