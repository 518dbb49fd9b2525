"""What the contestants written in Python share: see worker.hpp, which says the same in C++."""
import resource
import sys
import time

import numpy

LEARNING_RATE = 1e-6
INPUTS, UPSTREAM = 1, 3  # streams of numbers


def numbers(shape, stream, scale=1.0, offset=0.0):
    """In [-1, 1) * scale + offset, the same in every contestant."""
    h = numpy.arange(numpy.prod(shape), dtype=numpy.uint32) * numpy.uint32(2654435761)
    h += numpy.uint32(stream * 2246822519 % 2**32)
    h = (h ^ (h >> numpy.uint32(15))) * numpy.uint32(739982445)
    h = (h ^ (h >> numpy.uint32(12))) * numpy.uint32(695872825)
    h ^= h >> numpy.uint32(15)
    values = (h >> numpy.uint32(8)).astype(numpy.float32) * numpy.float32(2.0**-23) - numpy.float32(1)
    return (values * numpy.float32(scale) + numpy.float32(offset)).reshape(shape)


def labels(n, classes):
    return ((numbers((n,), 2) + numpy.float32(1)) / 2 * numpy.float32(classes)).astype(numpy.int64)


def parameter(index, name, shape):
    """Initial values of parameter `index` of a model."""
    if len(shape) >= 2:
        return numbers(shape, 100 + index, 1 / numpy.sqrt(numpy.prod(shape[1:])))
    return numbers(shape, 100 + index, 0.125, float(name.endswith("weight")))


class Workload:
    """step() does one step; results() gives the loss and a list of gradients as arrays."""

    def __init__(self, step, results):
        self.step, self.results = step, results


def difference(file, loss, gradients):
    ours = numpy.fromfile(file, numpy.float32)
    theirs = numpy.concatenate([numpy.asarray(gradient, numpy.float32).ravel() for gradient in gradients])
    if len(ours) != len(theirs) + 1:
        return f"error: {len(ours)} numbers against {len(theirs) + 1}"
    a, b = ours[1:].astype(numpy.float64), theirs.astype(numpy.float64)
    loss_error = 0 if ours[0] == loss else abs(ours[0] - loss) / abs(loss)
    return f"{loss_error:g} {numpy.linalg.norm(a - b) / numpy.linalg.norm(b):g}"


def serve(make):
    """Serves the commands that worker.hpp lists; make(name) gives a Workload, or None."""
    workload = None
    for line in sys.stdin:
        command, argument = (line.split() + [""])[:2]
        answer = "ok"
        try:
            if command == "load":
                workload = None
                workload = make(argument)
                if workload is None:
                    answer = "unknown"
            elif command == "compare":
                workload.step()
                answer = difference(argument, *workload.results())
            elif command == "run":
                steps, step = int(argument), workload.step
                step()
                faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
                start = time.perf_counter_ns()
                for _ in range(steps):
                    step()
                nanoseconds = time.perf_counter_ns() - start
                faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
                answer = f"{nanoseconds / steps} {faults / steps}"
            else:
                answer = f"error: no such command: {line.strip()}"
        except Exception as error:
            answer = f"error: {type(error).__name__}: {' '.join(str(error).split())}"
        print(answer, flush=True)
