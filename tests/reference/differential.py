"""Random operations in PyTorch: views of every kind, empty and special values, first and second derivatives, wrong arguments.

Writes a case a line, with what PyTorch 2.13 makes of it; the program xgrad_differential runs the same and tells what differs:

    cmake --build build/release --target xgrad_differential
    python3 tests/reference/differential.py --cases 20000 --seed 2 | build/release/tests/xgrad_differential -

Exit status 0: what differs, if anything, differs on purpose, and is counted by reason. The stored cases that the tests run are those of
`--cases 1500 --seed 1 > tests/reference/differential.jsonl`.
"""
import argparse
import json
import math
import warnings

import torch

from differential_operations import ELEMENTWISE, OPERATIONS, TYPES, Generator, final_shape, seen

NAMES = {dtype: name for name, dtype in TYPES.items()}
UNDERSTOOD = (RuntimeError, IndexError, ValueError, TypeError)  # how PyTorch refuses arguments


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
    try:
        gradients = torch.autograd.grad(roots, wanted, seeds, create_graph=True, allow_unused=True)
    except UNDERSTOOD:
        return {**found, "no derivative": True}
    found["gradients"] = [torch.zeros_like(base) if gradient is None else gradient for base, gradient in zip(wanted, gradients)]
    again = [gradient for gradient in gradients if gradient is not None and gradient.requires_grad]
    if again:
        seeds = [upstream(gradient, torch.cos, 1 + k) for k, gradient in enumerate(again)]
        try:
            second = torch.autograd.grad(again, wanted, seeds, allow_unused=True)
        except UNDERSTOOD:
            return {**found, "no derivative": True}
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


def explanation(case):
    """Why xgrad differs from PyTorch on purpose (see docs/conventions.md); None where it should not."""
    name, args, inputs = case["op"], case["args"], case["inputs"]
    shapes = [final_shape(data) for data in inputs]
    dtypes = [data["dtype"] for data in inputs]
    values = [value for data in inputs for value in data["values"]]
    special = any(value != value or abs(value) >= 1e30 or 0 < abs(value) <= 1e-30 for value in values)
    if [] in shapes and name in ("softmax", "log_softmax", "cumsum", "squeeze_axis", "transpose", "max_along", "min_along", "argmax_along", "argmin_along"):
        return "a tensor without axes has no axis 0, as in NumPy"
    if "bool" in dtypes and name in ("abs", "argmax", "argmin", "atan2", "pow", "sub", "sub_number", "number_sub", "number_pow", "pow_number"):
        return "a bool tensor counts as one of integers where PyTorch has no such operation"
    if name == "allclose" and len(set(dtypes)) > 1:
        return "allclose takes tensors of different dtypes"
    if name == "masked_fill" and dtypes[0] == "int64" and isinstance(args["number"], float):
        return "a number with a fraction type does not go into an integer tensor unasked"
    if name.endswith("_") and (0 in strides(inputs[0]) or len(set(dtypes)) > 1):
        return "in place: no tensor whose elements are repeated, and none whose dtype the result would not have"
    if name == "arange":
        return "arange: an end on the wrong side gives no elements, and none is rounded to the end"
    if name == "scatter_add" and shapes[1] != shapes[2]:
        return "scatter_add of a source larger than its index has a gradient"
    if name in ("amax", "amin", "max_along", "min_along", "norm") and 0 in shapes[0]:
        return "what is empty along a reduced axis and another has an empty result"
    if name == "norm":
        return "norm: p = 0 has no gradient; derivatives at zeros and of elements that are not finite" if args["p"] == 0 or special or 0 in values else None
    if name in ("lgamma", "digamma", "polygamma", "lgamma_negative", "digamma_negative") and any(value <= 0 and value == round(value) or value < -1e15 for value in values if abs(value) < math.inf) or (
            name in ("digamma", "polygamma", "digamma_negative", "lgamma_negative", "lgamma") and special):
        return "lgamma and its derivatives are infinite at the poles"
    if name in ("pow", "pow_signed", "pow_number", "number_pow") and (special or 0 in values):
        return "pow: second derivatives at 0, and of what is not finite"
    if name == "atan2" and (special or 0 in values):
        return "atan2: derivatives at (0, 0), and of what is not finite"
    if name == "prod" and special:
        return "prod: the derivative is the product of the others, infinite or not"
    if name == "logsumexp" and special:
        return "logsumexp: derivatives of elements of any size"
    if name in ("var", "stddev") and (special or reduced_count(shapes[0], args["axes"]) <= args["correction"]):
        return "var: derivatives of no more elements than the correction, and beside an infinite element"
    if name in ("layer_norm", "batch_norm") and special:
        return "moments of magnitudes at which PyTorch's lose all digits"
    if name == "binary_cross_entropy_with_logits" and any(value != value for value in values):
        return "binary_cross_entropy_with_logits: all derivatives at a NaN logit are NaN"
    if name == "softplus" and any(value * args["beta"] == args["threshold"] for value in values) or name == "elu" and 0 in values:
        return "elu at 0, softplus at its threshold: the second derivative of the curved side"
    return None


def strides(data):
    return [stride for stride, size in zip(seen(torch.empty(data["shape"]), data["views"]).stride(), final_shape(data)) if size > 1]


def reduced_count(shape, axes):
    return math.prod(size for axis, size in enumerate(shape) if not axes or axis in axes or axis - len(shape) in axes)


def make_case(g):
    name = g.random.choices(list(OPERATIONS), [weight for _, weight in OPERATIONS.values()])[0]
    (draw, call), _ = OPERATIONS[name]
    inputs, args = draw(g)
    case = {"op": name, "args": args, "inputs": inputs}
    if name in ELEMENTWISE:
        case["elementwise"] = True
    reason = explanation(case)
    found = {}
    try:
        found = results(case, call, False)
    except UNDERSTOOD:
        case["error"] = True
    if found.pop("no derivative", False):
        reason = reason or "PyTorch has no derivative of it"
    if found:
        case.update({key: [to_json(tensor) for tensor in tensors] for key, tensors in found.items()})
        if any(data["dtype"] == "float32" for data in inputs):
            doubles = results(case, call, True)
            doubles.pop("no derivative", None)
            for key in ["outputs", "gradients", "second"]:
                add_truth(case[key], doubles[key])
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
