"""Solutions by SciPy's RK45, for tests/solvers/test_odeint.cpp.

    python3 tests/reference/make_odeint.py > tests/reference/odeint.json
"""
import json

import numpy as np
from scipy.integrate import solve_ivp

PROBLEMS = {
    "decay": (lambda t, y: -0.5 * y, [2.0, -1.0, 0.5], [0.0, 1.0, 2.5, 10.0]),
    "pendulum": (lambda t, y: [y[1], -np.sin(y[0]) - 0.1 * y[1] + 0.3 * np.cos(t)], [1.0, 0.0], np.linspace(0, 20, 11).tolist()),
    "van_der_pol": (lambda t, y: [y[1], 5 * (1 - y[0] ** 2) * y[1] - y[0]], [2.0, 0.0], np.linspace(0, 15, 16).tolist()),
    "backwards": (lambda t, y: [y[1], -y[0]], [0.0, 1.0], [3.0, 2.0, 0.5, -4.0]),
}
result = []
for name, (f, y0, times) in PROBLEMS.items():
    for rtol, atol in ((1e-3, 1e-6), (1e-8, 1e-10)):
        found = solve_ivp(f, (times[0], times[-1]), y0, t_eval=times, rtol=rtol, atol=atol)
        result.append({"name": name, "y0": y0, "t": times, "rtol": rtol, "atol": atol, "evaluations": found.nfev, "y": found.y.T.tolist()})
print("[\n" + ",\n".join(json.dumps(case) for case in result) + "\n]")
