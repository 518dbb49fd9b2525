"""Computes the registry's samples with PyTorch: values and gradients that test_registry.cpp holds xgrad's against.

    build/release/tests/xgrad_registry samples | python3 tests/reference/make_operations.py > tests/reference/operations.json
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

TYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "bool": torch.bool}


def number(value):
    return value if math.isfinite(value) else str(value)


def to_json(tensor):
    values = [number(value) for value in tensor.detach().to(torch.float64).flatten().tolist()]
    return {"shape": list(tensor.shape), "dtype": str(tensor.dtype).replace("torch.", ""), "values": values}


def to_tensor(data):
    values = [float(value) for value in data["values"]]
    tensor = torch.tensor(values, dtype=torch.float64).to(TYPES[data["dtype"]]).reshape(data["shape"])
    return tensor.requires_grad_(data["requires_grad"])


def compute(sample):
    x = [to_tensor(data) for data in sample["inputs"]]
    outputs = eval(sample["reference"], {"torch": torch, "F": F, "math": math, "x": x})
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    wanted = [tensor for tensor in x if tensor.requires_grad]
    total = 0
    for output in outputs:
        if output.requires_grad:
            upstream = torch.sin(torch.arange(1, output.numel() + 1, dtype=torch.float64)).reshape(output.shape)
            total = total + (output * upstream).sum()
    gradients = [None] * len(wanted)
    if wanted and torch.is_tensor(total) and total.requires_grad:
        gradients = torch.autograd.grad(total, wanted, allow_unused=True)
    return {
        **sample,
        "outputs": [to_json(output) for output in outputs],
        "gradients": [to_json(torch.zeros_like(t) if g is None else g) for t, g in zip(wanted, gradients)],
    }


results = {}
for sample in json.load(sys.stdin):
    try:
        results[sample["key"]] = compute(sample)
    except Exception as error:
        sys.exit(f"{sample['key']}: {sample['reference']}: {error}")
    results[sample["key"]].pop("key")
print("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in results.items()) + "\n}")
