"""The operations of differential.py: how their inputs and arguments are drawn, and the call in PyTorch.

differential_operations.hpp has the same names.
"""
import math
import random

import torch
import torch.nn.functional as F

TYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64, "bool": torch.bool}
SPECIAL = [0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e30, -1e30, 1e-30, -1e-30, 0.5, 20.5, -20.5]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, p):
        return self.random.random() < p

    def pick(self, *options):
        return self.random.choice(options)

    def shape(self, low=0, high=4, empty=0.06):
        return [0 if self.chance(empty) else self.random.randint(1, 4) for _ in range(self.random.randint(low, high))]

    def broadcastable(self, shape):
        """A shape that broadcasts with this one."""
        other = [1 if self.chance(0.3) else size for size in shape]
        return other[self.random.randint(0, len(other)):] if self.chance(0.4) else other

    def axis(self, rank):
        if self.chance(0.04):
            return self.pick(rank, rank + 2, -rank - 1 if rank else -2)
        return self.random.randint(-rank, rank - 1) if rank else self.pick(0, -1)

    def axes(self, rank):
        axes = [axis for axis in range(rank) if self.chance(0.5)]
        self.random.shuffle(axes)
        axes = [axis - rank if self.chance(0.3) else axis for axis in axes]
        if axes and self.chance(0.03):
            axes.append(self.pick(axes[0], rank + 1))
        return axes

    def number(self, low, high, dtype):
        if dtype == "bool":
            return self.random.randint(0, 1)
        if dtype == "int64":
            return self.random.randint(math.ceil(low), math.floor(high))
        return self.random.randint(math.ceil(low * 64), math.floor(high * 64)) / 64

    def tensor(self, shape, dtype="float64", low=-3, high=3, grad=True, special=0.08, views=True):
        """An input: elements of a base, and the steps by which the operand of this shape is seen in it."""
        steps, shape = [], list(shape)
        while views and self.chance(0.55) and len(steps) < 4:
            kind = self.pick("transpose", "slice", "expand", "select", "unsqueeze", "flip", "reshape")
            axis = self.random.randrange(len(shape)) if shape else 0
            if kind == "transpose" and len(shape) >= 2:
                other = self.random.randrange(len(shape))
                steps.append([kind, axis, other])
                shape[axis], shape[other] = shape[other], shape[axis]
            elif kind == "slice" and shape and shape[axis] > 0:
                begin, step = self.random.randint(0, 2), self.random.randint(1, 3)
                end = begin + (shape[axis] - 1) * step + 1
                steps.append([kind, axis, begin, end, step])
                shape[axis] = end + self.random.randint(0, 2)
            elif kind == "expand" and shape and shape[axis] > 0:
                steps.append([kind, *shape])
                if axis == 0 and self.chance(0.5):
                    del shape[0]
                else:
                    shape[axis] = 1
            elif kind == "select" and len(shape) < 5:
                axis, size = self.random.randint(0, len(shape)), self.random.randint(1, 3)
                steps.append([kind, axis, self.random.randrange(size)])
                shape.insert(axis, size)
            elif kind == "unsqueeze" and shape and shape[axis] == 1:
                steps.append([kind, axis])
                del shape[axis]
            elif kind == "flip" and shape:
                steps.append([kind, axis])
            elif kind == "reshape" and axis + 1 < len(shape):
                steps.append([kind, *shape])
                shape[axis:axis + 2] = [shape[axis] * shape[axis + 1]]
        count = math.prod(shape)
        floating = dtype.startswith("float")
        if floating and self.chance(special):
            values = [self.pick(*SPECIAL) if self.chance(0.5) else self.number(low, high, dtype) for _ in range(count)]
        else:
            values = [self.number(low, high, dtype) for _ in range(count)]
        return {"dtype": dtype, "shape": shape, "values": values, "views": steps[::-1], "grad": bool(grad and floating)}

    def dtype(self, *extra):
        return self.pick("float64", "float64", "float64", "float32", *extra)


