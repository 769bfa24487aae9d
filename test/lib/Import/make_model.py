# make_model.py - Writes the ONNX files that the importer's tests read.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_model.py CASE OUT.onnx, or make_model.py text IN.txt OUT.onnx for a model in ONNX's textual form."""

import os
import sys

import numpy as np
import onnx
import onnx.parser
from onnx import TensorProto, helper, numpy_helper

F32 = TensorProto.FLOAT


def model(nodes, inputs, outputs, initializers=(), opset=17, ir_version=9, imports=(), **rest):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(*pair) for pair in imports]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="test", **rest)


def value(name, element=F32, shape=(2,)):
    return helper.make_tensor_value_info(name, element, shape)


def add_weight(tensor):
    """y = x + w for a weight of 512 floats."""
    node = helper.make_node("Add", ["x", "w"], ["y"], name="add")
    return model([node], [value("x", shape=[512])], [value("y", shape=[512])], [tensor])


def weight():
    return numpy_helper.from_array(np.arange(512, dtype=np.float32), "w")


def external(location, offset=0, length=2048):
    tensor = TensorProto(name="w", dims=[512], data_type=F32, data_location=TensorProto.EXTERNAL)
    for key, text in [("location", location), ("offset", offset), ("length", length)]:
        if text is not None:
            tensor.external_data.add(key=key, value=str(text))
    return tensor


def pair(a, b):
    """y = v + w for two external tensors."""
    a.name = "v"
    node = helper.make_node("Add", ["v", "w"], ["y"], name="add")
    return model([node], [], [value("y", shape=[512])], [a, b])


def all_types():
    """One constant of each element type in its typed field, and one in raw data where types share bytes."""
    nodes, outputs = [], []

    def constant(name, element, dims, vals, raw=False):
        tensor = helper.make_tensor(name, element, dims, vals, raw=raw)
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        outputs.append(value(name, element, dims))

    for name in ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"]:
        constant(name, getattr(TensorProto, name), [3], [1.0, -2.0, 0.5])
    for name in ["INT8", "INT16", "INT32", "INT64", "INT4"]:
        constant(name, getattr(TensorProto, name), [3], [1, -2, 3])
    for name in ["UINT8", "UINT16", "UINT32", "UINT64", "UINT4", "UINT2", "BOOL"]:
        constant(name, getattr(TensorProto, name), [3], [1, 0, 1])
    constant("INT2", TensorProto.INT2, [5], [1, -2, 0, -1, 1])
    constant("FLOAT4E2M1", TensorProto.FLOAT4E2M1, [3], [1.0, -2.0, 0.5])
    constant("FLOAT8E8M0", TensorProto.FLOAT8E8M0, [2], [1.0, 2.0])
    constant("COMPLEX64", TensorProto.COMPLEX64, [1], [1 + 2j])
    constant("COMPLEX128", TensorProto.COMPLEX128, [1], [1 - 2j])
    constant("STRING", TensorProto.STRING, [2], [b"one", b"two"])
    constant("RAW4", TensorProto.UINT4, [3], bytes([0x21, 0x03]), raw=True)
    constant("RAWBOOL", TensorProto.BOOL, [2], bytes([1, 0]), raw=True)
    constant("EMPTY", F32, [0, 4], [])
    constant("SCALAR", F32, [], [2.5])
    return model(nodes, [], outputs, opset=26, ir_version=13)


def attributes():
    tensor = helper.make_tensor("t", TensorProto.INT64, [2], [7, 8])
    node = helper.make_node(
        "Custom", ["x", "", "x"], ["y", "", "z"], name="custom", domain="test.domain", i=3, f=0.5, s="text",
        ints=[1, 2], floats=[1.0, 2.0], strings=["a", "b"], t=tensor, tensors=[tensor],
        tp=helper.make_tensor_type_proto(F32, ["n", 4]))
    return model([node], [value("x")], [value("y"), value("z")], imports=[("test.domain", 3)])


def constants():
    kinds = {"i": dict(value_int=3), "is": dict(value_ints=[1, 2]), "f": dict(value_float=0.5),
             "fs": dict(value_floats=[0.5, 1.0]), "s": dict(value_string="a"), "ss": dict(value_strings=["a", "b"]),
             "w": dict(value=weight())}
    nodes = [helper.make_node("Constant", [], [name], **kind) for name, kind in kinds.items()]
    types = {"i": (7, []), "is": (7, [2]), "f": (1, []), "fs": (1, [2]), "s": (8, []), "ss": (8, [2]), "w": (1, [512])}
    return model(nodes, [], [value(name, *types[name]) for name in kinds])


