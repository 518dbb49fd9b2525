"""Trajectories of optimizers and schedules that tests/optim/test_reference.cpp must follow: PyTorch's, and NumPy's by the
papers' formulas for optimizers that PyTorch lacks or computes in bfloat16.

    python3 tests/reference/make_optimizers.py tests/reference/optimizers.json

The gradient at step t of element i, counted over all parameters, is c_i (p_i - a_i) + 0.3 sin(0.7 t + i), with
c_i = 0.5 + (i mod 4) / 2, a_i = 2 sin(2.1 i), and p_i = cos(1.3 i) at first.
"""
import json
import math
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
SETTINGS, STEPS, CHECKED = 50, 300, (1, 2, 3, 10, 30, 100, 300)
rng = np.random.default_rng(0)


def between(low, high):
    return float(np.round(rng.uniform(low, high), 4))


def power(low, high):
    return float(10.0 ** rng.uniform(low, high))


def coin():
    return bool(rng.integers(2))


def sometimes(value):
    return value if coin() else 0.0


def starts(shapes, shift=0.0):
    numbers = iter(range(10**6))
    return [np.array([math.cos(1.3 * next(numbers)) + shift for _ in range(math.prod(shape))]).reshape(shape)
            for shape in shapes]


def gradients(parameters, step):
    first, all_of_them = 0, []
    for p in parameters:
        i = np.arange(first, first + p.size)
        first += p.size
        flat = (0.5 + 0.5 * (i % 4)) * (p.reshape(-1) - 2 * np.sin(2.1 * i)) + 0.3 * np.sin(0.7 * step + i)
        all_of_them.append(flat.reshape(p.shape))
    return all_of_them


def checksum(parameters):
    flat = np.concatenate([p.reshape(-1) for p in parameters])
    return float((flat * (1 + np.arange(flat.size)) / flat.size).sum())


# Options by our names; what PyTorch calls otherwise.
PAIRS = {"betas": ("beta1", "beta2"), "etas": ("eta_minus", "eta_plus"), "step_sizes": ("step_size_min", "step_size_max")}


def in_pytorch(cls, options):
    options = dict(options)
    for pair, (a, b) in PAIRS.items():
        if a in options:
            options[pair] = (options.pop(a), options.pop(b))
    if cls is torch.optim.Adafactor and "eps1" in options:
        eps1 = options.pop("eps1")
        options["eps"] = (eps1 or None, options.pop("eps2"))
    return options


def adamlike(**more):
    return {"lr": power(-3, -1), "beta1": between(0, 0.99), "beta2": between(0.9, 0.999), "eps": power(-10, -3),
            "weight_decay": sometimes(power(-3, -1)), **more}


def sgd():
    nesterov = coin()
    return {"lr": power(-3, -1), "momentum": between(0.1, 0.95) if nesterov else sometimes(between(0, 0.95)),
            "dampening": 0.0 if nesterov else sometimes(between(0, 1)), "weight_decay": sometimes(power(-3, -1)),
            "nesterov": nesterov, "maximize": coin()}


TWO, MATRICES, MANY = [(4, 3), (5,)], [(4, 3), (3, 6)], [(2, 3, 4), (5,), (3, 2)]
PYTORCH = {
    "SGD": (torch.optim.SGD, TWO, sgd),
    "Adam": (torch.optim.Adam, TWO, lambda: adamlike(amsgrad=coin(), maximize=coin())),
    "AdamW": (torch.optim.AdamW, TWO, lambda: adamlike(amsgrad=coin(), maximize=coin())),
    "RMSprop": (torch.optim.RMSprop, TWO, lambda: {
        "lr": power(-3, -1), "alpha": between(0.5, 0.999), "eps": power(-6, -2), "weight_decay": sometimes(power(-3, -1)),
        "momentum": sometimes(between(0, 0.95)), "centered": coin(), "maximize": coin()}),
    "Adagrad": (torch.optim.Adagrad, TWO, lambda: {
        "lr": power(-2, 0), "lr_decay": sometimes(power(-3, -1)), "weight_decay": sometimes(power(-3, -1)),
        "initial_accumulator_value": sometimes(between(0, 1)), "eps": power(-10, -3), "maximize": coin()}),
    "Adadelta": (torch.optim.Adadelta, TWO, lambda: {
        "lr": power(-1, 1), "rho": between(0.5, 0.99), "eps": power(-7, -3), "weight_decay": sometimes(power(-3, -1)),
        "maximize": coin()}),
    "Adamax": (torch.optim.Adamax, TWO, lambda: adamlike(maximize=coin())),
    "NAdam": (torch.optim.NAdam, TWO, lambda: adamlike(
        momentum_decay=power(-3, -1), decoupled_weight_decay=coin(), maximize=coin())),
    "RAdam": (torch.optim.RAdam, TWO, lambda: adamlike(decoupled_weight_decay=coin(), maximize=coin())),
    "Rprop": (torch.optim.Rprop, TWO, lambda: {
        "lr": power(-3, -1), "eta_minus": between(0.2, 0.8), "eta_plus": between(1.05, 1.5), "step_size_min": power(-7, -5),
        "step_size_max": power(-1, 1), "maximize": coin()}),
    "ASGD": (torch.optim.ASGD, TWO, lambda: {
        "lr": power(-3, -1), "lambd": power(-5, -1), "alpha": between(0.5, 1), "t0": float(rng.integers(1, 400)),
        "weight_decay": sometimes(power(-3, -1)), "maximize": coin()}),
    "Adafactor": (torch.optim.Adafactor, MANY, lambda: {
        "lr": power(-3, 0), "beta2_decay": -between(0.5, 1), "eps1": sometimes(power(-8, -3)), "eps2": power(-4, -2),
        "d": between(1, 2), "weight_decay": sometimes(power(-3, -1)), "maximize": coin()}),
}


