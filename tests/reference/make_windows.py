"""Computes convolutions and poolings of many options with PyTorch: what tests/ops/test_windows.cpp holds xgrad's against.

    python3 tests/reference/make_windows.py > tests/reference/windows.jsonl

A line is a call; its results are digests of the value and of each gradient.
"""
import json
import random

import torch.nn.functional as F

from digests import numbers, result


def convolution(r, transposed):
    rank = r.choice([1, 2, 2, 2, 3])
    groups = r.choice([1, 1, 1, 2, 3])
    depthwise = r.random() < 0.2
    per_group = (1, 1) if depthwise else (r.randint(1, 5), r.randint(1, 5))
    if depthwise:
        groups = r.choice([2, 5, 17])
    elif rank == 2 and r.random() < 0.2:
        per_group = (r.choice([16, 20, 33]), r.choice([16, 24, 40]))
    kernel = [r.randint(1, 4) for _ in range(rank)]
    if r.random() < 0.15:
        kernel = [1] * rank
    stride, dilation = [r.choice([1, 1, 2, 3]) for _ in range(rank)], [r.choice([1, 1, 2]) for _ in range(rank)]
    size = [r.randint(3, 10 if rank < 3 else 5) for _ in range(rank)]
    padding = [r.choice([0, 1, 2]) for _ in range(rank)]
    call = {"rank": rank, "stride": stride, "dilation": dilation, "groups": groups, "bias": r.random() < 0.7,
            "channels_last": r.random() < 0.5}
    batch = r.choice([1, 2, 3])
    if transposed:
        call["x"], call["weight"] = [batch, groups * per_group[0], *size], [groups * per_group[0], per_group[1], *kernel]
        call["output_padding"] = [r.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
        call["padding"] = [min(p, ((n - 1) * s + d * (k - 1)) // 2) for p, n, s, d, k in zip(padding, size, stride, dilation, kernel)]
    else:
        call["x"], call["weight"] = [batch, groups * per_group[0], *size], [groups * per_group[1], per_group[0], *kernel]
        if r.random() < 0.2:
            call["padding"], call["stride"] = "same", [1] * rank
        else:
            call["padding"] = [max(p, (d * (k - 1) + 2 - n) // 2) for p, n, d, k in zip(padding, size, dilation, kernel)]
    call["op"] = "conv_transpose" if transposed else "conv"
    x, weight = numbers(call["x"], 1).requires_grad_(), numbers(call["weight"], 2).requires_grad_()
    channels = per_group[1] * groups
    bias = numbers([channels], 3).requires_grad_() if call["bias"] else None
    more = {"output_padding": call["output_padding"]} if transposed else {}
    y = getattr(F, f"{call['op']}{rank}d")(x, weight, bias, stride=call["stride"], padding=call["padding"], dilation=dilation, groups=groups, **more)
    return {**call, "results": result(y, [x, weight] + ([bias] if call["bias"] else []))}


def pooling(r, kind):
    rank = r.choice([1, 2, 2, 3])
    size = [r.randint(4, 11 if rank < 3 else 6) for _ in range(rank)]
    call = {"op": kind, "rank": rank, "x": [r.choice([1, 2]), r.choice([1, 3, 9, 33]), *size], "channels_last": r.random() < 0.5}
    x = numbers(call["x"], 1).requires_grad_()
    if kind.startswith("adaptive"):
        call["output_size"] = [r.randint(1, n + 2) for n in size]
        return {**call, "results": result(getattr(F, f"{kind}{rank}d")(x, call["output_size"]), [x])}
    kernel = [r.randint(1, 4) for _ in range(rank)]
    call.update(kernel=kernel, stride=[r.randint(1, 3) for _ in range(rank)], padding=[r.randint(0, k // 2) for k in kernel], ceil_mode=r.random() < 0.5)
    if kind == "max_pool":
        call["dilation"] = [r.choice([1, 1, 2]) if 2 * (k - 1) + 1 <= n else 1 for k, n in zip(kernel, size)]
        y = getattr(F, f"max_pool{rank}d")(x, kernel, call["stride"], call["padding"], call["dilation"], call["ceil_mode"])
    else:
        call["count_include_pad"] = r.random() < 0.5
        y = getattr(F, f"avg_pool{rank}d")(x, kernel, call["stride"], call["padding"], call["ceil_mode"], call["count_include_pad"])
    return {**call, "results": result(y, [x])}


def main():
    r = random.Random(1)
    calls = [convolution(r, False) for _ in range(120)] + [convolution(r, True) for _ in range(70)]
    for kind, count in ("max_pool", 40), ("avg_pool", 40), ("adaptive_avg_pool", 15), ("adaptive_max_pool", 15):
        calls += [pooling(r, kind) for _ in range(count)]
    for call in calls:
        print(json.dumps(call))


main()
