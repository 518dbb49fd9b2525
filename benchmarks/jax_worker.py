"""JAX's side of benchmarks/compare: jax_worker.py THREADS. Everything a workload does in a step is one function under jit.

XLA has no setting for its threads; it takes as many as there are cores this process may run on when it starts.
"""
import os
import sys

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy

import worker


def linear(x, weight, bias):
    return x @ weight.T + bias


def batch_norm(x, weight, bias, running):
    mean, variance = x.mean(0), x.var(0)
    n = x.shape[0]
    running = (0.9 * running[0] + 0.1 * mean, 0.9 * running[1] + 0.1 * variance * n / (n - 1))
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight + bias, running


def layer_norm(x, weight, bias):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * weight + bias


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def adam(parameters, gradients, state, lr):
    step, m, v = state
    step = step + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradients)
    c1, c2 = 1 - 0.9**step, 1 - 0.999**step
    parameters = jax.tree.map(lambda p, m, v: p - lr * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), parameters, m, v)
    return parameters, (step, m, v)


def adam_state(parameters):
    return jnp.float32(0), [jnp.zeros_like(p) for p in parameters], [jnp.zeros_like(p) for p in parameters]


def parameters_of(*names_and_shapes):
    return [jnp.asarray(worker.parameter(i, name, shape)) for i, (name, shape) in enumerate(names_and_shapes)]


def linear_shapes(inputs, outputs):
    return ("weight", (outputs, inputs)), ("bias", (outputs,))


def norm_shapes(size):
    return ("weight", (size,)), ("bias", (size,))


def batch_norm_training(batch):
    parameters = parameters_of(*linear_shapes(784, 256), *norm_shapes(256), *linear_shapes(256, 128), *norm_shapes(128), *linear_shapes(128, 10))
    running = [(jnp.zeros(size), jnp.ones(size)) for size in (256, 128)]
    x, y = jnp.asarray(worker.numbers((batch, 784), worker.INPUTS)), jnp.asarray(worker.labels(batch, 10))

    def loss_of(p, running, x, y):
        h, first = batch_norm(linear(x, p[0], p[1]), p[2], p[3], running[0])
        h, second = batch_norm(linear(jax.nn.relu(h), p[4], p[5]), p[6], p[7], running[1])
        return cross_entropy(linear(jax.nn.relu(h), p[8], p[9]), y), [first, second]

    def step(parameters, running, state, x, y):
        (loss, running), gradients = jax.value_and_grad(loss_of, has_aux=True)(parameters, running, x, y)
        parameters, state = adam(parameters, gradients, state, worker.LEARNING_RATE)
        return (parameters, running, state), (loss, gradients)

    return repeated(jax.jit(step, donate_argnums=(0, 1, 2)), (parameters, running, adam_state(parameters)), (x, y))


def tiny_training(with_adam):
    parameters = parameters_of(*linear_shapes(4, 16), *linear_shapes(16, 16), *linear_shapes(16, 2))
    x, y = jnp.asarray(worker.numbers((8, 4), worker.INPUTS)), jnp.asarray(worker.labels(8, 2))

    def loss_of(p, x, y):
        h = jax.nn.relu(linear(jax.nn.relu(linear(x, p[0], p[1])), p[2], p[3]))
        return cross_entropy(linear(h, p[4], p[5]), y)

    if not with_adam:
        return repeated(jax.jit(lambda p, x, y: ((), jax.value_and_grad(loss_of)(p, x, y))), (), (parameters, x, y))

    def step(parameters, state, x, y):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
        return adam(parameters, gradients, state, worker.LEARNING_RATE), (loss, gradients)

    return repeated(jax.jit(step, donate_argnums=(0, 1)), (parameters, adam_state(parameters)), (x, y))


def repeated(function, state, arguments):
    """function(*state, *arguments) gives the next state, and (loss, gradients)."""
    last = {"state": state}

    def step():
        last["state"], last["results"] = function(*last["state"], *arguments)
        jax.block_until_ready(last["results"])

    return worker.Workload(step, lambda: (float(last["results"][0].ravel()[0]), [numpy.asarray(g) for g in jax.tree.leaves(last["results"][1])]))


def formula():
    x, upstream = jnp.asarray(worker.numbers((4 << 20,), worker.INPUTS, 4)), jnp.asarray(worker.numbers((4 << 20,), worker.UPSTREAM))

    def step(x, upstream):
        y, pull = jax.vjp(lambda x: x * jax.nn.sigmoid(x) + 0.5 * jnp.tanh(x), x)
        return (), (y, pull(upstream))

    return repeated(jax.jit(step), (), (x, upstream))


def adam_alone():
    start = [worker.numbers((1_000_000,), 100 + i, 2.0**-10) for i in range(10)]
    parameters = [jnp.asarray(p) for p in start]
    gradients = [jnp.asarray(worker.numbers((1_000_000,), 200 + i)) for i in range(10)]
    function = jax.jit(lambda p, state, g: adam(p, g, state, 1e-3), donate_argnums=(0, 1))
    last = {"state": (parameters, adam_state(parameters))}

    def step():
        last["state"] = jax.block_until_ready(function(*last["state"], gradients))

    return worker.Workload(step, lambda: (float(last["state"][0][0][0]), [numpy.asarray(p) - q for p, q in zip(last["state"][0], start)]))


def softmax_cross_entropy():
    logits, y = jnp.asarray(worker.numbers((256, 32000), worker.INPUTS, 4)), jnp.asarray(worker.labels(256, 32000))
    return repeated(jax.jit(lambda logits, y: ((), jax.value_and_grad(cross_entropy)(logits, y))), (), (logits, y))


def transformer_block():
    parameters = parameters_of(*norm_shapes(128), *linear_shapes(128, 384), *linear_shapes(128, 128), *norm_shapes(128),
                               *linear_shapes(128, 512), *linear_shapes(512, 128))
    x, upstream = jnp.asarray(worker.numbers((8, 128, 128), worker.INPUTS)), jnp.asarray(worker.numbers((8, 128, 128), worker.UPSTREAM))
    mask = jnp.tril(jnp.ones((128, 128), bool))

    def block(p, x):
        q, k, v = linear(layer_norm(x, p[0], p[1]), p[2], p[3]).reshape(8, 128, 3, 4, 32).transpose(2, 0, 3, 1, 4)
        scores = jnp.where(mask, q @ k.swapaxes(-2, -1) / numpy.sqrt(32).astype(numpy.float32), -jnp.inf)
        mixed = (jax.nn.softmax(scores) @ v).swapaxes(1, 2).reshape(8, 128, 128)
        x = x + linear(mixed, p[4], p[5])
        return x + linear(jax.nn.gelu(linear(layer_norm(x, p[6], p[7]), p[8], p[9]), approximate=False), p[10], p[11])

    def step(p, x, upstream):
        y, pull = jax.vjp(block, p, x)
        return (), (y, pull(upstream))

    return repeated(jax.jit(step), (), (parameters, x, upstream))


def make(name):
    if name in ("W1-64", "W1-512"):
        return batch_norm_training(int(name[3:]))
    if name in ("W3", "W3-adam"):
        return tiny_training(name == "W3-adam")
    makers = {"W4": formula, "W4-lambda": formula, "W5": adam_alone, "W6": softmax_cross_entropy, "W7": transformer_block}
    return makers[name]() if name in makers else None


worker.serve(make)
