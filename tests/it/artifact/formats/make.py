"""Makes the small models that the tests of formats read, by the libraries that people use.

    python make.py FOLDER [NAME…]

Each function writes one folder. Where a library can't be had (PyTorch is too large), the bytes
are written by the format's published description, and the function says so. README.md tells
which versions made what lies in `files`.
"""

import io
import json
import os
import pickle
import shutil
import struct
import sys
import types
import zipfile
from pathlib import Path

MADE = {}


def made(function):
    MADE[function.__name__.replace("_", "-")] = function
    return function


def rows():
    import numpy

    random = numpy.random.default_rng(7)
    x = random.normal(size=(60, 4))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 2] > 1)


@made
def sklearn_joblib(folder):
    import joblib
    import pandas
    from sklearn.ensemble import RandomForestClassifier

    x, y = rows()
    x = pandas.DataFrame(x, columns=["length", "width", "depth", "weight"])
    model = RandomForestClassifier(n_estimators=2, max_depth=2, random_state=0).fit(x, y)
    joblib.dump(model, folder / "model.joblib")


@made
def sklearn_joblib_zlib(folder):
    import joblib
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression().fit(*rows()), folder / "model.joblib", compress=3)


@made
def sklearn_joblib_bzip2(folder):
    import joblib
    from sklearn.linear_model import LogisticRegression

    joblib.dump(LogisticRegression().fit(*rows()), folder / "model.joblib", compress=("bz2", 3))


@made
def sklearn_pickle(folder):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*rows())
    (folder / "model.pkl").write_bytes(pickle.dumps(model, protocol=2))


@made
def cloudpickle_lambda(folder):
    import cloudpickle

    (folder / "python_model.pkl").write_bytes(cloudpickle.dumps(lambda x: x + 1))


@made
def pickle_dangerous(folder):
    class Harmless:
        def __reduce__(self):
            return os.system, ("true",)

    (folder / "model.pkl").write_bytes(pickle.dumps({"weights": [1, 2], "extra": Harmless()}))


@made
def xgboost_json(folder):
    import xgboost

    x, y = rows()
    model = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(x, y)
    model.get_booster().feature_names = ["length", "width", "depth", "weight"]
    model.save_model(folder / "model.json")


@made
def xgboost_ubj(folder):
    import xgboost

    x, y = rows()
    xgboost.XGBRegressor(n_estimators=2, max_depth=2).fit(x, y).save_model(folder / "model.ubj")


@made
def xgboost_binary(folder):
    """Only releases before 3.1 write it."""
    import xgboost

    x, y = rows()
    model = xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(x, y > 0)
    model.get_booster().save_model(str(folder / "model.deprecated"))
    (folder / "model.deprecated").rename(folder / "model.bst")


@made
def lightgbm(folder):
    import lightgbm

    x, y = rows()
    data = lightgbm.Dataset(x, y, feature_name=["length", "width", "depth", "weight"])
    settings = {"objective": "multiclass", "num_class": 3, "num_leaves": 3, "verbose": -1}
    lightgbm.train(settings, data, 2).save_model(folder / "model.txt")


@made
def catboost(folder):
    import catboost

    model = catboost.CatBoostClassifier(iterations=2, depth=2, verbose=0, allow_writing_files=False)
    model.fit(*rows()).save_model(str(folder / "model.cbm"))


@made
def safetensors(folder):
    import numpy
    from safetensors.numpy import save_file

    tensors = {"dense.weight": numpy.ones((3, 4), "float16"), "dense.bias": numpy.ones(3, "float16")}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@made