def seen(tensor, views):
    for kind, *numbers in views:
        if kind == "transpose":
            tensor = tensor.transpose(*numbers)
        elif kind == "slice":
            axis, begin, end, step = numbers
            tensor = tensor[(slice(None),) * axis + (slice(begin, end, step),)]
        elif kind == "expand":
            tensor = tensor.expand(numbers)
        elif kind == "select":
            tensor = tensor.select(*numbers)
        elif kind == "unsqueeze":
            tensor = tensor.unsqueeze(*numbers)
        elif kind == "flip":
            tensor = tensor.flip(numbers)
        else:
            tensor = tensor.reshape(numbers)
    return tensor


# By name: a function from a Generator to inputs and arguments, the call, and how often it is drawn.
OPERATIONS = {}


def operation(name, weight=1):
    def register(draw_and_call):
        OPERATIONS[name] = (draw_and_call, weight)
    return register


def unary(name, call, low=-3, high=3, integers=True, draw_args=lambda g: {}):
    def draw(g):
        return [g.tensor(g.shape(), g.dtype(*["int64", "bool"] * integers), low, high)], draw_args(g)
    OPERATIONS[name] = ((draw, lambda x, a: call(x[0], **a)), 1)


for name, low, high in [("exp", -3, 3), ("expm1", -3, 3), ("log", 0.1, 3), ("log1p", -0.9, 3), ("sqrt", 0.1, 3), ("rsqrt", 0.1, 3), ("sin", -3, 3),
                        ("cos", -3, 3), ("tan", -1, 1), ("asin", -0.9, 0.9), ("acos", -0.9, 0.9), ("atan", -3, 3), ("sinh", -3, 3), ("cosh", -3, 3),
                        ("tanh", -3, 3), ("sigmoid", -3, 3), ("erf", -3, 3), ("erfc", -3, 3), ("lgamma", 0.2, 4), ("digamma", 0.2, 4), ("square", -3, 3),
                        ("reciprocal", 0.2, 3), ("abs", -3, 3), ("sign", -3, 3), ("neg", -3, 3), ("isnan", -3, 3), ("isinf", -3, 3), ("isfinite", -3, 3),
                        ("logical_not", -1, 1)]:
    unary(name, getattr(torch, name), low, high)
for name in ["lgamma", "digamma"]:
    unary(name + "_negative", getattr(torch, name), -2.9, -0.1, integers=False)
unary("floor", torch.floor, integers=False)
unary("polygamma", lambda x, n: torch.polygamma(n, x), 0.2, 4, draw_args=lambda g: {"n": g.pick(0, 1, 2, 3)})
unary("relu", F.relu, integers=False)
unary("silu", F.silu, integers=False)
unary("gelu", lambda x, approximate: F.gelu(x, approximate=approximate), integers=False, draw_args=lambda g: {"approximate": g.pick("none", "tanh")})
unary("leaky_relu", lambda x, slope: F.leaky_relu(x, slope), integers=False, draw_args=lambda g: {"slope": g.pick(0.01, 0.5, 0.0)})
unary("elu", lambda x, alpha: F.elu(x, alpha), integers=False, draw_args=lambda g: {"alpha": g.pick(1.0, 0.5)})
unary("softplus", lambda x, beta, threshold: F.softplus(x, beta, threshold), integers=False, draw_args=lambda g: {"beta": g.pick(1.0, 2.0, 0.5), "threshold": g.pick(20.0, 2.0)})
unary("to", lambda x, dtype: x.to(TYPES[dtype]), draw_args=lambda g: {"dtype": g.pick(*TYPES)})
unary("clone", torch.clone)
unary("contiguous", lambda x: x.contiguous())


def binary_inputs(g, low=-3, high=3, dtypes=("int64", "bool")):
    shape = g.shape()
    other = g.broadcastable(shape)
    if g.chance(0.04):
        other = g.shape()
    dtype = g.dtype(*dtypes)
    pair = [g.tensor(shape, dtype, low, high), g.tensor(other, dtype if g.chance(0.8) else g.dtype(*dtypes), low, high)]
    return pair if g.chance(0.5) else pair[::-1]