def lamb(p, g, state, t, lr, beta1, beta2, eps, weight_decay):
    state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
    u = state["m"] / (1 - beta1**t) / (np.sqrt(state["v"] / (1 - beta2**t)) + eps) + weight_decay * p
    return p - lr * np.sqrt((p**2).sum()) / np.sqrt((u**2).sum()) * u


def lion(p, g, state, t, lr, beta1, beta2, weight_decay, maximize):
    g, m = -g if maximize else g, state.get("m", 0)
    state["m"] = beta2 * m + (1 - beta2) * g
    return p - lr * (np.sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)


def muon(p, g, state, t, lr, momentum, weight_decay, nesterov, ns_steps, eps, match_rms_adamw):
    state["m"] = momentum * state.get("m", 0) + (1 - momentum) * g
    u = momentum * state["m"] + (1 - momentum) * g if nesterov else state["m"]
    x = u / max(np.linalg.norm(u), eps)
    for _ in range(ns_steps):  # on the singular values, where it is a polynomial
        left, s, right = np.linalg.svd(x, full_matrices=False)
        x = left @ np.diag(3.4445 * s - 4.775 * s**3 + 2.0315 * s**5) @ right
    rows, columns = p.shape
    scale = 0.2 * max(rows, columns) ** 0.5 if match_rms_adamw else max(1, rows / columns) ** 0.5
    return p * (1 - lr * weight_decay) - lr * scale * x


NUMPY = {
    "LAMB": (lamb, TWO, adamlike),
    "Lion": (lion, TWO, lambda: {"lr": power(-4, -2), "beta1": between(0, 0.99), "beta2": between(0.8, 0.999),
                                 "weight_decay": sometimes(power(-3, -1)), "maximize": coin()}),
    "Muon": (muon, MATRICES, lambda: {
        "lr": power(-3, -1), "momentum": between(0, 0.99), "weight_decay": sometimes(power(-3, -1)), "nesterov": coin(),
        "ns_steps": int(rng.integers(0, 7)), "eps": power(-8, -6), "match_rms_adamw": coin()}),
}


def follow(parameters, step):
    """step(t, gradients) gives the parameters after step t."""
    sums = []
    for t in range(1, STEPS + 1):
        parameters = step(t, gradients(parameters, t))
        if t in CHECKED:
            sums.append(checksum(parameters))
    return {"checksums": sums, "end": [float(x) for p in parameters for x in p.reshape(-1)]}


def run_pytorch(cls, shapes, options, group, shift=0.0):
    tensors = [torch.tensor(p, requires_grad=True) for p in starts(shapes, shift)]
    optimizer = cls([{"params": tensors[:1]}, {"params": tensors[1:], **in_pytorch(cls, group)}], **in_pytorch(cls, options))

    def step(t, now):
        for tensor, gradient in zip(tensors, now):
            tensor.grad = torch.tensor(gradient)
        optimizer.step()
        return [tensor.detach().numpy().copy() for tensor in tensors]

    return follow([tensor.detach().numpy() for tensor in tensors], step)


def run_numpy(update, shapes, options, group, shift=0.0):
    parameters, states = starts(shapes, shift), [{} for _ in shapes]

    def step(t, now):
        for k, gradient in enumerate(now):
            parameters[k] = update(parameters[k], gradient, states[k], t, **(options if k == 0 else options | group))
        return [p.copy() for p in parameters]

    return follow(parameters, step)


def trajectories():
    runs = []
    for table, run in ((PYTORCH, run_pytorch), (NUMPY, run_numpy)):
        for name, (what, shapes, draw) in table.items():
            while sum(one["optimizer"] == name for one in runs) < SETTINGS:
                options, group, k = draw(), {}, len(runs)
                if k % 2:  # the second group has some options of its own
                    other = draw()
                    other.pop("initial_accumulator_value", None)  # PyTorch has one for all groups
                    group = other if k % 4 == 3 else {key: other[key] for key in ("lr", "weight_decay") if key in other}
                result, shaken = run(what, shapes, options, group), run(what, shapes, options, group, shift=1e-13)
                # Step sizes that are too large make rounding errors grow: not such settings.
                if np.abs(np.subtract(result["end"], shaken["end"])).max() < 1e-11:
                    runs.append({"optimizer": name, "shapes": shapes, "options": options, "group": group, **result})
    return runs


