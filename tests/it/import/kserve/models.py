"""Reads objects from standard input as KServe's own models, writes them again, and compares."""

import importlib.util
import json
import sys
import types

# The models alone: the package itself would load its server.
found = importlib.util.find_spec("kserve")
package = types.ModuleType("kserve")
package.__path__ = list(found.submodule_search_locations)
sys.modules["kserve"] = package

import kserve.models as models  # noqa: E402
from kubernetes.client import ApiClient, V1ObjectMeta  # noqa: E402

KINDS = {
    "InferenceService": models.V1beta1InferenceService,
    "InferenceGraph": models.V1alpha1InferenceGraph,
}


class Answer:
    """What the client reads from."""

    def __init__(self, value):
        self.data = json.dumps(value)


class Client(ApiClient):
    """Finds KServe's classes beside Kubernetes' own."""

    def _ApiClient__deserialize(self, data, klass):
        if isinstance(klass, str) and hasattr(models, klass):
            klass = getattr(models, klass)
        return super()._ApiClient__deserialize(data, klass)


def said(value):
    """What of `value` says something: an absent name of a container is read as an empty one."""
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items() if inner != ""}
    if isinstance(value, list):
        return [said(inner) for inner in value]
    return value


client = Client()
objects = json.load(sys.stdin)
for value in objects:
    read = client.deserialize(Answer(value), KINDS[value["kind"]])
    assert isinstance(read.metadata, V1ObjectMeta), read.metadata
    again = client.sanitize_for_serialization(read)
    if said(again) != value:
        sys.exit(f"{json.dumps(value)}\nis read as\n{json.dumps(again)}")
print(f"{len(objects)} objects are what KServe's models say")
