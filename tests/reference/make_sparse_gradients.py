"""Trajectories of PyTorch's optimizers with sparse gradients, which tests/optim/test_sparse_gradients.cpp must follow.

    python3 tests/reference/make_sparse_gradients.py tests/reference/sparse_gradients.json

A table (7, 3), at first cos(1.3 i), is used twice in step t: rows (3 t^2 + k (k + t)) mod 7 for k = 0 ... 4, weighted by
sin(0.5 t + k + 2 j), and rows (t + 2 k) mod 7 for k = 0 ... 2, whose squares are halved. The gradient is clipped to max_norm.
"""
import json
import sys

import torch

torch.set_default_dtype(torch.float64)
ROWS, COLUMNS, STEPS, CHECKED = 7, 3, 20, (1, 2, 5, 20)

SETTINGS = [
    ("SGD", {"lr": 0.1}, None), ("SGD", {"lr": 0.03, "maximize": True}, 0.5),
    ("Adagrad", {"lr": 0.1}, None), ("Adagrad", {"lr": 0.05, "lr_decay": 0.1, "eps": 1e-3}, 1.0),
    ("Adagrad", {"lr": 0.2, "initial_accumulator_value": 0.3, "maximize": True}, None),
    ("SparseAdam", {"lr": 0.01}, None), ("SparseAdam", {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-2}, 2.0),
    ("SparseAdam", {"lr": 0.02, "betas": (0.0, 0.99), "maximize": True}, None),
]


def run(name, options, max_norm):
    table = torch.cos(1.3 * torch.arange(ROWS * COLUMNS)).reshape(ROWS, COLUMNS).requires_grad_()
    optimizer = getattr(torch.optim, name)([table], **options)
    found = {}
    for t in range(1, STEPS + 1):
        k, j = torch.arange(5)[:, None], torch.arange(COLUMNS)
        first = torch.nn.functional.embedding((3 * t * t + k[:, 0] * (k[:, 0] + t)) % ROWS, table, sparse=True)
        second = torch.nn.functional.embedding((t + 2 * torch.arange(3)) % ROWS, table, sparse=True)
        optimizer.zero_grad()
        ((first * torch.sin(0.5 * t + k + 2 * j)).sum() + (second**2).sum() / 2).backward()
        table.grad = table.grad.coalesce()
        if max_norm is not None:
            norm = table.grad.values().norm()
            if norm + 1e-6 > max_norm:
                table.grad *= max_norm / (norm + 1e-6)
        optimizer.step()
        if t in CHECKED:
            found[str(t)] = table.detach().flatten().tolist()
    options = {key: value for key, value in options.items() if key != "betas"} | (
        dict(zip(("beta1", "beta2"), options["betas"])) if "betas" in options else {})
    return {"optimizer": name, "options": options, "max_norm": max_norm, "table": found}


with open(sys.argv[1], "w") as file:
    json.dump({"torch": torch.__version__, "runs": [run(*setting) for setting in SETTINGS]}, file, indent=1)
    file.write("\n")
