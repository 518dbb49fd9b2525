"""torch's side of benchmarks/compare, from Python: torch_worker.py eager|compile THREADS

As somebody writes it who wants it fast: scaled_dot_product_attention, and with `compile` model and loss, or the formula, under torch.compile.
Adam is the fused one in both: under torch.compile the plain one took twice its time.
"""
import sys
import time

import numpy
import torch
import torch.nn.functional as F

import worker

compiled = sys.argv[1] == "compile"
torch.set_num_threads(int(sys.argv[2]))


def maybe_compile(function):
    return torch.compile(function) if compiled else function


def tensor(array, requires_grad=False):
    return torch.from_numpy(array).requires_grad_(requires_grad)


def fill_parameters(model):
    for index, (name, parameter) in enumerate(model.named_parameters()):
        parameter.data.copy_(torch.from_numpy(worker.parameter(index, name, tuple(parameter.shape))))
    return list(model.parameters())


def loss_and_gradients(loss, leaves):
    return loss.detach().flatten()[0].item(), [leaf.grad.numpy() for leaf in leaves]


class BatchNormNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(784, 256)
        self.bn1 = torch.nn.BatchNorm1d(256)
        self.fc2 = torch.nn.Linear(256, 128)
        self.bn2 = torch.nn.BatchNorm1d(128)
        self.out = torch.nn.Linear(128, 10)

    def forward(self, x):
        return self.out(torch.relu(self.bn2(self.fc2(torch.relu(self.bn1(self.fc1(x)))))))


class ConvolutionalNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(1, 16, 3, padding=1, bias=False), torch.nn.BatchNorm2d(16)
        self.conv2, self.bn2 = torch.nn.Conv2d(16, 32, 3, padding=1, bias=False), torch.nn.BatchNorm2d(32)
        self.out = torch.nn.Linear(32 * 7 * 7, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        return self.out(F.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2).flatten(1))


class TinyNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.out = torch.nn.Linear(4, 16), torch.nn.Linear(16, 16), torch.nn.Linear(16, 2)

    def forward(self, x):
        return self.out(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.qkv, self.proj = torch.nn.LayerNorm(128), torch.nn.Linear(128, 384), torch.nn.Linear(128, 128)
        self.ln2, self.fc1, self.fc2 = torch.nn.LayerNorm(128), torch.nn.Linear(128, 512), torch.nn.Linear(512, 128)

    def forward(self, x):
        q, k, v = self.qkv(self.ln1(x)).view(8, 128, 3, 4, 32).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(mixed.transpose(1, 2).reshape(8, 128, 128))
        return x + self.fc2(F.gelu(self.fc1(self.ln2(x))))


def training(net, inputs, classes, with_adam, layout=torch.contiguous_format):
    parameters = fill_parameters(net.to(memory_format=layout))
    update = torch.optim.Adam(parameters, lr=worker.LEARNING_RATE, fused=True).step
    x, y = tensor(worker.numbers(inputs, worker.INPUTS)).contiguous(memory_format=layout), tensor(worker.labels(inputs[0], classes))
    loss_of = maybe_compile(lambda x, y: F.cross_entropy(net(x), y))
    last = {}

    def step():
        for parameter in parameters:
            parameter.grad = None
        loss = last["loss"] = loss_of(x, y)
        loss.backward()
        if with_adam:
            update()

    return worker.Workload(step, lambda: loss_and_gradients(last["loss"], parameters))


def in_better_layout(make_net, inputs, classes, with_adam):
    """The training in that of the two layouts in which its steps are faster here."""
    def make(layout):
        return training(make_net(), inputs, classes, with_adam, layout)

    def seconds(layout):
        trial, times = make(layout), []
        for _ in range(8):
            start = time.perf_counter()
            trial.step()
            times.append(time.perf_counter() - start)
        return sorted(times[3:])[2]

    return make(min((torch.contiguous_format, torch.channels_last), key=seconds))


def formula():
    x, upstream = tensor(worker.numbers((4 << 20,), worker.INPUTS, 4), True), tensor(worker.numbers((4 << 20,), worker.UPSTREAM))
    f = maybe_compile(lambda x: x * torch.sigmoid(x) + 0.5 * torch.tanh(x))
    last = {}

    def step():
        last["y"] = f(x)
        last["gradient"] = torch.autograd.grad(last["y"], x, upstream)[0]

    return worker.Workload(step, lambda: (last["y"][0].item(), [last["gradient"].numpy()]))


def adam_alone():
    parameters = [tensor(worker.numbers((1_000_000,), 100 + i, 2.0**-10), True) for i in range(10)]
    before = [parameter.detach().clone() for parameter in parameters]
    for i, parameter in enumerate(parameters):
        parameter.grad = tensor(worker.numbers((1_000_000,), 200 + i))
    update = torch.optim.Adam(parameters, lr=1e-3, fused=True).step
    return worker.Workload(update, lambda: (parameters[0][0].item(), [(p.detach() - q).numpy() for p, q in zip(parameters, before)]))


def softmax_cross_entropy():
    logits, target = tensor(worker.numbers((256, 32000), worker.INPUTS, 4), True), tensor(worker.labels(256, 32000))
    loss_of = maybe_compile(F.cross_entropy)
    last = {}

    def step():
        logits.grad = None
        last["loss"] = loss_of(logits, target)
        last["loss"].backward()

    return worker.Workload(step, lambda: loss_and_gradients(last["loss"], [logits]))


def transformer_block():
    block = Block()
    leaves = fill_parameters(block)
    x, upstream = tensor(worker.numbers((8, 128, 128), worker.INPUTS), True), tensor(worker.numbers((8, 128, 128), worker.UPSTREAM))
    leaves.append(x)
    forward = maybe_compile(block)
    last = {}

    def step():
        for leaf in leaves:
            leaf.grad = None
        last["y"] = forward(x)
        last["y"].backward(upstream)

    return worker.Workload(step, lambda: loss_and_gradients(last["y"], leaves))


def convolution(name):
    """What `convolutions` of benchmarks/compare names."""
    *sizes, what = name[4:].split("-")
    rank, batch, channels, extent, outputs, kernel, stride, padding, groups = map(int, sizes)
    last = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d}[rank]
    scale = 1 / numpy.sqrt(numpy.float32(channels // groups * kernel))
    x = tensor(worker.numbers((batch, channels) + (extent,) * rank, worker.INPUTS)).contiguous(memory_format=last)
    weight = tensor(worker.numbers((outputs, channels // groups) + (kernel,) * rank, 100, scale)).contiguous(memory_format=last)
    conv = maybe_compile(lambda x, weight: getattr(F, f"conv{rank}d")(x, weight, None, stride, padding, 1, groups))
    y, result = conv(x, weight), {}
    upstream = tensor(worker.numbers(tuple(y.shape), worker.UPSTREAM)).contiguous(memory_format=last)

    def step():
        if what == "forward":
            result["last"] = conv(x, weight)
        else:
            gradients = torch.ops.aten.convolution_backward(
                upstream, x, weight, None, [stride] * rank, [padding] * rank, [1] * rank, False, [0] * rank, groups,
                [what == "input", what == "weight", False])
            result["last"] = gradients[what == "weight"]

    return worker.Workload(step, lambda: (result["last"].flatten()[0].item(), [result["last"].numpy()]))


def make(name):
    if compiled:
        torch._dynamo.reset()
    if name in ("W1-64", "W1-512"):
        return training(BatchNormNet(), (int(name[3:]), 784), 10, True)
    if name == "W2":
        return in_better_layout(ConvolutionalNet, (64, 1, 28, 28), 10, True)
    if name in ("W3", "W3-adam"):
        return training(TinyNet(), (8, 4), 2, name == "W3-adam")
    if name.startswith("conv"):
        return convolution(name)
    makers = {"W4": formula, "W4-lambda": formula, "W5": adam_alone, "W6": softmax_cross_entropy, "W7": transformer_block}
    return makers[name]() if name in makers else None


worker.serve(make)
