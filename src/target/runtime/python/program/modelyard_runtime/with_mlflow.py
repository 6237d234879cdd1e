"""Models that MLflow packed, loaded by `mlflow.pyfunc` and answering as their own `predict` does.

A signature of columns takes a tensor of shape [-1] (or [-1, 1]) for each column, one of tensors
takes them as they are, and a model without a signature takes columns where every input is one, and
otherwise its only input as an array. What the model gives without a name is called `predictions`.
"""

from collections.abc import Mapping

import mlflow.pyfunc
import numpy
import pandas

from . import Refusal

UNNAMED = "predictions"
# The protocol's name for a type of MLflow's columns.
COLUMNS = {
    "boolean": "BOOL",
    "integer": "INT32",
    "long": "INT64",
    "float": "FP32",
    "double": "FP64",
}
# The protocol's name for a type of numpy's.
ARRAYS = {
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
}


class MlflowModel:
    """A model of any flavour that has `python_function`."""

    platform = "mlflow_pyfunc"

    def __init__(self, folder):
        self._model = mlflow.pyfunc.load_model(folder)
        signature = self._model.metadata.signature
        self._inputs = signature.inputs if signature is not None else None
        self._outputs = signature.outputs if signature is not None else None
        self._takes_parameters = signature is not None and signature.params is not None
        self.inputs = [] if self._inputs is None else described(self._inputs, "input")
        self.outputs = [] if self._outputs is None else described(self._outputs, UNNAMED)
        self._columns = None
        if self._inputs is not None and not self._inputs.is_tensor_spec():
            self._columns = {tensor["name"]: tensor for tensor in self.inputs}
        # A column may be given as a table with one column, or be left out.
        self.fits_itself = self._columns is not None

    def predict(self, inputs, parameters):
        data = self._data(inputs)
        try:
            if self._takes_parameters:
                given = self._model.predict(data, params=parameters)
            else:
                given = self._model.predict(data)
        except mlflow.exceptions.MlflowException as error:
            raise Refusal(400, f"the model refuses the request: {error}") from None
        return self._named(given)

    def _data(self, inputs):
        if self._columns is not None:
            return self._table(inputs)
        if self._inputs is not None:
            if self._inputs.has_input_names():
                return inputs
            return only(inputs)
        if len(inputs) == 1 and only(inputs).ndim > 1:
            return only(inputs)
        if all(array.ndim == 1 for array in inputs.values()):
            return pandas.DataFrame({name: texts(array) for name, array in inputs.items()})
        return inputs

    def _table(self, inputs):
        names = self._inputs.input_names() if self._inputs.has_input_names() else None
        if names is None:
            return only(inputs)
        table = {}
        for spec in self._inputs.inputs:
            array = inputs.get(spec.name)
            if array is None:
                if getattr(spec, "required", True):
                    wanted = self._columns[spec.name]["datatype"]
                    raise Refusal(400, f"input `{spec.name}` is missing: {wanted} of shape [-1]")
                continue
            if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1):
                raise Refusal(400, f"input `{spec.name}` has the shape {list(array.shape)}, and has to have [-1]")
            table[spec.name] = texts(array.ravel(), keep=spec.type.name == "binary")
        unknown = [name for name in inputs if name not in self._columns]
        if unknown:
            raise Refusal(400, f"it has no input `{unknown[0]}`, but {', '.join(self._columns)}")
        if len({len(column) for column in table.values()}) > 1:
            raise Refusal(400, "the inputs are columns of one table, and have to be equally long")
        return pandas.DataFrame(table)

    def _named(self, given):
        """What the model gives, by name."""
        if isinstance(given, pandas.DataFrame):
            return {str(name): array_of(given[name]) for name in given.columns}
        if isinstance(given, Mapping):
            return {str(name): array_of(value) for name, value in given.items()}
        name = UNNAMED
        if isinstance(given, pandas.Series) and isinstance(given.name, str):
            name = given.name
        elif self.outputs and len(self.outputs) == 1:
            name = self.outputs[0]["name"]
        return {name: array_of(given)}


def only(inputs):
    if len(inputs) != 1:
        raise Refusal(400, f"it takes one input, and the request has {len(inputs)}")
    return next(iter(inputs.values()))


def texts(array, keep=False):
    if array.dtype != object or keep:
        return array
    try:
        return numpy.array([text.decode("utf-8") for text in array], dtype=object)
    except UnicodeDecodeError as error:
        raise Refusal(400, f"a text is not UTF-8: {error}") from None


def array_of(value):
    if hasattr(value, "toarray"):
        return value.toarray()
    if isinstance(value, pandas.Series):
        # Pandas' own types (texts, numbers that may be missing) are plain objects here.
        return value.to_numpy() if isinstance(value.dtype, numpy.dtype) else numpy.array(value.tolist())
    return value


def described(schema, unnamed):
    """A signature's inputs or outputs, as the protocol's metadata has them."""
    return [
        {"name": spec.name or unnamed, "datatype": datatype(spec), "shape": list(getattr(spec, "shape", (-1,)))}
        for spec in schema.inputs
    ]


def datatype(spec):
    if hasattr(spec, "shape"):
        return ARRAYS.get(spec.type.name, "BYTES")
    return COLUMNS.get(getattr(spec.type, "name", ""), "BYTES")