def default_behind_raw():
    """onnxruntime's quantizer writes `data_location: DEFAULT` behind raw_data."""
    tensor = weight()
    tensor.data_location = TensorProto.DEFAULT
    return add_weight(tensor)


def typed_data():
    return add_weight(helper.make_tensor("w", F32, [512], [1.0] * 512))


def small_external():
    """The axes of a ReduceSum lie in a file, where inference needs them."""
    open("small.data", "wb").write(np.array([1], np.int64).tobytes())
    axes = TensorProto(name="axes", dims=[1], data_type=TensorProto.INT64, data_location=TensorProto.EXTERNAL)
    axes.external_data.add(key="location", value="small.data")
    node = helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)
    return model([node], [value("x", shape=[2, 3])], [value("y", shape=["n"])], [axes])


def sparse():
    tensor = helper.make_sparse_tensor(
        helper.make_tensor("s", F32, [2], [5.0, 6.0]), helper.make_tensor("i", TensorProto.INT64, [2], [1, 3]), [2, 2])
    result = model([helper.make_node("Identity", ["s"], ["y"])], [], [value("y", shape=[2, 2])])
    result.graph.sparse_initializer.append(tensor)
    return result


def dimensions():
    shape = ["batch", "past + seq", "3", "?", "", None, "batch-size", "a b", "past", "seq", "batch", -1]
    info = value("x.1/y", shape=[s if s != -1 else 1 for s in shape])
    info.type.tensor_type.shape.dim[11].dim_value = -1
    node = helper.make_node("Relu", ["x.1/y"], ["z"])
    return model([node], [info], [value("z", shape=["o"] * 12)])


def wrong_import():
    result = add_weight(weight())
    del result.opset_import[:]
    return result


def shared_call():
    """A large weight in a function that is called twice is one weight."""
    constant = helper.make_node("Constant", [], ["w"], value=weight())
    body = [constant, helper.make_node("Add", ["x", "w"], ["y"], name="inner")]
    function = helper.make_function("local", "f", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    nodes = [helper.make_node("f", ["x"], ["t"], domain="local"), helper.make_node("f", ["t"], ["y"], domain="local")]
    return model(nodes, [value("x", shape=[512])], [value("y", shape=[512])], imports=[("local", 1)], functions=[function])


def metadata():
    result = add_weight(typed_data().graph.initializer[0])
    helper.set_model_props(result, {"license": "MIT", "a key": "two\nlines"})
    result.producer_version = "1.5"
    result.model_version = 7
    return result


CASES = {
    "embedded": lambda: add_weight(weight()),
    "external": lambda: add_weight(external("w.data")),
    "external-sub": lambda: add_weight(external("./sub/../w.data", length=None)),
    "external-absolute": lambda: add_weight(external("/etc/passwd")),
    "external-parent": lambda: add_weight(external("sub/../../w.data")),
    "external-symlink": lambda: add_weight(external("symlink.data")),
    "external-symlink-folder": lambda: add_weight(external("folder/w.data")),
    "external-hardlink": lambda: add_weight(external("hardlink.data")),
    "external-missing": lambda: add_weight(external("missing.data")),
    "external-directory": lambda: add_weight(external("sub")),
    "external-empty": lambda: add_weight(external("")),
    "external-long": lambda: add_weight(external("w.data", offset=2560)),
    "external-negative": lambda: add_weight(external("w.data", offset=-1)),
    "external-length": lambda: add_weight(external("w.data", length=1024)),
    "external-forged": lambda: add_weight(external("#0")),
    "external-tied": lambda: pair(external("w.data"), external("w.data")),
    "external-overlap": lambda: pair(external("w.data"), external("w.data", offset=1024)),
    "future-opset": lambda: model([], [value("x")], [value("x")], opset=29),
    "future-ir": lambda: model([], [value("x")], [value("x")], ir_version=15),
    "all-types": all_types,
    "attributes": attributes,
    "constants": constants,
    "default-behind-raw": default_behind_raw,
    "typed-data": typed_data,
    "small-external": small_external,
    "sparse": sparse,
    "dimensions": dimensions,
    "wrong-import": wrong_import,
    "shared-call": shared_call,
    "metadata": metadata,
}


def main(case, *paths):
    if case == "text":
        result = onnx.parser.parse_model(open(paths[0]).read())
    else:
        out = os.path.dirname(os.path.abspath(paths[0]))
        os.chdir(out)
        result = CASES[case]()
    with open(os.path.basename(paths[-1]) if case != "text" else paths[-1], "wb") as file:
        file.write(result.SerializeToString())


if __name__ == "__main__":
    main(*sys.argv[1:])