def scalar(g, low=-3, high=3):
    return g.pick(0.5, -1.5, 2, 3, -1, 0, 1, 0.0, 2.0) if low < 0 else g.pick(0.5, 2, 3, 2.0, 1)


def binary(name, call, low=-3, high=3, left=True):
    OPERATIONS[name] = ((lambda g: (binary_inputs(g, low, high), {}), lambda x, a: call(x[0], x[1])), 2)
    OPERATIONS[name + "_number"] = ((lambda g: ([g.tensor(g.shape(), g.dtype("int64", "bool"), low, high)], {"number": scalar(g, low)}),
                                     lambda x, a: call(x[0], a["number"])), 1)
    if left:
        OPERATIONS["number_" + name] = ((lambda g: ([g.tensor(g.shape(), g.dtype("int64", "bool"), low, high)], {"number": scalar(g, low)}),
                                         lambda x, a: call(a["number"], x[0])), 1)


binary("add", lambda a, b: a + b)
binary("sub", lambda a, b: a - b)
binary("mul", lambda a, b: a * b)
binary("div", lambda a, b: a / b)
binary("pow", torch.pow, 0.25, 3)
for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
    binary(name, getattr(torch, name), left=False)
for name in ["maximum", "minimum", "atan2", "logical_and", "logical_or", "logical_xor"]:
    OPERATIONS[name] = ((lambda g: (binary_inputs(g), {}), lambda x, a, call=getattr(torch, name): call(x[0], x[1])), 1)


@operation("pow_signed")
def _():
    def draw(g):
        shape = g.shape()
        return [g.tensor(shape, "float64", special=0.3), g.tensor(shape, "float64", special=0.3)], {}
    return draw, lambda x, a: torch.pow(x[0], x[1])


@operation("allclose")
def _():
    return (lambda g: (binary_inputs(g, 0, 1), {"equal_nan": g.chance(0.5)}),
            lambda x, a: torch.tensor(torch.allclose(x[0], x[1], equal_nan=a["equal_nan"])))


@operation("where", 3)
def _():
    def draw(g):
        shape = g.shape()
        pair = binary_inputs(g)
        return [g.tensor(g.broadcastable(pair[0]["shape"]) if not pair[0]["views"] else shape, "bool"), *pair], {}
    return draw, lambda x, a: torch.where(x[0], x[1], x[2])


@operation("where_number")
def _():
    def draw(g):
        shape = g.shape()
        return [g.tensor(g.broadcastable(shape), "bool"), g.tensor(shape, g.dtype("int64"))], {"number": scalar(g)}
    return draw, lambda x, a: torch.where(x[0], x[1], a["number"])


@operation("masked_fill", 2)
def _():
    def draw(g):
        shape = g.shape()
        return [g.tensor(shape, g.dtype("int64")), g.tensor(g.broadcastable(shape), "bool")], {"number": scalar(g)}
    return draw, lambda x, a: x[0].masked_fill(x[1], a["number"])


@operation("clamp", 2)
def _():
    def draw(g):
        low, high = g.pick(None, -1, -0.5, 0, math.nan if g.chance(0.1) else -2.0), g.pick(None, 1, 0.5, 0, -1)
        if low is None and high is None and g.chance(0.9):
            low = 0
        return [g.tensor(g.shape(), g.dtype("int64"))], {"min": low, "max": high}
    return draw, lambda x, a: torch.clamp(x[0], a["min"], a["max"])


def reduction(name, call, low=-3, high=3, integers=("int64", "bool"), more=lambda g: {}, weight=3, distinct=False):
    def draw(g):
        x = g.tensor(g.shape(), g.dtype(*integers), low, high)
        return [x], {"axes": g.axes(len(final_shape(x))), "keepdim": g.chance(0.5), **more(g)}
    OPERATIONS[name] = ((draw, call), weight)


