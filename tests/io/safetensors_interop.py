"""The other side of the safetensors interoperability test.

safetensors_interop.py write PATH   writes a file with Python's safetensors
safetensors_interop.py check PATH   checks the file that the test wrote
"""

import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

command, path = sys.argv[1:]
if command == "write":
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
