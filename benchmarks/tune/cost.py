"""What a trial costs (five parameters, and telling the value; in memory): xgrad and Optuna by turns, in one run.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0
    venv/bin/python cost.py build/release/benchmarks/tune/benchmark_cost
"""

import statistics
import subprocess
import sys
import time

import optuna


def optuna_cost(sampler, sizes):
    """Microseconds of a trial at each number of trials: the median of the last hundred."""
    study = optuna.create_study(sampler=sampler)
    result = {}
    for size in sizes:
        times = []
        while len(times) < 100 or len(study.get_trials(deepcopy=False)) < size:
            begin = time.perf_counter()
            t = study.ask()
            lr, momentum = t.suggest_float("lr", 1e-5, 1, log=True), t.suggest_float("momentum", 0, 1)
            layers, units = t.suggest_int("layers", 1, 4), t.suggest_int("units", 32, 512, log=True)
            kind = ["relu", "tanh", "gelu"].index(t.suggest_categorical("activation", ["relu", "tanh", "gelu"]))
            study.tell(t, abs(lr - 0.01) + abs(momentum - 0.9) + abs(layers - 2) + units / 512 + kind)
            times.append((time.perf_counter() - begin) * 1e6)
        result[size] = statistics.median(times[-100:])
    return result


def our_cost(program, sampler, sizes):
    output = subprocess.run([program, sampler, *map(str, sizes)], check=True, capture_output=True, text=True).stdout
    return {int(size): float(cost) for size, cost in (line.split() for line in output.splitlines())}


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| sampler | trials | xgrad, us | Optuna, us | ratio |\n|---|---|---|---|---|")
    for name, sampler, shared, ours_only in (
        ("random", optuna.samplers.RandomSampler(1), [1000, 2000], [10000, 100000]),
        ("tpe", optuna.samplers.TPESampler(seed=1), [1000, 2000], [10000]),
    ):
        ours, theirs = our_cost(sys.argv[1], name, shared + ours_only), optuna_cost(sampler, shared)
        for size in shared:
            print(f"| {name} | {size} | {ours[size]:.1f} | {theirs[size]:.0f} | {theirs[size] / ours[size]:.0f} |")
        for size in ours_only:
            print(f"| {name} | {size} | {ours[size]:.1f} | | |")