def final_shape(data):
    return list(seen(torch.empty(data["shape"]), data["views"]).shape)


def over(x, axes):
    return axes if axes else list(range(x.dim()))


reduction("sum", lambda x, a: torch.sum(x[0], over(x[0], a["axes"]), a["keepdim"]))
reduction("mean", lambda x, a: torch.mean(x[0] if x[0].is_floating_point() else x[0].float(), over(x[0], a["axes"]), a["keepdim"]))
reduction("var", lambda x, a: torch.var(x[0], over(x[0], a["axes"]), correction=a["correction"], keepdim=a["keepdim"]), integers=(), more=lambda g: {"correction": g.pick(1, 0, 2)})
reduction("stddev", lambda x, a: torch.std(x[0], over(x[0], a["axes"]), correction=a["correction"], keepdim=a["keepdim"]), integers=(), more=lambda g: {"correction": g.pick(1, 0)})
reduction("amax", lambda x, a: torch.amax(x[0], over(x[0], a["axes"]), a["keepdim"]))
reduction("amin", lambda x, a: torch.amin(x[0], over(x[0], a["axes"]), a["keepdim"]))
reduction("all", lambda x, a: torch.all(x[0], dim=tuple(over(x[0], a["axes"])), keepdim=a["keepdim"]), weight=1)
reduction("any", lambda x, a: torch.any(x[0], dim=tuple(over(x[0], a["axes"])), keepdim=a["keepdim"]), weight=1)
reduction("logsumexp", lambda x, a: torch.logsumexp(x[0], over(x[0], a["axes"]), a["keepdim"]))
reduction("norm", lambda x, a: torch.linalg.vector_norm(x[0] if x[0].is_floating_point() else x[0].float(), float(a["p"]), over(x[0], a["axes"]), a["keepdim"]),
          more=lambda g: {"p": g.pick(2, 1, 3, 1.5, 0, 0.5, "inf", "-inf", -1)}, weight=4)


@operation("count_nonzero")
def _():
    def draw(g):
        x = g.tensor(g.shape(), g.dtype("int64", "bool"), -1, 1)
        return [x], {"axes": g.axes(len(final_shape(x)))}
    return draw, lambda x, a: torch.count_nonzero(x[0], over(x[0], a["axes"]))


def prod_over(x, axes, keepdim):
    axes = sorted((axis % x.dim() for axis in over(x, axes)), reverse=True) if x.dim() else []
    if len(set(axes)) < len(axes):
        raise RuntimeError("axis twice")
    if not axes:
        return torch.prod(x)
    for axis in axes:
        x = torch.prod(x, axis, keepdim)
    return x


def checked(axes, rank):
    for axis in axes:
        if not -max(rank, 1) <= axis < max(rank, 1):
            raise RuntimeError("axis out of range")


def prod_call(x, a):
    checked(a["axes"], x[0].dim())
    return prod_over(x[0], a["axes"], a["keepdim"])


reduction("prod", prod_call)


def along_axis(name, call, weight=2, low=-3, high=3, integers=("int64",), more=lambda g: {}, least=0):
    def draw(g):
        x = g.tensor(g.shape(least), g.dtype(*integers), low, high)
        return [x], {"axis": g.axis(len(final_shape(x))), **more(g)}
    OPERATIONS[name] = ((draw, call), weight)


along_axis("softmax", lambda x, a: torch.softmax(x[0] if x[0].is_floating_point() else x[0].float(), a["axis"]), 3)
along_axis("log_softmax", lambda x, a: torch.log_softmax(x[0] if x[0].is_floating_point() else x[0].float(), a["axis"]), 3)
along_axis("cumsum", lambda x, a: torch.cumsum(x[0], a["axis"]), 2, integers=("int64", "bool"))
along_axis("max_along", lambda x, a: tuple(torch.max(x[0], a["axis"], a["keepdim"])), more=lambda g: {"keepdim": g.chance(0.5)})
along_axis("min_along", lambda x, a: tuple(torch.min(x[0], a["axis"], a["keepdim"])), more=lambda g: {"keepdim": g.chance(0.5)})
along_axis("argmax_along", lambda x, a: torch.argmax(x[0], a["axis"], a["keepdim"]), 1, more=lambda g: {"keepdim": g.chance(0.5)})
along_axis("argmin_along", lambda x, a: torch.argmin(x[0], a["axis"], a["keepdim"]), 1, more=lambda g: {"keepdim": g.chance(0.5)})
for name in ["max", "min", "argmax", "argmin"]:
    unary(name, getattr(torch, name))


