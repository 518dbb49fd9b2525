"""Random operations in PyTorch: views of every kind, empty and special values, first and second derivatives, wrong arguments.

Writes a case a line, with what PyTorch 2.13 makes of it; the program xgrad_differential runs the same and tells what differs:

    cmake --build build/release --target xgrad_differential
    python3 tests/reference/differential.py --cases 20000 --seed 2 | build/release/tests/xgrad_differential -

The stored cases that the tests run are those of `--cases 1500 --seed 1 > tests/reference/differential.jsonl`.
"""
import argparse
import json
import math
import warnings

import torch

from differential_operations import ELEMENTWISE, OPERATIONS, TYPES, Generator, seen

NAMES = {dtype: name for name, dtype in TYPES.items()}


def values_of(data):
    return [float(value) for value in data["values"]]


def base_of(data, double):
    dtype = TYPES[data["dtype"]]
    if double and dtype == torch.float32:
        dtype = torch.float64
    base = torch.tensor(data["values"], dtype=torch.int64) if data["dtype"] == "int64" else torch.tensor(values_of(data), dtype=torch.float64)
    return base.to(dtype).reshape(data["shape"]).requires_grad_(data["grad"])


def upstream(tensor, wave, first):
    return wave(torch.arange(first, first + tensor.numel(), dtype=torch.float64)).to(tensor.dtype).reshape(tensor.shape)


def to_json(tensor):
    tensor = tensor.detach().clone()
    if not tensor.is_floating_point():
        values = tensor.to(torch.int64).flatten().tolist()
    else:
        values = [float(f"{value:.13g}") if math.isfinite(value) else str(value) for value in tensor.to(torch.float64).flatten().tolist()]
    return {"shape": list(tensor.shape), "dtype": NAMES[tensor.dtype], "values": values}


def results(case, call, double):
    """Outputs, gradients of the inputs' elements, and gradients of those, as PyTorch gives them."""
    bases = [base_of(data, double) for data in case["inputs"]]
    operands = [seen(base, data["views"]) for base, data in zip(bases, case["inputs"])]
    if case["op"].endswith("_"):
        operands.append(bases[0])
    outputs = call(operands, case["args"])
    outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
    found = {"outputs": outputs, "gradients": [], "second": []}
    wanted = [base for base in bases if base.requires_grad]
    roots = [output for output in outputs if output.requires_grad]
    if not wanted or not roots:
        return found
    seeds = [upstream(root, torch.sin, 1 + k) for k, root in enumerate(roots)]
    gradients = torch.autograd.grad(roots, wanted, seeds, create_graph=True, allow_unused=True)
    found["gradients"] = [torch.zeros_like(base) if gradient is None else gradient for base, gradient in zip(wanted, gradients)]
    again = [gradient for gradient in gradients if gradient is not None and gradient.requires_grad]
    if again:
        seeds = [upstream(gradient, torch.cos, 1 + k) for k, gradient in enumerate(again)]
        second = torch.autograd.grad(again, wanted, seeds, allow_unused=True)
        found["second"] = [torch.zeros_like(base) if gradient is None else gradient for base, gradient in zip(wanted, second)]
    else:
        found["second"] = [torch.zeros_like(base) for base in wanted]
    return found


def alike(a, b):
    return a == b or not isinstance(a, str) and not isinstance(b, str) and abs(a - b) <= 2e-6 * abs(b)


def add_truth(entries, doubles):
    """Beside float32 results, what float64 gives where that is not the same: either is right."""
    for entry, double in zip(entries, doubles):
        truth = to_json(double)["values"]
        if entry["dtype"] == "float32" and not all(alike(a, b) for a, b in zip(entry["values"], truth)):
            entry["truth"] = truth


def explanation(case, found):
    """Why xgrad differs on purpose (docs/conventions.md), or None."""
    return None


def make_case(g):
    name = g.random.choices(list(OPERATIONS), [weight for _, weight in OPERATIONS.values()])[0]
    (draw, call), _ = OPERATIONS[name]
    inputs, args = draw(g)
    case = {"op": name, "args": args, "inputs": inputs}
    if name in ELEMENTWISE:
        case["elementwise"] = True
    found = {}
    try:
        found = results(case, call, False)
    except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
        case["error"] = True
    if found:
        case.update({key: [to_json(tensor) for tensor in tensors] for key, tensors in found.items()})
        if any(data["dtype"] == "float32" for data in inputs):
            doubles = results(case, call, True)
            for key in ["outputs", "gradients", "second"]:
                add_truth(case[key], doubles[key])
    reason = explanation(case, found)
    if reason:
        case["explained"] = reason
    for data in case["inputs"]:
        data["values"] = [value if not isinstance(value, float) or math.isfinite(value) else str(value) for value in data["values"]]
    for key, value in args.items():
        if isinstance(value, float) and not math.isfinite(value):
            args[key] = str(value)
    return case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for number in range(options.cases):
        print(json.dumps(make_case(Generator(f"{options.seed}/{number}")), separators=(",", ":")))


if __name__ == "__main__":
    main()
