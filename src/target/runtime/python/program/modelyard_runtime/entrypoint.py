"""A model's own code: `load(folder)` once, then `predict(inputs, parameters)` for each request."""

import importlib.util
import inspect
import os
import sys
from collections.abc import Mapping

from . import Refusal


class Entrypoint:
    """A file of the model's folder, and the function in it that predicts."""

    platform = "python"
    inputs = ()
    outputs = ()

    def __init__(self, folder, file, function=None):
        self._name = f"`{function or 'predict'}` of `{file}`"
        module = imported(folder, file)
        self._predict = getattr(module, function or "predict", None)
        if not callable(self._predict):
            raise AttributeError(f"`{file}` has no function `{function or 'predict'}`")
        self._takes_state = takes_state(self._predict, self._name)
        load = getattr(module, "load", None)
        self._state = load(folder) if callable(load) else None

    def predict(self, inputs, parameters):
        if self._takes_state:
            outputs = self._predict(self._state, inputs, parameters)
        else:
            outputs = self._predict(inputs, parameters)
        if isinstance(outputs, Mapping) and all(isinstance(name, str) for name in outputs):
            return outputs
        found = type(outputs).__name__
        if isinstance(outputs, Mapping):
            found = "mapping whose keys are not all texts"
        reason = f"{self._name} has to give a mapping from outputs' names to arrays, and gives a {found}"
        raise Refusal(500, reason)


def imported(folder, file):
    """The module in `file`; what lies beside it can be imported by it."""
    path = os.path.join(folder, file)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"the model's folder has no `{file}`")
    for place in (folder, os.path.dirname(path)):
        if place not in sys.path:
            sys.path.insert(0, place)
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"`{file}` is no Python file: its name has to end in `.py`")
    module = importlib.util.module_from_spec(spec)
    # Under its name, so that what was pickled by its classes finds them.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def takes_state(predict, name):
    """Whether it is called with what `load` gave, before `inputs` and `parameters`."""
    signature = inspect.signature(predict)
    for takes, count in ((False, 2), (True, 3)):
        try:
            signature.bind(*[None] * count)
            return takes
        except TypeError:
            continue
    raise TypeError(f"{name} has to take `inputs, parameters`, or `state, inputs, parameters`")
