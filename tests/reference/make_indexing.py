"""Random index expressions and what NumPy makes of them, a line of JSON each, which test_indexing.cpp holds index() against.

    python3 tests/reference/make_indexing.py > tests/reference/indexing.jsonl

The tensor indexed is arange(numel) of the shape. An item is ["int", i], ["slice", begin, end, step] with null where one is
left out, ["none"], ["ellipsis"], ["tensor", shape, values] or ["mask", shape, values].
"""
import json

import numpy

random = numpy.random.default_rng(17)


def random_item(size, broadcast):
    kind = random.choice(["int", "slice", "slice", "tensor", "tensor", "none"])
    if kind == "int" and size > 0:
        return ["int", int(random.integers(-size, size))]
    if kind == "tensor" and size > 0:
        shape = list(broadcast[len(broadcast) - random.integers(0, len(broadcast) + 1):])
        shape = [1 if random.random() < 0.2 else n for n in shape]
        values = random.integers(-size, size, shape)
        return ["tensor", shape, values.flatten().tolist()]
    if kind == "none":
        return ["none"]
    ends = [None if random.random() < 0.3 else int(random.integers(-size - 2, size + 3)) for _ in range(2)]
    return ["slice", *ends, int(random.choice([1, 1, 2, 3, -1, -2]))]


def random_items(shape):
    items, axis = [], 0
    broadcast = [int(n) for n in random.integers(1, 4, random.integers(0, 3))]
    ellipsis = False
    while axis < len(shape):
        if not ellipsis and random.random() < 0.15:
            items.append(["ellipsis"])
            ellipsis = True
            axis += int(random.integers(0, len(shape) - axis + 1))
            continue
        if random.random() < 0.1:
            rank = int(random.integers(1, len(shape) - axis + 1))
            mask = random.random(shape[axis:axis + rank]) < 0.5
            items.append(["mask", list(mask.shape), mask.flatten().tolist()])
            axis += rank
            continue
        if random.random() < 0.1:
            break
        items.append(random_item(shape[axis], broadcast))
        axis += items[-1][0] != "none"
    return items


def to_numpy(item):
    kind = item[0]
    if kind == "int":
        return item[1]
    if kind == "slice":
        return slice(*item[1:])
    if kind == "none":
        return None
    if kind == "ellipsis":
        return Ellipsis
    return numpy.array(item[2], dtype=bool if kind == "mask" else int).reshape(item[1])


lines = 0
while lines < 400:
    shape = [int(n) for n in random.integers(1, 5, random.integers(1, 5))]
    if random.random() < 0.05:
        shape[random.integers(len(shape))] = 0
    items = random_items(shape)
    x = numpy.arange(numpy.prod(shape), dtype=int).reshape(shape)
    try:
        result = x[tuple(to_numpy(item) for item in items)]
    except IndexError:  # shapes that do not broadcast
        continue
    if result.ndim > 7 or result.size > 200:
        continue
    lines += 1
    print(json.dumps({"shape": shape, "items": items, "result": list(result.shape), "values": result.flatten().tolist()},
                     separators=(",", ":")))
