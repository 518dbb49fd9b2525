"""The other side of the safetensors interoperability test.

safetensors_interop.py write PATH          writes a file with Python's safetensors
safetensors_interop.py check PATH          checks the file that the test wrote
safetensors_interop.py write_dtypes PATH   the same for a tensor of every dtype
safetensors_interop.py check_dtypes PATH
"""

import struct
import sys

import numpy as np
import safetensors
from safetensors import deserialize, safe_open, serialize_file
from safetensors.numpy import load_file, save_file

# By dtype, as Python's package names it when it writes and as the format does: the bytes of two elements.
DTYPES = {
    "bool": ("BOOL", struct.pack("<2?", True, False)),
    "uint8": ("U8", struct.pack("<2B", 200, 7)),
    "int8": ("I8", struct.pack("<2b", -100, 7)),
    "int16": ("I16", struct.pack("<2h", -30000, 7)),
    "int32": ("I32", struct.pack("<2i", -2000000000, 7)),
    "int64": ("I64", struct.pack("<2q", -(2**53) - 1, 7)),
    "bfloat16": ("BF16", struct.pack("<2H", 0x3FC0, 0xC040)),
    "float16": ("F16", struct.pack("<2e", 1.5, -65504)),
    "float32": ("F32", struct.pack("<2f", 1.5, -3)),
    "float64": ("F64", struct.pack("<2d", 0.1, -1e300)),
}



def tensor_of_two(name, data):
    if not hasattr(safetensors, "TensorSpec"):  # before version 0.8
        return {"dtype": name, "shape": [2], "data": data}
    return safetensors.TensorSpec(dtype=name, shape=[2], data_ptr=np.frombuffer(data, np.uint8).ctypes.data, data_len=len(data))


command, path = sys.argv[1:]
if command == "write_dtypes":
    serialize_file({name: tensor_of_two(name, data) for name, (_, data) in DTYPES.items()}, path)
elif command == "check_dtypes":
    with open(path, "rb") as file:
        tensors = {name: (tensor["dtype"], bytes(tensor["data"])) for name, tensor in deserialize(file.read())}
    assert tensors == DTYPES, tensors
elif command == "write":
    save_file(
        {
            "fc1.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
            "wide": np.array([0.1, -1e300]),
            "bn1.num_batches_tracked": np.array(7),
            "mask": np.array([True, False, True]),
            "half": np.array([1.5, -2], np.float16),
            "small": np.array([[-3], [4]], np.int8),
            "empty": np.zeros((0, 4), np.float32),
            "n\u00e4me \"quoted\"": np.array([1], np.int32),
        },
        path,
        metadata={"format": "np"},
    )
else:
    tensors = load_file(path)
    assert set(tensors) == {"flag", "fc1.weight", "step", '"\\/\n\u00e4', "empty"}, tensors.keys()
    expected = {
        "flag": np.array([True, False, True]),
        "fc1.weight": np.array([[1.5, -2], [3, 1e-40]], np.float32),
        "step": np.array(-7),
        '"\\/\n\u00e4': np.array([[0.1, 1e300]]),
        "empty": np.zeros((0, 5), np.float32),
    }
    for name, value in expected.items():
        assert tensors[name].dtype == value.dtype, name
        assert tensors[name].shape == value.shape, name
        assert (tensors[name] == value).all(), name
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    assert metadata["epoch"] == "3" and metadata["note"] == 'a "quoted" note', metadata
