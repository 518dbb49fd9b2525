"""Holds Auto against the samplers of Optuna on the functions of functions.cpp.

    python3 -m venv venv && venv/bin/pip install optuna==5.0.0 scipy torch cmaes
    venv/bin/python compare_samplers.py run build/benchmarks/tune/benchmark_samplers results.jsonl --sampler auto --seeds 40
    venv/bin/python compare_samplers.py run build/benchmarks/tune/benchmark_samplers results.jsonl --sampler optuna:gp --seeds 8 --trials 100
    venv/bin/python compare_samplers.py table results.jsonl

`run` adds a line to the file for each function, sampler and seed that it has not yet, and may be stopped and begun again.
--sampler is one of ours (auto, gp, tpe, cmaes, nsgaii, random) or of Optuna's with their default options (optuna:random,
optuna:tpe, optuna:multivariate, optuna:gp, optuna:cmaes, optuna:nsgaii). `table` compares by the Mann-Whitney U test,
two-sided.
"""

import argparse
import json
import os
import subprocess
import time

TRIALS = (25, 50, 100, 200)


def optuna_sampler(name, seed):
    from optuna import samplers

    return {
        "random": lambda: samplers.RandomSampler(seed=seed),
        "tpe": lambda: samplers.TPESampler(seed=seed),
        "multivariate": lambda: samplers.TPESampler(seed=seed, multivariate=True),
        "gp": lambda: samplers.GPSampler(seed=seed),
        "cmaes": lambda: samplers.CmaEsSampler(seed=seed),
        "nsgaii": lambda: samplers.NSGAIISampler(seed=seed),
    }[name]()


def run_optuna(program, function, objectives, name, seed, trials):
    """Optuna chooses the parameters of a search that our program runs."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna_sampler(name, seed), directions=["minimize"] * objectives)
    process = subprocess.Popen(
        [program, function, "pipe", str(seed), str(trials)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    trial = None
    for line in process.stdout:
        what, _, rest = line.strip().partition(" ")
        if what == "begin":
            trial = study.ask()
        elif what == "tell":
            study.tell(trial, [float(value) for value in rest.split()])
        elif what == "found":
            return [float(value) for value in rest.split()]
        else:
            distribution = optuna.distributions.json_to_distribution(rest)
            value = distribution.to_internal_repr(trial._suggest(what, distribution))
            process.stdin.write(f"{value!r}\n")
    raise RuntimeError(f"{function} ended early")


def run_ours(program, function, name, seed, trials):
    output = subprocess.run([program, function, name, str(seed), str(trials)], check=True, capture_output=True, text=True).stdout
    return [float(value) for value in output.split()[1:]]


def read(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def run(options):
    listed = subprocess.run([options.program, "list"], check=True, capture_output=True, text=True).stdout
    functions = {name: int(objectives) for name, objectives in (line.split() for line in listed.splitlines())}
    done = {(r["function"], r["sampler"], r["seed"], r["trials"]) for r in read(options.results)}
    for seed in range(options.seeds):
        for function, objectives in functions.items():
            if options.functions and function not in options.functions:
                continue
            if (function, options.sampler, seed, options.trials) in done:
                continue
            if objectives > 1 and options.sampler in ("optuna:cmaes", "cmaes"):
                continue
            began = time.process_time() + sum(os.times()[2:4])
            if options.sampler.startswith("optuna:"):
                found = run_optuna(options.program, function, objectives, options.sampler[7:], seed, options.trials)
            else:
                found = run_ours(options.program, function, options.sampler, seed, options.trials)
            seconds = time.process_time() + sum(os.times()[2:4]) - began
            with open(options.results, "a") as file:
                line = {"function": function, "sampler": options.sampler, "seed": seed, "trials": options.trials}
                file.write(json.dumps({**line, "found": found, "seconds": round(seconds, 3)}) + "\n")


def figures(results, function, sampler, trials):
    i = TRIALS.index(trials)
    return [r["found"][i] for r in results if r["function"] == function and r["sampler"] == sampler and len(r["found"]) > i]


def table(options):
    import numpy as np
    from scipy.stats import mannwhitneyu

    results = read(options.results)
    names = list(dict.fromkeys(r["sampler"] for r in results))
    ours = options.ours
    others = [name for name in names if name.startswith("optuna:")]
    print(f"| function | trials | {ours} | " + " | ".join(name.removeprefix("optuna:") for name in others) + " | against the best | p | |")
    print("|" + "---|" * (len(others) + 6))
    counts = {"worse": 0, "better": 0, "": 0}
    for function in dict.fromkeys(r["function"] for r in results):
        for trials in TRIALS:
            mine = figures(results, function, ours, trials)
            theirs = {name: figures(results, function, name, trials) for name in others}
            known = {name: values for name, values in theirs.items() if len(values) >= 4}
            if len(mine) < 4 or not known:
                continue
            # Where several medians are the same the one with more seeds says more.
            best = min(known, key=lambda name: (np.median(known[name]), -len(known[name])))
            p = mannwhitneyu(mine, known[best]).pvalue
            verdict = "" if p >= 0.01 else "better" if np.median(mine) < np.median(known[best]) else "worse"
            counts[verdict] += 1
            cell = lambda values: f"{abs(np.median(values)):.3g}" if len(values) >= 4 else ""
            print(
                f"| {function} | {trials} | {cell(mine)} | "
                + " | ".join(cell(theirs[name]) for name in others)
                + f" | {best.removeprefix('optuna:')} | {p:.2g} | {verdict} |"
            )
    print(f"\n{sum(counts.values())} rows: better {counts['better']}, worse {counts['worse']}, neither {counts['']}")
    for name in [ours, *others]:
        mine = [r for r in results if r["sampler"] == name]
        print(f"{name}: {len({r['seed'] for r in mine})} seeds, {1e3 * np.mean([r['seconds'] / r['trials'] for r in mine]):.3g} ms a trial")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run")
    command.set_defaults(call=run)
    command.add_argument("program")
    command.add_argument("results")
    command.add_argument("--sampler", default="auto")
    command.add_argument("--seeds", type=int, default=40)
    command.add_argument("--trials", type=int, default=200)
    command.add_argument("--functions", nargs="*")
    command = commands.add_parser("table")
    command.set_defaults(call=table)
    command.add_argument("results")
    command.add_argument("--ours", default="auto")
    options = parser.parse_args()
    options.call(options)