@operation("reshape", 2)
def _():
    def draw(g):
        x = g.tensor(g.shape(), g.dtype("int64"))
        shape = final_shape(x)
        g.random.shuffle(shape)
        for _ in range(2):
            if len(shape) >= 2 and g.chance(0.5):
                shape[0:2] = [shape[0] * shape[1]]
        if shape and g.chance(0.3):
            shape[g.random.randrange(len(shape))] = -1
        if g.chance(0.05):
            shape.append(5)
        return [x], {"shape": shape}
    return draw, lambda x, a: x[0].reshape(a["shape"])


@operation("flatten")
def _():
    def draw(g):
        x = g.tensor(g.shape())
        rank = len(final_shape(x))
        return [x], {"begin": g.axis(rank), "end": g.axis(rank)}
    return draw, lambda x, a: torch.flatten(x[0], a["begin"], a["end"])


@operation("transpose")
def _():
    def draw(g):
        x = g.tensor(g.shape())
        rank = len(final_shape(x))
        return [x], {"a": g.axis(rank), "b": g.axis(rank)}
    return draw, lambda x, a: torch.transpose(x[0], a["a"], a["b"])


@operation("permute")
def _():
    def draw(g):
        x = g.tensor(g.shape())
        axes = list(range(len(final_shape(x))))
        g.random.shuffle(axes)
        if axes and g.chance(0.05):
            axes[0] = axes[-1]
        return [x], {"axes": axes}
    return draw, lambda x, a: torch.permute(x[0], a["axes"])


unary("squeeze", torch.squeeze)
along_axis("squeeze_axis", lambda x, a: torch.squeeze(x[0], a["axis"]), 1)
along_axis("unsqueeze", lambda x, a: torch.unsqueeze(x[0], a["axis"]), 1)


@operation("expand")
def _():
    def draw(g):
        shape = g.shape()
        return [g.tensor(g.broadcastable(shape), g.dtype("int64"))], {"shape": shape if g.chance(0.95) else g.shape()}
    return draw, lambda x, a: x[0].expand(a["shape"])


@operation("slice", 2)
def _():
    def draw(g):
        x = g.tensor(g.shape(1), g.dtype("int64"))
        return [x], {"axis": g.axis(len(final_shape(x))), "begin": g.random.randint(-5, 5), "end": g.random.randint(-5, 5), "step": g.random.randint(1, 3)}

    def call(x, a):
        checked([a["axis"]], x[0].dim())
        return x[0][(slice(None),) * (a["axis"] % x[0].dim()) + (slice(a["begin"], a["end"], a["step"]),)]
    return draw, call


@operation("narrow")
def _():
    def draw(g):
        x = g.tensor(g.shape(1))
        return [x], {"axis": g.axis(len(final_shape(x))), "begin": g.random.randint(-2, 2), "length": g.random.randint(0, 3)}
    return draw, lambda x, a: torch.narrow(x[0], a["axis"], a["begin"], a["length"])


along_axis("select", lambda x, a: torch.select(x[0], a["axis"], a["index"]), more=lambda g: {"index": g.random.randint(-4, 3)}, least=1)
along_axis("split", lambda x, a: torch.split(x[0], a["size"], a["axis"]), more=lambda g: {"size": g.random.randint(1, 3)}, least=1)


