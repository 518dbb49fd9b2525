"""Reads a study that xgrad wrote, and goes on with it; called by test_optuna.cpp with the path of the database."""
import math
import sys
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
url = "sqlite:///" + sys.argv[1]
constrained = sys.argv[2] == "continue"
warnings.simplefilter("ignore")


def objective(trial):
    x = trial.suggest_float("x", 1e-4, 1, log=True)
    y = trial.suggest_float("y", 0, 1, step=0.25)
    b = trial.suggest_float("b", 0.9, 0.999)
    i = trial.suggest_int("i", 1, 9, step=2)
    c = trial.suggest_categorical("c", [32, 64])
    k = trial.suggest_categorical("k", ["a", "b"])
    if constrained:
        trial.suggest_categorical("t", [(1, 2), (3, 4)])
        trial.set_constraint("size", x - 2)
    trial.report(x, 1)
    return x + y + b + i + c + (k == "a")


if sys.argv[2] == "continue":
    study = optuna.load_study(study_name="ours", storage=url, sampler=optuna.samplers.RandomSampler(1))  # TPE cannot draw tuples
    trials = study.trials
    states = [t.state.name for t in trials]
    assert states[:5] == ["COMPLETE", "FAIL", "PRUNED", "RUNNING", "PRUNED"], states
    assert study.direction.name == "MAXIMIZE"
    first = trials[0]
    assert study.metric_names == ["score"] and study.user_attrs == {"data": [1, 2]}, (study.metric_names, study.user_attrs)
    assert first.constraints == {"size": -0.5}, first.constraints
    assert list(first.params) == ["x", "y", "b", "i", "c", "k"], first.params
    p = first.params
    assert type(p["i"]) is int and type(p["c"]) is int and p["k"] in ("a", "b"), p
    value = p["x"] + p["y"] + p["b"] + p["i"] + p["c"] + (p["k"] == "a")
    assert first.value == value, (first.value, value)
    assert first.distributions["x"] == optuna.distributions.FloatDistribution(1e-4, 1, log=True)
    assert first.distributions["y"] == optuna.distributions.FloatDistribution(0, 1, step=0.25)
    assert first.distributions["i"] == optuna.distributions.IntDistribution(1, 9, step=2)
    assert first.intermediate_values == {1: p["x"]}, first.intermediate_values
    assert first.datetime_complete >= first.datetime_start
    assert trials[1].user_attrs["error"] == "no luck"
    assert math.isnan(trials[2].intermediate_values[1])
    assert trials[2].system_attrs["xgrad:state"] == "diverged"
    assert trials[3].system_attrs["xgrad:state"] == "paused"
    asked = optuna.load_study(study_name="asked", storage=url, sampler=optuna.samplers.RandomSampler(1))
    assert [t.state.name for t in asked.trials] == ["RUNNING", "RUNNING"]
    asked.tell(0, 0.25)
    asked.ask().suggest_float("x", 0, 1)
    study.enqueue_trial({"x": 0.5, "c": 64})
    study.optimize(objective, n_trials=12)
    study.enqueue_trial({"x": 0.25, "c": 64})
    assert [t.number for t in study.trials] == list(range(len(trials) + 13))
else:
    study = optuna.create_study(study_name="theirs", storage=url, direction="minimize")
    study.optimize(objective, n_trials=12)
    print(repr(study.best_value))