EPOCHS = sorted({0, 1, 2, 3, 5, 8, 13, 29, 30, 31, 99, 100, 101, 250, 499, 500, 501, 700, 999, 1000})
LRS = torch.optim.lr_scheduler


def metric(epoch):
    return math.exp(-epoch / 150) + 0.02 * math.sin(epoch)


def schedules():
    global rng
    rng = np.random.default_rng(1)  # whatever trajectories() drew

    def steps():
        return int(rng.integers(20, 1200))

    draws = {
        "StepLR": (LRS.StepLR, lambda: {"step_size": int(rng.integers(1, 300)), "gamma": between(0.5, 1)}),
        "MultiStepLR": (LRS.MultiStepLR, lambda: {"milestones": [int(x) for x in rng.integers(1, 1000, 5)],
                                                  "gamma": between(0.3, 1)}),
        "ExponentialLR": (LRS.ExponentialLR, lambda: {"gamma": between(0.98, 1)}),
        "LinearLR": (LRS.LinearLR, lambda: {"start_factor": between(0.1, 1), "end_factor": between(0.1, 1),
                                            "total_iters": steps()}),
        "PolynomialLR": (LRS.PolynomialLR, lambda: {"total_iters": 1000 + steps(), "power": between(0.5, 3)}),
        "CosineAnnealingLR": (LRS.CosineAnnealingLR, lambda: {"t_max": 1000 + steps(), "eta_min": sometimes(between(0, 0.01))}),
        "CosineAnnealingWarmRestarts": (LRS.CosineAnnealingWarmRestarts, lambda: {
            "t_0": int(rng.integers(5, 200)), "t_mult": int(rng.integers(1, 4)), "eta_min": sometimes(between(0, 0.01))}),
        "OneCycleLR": (LRS.OneCycleLR, lambda: {
            "max_lr": between(0.1, 1), "total_steps": 1001 + steps(), "pct_start": between(0.1, 0.45),
            "anneal_strategy": "cos" if coin() else "linear", "cycle_momentum": coin(), "base_momentum": between(0.7, 0.85),
            "max_momentum": between(0.86, 0.99), "div_factor": between(2, 50), "final_div_factor": between(2, 1e4),
            "three_phase": coin()}),
        "CyclicLR": (LRS.CyclicLR, lambda: {
            "base_lr": between(0.001, 0.1), "max_lr": between(0.2, 1), "step_size_up": int(rng.integers(5, 300)),
            "step_size_down": int(rng.integers(5, 300)), "mode": ["triangular", "triangular2", "exp_range"][rng.integers(3)],
            "gamma": between(0.99, 1), "cycle_momentum": coin(), "base_momentum": between(0.7, 0.85),
            "max_momentum": between(0.86, 0.99)}),
        "ReduceLROnPlateau": (LRS.ReduceLROnPlateau, lambda: {
            "mode": "min" if coin() else "max", "factor": between(0.3, 0.9), "patience": int(rng.integers(0, 30)),
            "threshold": power(-5, -1), "threshold_mode": "rel" if coin() else "abs", "cooldown": int(rng.integers(0, 20)),
            "min_lr": sometimes(power(-5, -3)), "eps": power(-9, -4)}),
    }
    renamed = {"t_max": "T_max", "t_0": "T_0", "t_mult": "T_mult"}
    runs = []
    for name, (cls, draw) in draws.items():
        for k in range(SETTINGS):
            options = draw()
            adam = k % 2 == 1
            tensors = [torch.zeros(2, requires_grad=True) for _ in range(2)]
            groups = [{"params": tensors[:1]}, {"params": tensors[1:], "lr": 0.05}]
            optimizer = torch.optim.Adam(groups, lr=0.2) if adam else torch.optim.SGD(groups, lr=0.2, momentum=0.9)
            schedule = cls(optimizer, **{renamed.get(key, key): value for key, value in options.items()})
            rates = []
            for epoch in range(EPOCHS[-1] + 1):
                if epoch in EPOCHS:
                    first, second = optimizer.param_groups
                    rates.append([first["lr"], second["lr"], first["betas"][0] if adam else first["momentum"]])
                optimizer.step()
                schedule.step(metric(epoch)) if name == "ReduceLROnPlateau" else schedule.step()
            runs.append({"schedule": name, "adam": adam, "options": options, "rates": rates})
    return runs


with open(sys.argv[1], "w") as file:
    json.dump({"checked": CHECKED, "trajectories": trajectories(), "epochs": EPOCHS, "schedules": schedules()}, file)
    file.write("\n")