@operation("flip")
def _():
    def draw(g):
        x = g.tensor(g.shape(), g.dtype("int64"))
        return [x], {"axes": g.axes(len(final_shape(x)))}
    return draw, lambda x, a: torch.flip(x[0], over(x[0], a["axes"]))


def joined(name, call):
    def draw(g):
        shape = g.shape(0 if name == "stack" else 1, 3)
        rank = len(shape) + (name == "stack")
        axis = g.axis(rank)
        inputs = []
        for _ in range(g.random.randint(1, 3)):
            part = list(shape)
            if name == "concat" and -rank <= axis < rank:
                part[axis] = g.random.randint(0, 3)
            if g.chance(0.03):
                part = g.shape(1)
            inputs.append(g.tensor(part, g.dtype("int64")))
        return inputs, {"axis": axis}
    OPERATIONS[name] = ((draw, call), 2)


joined("concat", lambda x, a: torch.cat(x, a["axis"]))
joined("stack", lambda x, a: torch.stack(x, a["axis"]))


def indices(g, shape, size):
    return g.tensor(shape, "int64", 0 if size else 0, max(size - 1, 0) + (1 if g.chance(0.04) else 0))


@operation("gather", 2)
def _():
    def draw(g):
        shape = g.shape(1, 3)
        axis = g.random.randrange(len(shape))
        index_shape = [size if g.chance(0.6) else g.random.randint(0, size) for size in shape]
        index_shape[axis] = g.random.randint(0, 3)
        return [g.tensor(shape, g.dtype("int64")), indices(g, index_shape, shape[axis])], {"axis": axis - len(shape) * g.chance(0.3)}
    return draw, lambda x, a: torch.gather(x[0], a["axis"], x[1])


@operation("scatter_add", 2)
def _():
    def draw(g):
        shape = g.shape(1, 3)
        axis = g.random.randrange(len(shape))
        index_shape = [size if g.chance(0.6) else g.random.randint(0, size) for size in shape]
        index_shape[axis] = g.random.randint(0, 3)
        dtype = g.dtype("int64")
        source = [size + g.pick(0, 0, 0, 1) for size in index_shape]
        return [g.tensor(shape, dtype), indices(g, index_shape, shape[axis]), g.tensor(source, dtype)], {"axis": axis}
    return draw, lambda x, a: torch.scatter_add(x[0], a["axis"], x[1], x[2])


@operation("index_select", 2)
def _():
    def draw(g):
        shape = g.shape(1, 3)
        axis = g.random.randrange(len(shape))
        return [g.tensor(shape, g.dtype("int64")), indices(g, [g.random.randint(0, 4)], shape[axis])], {"axis": axis}
    return draw, lambda x, a: torch.index_select(x[0], a["axis"], x[1])


@operation("index_add", 2)
def _():
    def draw(g):
        shape = g.shape(1, 3)
        axis = g.random.randrange(len(shape))
        count = g.random.randint(0, 4)
        source = list(shape)
        source[axis] = count
        dtype = g.dtype("int64")
        return [g.tensor(shape, dtype), indices(g, [count], shape[axis]), g.tensor(source, dtype)], {"axis": axis}
    return draw, lambda x, a: torch.index_add(x[0], a["axis"], x[1], x[2])


@operation("matmul", 6)
def _():
    def draw(g):
        batch, m, k, n = g.shape(0, 2), *[0 if g.chance(0.05) else g.random.randint(1, 5) for _ in range(3)]
        left, right = [*g.broadcastable(batch), m, k], [*g.broadcastable(batch), k if g.chance(0.96) else k + 1, n]
        if g.chance(0.15):
            left = [k]
        if g.chance(0.15):
            right = [k]
        dtype = g.dtype()
        return [g.tensor(left, dtype), g.tensor(right, dtype)], {}
    return draw, lambda x, a: torch.matmul(x[0], x[1])


