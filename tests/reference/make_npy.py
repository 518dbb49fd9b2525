"""Writes npy.json: files of NumPy in hexadecimal digits, and what is in them.

    python3 tests/reference/make_npy.py > tests/reference/npy.json
"""

import io
import json
import sys

import numpy as np

random = np.random.default_rng(0)
DTYPES = {"bool": "bool", "uint8": "uint8", "int8": "int8", "int16": "int16", "int32": "int32", "int64": "int64", "float16": "float16",
          "float32": "float32", "float64": "float64", "uint16": "int64", "uint32": "int64"}


def numbers(dtype, shape):
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype.startswith("float"):
        return (random.integers(-64, 64, shape) / 8).astype(dtype)
    info = np.iinfo(dtype)
    return random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


def file_of(array, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version)
    return out.getvalue()


def entry(array, version=None):
    return {"file": file_of(array, version).hex(), "dtype": DTYPES[array.dtype.newbyteorder("=").name], "shape": list(array.shape),
            "values": [v.item() for v in array.flatten()],
            # xgrad writes the same bytes where NumPy writes this machine's order and a type that there is a dtype of.
            "same": version is None and array.dtype.byteorder in "=|" and array.dtype.name not in ("uint16", "uint32")}


entries = []
for dtype in DTYPES:
    for shape in [(), (0, 3), (5,), (2, 3), (2, 1, 3)]:
        array = numbers(dtype, shape)
        entries.append(entry(np.asarray(array)))
        if len(shape) > 1:
            entries.append(entry(np.asfortranarray(array)))
    swapped = numbers(dtype, (2, 2)).astype(np.dtype(dtype).newbyteorder(">"))
    entries += [entry(swapped), entry(np.asfortranarray(swapped))]
entries += [entry(numbers("float32", (2, 3)), version) for version in [(1, 0), (2, 0), (3, 0)]]
refused = {"complex": file_of(np.zeros(2, complex)), "text": file_of(np.array(["a"])), "uint64": file_of(np.zeros(2, np.uint64)),
           "records": file_of(np.zeros(2, [("a", "f4")])), "nine_axes": file_of(np.zeros((1,) * 9))}


def archive(save):
    out = io.BytesIO()
    save(out, a=np.arange(6, dtype="float32").reshape(2, 3), **{"layer.bias": np.asfortranarray(np.eye(3)), "none": np.zeros((0, 2), np.int8)})
    return out.getvalue().hex()


json.dump({"npz": {"stored": archive(np.savez), "compressed": archive(np.savez_compressed)}, "files": entries, "refused": {name: data.hex() for name, data in refused.items()}}, sys.stdout, separators=(",", ":"))
print()
