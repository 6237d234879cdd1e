"""Writes 1.0.0's model as MLflow keeps models: into the folder `mlflow`, for `modelyard import`.

Needs mlflow 3.17.2 and onnx 1.23.2. Every byte comes out the same.
"""

import pathlib
import shutil

import mlflow.onnx
import onnx
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]

signature = ModelSignature(
    inputs=Schema([ColSpec(DataType.float, column) for column in COLUMNS]),
    outputs=Schema([ColSpec(DataType.float, "progression")]),
)
shutil.rmtree(HERE / "mlflow", ignore_errors=True)
mlflow.onnx.save_model(
    onnx.load(HERE / "1.0.0" / "model.onnx"),
    HERE / "mlflow",
    mlflow_model=Model(
        utc_time_created="2026-11-01 09:30:00.000000",
        model_uuid="9d2f3c6e5b7a4f0e8c1d2a3b4c5d6e7f",
    ),
    signature=signature,
    pip_requirements=["mlflow==3.17.2", "onnx==1.23.2", "onnxruntime==1.31.1", "numpy==2.4.6"],
    metadata={"line": "clinic-3"},
)
