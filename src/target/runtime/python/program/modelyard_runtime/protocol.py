"""Requests, answers and tensors of the Open Inference Protocol, as JSON and as raw bytes.

Inputs become numpy arrays where the environment has numpy, and nested lists otherwise; texts
(`BYTES`) are `bytes` in both.
"""

import json
import math
import struct
from collections.abc import Mapping

from . import Refusal

try:
    import numpy
except ImportError:
    numpy = None

# The letters of `struct`, which numpy shares but for texts.
LETTERS = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
    "BYTES": None,
}
# The same number of bytes everywhere, whatever the machine.
NUMPY_TYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
MAX_TENSORS = 1024
MAX_DIMENSIONS = 32


class Inputs(dict):
    """Inputs by name; to ask for one that is not there refuses the request."""

    def __missing__(self, name):
        raise bad(f"input `{name}` is missing")


class Request:
    """What is asked, its inputs as the model gets them."""

    def __init__(self, header, binary):
        if not isinstance(header, dict) or not isinstance(header.get("inputs"), list):
            raise bad("the request is not one of the Open Inference Protocol: an object with `inputs`")
        self.id = header.get("id")
        if not isinstance(self.id, (str, type(None))):
            raise bad("`id` is no text")
        self.parameters = dict(mapping(header, "parameters"))
        self._binary_output = self.parameters.pop("binary_data_output", False) is True
        self.outputs = None
        self._binary = {}
        if header.get("outputs") is not None:
            self._ask(header["outputs"])
        if len(header["inputs"]) > MAX_TENSORS:
            raise bad(f"the request has more than {MAX_TENSORS} tensors")
        self.inputs, self.datatypes, self.shapes = Inputs(), {}, {}
        at = 0
        for given in header["inputs"]:
            at = self._take(given, binary, at)
        if at != len(binary):
            raise bad(f"what follows the last input is no input's: {len(binary) - at} bytes too many")

    def _ask(self, outputs):
        if not isinstance(outputs, list) or len(outputs) > MAX_TENSORS:
            raise bad("`outputs` is no list of outputs")
        self.outputs = []
        for output in outputs:
            if not isinstance(output, dict) or not isinstance(output.get("name"), str):
                raise bad("an output that is asked for has no `name`")
            self.outputs.append(output["name"])
            binary = mapping(output, "parameters").get("binary_data")
            if isinstance(binary, bool):
                self._binary[output["name"]] = binary

    def _take(self, given, binary, at):
        if not isinstance(given, dict) or not isinstance(given.get("name"), str):
            raise bad("an input is no object with `name`, `shape` and `datatype`")
        name = given["name"]
        if name in self.inputs:
            raise bad(f"input `{name}` comes twice")
        try:
            shape = shape_of(given.get("shape"))
            self.inputs[name], at = read(given, shape, binary, at)
        except Flaw as flaw:
            raise bad(f"input `{name}`: {flaw}") from None
        self.datatypes[name] = given["datatype"]
        self.shapes[name] = shape
        return at

    def wants_binary(self, output):
        return self._binary.get(output, self._binary_output)


class Flaw(Exception):
    """What is wrong with a tensor by itself."""


def bad(reason):
    return Refusal(400, reason)


def mapping(of, key):
    value = of.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(f"`{key}` is no object")
    return value


