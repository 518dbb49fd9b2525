"""Computes with PyTorch what tests/array/test_dtype.cpp and tests/ops/test_dtypes.cpp hold xgrad's dtypes against.

    python3 tests/reference/make_dtypes.py > tests/reference/dtypes.json
"""
import itertools
import json
import math

import torch

DTYPES = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
          torch.bfloat16, torch.float16, torch.float32, torch.float64]
INTEGERS = DTYPES[1:6]
FLOATS = DTYPES[6:]
SMALL = DTYPES[:8]  # operations of float32 and float64 are in operations.json


def name(dtype):
    return str(dtype).replace("torch.", "")


def number(value):
    return value if isinstance(value, int) or math.isfinite(value) else str(value)


def values(tensor):
    exact = tensor if tensor.dtype in INTEGERS or tensor.dtype == torch.bool else tensor.to(torch.float64)
    return [number(value) for value in exact.flatten().tolist()]


def described(tensor):
    return {"dtype": name(tensor.dtype), "values": values(tensor)}


def numbers_of(dtype):
    """Numbers of this type that are not easy to convert."""
    if dtype == torch.bool:
        return torch.tensor([False, True])
    if dtype in INTEGERS:
        info = torch.iinfo(dtype)
        wanted = [0, 1, 2, 127, 128, 129, 200, 255, 256, 257, 259, 2047, 2049, 2051, 32767, 32768, 65519, 65520, 65535,
                  16777217, 16777219, 2**31 - 1, 2**31, 2**53 + 1, 2**62 + 2**37 + 1, 2**63 - 1]
        wanted += [-value for value in wanted] + [info.min]
        return torch.tensor(sorted({value for value in wanted if info.min <= value <= info.max}), dtype=dtype)
    halves = [(1 + (k + 0.5) * 2.0**-bits) * 2.0**e for bits in (7, 10) for k in (0, 1, 2, 3) for e in (-3, 0, 5)]
    beside = [value * (1 + sign * 2.0**-20) for value in halves for sign in (-1, 1)]
    small = [2.0**-14, 2.0**-24, 1.5 * 2.0**-24, 2.0**-25, 2.0**-25 * 1.001, 2.0**-26, 1023.5 * 2.0**-24, 2.0**-126,
             2.0**-133, 1.5 * 2.0**-133, 2.0**-134, 2.0**-135, 2.0**-149, 1e-40, 1e-300]
    large = [65504.0, 65519.0, 65520.0, 65536.0, 3.38e38, 3.3961775e38, 3.4e38, 1e39, 1e300]
    wanted = [0.0, -0.0, 0.5, 1.5, 2.5, 0.1, 1 / 3, 100.9, math.inf, math.nan] + halves + beside + small + large
    tensor = torch.tensor(wanted + [-value for value in wanted if value == value and value != 0], dtype=torch.float64)
    tensor = tensor.to(dtype)
    return tensor


def converted(tensor, to):
    """None for what PyTorch does not define: a floating number that the integer type does not hold."""
    result = values(tensor.to(to))
    if tensor.dtype in FLOATS and to in INTEGERS:
        info = torch.iinfo(to)
        wide = tensor.to(torch.float64)
        holds = (wide > float(info.min) - 1) & (wide < float(info.max) + (to != torch.int64)) & torch.isfinite(wide)
        result = [value if held else None for value, held in zip(result, holds.tolist())]
    return result


def operands(dtype):
    if dtype == torch.bool:
        return torch.tensor([False, True, True, False]), torch.tensor([True, True, False, False])
    if dtype in INTEGERS:
        info = torch.iinfo(dtype)
        a = [info.max, info.min, 7, 7, 0, 1, 100, 100, 5, info.max, info.min, 77]
        b = [1, 1, 2, 3, 5, info.max, 100, 3, 7, info.max, 2, 10]
        if info.min < 0:
            a += [-7, -7, 7, -100, info.min, info.min]
            b += [2, -2, -2, 7, info.max, 3]
        return torch.tensor(a, dtype=dtype), torch.tensor(b, dtype=dtype)
    generator = torch.Generator().manual_seed(1)
    a = torch.randn(64, generator=generator, dtype=torch.float64).to(dtype)
    b = torch.randn(64, generator=generator, dtype=torch.float64).to(dtype)
    return a, b


BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "floor_divide": torch.floor_divide,
    "remainder": torch.remainder, "fmod": torch.fmod, "maximum": torch.maximum, "minimum": torch.minimum,
    "lt": torch.lt, "eq": torch.eq, "ge": torch.ge,
}
UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "sqrt": lambda x: torch.sqrt(abs(x)),
    "exp": torch.exp, "sum": torch.sum, "prod": torch.prod, "cumsum": lambda x: torch.cumsum(x, 0), "amax": torch.amax,
    "amin": torch.amin, "argmax": torch.argmax, "mean": torch.mean, "clamp": lambda x: torch.clamp(x, 1, 3),
    "softmax": lambda x: torch.softmax(x, 0), "norm": lambda x: torch.linalg.vector_norm(x),
    "add_number": lambda x: x + 3, "mul_fraction": lambda x: x * 1.5, "matmul": lambda x: x[:4] @ x[4:8],
}


def computed(call, *inputs):
    try:
        return described(call(*inputs))
    except (RuntimeError, NotImplementedError, TypeError):
        return None  # PyTorch has no such operation


data = {
    "promotion": {name(a): {name(b): name(torch.promote_types(a, b)) for b in DTYPES} for a in DTYPES},
    "number_promotion": {
        name(a): {kind: name((torch.ones(1, dtype=a) * value).dtype)
                  for kind, value in {"bool": True, "int": 2, "float": 2.5}.items()} for a in DTYPES},
    "conversion": [
        {"from": name(a), "values": values(numbers_of(a)), "to": {name(b): converted(numbers_of(a), b) for b in DTYPES}}
        for a in DTYPES],
    "binary": [
        {"op": op, "of": name(dtype), "a": values(operands(dtype)[0]), "b": values(operands(dtype)[1]), **result}
        for op, dtype in itertools.product(BINARY, SMALL)
        if (result := computed(BINARY[op], *operands(dtype)))],
    "unary": [
        {"op": op, "of": name(dtype), "a": values(operands(dtype)[0]), **result}
        for op, dtype in itertools.product(UNARY, SMALL) if (result := computed(UNARY[op], operands(dtype)[0]))],
}
print("{\n" + ",\n".join(
    f"{json.dumps(key)}: " + ("[\n" + ",\n".join(map(json.dumps, part)) + "\n]" if isinstance(part, list) else json.dumps(part))
    for key, part in data.items()) + "\n}")
