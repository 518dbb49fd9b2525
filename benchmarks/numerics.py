"""torch's side of the workloads `numerics` of benchmarks/compare: numerics.hpp says what they are."""
import re

import torch

import worker


def numbers(shape, stream):
    return torch.from_numpy(worker.numbers(shape, stream))


def definite(batch, n):
    x = numbers((batch, n, n), worker.INPUTS)
    return x @ x.mT / n + torch.eye(n)


def calls(name):
    """A function that does the call; None where there is no such."""
    batched = re.fullmatch(r"(cholesky|solve)-(\d+)x(\d+)", name)
    if batched:
        a, b = definite(int(batched[2]), int(batched[3])), numbers((int(batched[2]), int(batched[3]), 1), worker.UPSTREAM)
        return (lambda: torch.linalg.cholesky(a)) if batched[1] == "cholesky" else (lambda: torch.linalg.solve(a, b))
    if name in ("svd-256", "eigh-256"):
        x = numbers((256, 256), worker.INPUTS)
        symmetric = x + x.T
        return (lambda: torch.linalg.svd(x)[1]) if name == "svd-256" else (lambda: torch.linalg.eigh(symmetric)[0])
    if name.startswith("einsum"):
        q, k, scores = numbers((8, 6, 128, 32), worker.INPUTS), numbers((8, 6, 128, 32), worker.UPSTREAM), numbers((8, 6, 128, 128), worker.UPSTREAM)
        x, heads = numbers((8, 128, 192), worker.INPUTS), numbers((192, 6, 32), worker.UPSTREAM)
        return {"einsum-scores": lambda: torch.einsum("bhqd,bhkd->bhqk", q, k), "einsum-values": lambda: torch.einsum("bhqk,bhkd->bqhd", scores, q),
                "einsum-heads": lambda: torch.einsum("btc,chd->bhtd", x, heads)}.get(name)
    if "fft" in name:
        line, image, pixels = numbers((1 << 20,), worker.INPUTS), numbers((1000, 1000), worker.INPUTS), numbers((1000, 1000, 2), worker.INPUTS)
        pixels = torch.view_as_complex(pixels)
        return {"rfft-2^20": lambda: torch.fft.rfft(line), "rfft2-1000": lambda: torch.fft.rfft2(image), "fft2-1000": lambda: torch.fft.fft2(pixels)}.get(name)
    n = 1_000_000
    x = numbers((n,), worker.INPUTS)
    rows, at = x.view(1000, 1000), torch.from_numpy(worker.labels(n, n))
    return {"sort": lambda: torch.sort(x)[0], "topk": lambda: torch.topk(x, 100)[0], "topk-rows": lambda: torch.topk(rows, 10)[0],
            "median": lambda: torch.median(x), "cumsum": lambda: torch.cumsum(x, 0), "cumsum-rows": lambda: torch.cumsum(rows, 1),
            "gather": lambda: torch.gather(x, 0, at), "scatter-add": lambda: torch.zeros(n).scatter_add(0, at, x)}.get(name)


def make(name):
    """`name` without the prefix "num-"."""
    call, last = calls(name), {}
    if call is None:
        return None

    def step():
        with torch.no_grad():
            last["y"] = call()

    def results():
        y = last["y"]
        y = (torch.view_as_real(y) if y.is_complex() else y).flatten()
        return y[0].item(), [y.numpy()]

    return worker.Workload(step, results)