@operation("linear", 2)
def _():
    def draw(g):
        inner, outer = g.random.randint(1, 4), g.random.randint(1, 4)
        dtype = g.dtype()
        inputs = [g.tensor([*g.shape(0, 2), inner], dtype), g.tensor([outer, inner if g.chance(0.95) else inner + 1], dtype)]
        return inputs + [g.tensor([outer], dtype)] * g.chance(0.5), {}
    return draw, lambda x, a: F.linear(*x)


@operation("layer_norm", 4)
def _():
    def draw(g):
        normalized, dtype = g.shape(1, 2, empty=0.02), g.dtype()
        inputs = [g.tensor([*g.shape(0, 2), *normalized], dtype, special=0.02)]
        if g.chance(0.5):
            inputs += [g.tensor(normalized, dtype, special=0), g.tensor(normalized, dtype, special=0)]
        return inputs, {"shape": normalized, "eps": g.pick(1e-5, 0.5) if dtype == "float64" else 0.5}
    return draw, lambda x, a: F.layer_norm(x[0], a["shape"], *x[1:], eps=a["eps"])


@operation("batch_norm", 5)
def _():
    def draw(g):
        channels, dtype = g.random.randint(1, 3), g.dtype()
        inputs = [g.tensor([g.random.randint(1, 4), channels, *g.shape(0, 2, empty=0.02)], dtype, special=0.02)]
        if g.chance(0.6):
            inputs += [g.tensor([channels], dtype, special=0), g.tensor([channels], dtype, special=0)]
        return inputs, {"training": g.chance(0.6), "momentum": g.pick(0.1, 0.5), "eps": g.pick(1e-5, 0.5) if dtype == "float64" else 0.5}

    def call(x, a):
        mean = torch.arange(x[0].shape[1]).to(x[0].dtype) / 8
        var = mean + 0.5
        weights = [weight.contiguous() for weight in x[1:]]  # PyTorch 2.13 reads others as if they were
        y = F.batch_norm(x[0], mean, var, *weights, training=a["training"], momentum=a["momentum"], eps=a["eps"])
        return y, mean, var
    return draw, call


def class_loss(name, call, more=lambda g: {}):
    def draw(g):
        classes, dtype = g.random.randint(1, 4), g.dtype()
        shape = [[classes], [g.random.randint(1, 3), classes], [g.random.randint(1, 3), classes, *g.shape(1, 2, empty=0.03)]][g.random.choice([0, 1, 1, 1, 2])]
        target = list(shape)
        del target[0 if len(shape) == 1 else 1]
        labels = g.tensor(target, "int64", 0, classes - 1 + (1 if g.chance(0.03) else 0))
        labels["values"] = [-100 if g.chance(0.1) else value for value in labels["values"]]
        inputs = [g.tensor(shape, dtype), labels]
        if g.chance(0.4):
            inputs.append(g.tensor([classes], dtype, 0.1, 2, grad=False, special=0))
        return inputs, {"reduction": g.pick("mean", "sum", "none"), **more(g)}
    OPERATIONS[name] = ((draw, call), 4)


class_loss("cross_entropy", lambda x, a: F.cross_entropy(x[0], x[1], *x[2:], reduction=a["reduction"], label_smoothing=a["smoothing"]), lambda g: {"smoothing": g.pick(0.0, 0.0, 0.1)})
class_loss("nll_loss", lambda x, a: F.nll_loss(x[0], x[1], *x[2:], reduction=a["reduction"]))


@operation("cross_entropy_probabilities", 2)
def _():
    def draw(g):
        shape, dtype = [g.random.randint(1, 3), g.random.randint(1, 4), *g.shape(0, 1, empty=0.03)], g.dtype()
        return [g.tensor(shape, dtype), g.tensor(shape, dtype, 0.1, 1, special=0)], {"reduction": g.pick("mean", "sum", "none"), "smoothing": g.pick(0.0, 0.1)}
    return draw, lambda x, a: F.cross_entropy(x[0], x[1], reduction=a["reduction"], label_smoothing=a["smoothing"])


