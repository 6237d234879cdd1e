"""Trains the models that the tests serve, and says what their own `predict` answers.

`trained.py FOLDER` writes a folder for each model, and beside it `MODEL.json`: a request, and the
outputs that are due.
"""

import json
import pathlib
import sys

import joblib
import mlflow
import numpy
import pandas
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SERVE = """import joblib


def load(folder):
    return joblib.load(f"{folder}/model.joblib")


def predict(model, inputs, parameters):
    return {"class": model.predict(inputs["x"]), "distance": model.decision_function(inputs["x"])}
"""

place = pathlib.Path(sys.argv[1])
table, classes = load_iris(return_X_y=True, as_frame=True)
table.columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
asked = table.iloc[[0, 60, 120]]


class Words(mlflow.pyfunc.PythonModel):
    """A model of texts, with a parameter, that answers a table."""

    def predict(self, context, model_input, params=None):
        length = model_input["text"].str.len() * (params or {}).get("times", 1)
        return pandas.DataFrame({"length": length, "text": model_input["text"]})


def say(name, inputs, outputs):
    told = {"request": {"inputs": inputs}, "outputs": outputs}
    (place / f"{name}.json").write_text(json.dumps(told))


def tensor(name, array):
    return {"name": name, "shape": list(array.shape), "datatype": "FP64", "data": array.ravel().tolist()}


rows = table.to_numpy()
model = make_pipeline(StandardScaler(), SVC(random_state=7)).fit(rows, classes)
(place / "sklearn").mkdir()
joblib.dump(model, place / "sklearn/model.joblib")
(place / "sklearn/serve.py").write_text(SERVE)
rows = asked.to_numpy()
say(
    "sklearn",
    [tensor("x", rows)],
    {"class": model.predict(rows).tolist(), "distance": model.decision_function(rows).ravel().tolist()},
)

model = make_pipeline(StandardScaler(), SVC(random_state=7)).fit(table, classes)
signature = mlflow.models.infer_signature(table, model.predict(table))
packed = str(place / "mlflow")
mlflow.sklearn.save_model(
    model, packed, signature=signature, pip_requirements=["mlflow"], serialization_format="cloudpickle"
)
answered = mlflow.pyfunc.load_model(packed).predict(asked)
say(
    "mlflow",
    [tensor(name, asked[name].to_numpy()) for name in table.columns],
    {"predictions": numpy.asarray(answered).tolist()},
)

texts = pandas.DataFrame({"text": ["one", "three"]})
answered = pandas.DataFrame({"length": [3, 5], "text": ["one", "three"]})
mlflow.pyfunc.save_model(
    str(place / "words"),
    python_model=Words(),
    signature=mlflow.models.infer_signature(texts, answered, params={"times": 1}),
    pip_requirements=["mlflow"],
)
say(
    "words",
    [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["one", "three"]}],
    {"length": [3, 5], "text": ["one", "three"]},
)

rows = asked.to_numpy()
(place / "served").mkdir()
joblib.dump(model.fit(table.to_numpy(), classes), place / "served/model.joblib")
settings = {
    "name": "served",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": "./model.joblib"},
}
(place / "served/model-settings.json").write_text(json.dumps(settings))
say("served", [tensor("x", rows)], {"predict": model.predict(rows).tolist()})
