"""Ends a search by Ctrl-C and by kill -9, in turn and at random moments, and starts it again until it comes to its end; then checks its trials.

    python3 interrupt.py PROGRAM DATABASE SHORTEST LONGEST [WHOLE]

PROGRAM is run as `PROGRAM sqlite:DATABASE`, for SHORTEST to LONGEST seconds a time. No trial may be lost, doubled or left running, its reports have no
gaps, and what was complete stays as it is. WHOLE is the database of an uninterrupted run, with one worker, that gave the same trials bit for bit.
"""

import collections
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys

TABLES = {
    "state": "SELECT number, t.state, l.state FROM trials t JOIN xgrad_leases l USING (trial_id)",
    "parameters": "SELECT number, param_name, param_value, distribution_json FROM trials JOIN trial_params USING (trial_id)",
    "reports": "SELECT number, step, intermediate_value FROM trials JOIN trial_intermediate_values USING (trial_id)",
    "values": "SELECT number, objective, value FROM trials JOIN trial_values USING (trial_id)",
    "checkpoint": "SELECT number, step, data FROM trials JOIN xgrad_checkpoints USING (trial_id)",
}


def trials(database):
    """Of each trial, its rows in each table."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'trials'").fetchall():
            return []
        rows = {name: connection.execute(query + " ORDER BY 1, 2").fetchall() for name, query in TABLES.items()}
    found = [dict.fromkeys(TABLES, ()) for _ in rows["state"]]
    assert [row[0] for row in rows["state"]] == list(range(len(found))), "a trial is lost or doubled"
    for name, of_trials in rows.items():
        for number, *row in of_trials:
            found[number][name] += (tuple(row),)
    return found


def main(program, database, shortest, longest, whole=None):
    ended, before = collections.Counter(), []
    while True:
        process = subprocess.Popen([program, "sqlite:" + database], stdout=subprocess.DEVNULL)
        try:
            process.wait(random.uniform(float(shortest), float(longest)))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL if ended.total() % 2 else signal.SIGINT)
            process.wait()
        now = trials(database) if os.path.exists(database) else []
        for number, trial in enumerate(before):
            assert now[number]["parameters"][: len(trial["parameters"])] == trial["parameters"], number
            assert trial["state"] != (("COMPLETE", "complete"),) or now[number] == trial, number
        before = now
        if process.returncode == 0:
            break
        assert -process.returncode in (signal.SIGINT, signal.SIGKILL), process.returncode
        ended[signal.Signals(-process.returncode).name] += 1
    for number, trial in enumerate(now):
        assert trial["state"][0][1] != "running", number
        assert [step for step, _ in trial["reports"]] == list(range(1, len(trial["reports"]) + 1)), number
    states = collections.Counter((trial["state"][0][1], len(trial["reports"])) for trial in now)
    print(f"ended {dict(ended)}; {len(now)} trials:", ", ".join(f"{n} {s} after {k}" for (s, k), n in sorted(states.items())))
    if whole:
        assert now == trials(whole), "not the trials of the uninterrupted run"
        print("the same trials as uninterrupted")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell has programs in the background ignore it
    main(*sys.argv[1:])