def parse(body, header_length):
    """The request in a body, of which the first `header_length` bytes are JSON, or all."""
    end = len(body) if header_length is None else header_length
    if not 0 <= end <= len(body):
        raise bad(f"the header is announced with {end} bytes, and all of the request has {len(body)}")
    try:
        header = json.loads(bytes(body[:end]).decode("utf-8"), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise bad(f"the request is not one of the Open Inference Protocol: {error}") from None
    return Request(header, memoryview(body)[end:])


def no_constant(word):
    raise ValueError(f"JSON knows no {word}: send it as raw bytes, with `binary_data_size`")


def shape_of(shape):
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or len(shape) > MAX_DIMENSIONS:
        raise Flaw(f"{shape!r} is no tensor's shape")
    return shape


def read(given, shape, binary, at):
    """The array of an input, and where in `binary` the next one's begins."""
    datatype = given.get("datatype")
    if not isinstance(datatype, str) or datatype not in LETTERS:
        raise Flaw(f"`{datatype}` is no datatype")
    size = mapping(given, "parameters").get("binary_data_size")
    if "data" in given and given["data"] is not None:
        if size is not None:
            raise Flaw("it has both `data` and `binary_data_size`")
        flat = from_json(given["data"], datatype)
    elif size is None:
        raise Flaw("it has neither `data` nor `binary_data_size`")
    else:
        left = len(binary) - at
        if type(size) is not int or not 0 <= size <= left:
            raise Flaw(f"its `binary_data_size` is not a number of bytes, or more than the {left} that are left")
        flat = from_binary(binary[at : at + size], datatype)
        at += size
    expected = math.prod(shape)
    if len(flat) != expected:
        raise Flaw(f"its shape {shape} makes {expected} elements, and it has {len(flat)}")
    return shaped(flat, shape, datatype), at


def shaped(flat, shape, datatype):
    """Flat elements as the model gets them."""
    if numpy is not None:
        if datatype == "BYTES":
            array = numpy.empty(len(flat), dtype=object)
            array[:] = flat
        else:
            array = numpy.asarray(flat, dtype=NUMPY_TYPES[datatype])
        return array.reshape(shape)
    flat = list(flat)
    for size in reversed(shape[1:]):
        count = len(flat) // size if size else math.prod(shape[: len(shape) - 1])
        flat = [flat[at * size : (at + 1) * size] for at in range(count)]
    return flat if shape else flat[0]


def from_json(data, datatype):
    """The elements of JSON, however deeply their lists are nested."""
    flat = data if isinstance(data, list) else [data]
    found = set(map(type, flat))
    while list in found:
        nested, flat = flat, []
        for part in nested:
            if isinstance(part, list):
                flat.extend(part)
            else:
                flat.append(part)
        found = set(map(type, flat))
    letter = LETTERS[datatype]
    if letter is None:
        wanted, good = "a text", found <= {str}
    elif letter == "?":
        wanted, good = "a boolean", found <= {bool}
    elif letter in "efd":
        wanted, good = "a number", found <= {int, float}
    else:
        wanted, good = "a whole number", found <= {int}
        bits = 8 * struct.calcsize(letter)
        low, high = (0, 2**bits - 1) if letter.isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if good and flat and not low <= min(flat) <= max(flat) <= high:
            raise Flaw(f"an element is no whole number from {low} to {high}")
    if not good:
        first = next(at for at, value in enumerate(flat) if not of(value, letter))
        raise Flaw(f"element {first}: {json.dumps(flat[first])[:60]} is not {wanted}")
    if letter is None:
        return [text.encode("utf-8") for text in flat]
    if letter in "efd":
        return narrowed(flat, letter)
    return flat


def of(value, letter):
    if letter is None:
        return type(value) is str
    if letter == "?":
        return type(value) is bool
    return type(value) is int or (letter in "efd" and type(value) is float)


def narrowed(flat, letter):
    """Numbers as their datatype has them; none may be too large for it."""
    try:
        if numpy is not None:
            with numpy.errstate(over="ignore"):
                array = numpy.asarray(flat, dtype="f8").astype(letter)
            if numpy.isfinite(array).all():
                return array
        else:
            return list(struct.unpack(f"<{len(flat)}{letter}", struct.pack(f"<{len(flat)}{letter}", *flat)))
    except OverflowError:
        pass
    raise Flaw("an element is too large for its datatype")


def from_binary(part, datatype):
    """The elements of raw bytes: little-endian, and texts each behind its length in 4 bytes."""
    letter = LETTERS[datatype]
    if letter is None:
        texts, at = [], 0
        while at < len(part):
            if len(part) - at < 4:
                raise Flaw(f"its {len(part)} bytes are not elements of its datatype")
            (length,) = struct.unpack_from("<I", part, at)
            at += 4
            if length > len(part) - at:
                raise Flaw("a text in it is announced as longer than the bytes that are left")
            texts.append(bytes(part[at : at + length]))
            at += length
        return texts
    size = struct.calcsize("<" + letter)
    if len(part) % size or (letter == "?" and bytes(part).strip(b"\0\1")):
        raise Flaw(f"its {len(part)} bytes are not elements of its datatype")
    if numpy is not None:
        # A copy, as models may write into what they are given.
        return numpy.frombuffer(part, dtype=NUMPY_TYPES[datatype]).copy()
    return struct.unpack(f"<{len(part) // size}{letter}", part)


class Output:
    """What a model gives under one name, understood."""

    def __init__(self, name, value):
        self.name = name
        try:
            self.datatype, self.shape, self.flat = understood(value)
        except Flaw as flaw:
            raise Refusal(500, f"output `{name}`: {flaw}") from None

    def header(self):
        return {"name": self.name, "shape": self.shape, "datatype": self.datatype}

    def json(self):
        """Its elements in JSON."""
        try:
            if self.datatype == "BYTES":
                return [text.decode("utf-8") for text in self.flat]
            if LETTERS[self.datatype] in "efd" and not all_finite(self.flat):
                raise ValueError
        except ValueError:
            reason = "has a NaN, an infinity or bytes that are no text, which JSON can't say"
            help = "ask for it as raw bytes, with `binary_data` or `binary_data_output`"
            raise Refusal(500, f"output `{self.name}` {reason} ({help})") from None
        return plain(self.flat)

    def binary(self):
        """Its elements in raw bytes."""
        letter = LETTERS[self.datatype]
        if letter is None:
            return b"".join(struct.pack("<I", len(text)) + text for text in self.flat)
        if hasattr(self.flat, "astype"):
            return self.flat.astype(NUMPY_TYPES[self.datatype], copy=False).tobytes()
        return struct.pack(f"<{len(self.flat)}{letter}", *self.flat)


def all_finite(flat):
    if hasattr(flat, "dtype"):
        return bool(numpy.isfinite(flat).all())
    return all(map(math.isfinite, flat))


def understood(value):
    """The datatype, the shape and the flat elements of an array, of nested lists, of a single
    value, or of a mapping that says all three; numbers of numpy's arrays stay as they are."""
    if isinstance(value, Mapping):
        if not {"datatype", "shape", "data"} <= set(value):
            raise Flaw("a mapping has to have `datatype`, `shape` and `data`")
        shape = shape_of(list(value["shape"]))
        given = {"datatype": value["datatype"], "data": plain(value["data"])}
        array, _ = read(given, shape, b"", 0)
        return value["datatype"], shape, array.ravel() if numpy is not None else flattened(array)
    if numpy is None:
        value = plain(value)
        shape = nested_shape(value)
        flat = flattened(value)
        return plain_datatype(flat), shape, texts(flat)
    try:
        array = numpy.asarray(value)
    except Exception as error:
        raise Flaw(f"a {type(value).__name__} is no array: {error}") from None
    flat = array.ravel()
    if array.dtype.kind in "OUS":
        flat = texts(flat.tolist())
    return numpy_datatype(array, flat), list(array.shape), flat


def plain(value):
    """Arrays of any library as lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return list(value) if isinstance(value, (tuple, range)) else value


def numpy_datatype(array, flat):
    if array.dtype.kind in "biuf":
        wanted = f"{array.dtype.kind}{array.dtype.itemsize}"
        for datatype, known in NUMPY_TYPES.items():
            if wanted == {"?": "b1"}.get(known, known.lstrip("<")):
                return datatype
    elif array.dtype.kind in "US":
        return "BYTES"
    elif array.dtype.kind == "O":
        return plain_datatype(flat)
    raise Flaw(f"no tensor has elements of the type {array.dtype}")


def plain_datatype(flat):
    found = set(map(type, flat))
    if found <= {str, bytes} and found:
        return "BYTES"
    if found == {bool}:
        return "BOOL"
    if found == {int}:
        if -(2**63) <= min(flat) and max(flat) < 2**63:
            return "INT64"
        raise Flaw("a whole number in it has more than 64 bits")
    if found <= {int, float}:
        return "FP64"
    strange = sorted(kind.__name__ for kind in found)
    raise Flaw(f"no tensor has elements of {' and '.join(strange)}")


def texts(flat):
    return [value.encode("utf-8") if isinstance(value, str) else value for value in flat]


def flattened(value):
    if not isinstance(value, (list, tuple)):
        return [value]
    flat = list(value)
    while any(isinstance(part, (list, tuple)) for part in flat):
        flat = [element for part in flat for element in part]
    return flat


def nested_shape(value):
    if not isinstance(value, (list, tuple)):
        return []
    shapes = [nested_shape(part) for part in value]
    if any(shape != shapes[0] for shape in shapes):
        raise Flaw("its lists are not all equally long")
    return [len(value)] + (shapes[0] if shapes else [])


def answer(request, called, outputs):
    """The body of an answer, and how long its JSON is where raw bytes follow."""
    name, version = called
    header = {"model_name": name}
    if version is not None:
        header["model_version"] = version
    if request.id is not None:
        header["id"] = request.id
    header["outputs"] = []
    wanted = list(outputs) if request.outputs is None else request.outputs
    behind = []
    for output in wanted:
        if output not in outputs:
            raise bad(f"it has no output `{output}`, but {', '.join(outputs)}")
        tensor = Output(output, outputs[output])
        told = tensor.header()
        if request.wants_binary(output):
            part = tensor.binary()
            told["parameters"] = {"binary_data_size": len(part)}
            behind.append(part)
        else:
            told["data"] = tensor.json()
        header["outputs"].append(told)
    head = json.dumps(header, allow_nan=False, ensure_ascii=False).encode("utf-8")
    behind = b"".join(behind)
    return head + behind, len(head) if behind else None
