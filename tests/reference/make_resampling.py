"""Computes shuffles, unfolding, interpolation and sampling of many options with PyTorch: what tests/ops/test_resampling.cpp holds xgrad's against.

    python3 tests/reference/make_resampling.py > tests/reference/resampling.jsonl

A line is a call; its results are digests of the value and of each gradient, or "error".
"""
import json
import random

import torch
import torch.nn.functional as F

from digests import numbers, result


def called(call, f, *shapes):
    inputs = [numbers(shape, 1 + i).requires_grad_() for i, shape in enumerate(shapes)]
    call["x"] = list(shapes[0])
    try:
        return {**call, "results": result(f(*inputs), inputs)}
    except (RuntimeError, ValueError):
        return {**call, "results": "error"}


def images(r, rank, smallest=1, largest=6):
    return [r.choice([0, 1, 1, 2, 3]), r.choice([1, 2, 3, 17]), *[r.randint(smallest, largest) for _ in range(rank)]]


def shuffle(r):
    op, n = r.choice(["pixel_shuffle", "pixel_unshuffle", "channel_shuffle"]), r.choice([1, 2, 3])
    shape = images(r, 2, 1, 4)
    shape[0] = max(1, shape[0])  # of nothing PyTorch makes wrong shapes
    if op == "pixel_shuffle":
        shape[1] = n * n * r.choice([1, 2, 5])
    elif op == "channel_shuffle":
        shape[1] = n * r.choice([1, 2, 4])
    else:
        shape[2:] = [n * size for size in shape[2:]]
    call = {"op": op, "number": n, "channels_last": r.random() < 0.5}
    return called(call, lambda x: getattr(F, op)(x, n), shape)


def unfolding(r, op):
    kernel, stride = [r.randint(1, 3) for _ in range(2)], [r.randint(1, 3) for _ in range(2)]
    padding, dilation = [r.randint(0, 2) for _ in range(2)], [r.choice([1, 1, 2]) for _ in range(2)]
    shape = images(r, 2, 1, 6)
    call = {"op": op, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "channels_last": r.random() < 0.5}
    arguments = kernel, dilation, padding, stride
    if op == "unfold":
        return called(call, lambda x: F.unfold(x, *arguments), shape)
    call["size"] = shape[2:]
    windows = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in zip(shape[2:], padding, dilation, kernel, stride)]
    columns = [shape[0], shape[1] * kernel[0] * kernel[1], max(1, windows[0] * windows[1])]
    call["channels_last"] = False
    return called(call, lambda x: F.fold(x, shape[2:], *arguments), columns)


def interpolation(r):
    rank = r.choice([1, 2, 2, 2, 3])
    linear = {1: ["linear"], 2: ["bilinear", "bicubic", "bilinear", "bicubic"], 3: ["trilinear"]}[rank]
    mode = r.choice(["nearest", "nearest-exact", "area", *linear, *linear])
    shape = images(r, rank, 1, 9 if rank < 3 else 4)
    call = {"op": "interpolate", "mode": mode, "channels_last": r.random() < 0.5}
    options = {}
    if mode in linear:
        options["align_corners"] = r.random() < 0.4
        if rank == 2 and r.random() < 0.4:
            options = {"antialias": True}
            shape[3] = max(2, shape[3])  # PyTorch gives nonsense for a width of 1
    call.update(options)
    if r.random() < 0.5:
        call["size"] = [r.randint(1, 12 if rank < 3 else 5) for _ in range(rank)]
        return called(call, lambda x: F.interpolate(x, call["size"], mode=mode, **options), shape)
    call["scale_factor"] = [r.choice([0.4, 0.5, 0.77, 1, 1.25, 1.7, 2, 3]) for _ in range(rank)]
    # Where antialiasing keeps a size, PyTorch's gradient, unlike its value, goes by the factor.
    call["recompute"] = (r.random() < 0.3) or "antialias" in options
    return called(call, lambda x: F.interpolate(x, scale_factor=call["scale_factor"], mode=mode,
                                                recompute_scale_factor=call["recompute"], **options), shape)


def sampling(r):
    rank = r.choice([2, 2, 3])
    shape = images(r, rank, 1, 5)
    call = {"op": "grid_sample", "mode": r.choice(["bilinear", "bilinear", "nearest"] + (["bicubic", "bicubic"] if rank == 2 else [])),
            "padding": r.choice(["zeros", "border", "reflection"]), "align_corners": r.random() < 0.5, "channels_last": r.random() < 0.5,
            "spread": r.choice([0.7, 1.3, 3.1])}
    call["grid"] = [shape[0], *[r.randint(1, 4) for _ in range(rank)], rank]
    return called(call, lambda x, grid: F.grid_sample(x, call["spread"] * grid, call["mode"], call["padding"], call["align_corners"]), shape, call["grid"])


def affine(r):
    rank = r.choice([2, 3])
    size = [r.choice([1, 2]), 1, *[r.randint(1, 4) for _ in range(rank)]]
    call = {"op": "affine_grid", "size": size, "align_corners": r.random() < 0.5, "channels_last": False}
    return called(call, lambda theta: F.affine_grid(theta, size, align_corners=call["align_corners"]), [size[0], rank, rank + 1])


def main():
    r = random.Random(1)
    calls = [shuffle(r) for _ in range(15)]
    calls += [unfolding(r, op) for op in ("unfold", "fold") for _ in range(25)]
    calls += [interpolation(r) for _ in range(100)]
    calls += [sampling(r) for _ in range(75)] + [affine(r) for _ in range(10)]
    for call in calls:
        print(json.dumps(call))


main()
