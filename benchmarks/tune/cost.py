"""What a trial costs: to ask for it, to choose its five parameters and to tell its value. xgrad and Optuna by turns, in one run.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0
    venv/bin/python cost.py build/release/benchmarks/tune/benchmark_cost
"""

import statistics
import subprocess
import sys
import tempfile
import time

import optuna


def optuna_cost(sampler, storage, sizes):
    """Microseconds of a trial at each number of trials: the median of the last thousand."""
    study = optuna.create_study(sampler=sampler, storage=storage)
    times, result = [], {}
    for size in sizes:
        while len(times) < size:
            begin = time.perf_counter()
            t = study.ask()
            lr, momentum = t.suggest_float("lr", 1e-5, 1, log=True), t.suggest_float("momentum", 0, 1)
            layers, units = t.suggest_int("layers", 1, 4), t.suggest_int("units", 32, 512, log=True)
            kind = ["relu", "tanh", "gelu"].index(t.suggest_categorical("activation", ["relu", "tanh", "gelu"]))
            study.tell(t, abs(lr - 0.01) + abs(momentum - 0.9) + abs(layers - 2) + units / 512 + kind)
            times.append((time.perf_counter() - begin) * 1e6)
        result[size] = statistics.median(times[-1000:])
    return result


def our_cost(program, sampler, storage, sizes):
    output = subprocess.run([program, sampler, storage, *map(str, sizes)], check=True, capture_output=True, text=True)
    return {int(size): float(cost) for size, cost in (line.split() for line in output.stdout.splitlines())}


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| sampler | storage | trials | xgrad, us | Optuna, us | ratio |\n|---|---|---|---|---|---|")
    for name, sampler, kept, shared, ours_only in (
        ("random", optuna.samplers.RandomSampler(1), "memory", [1000, 2000], [10000, 100000]),
        ("random", optuna.samplers.RandomSampler(1), "SQLite", [1000, 2000], [10000, 100000]),
        ("tpe", optuna.samplers.TPESampler(seed=1), "memory", [1000, 2000], [5000]),
    ):
        with tempfile.TemporaryDirectory() as directory:
            urls = ("memory:", None) if kept == "memory" else (f"sqlite:{directory}/a.db", f"sqlite:///{directory}/b.db")
            ours = our_cost(sys.argv[1], name, urls[0], shared + ours_only)
            theirs = optuna_cost(sampler, urls[1], shared)
        for size in shared:
            ratio = theirs[size] / ours[size]
            print(f"| {name} | {kept} | {size} | {ours[size]:.1f} | {theirs[size]:.0f} | {ratio:.0f} |", flush=True)
        for size in ours_only:
            print(f"| {name} | {kept} | {size} | {ours[size]:.1f} | | |", flush=True)