def element_loss(name, call, low=-3, high=3, special=0.02):
    def draw(g):
        shape, dtype = g.shape(), g.dtype()
        return [g.tensor(shape, dtype), g.tensor(shape, dtype, low, high, special=special)], {"reduction": g.pick("mean", "sum", "none")}
    OPERATIONS[name] = ((draw, lambda x, a: call(x[0], x[1], reduction=a["reduction"])), 2)


element_loss("mse_loss", F.mse_loss)
element_loss("l1_loss", F.l1_loss)
element_loss("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits, 0, 1, special=0)


@operation("attention", 4)
def _():
    def draw(g):
        batch, queries, keys, size, out = g.shape(0, 2, empty=0), *[g.random.randint(1, 4) for _ in range(4)]
        dtype = g.dtype()
        inputs = [g.tensor([*batch, queries, size], dtype, special=0), g.tensor([*batch, keys, size], dtype, special=0), g.tensor([*batch, keys, out], dtype, special=0)]
        return inputs, {"causal": g.chance(0.4), "scale": g.pick(None, 0.5)}

    def call(x, a):
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return F.scaled_dot_product_attention(*x, is_causal=a["causal"], scale=a["scale"])
    return draw, call


def in_place(name, call, number):
    """Under no_grad, into a view: the output is the memory that the view is of."""
    def draw(g):
        shape, dtype = g.shape(), g.dtype("int64")
        inputs = [g.tensor(shape, dtype, 0.25, 3, grad=False, special=0)]
        if not number:
            inputs.append(g.tensor(g.broadcastable(shape), dtype if g.chance(0.9) else g.dtype("int64"), 0.25, 3, grad=False, special=0))
        return inputs, {"number": g.pick(2, 3, 0.5)} if number else {}

    OPERATIONS[name + ("number_" if number else "")] = ((draw, call), 1)


# In these, x[0] is the view and x[-1] its base.
in_place("add_", lambda x, a: (x[0].add_(x[1]), x[-1])[1], False)
in_place("sub_", lambda x, a: (x[0].sub_(x[1]), x[-1])[1], False)
in_place("mul_", lambda x, a: (x[0].mul_(x[1]), x[-1])[1], False)
in_place("div_", lambda x, a: (x[0].div_(x[1]), x[-1])[1], False)
in_place("copy_", lambda x, a: (x[0].copy_(x[1]), x[-1])[1], False)
in_place("add_", lambda x, a: (x[0].add_(a["number"]), x[-1])[1], True)
in_place("mul_", lambda x, a: (x[0].mul_(a["number"]), x[-1])[1], True)
in_place("fill_", lambda x, a: (x[0].fill_(a["number"]), x[-1])[1], True)


@operation("arange")
def _():
    def draw(g):
        integers = g.chance(0.5)
        numbers = [g.random.randint(-5, 5) if integers else g.random.randint(-50, 50) / 10 for _ in range(2)]
        step = g.pick(1, 2, -1, 3) if integers else g.pick(0.1, 0.25, -0.3, 1.0, 0.7)
        return [], {"begin": numbers[0], "end": numbers[1], "step": step, "dtype": "int64" if integers else g.pick("float32", "float64")}
    return draw, lambda x, a: torch.arange(a["begin"], a["end"], a["step"], dtype=TYPES[a["dtype"]])


@operation("linspace")
def _():
    return (lambda g: ([], {"begin": g.random.randint(-50, 50) / 10, "end": g.random.randint(-50, 50) / 10, "count": g.random.randint(0, 7)}),
            lambda x, a: torch.linspace(a["begin"], a["end"], a["count"], dtype=torch.float64))


for key, ((entry, weight)) in list(OPERATIONS.items()):
    if callable(entry):
        OPERATIONS[key] = (entry(), weight)

ELEMENTWISE = {"exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "sigmoid", "erf", "erfc",
               "square", "reciprocal", "abs", "neg", "relu", "leaky_relu", "elu", "add", "sub", "mul", "div", "pow", "pow_signed", "maximum", "minimum", "clamp"}
