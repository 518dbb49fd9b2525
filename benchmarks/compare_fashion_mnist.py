#!/usr/bin/env python3
"""Times the whole Fashion-MNIST run, process start to exit, against the same recipe in PyTorch.

    python3 benchmarks/compare_fashion_mnist.py [--program build/release/tests/contract/fashion_mnist]
        [--python /usr/bin/python3] [--threads 2] [--runs 3] [--epochs 10]

The two run in turn. PyTorch runs as installed, and with the settings that are fair to it: OpenBLAS with OpenMP where it is
installed (libopenblas0-openmp), and an allocator that does not give memory back after each step. Printed are medians of the wall
time, the ratios of the medians, and the last test accuracies.
"""
import argparse
import glob
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--program", default=os.path.join(here, "../build/release/examples/fashion_mnist"))
parser.add_argument("--python", default="/usr/bin/python3")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--epochs", type=int, default=10)
args = parser.parse_args()

fair = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=17179869184"}
openmp = glob.glob("/usr/lib/*/openblas-openmp/libblas.so.3")
if openmp:
    fair["LD_LIBRARY_PATH"] = os.path.dirname(openmp[0])
recipe = ["--threads", str(args.threads), "--epochs", str(args.epochs)]
torch = [args.python, os.path.join(here, "fashion_mnist_torch.py"), *recipe]
candidates = {
    "xgrad": ([os.path.abspath(args.program), *recipe], {}),
    "torch, as installed": (torch, {}),
    "torch, fair settings": (torch, fair),
}
seconds = {name: [] for name in candidates}
accuracies = {name: [] for name in candidates}
with tempfile.TemporaryDirectory() as directory:
    for run in range(args.runs):
        for name, (command, settings) in candidates.items():
            start = time.monotonic()
            result = subprocess.run([*command, "--seed", str(run)], cwd=directory, env={**os.environ, **settings},
                                    capture_output=True, text=True)
            seconds[name].append(time.monotonic() - start)
            if result.returncode != 0:
                sys.exit(f"{name}: {' '.join(command)}: exit code {result.returncode}\n{result.stderr}")
            accuracies[name].append(re.findall(r"test accuracy\D*([0-9.]+)", result.stdout)[-1])
ours = statistics.median(seconds["xgrad"])
print(f"{args.threads} threads, {args.epochs} epochs, medians of {args.runs} interleaved runs (seeds 0 to {args.runs - 1})")
for name in candidates:
    median = statistics.median(seconds[name])
    print(f"{name:22} {median:7.2f} s ({min(seconds[name]):.2f} to {max(seconds[name]):.2f})   xgrad / this: {ours / median:.2f}"
          f"   test accuracy {' '.join(accuracies[name])}")