def safetensors_sharded(folder):
    import numpy
    from safetensors.numpy import save_file

    names = [f"model-{part:05}-of-00002.safetensors" for part in (1, 2)]
    for part, name in enumerate(names):
        save_file({f"layer{part}": numpy.ones((5, 5), "float32")}, folder / name, {"format": "pt"})
    index = {"metadata": {"total_size": 200}, "weight_map": {"layer0": names[0], "layer1": names[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    config = {
        "architectures": ["OwnForClassification"],
        "auto_map": {"AutoModel": "modeling_own.OwnForClassification"},
        "model_type": "own",
        "transformers_version": "4.57.0",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    (folder / "modeling_own.py").write_text("class OwnForClassification: ...\n")


@made
def gguf(folder):
    import gguf as library
    import numpy

    writer = library.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_name("Small")
    writer.add_license("apache-2.0")
    writer.add_context_length(2048)
    writer.add_file_type(library.LlamaFileType.MOSTLY_Q8_0)
    writer.add_token_list(["<s>", "a", "b"])
    writer.add_tensor("token_embd.weight", numpy.ones((3, 32), "float32"))
    writer.add_tensor("output_norm.weight", numpy.ones(32, "float16"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def keras_model(middle=()):
    import keras

    inputs = keras.Input((4,), name="features")
    hidden = keras.layers.Dense(5, activation="relu", name="hidden")(inputs)
    for layer in middle:
        hidden = layer(hidden)
    outputs = keras.layers.Dense(3, activation="softmax", name="label")(hidden)
    return keras.Model(inputs, outputs, name="small")


@made
def keras(folder):
    keras_model().save(folder / "model.keras")


@made
def keras_lambda(folder):
    import keras

    keras_model([keras.layers.Lambda(lambda x: x * 2)]).save(folder / "model.keras")


@made
def keras_h5(folder):
    keras_model().save(folder / "model.h5")


@made
def saved_model(folder):
    import tensorflow

    class Small(tensorflow.Module):
        def __init__(self):
            self.w = tensorflow.Variable(tensorflow.ones((4, 3)))
            self.b = tensorflow.Variable(tensorflow.zeros(3))

        @tensorflow.function(
            input_signature=[tensorflow.TensorSpec((None, 4), tensorflow.float32, "features")]
        )
        def predict(self, features):
            return {"label": tensorflow.argmax(features @ self.w + self.b, axis=1)}

    model = Small()
    tensorflow.saved_model.save(model, str(folder), signatures=model.predict)


@made
def saved_model_python(folder):
    import tensorflow

    class Calls(tensorflow.Module):
        @tensorflow.function(
            input_signature=[tensorflow.TensorSpec((None,), tensorflow.float32, "x")]
        )
        def predict(self, x):
            known = tensorflow.io.read_file("words.txt")
            doubled = tensorflow.numpy_function(lambda x: x * 2, [x], tensorflow.float32)
            return {"y": tensorflow.ensure_shape(doubled, (None,)), "known": known}

    model = Calls()
    tensorflow.saved_model.save(model, str(folder), signatures=model.predict)


@made
def h2o_mojo(folder):
    """By the published format: H2O's open releases no longer write it."""
    ini = """[info]
h2o_version = 3.46.0.6
mojo_version = 1.40
license = Apache License Version 2.0
algo = gbm
algorithm = Gradient Boosting Machine
endianness = LITTLE_ENDIAN
category = Multinomial
uuid = 1234567890123456789
supervised = true
n_features = 3
n_classes = 3
n_columns = 4
n_domains = 2
balance_classes = false
default_threshold = 0.5
prior_class_distrib = [0.5, 0.3, 0.2]
model_class_distrib = [0.5, 0.3, 0.2]
timestamp = 2026-01-01T00:00:00.000Z
n_trees = 1
n_trees_per_class = 3
distribution = multinomial

[columns]
length
width
line
species

[domains]
2: 2 d000.txt
3: 3 d001.txt
"""
    with zipfile.ZipFile(folder / "model.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.ini", ini)
        archive.writestr("domains/d000.txt", "north\nsouth\n")
        archive.writestr("domains/d001.txt", "dent\nok\nscratch\n")
        for label in range(3):
            archive.writestr(f"trees/t{label:02}_000.bin", bytes(16))


@made
def pmml(folder):
    """By the published schema of PMML 4.4, as JPMML-SkLearn writes a decision tree."""
    lines = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" xmlns:data="http://jpmml.org/jpmml-model/InlineTable" version="4.4">
	<Header>
		<Application name="JPMML-SkLearn library" version="1.8.9"/>
		<Timestamp>2026-01-01T00:00:00Z</Timestamp>
	</Header>
	<DataDictionary>
		<DataField name="species" optype="categorical" dataType="string">
			<Value value="dent"/>
			<Value value="ok"/>
		</DataField>
		<DataField name="length" optype="continuous" dataType="double"/>
		<DataField name="width" optype="continuous" dataType="float"/>
	</DataDictionary>
	<TreeModel functionName="classification" algorithmName="sklearn.tree._classes.DecisionTreeClassifier">
		<MiningSchema>
			<MiningField name="species" usageType="target"/>
			<MiningField name="length"/>
			<MiningField name="width"/>
		</MiningSchema>
		<Output>
			<OutputField name="probability(dent)" optype="continuous" dataType="double" feature="probability" value="dent"/>
			<OutputField name="probability(ok)" optype="continuous" dataType="double" feature="probability" value="ok"/>
		</Output>
		<Node>
			<True/>
			<Node score="ok" recordCount="40">
				<SimplePredicate field="length" operator="lessOrEqual" value="0.5"/>
			</Node>
			<Node score="dent" recordCount="20">
				<True/>
			</Node>
		</Node>
	</TreeModel>
</PMML>
"""
    (folder / "model.pmml").write_text(lines)


@made
def openvino(folder):
    import numpy
    import openvino as library
    from openvino import opset13

    image = opset13.parameter([-1, 4], numpy.float32, "image")
    image.output(0).set_names({"image"})
    weights = opset13.constant(numpy.ones((3, 4), "float32"))
    scores = opset13.matmul(image, weights, False, True)
    scores.output(0).set_names({"scores"})
    model = library.Model([opset13.result(scores)], [image], "small")
    model.set_rt_info("Classification", ["model_info", "model_type"])
    model.set_rt_info("ok dent scratch", ["model_info", "labels"])
    library.save_model(model, folder / "model.xml", compress_to_fp16=True)


@made
def rds(folder):
    """Written by `rdata`, which writes what R's `saveRDS` does."""
    import numpy
    import rdata

    rdata.write_rds(folder / "model.rds", {"coefficients": numpy.ones(4)})


@made
def spark_ml(folder):
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.classification import LogisticRegression
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        x, y = rows()
        data = [(*map(float, row), float(label)) for row, label in zip(x, y)]
        names = ["length", "width", "depth", "weight"]
        frame = spark.createDataFrame(data, [*names, "species"])
        stages = [
            VectorAssembler(inputCols=names, outputCol="features"),
            LogisticRegression(labelCol="species", maxIter=2),
        ]
        Pipeline(stages=stages).fit(frame).write().overwrite().save(str(folder / "model"))
    finally:
        spark.stop()


def torch_stand_in():
    """As much of PyTorch's names as its files refer to; nothing of it is used by the tests."""
    torch = types.ModuleType("torch")
    utils = types.ModuleType("torch._utils")
    storages = {}
    for name in ("FloatStorage", "LongStorage"):
        storages[name] = type(name, (), {"__module__": "torch"})
        setattr(torch, name, storages[name])

    def _rebuild_tensor_v2(*arguments):
        raise NotImplementedError

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch._utils = utils
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
    return storages, _rebuild_tensor_v2


def torch_state():
    """What `torch.save(model.state_dict(), …)` pickles (`torch/serialization.py`)."""
    from collections import OrderedDict

    storages, rebuild = torch_stand_in()

    class Storage:
        def __init__(self, kind, key, count):
            self.id = ("storage", storages[kind], key, "cpu", count)

    class Tensor:
        def __init__(self, storage, size, stride):
            self.parts = (storage, 0, size, stride, False, OrderedDict())

        def __reduce__(self):
            return rebuild, self.parts

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return value.id if isinstance(value, Storage) else None

    state = OrderedDict()
    state["dense.weight"] = Tensor(Storage("FloatStorage", "0", 12), (3, 4), (4, 1))
    state["dense.bias"] = Tensor(Storage("FloatStorage", "1", 3), (3,), (1,))
    state["steps"] = Tensor(Storage("LongStorage", "2", 1), (), ())
    return state, Pickler


@made
def pytorch_zip(folder):
    """By the published format: PyTorch itself is too large for these tests."""
    state, Pickler = torch_state()
    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(state)
    with zipfile.ZipFile(folder / "model.pt", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("model/data.pkl", pickled.getvalue())
        archive.writestr("model/byteorder", "little")
        for key, size in (("0", 48), ("1", 12), ("2", 8)):
            archive.writestr(f"model/data/{key}", bytes(size))
        archive.writestr("model/version", "3\n")
        archive.writestr("model/.data/serialization_id", "0636457737946401051300000025273995036293")


@made
def pytorch_old(folder):
    """By the published format, as `_use_new_zipfile_serialization=False` writes it."""
    state, Pickler = torch_state()
    pickled = io.BytesIO()
    pickle.dump(0x1950A86A20F9469CFC6C, pickled, protocol=2)
    pickle.dump(1001, pickled, protocol=2)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2}}
    pickle.dump(system, pickled, protocol=2)
    Pickler(pickled, protocol=2).dump(state)
    pickle.dump(["0", "1", "2"], pickled, protocol=2)
    for count, width in ((12, 4), (3, 4), (1, 8)):
        pickled.write(struct.pack("<q", count) + bytes(count * width))
    (folder / "pytorch_model.bin").write_bytes(pickled.getvalue())


def main():
    target = Path(sys.argv[1])
    for name, make in MADE.items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        folder = target / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            make(folder)
            print(name, sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))
        except ImportError as error:
            folder.rmdir()
            print(f"{name}: left out: {error}")


if __name__ == "__main__":
    main()
