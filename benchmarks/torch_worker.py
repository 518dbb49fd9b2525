"""torch's side of benchmarks/compare, from Python: torch_worker.py eager|compile THREADS [bfloat16]

As somebody writes it who wants it fast: scaled_dot_product_attention, and with `compile` model and loss, or the formula, under torch.compile.
Adam is the fused one in both: under torch.compile the plain one took twice its time.
"""
import sys
import time

import numpy
import torch
import torch.nn.functional as F

import numerics
import worker

compiled = sys.argv[1] == "compile"
torch.set_num_threads(int(sys.argv[2]))
in_bfloat16 = "bfloat16" in sys.argv[3:]


def autocast():
    """Of models, if asked for; what has no gradients is in bfloat16 then."""
    return torch.autocast("cpu", torch.bfloat16, enabled=in_bfloat16)


def maybe_compile(function):
    return torch.compile(function) if compiled else function


def tensor(array, requires_grad=False):
    return torch.from_numpy(array).requires_grad_(requires_grad)


def fill_parameters(model):
    for index, (name, parameter) in enumerate(model.named_parameters()):
        parameter.data.copy_(torch.from_numpy(worker.parameter(index, name, tuple(parameter.shape))))
    return list(model.parameters())


def loss_and_gradients(loss, leaves):
    return loss.detach().flatten()[0].item(), [leaf.grad.float().numpy() for leaf in leaves]


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


class BasicBlock(torch.nn.Module):
    """Of a ResNet."""
    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(channels, width, 3, stride, 1, bias=False), torch.nn.BatchNorm2d(width)
        self.conv2, self.bn2 = torch.nn.Conv2d(width, width, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or channels != width:
            self.downsample = torch.nn.Sequential(torch.nn.Conv2d(channels, width, 1, stride, bias=False), torch.nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class ResNet(torch.nn.Module):
    """For images of 32x32: stages of these widths, of `blocks` blocks each."""
    def __init__(self, widths, blocks):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), torch.nn.BatchNorm2d(widths[0])
        self.stages, channels = [], widths[0]
        for i, width in enumerate(widths):
            layers = []
            for block in range(blocks):
                layers.append(BasicBlock(channels, width, 2 if i > 0 and block == 0 else 1))
                channels = width
            self.stages.append(torch.nn.Sequential(*layers))
            self.add_module(f"layer{i + 1}", self.stages[-1])
        self.fc = torch.nn.Linear(channels, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        for stage in self.stages:
            x = stage(x)
        return self.fc(x.mean((2, 3)))


class InvertedResidual(torch.nn.Module):
    """Of MobileNetV2."""
    def __init__(self, channels, width):
        super().__init__()
        def norm_relu6(*convolution, **options):
            layer = torch.nn.Conv2d(*convolution, bias=False, **options)
            return torch.nn.Sequential(layer, torch.nn.BatchNorm2d(layer.out_channels), torch.nn.ReLU6(inplace=True))
        self.conv = torch.nn.Sequential(norm_relu6(channels, width, 1), norm_relu6(width, width, 3, 1, 1, groups=width),
                                        torch.nn.Conv2d(width, channels, 1, bias=False), torch.nn.BatchNorm2d(channels))

    def forward(self, x):
        return x + self.conv(x)


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(256, 256, 2, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0]


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.qkv, self.proj = torch.nn.LayerNorm(width), torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.ln2, self.fc1, self.fc2 = torch.nn.LayerNorm(width), torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def forward(self, x, cache=None, seen=0):
        n, length, width = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if cache is not None:  # keys and values, with room for all places
            cache[0][:, :, seen:seen + length], cache[1][:, :, seen:seen + length] = k, v
            k, v = cache[0][:, :, :seen + length], cache[1][:, :, :seen + length]
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
        x = x + self.proj(mixed.transpose(1, 2).reshape(n, length, width))
        return x + self.fc2(F.gelu(self.fc1(self.ln2(x))))


class GPT(torch.nn.Module):
    def __init__(self, depth, width, heads, length):
        super().__init__()
        self.token, self.position = torch.nn.Embedding(256, width), torch.nn.Embedding(length, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = torch.nn.LayerNorm(width)

    def forward(self, symbols, caches=None, seen=0):
        x = self.token(symbols) + self.position(torch.arange(seen, seen + symbols.shape[1]))
        for i, block in enumerate(self.blocks):
            x = block(x, None if caches is None else caches[i], seen)
        return F.linear(self.norm(x), self.token.weight)


def training(net, inputs, classes, optimizer, layout=torch.contiguous_format):
    parameters = fill_parameters(net.to(memory_format=layout))
    update = optimizer(parameters, lr=worker.LEARNING_RATE, fused=True).step if optimizer else lambda: None
    x, y = tensor(worker.numbers(inputs, worker.INPUTS)).contiguous(memory_format=layout), tensor(worker.labels(inputs[0], classes))
    loss_of = maybe_compile(lambda x, y: F.cross_entropy(net(x), y))
    last = {}

    def step():
        for parameter in parameters:
            parameter.grad = None
        with autocast():
            loss = last["loss"] = loss_of(x, y)
        loss.backward()
        update()

    return worker.Workload(step, lambda: loss_and_gradients(last["loss"], parameters))


def in_better_layout(make):
    """make(layout) in that of the two layouts in which its steps are faster here."""
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


def gradients(net, inputs, layout=torch.contiguous_format):
    leaves = fill_parameters(net.to(memory_format=layout))
    x = tensor(worker.numbers(inputs, worker.INPUTS)).contiguous(memory_format=layout).requires_grad_()
    forward = maybe_compile(net)
    with autocast():
        y = forward(x)
    upstream = tensor(worker.numbers(tuple(y.shape), worker.UPSTREAM)).contiguous(memory_format=layout).to(y.dtype)
    leaves.append(x)
    last = {}

    def step():
        for leaf in leaves:
            leaf.grad = None
        with autocast():
            last["y"] = forward(x)
        last["y"].backward(upstream)

    return worker.Workload(step, lambda: loss_and_gradients(last["y"], leaves))


def language_model():
    gpt = GPT(4, 192, 6, 128)
    parameters = fill_parameters(gpt)
    update = torch.optim.AdamW(parameters, lr=worker.LEARNING_RATE, fused=True).step
    x = tensor(worker.labels(8 * 128, 256)).view(8, 128)
    y = x.flatten().flip(0)
    loss_of = maybe_compile(lambda x, y: F.cross_entropy(gpt(x).flatten(0, 1), y))
    last = {}

    def step():
        for parameter in parameters:
            parameter.grad = None
        with autocast():
            loss = last["loss"] = loss_of(x, y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        update()

    return worker.Workload(step, lambda: loss_and_gradients(last["loss"], parameters))


def decoding():
    gpt = GPT(12, 768, 12, 256)
    fill_parameters(gpt)
    dtype = torch.bfloat16 if in_bfloat16 else torch.float32
    gpt.to(dtype)
    caches = [(torch.zeros(1, 12, 256, 64, dtype=dtype), torch.zeros(1, 12, 256, 64, dtype=dtype)) for _ in range(12)]
    symbols, last = tensor(worker.labels(256, 256)).view(1, 256), {}
    forward = maybe_compile(gpt)
    with torch.no_grad():
        gpt(symbols[:, :255], caches)

    def step():
        with torch.no_grad():
            last["logits"] = forward(symbols[:, 255:], caches, 255)

    return worker.Workload(step, lambda: (last["logits"][0, 0, 0].item(), [last["logits"].float().numpy()]))


def large_table(sparse):
    table = tensor(worker.numbers((1_000_000, 64), 100), True)
    at, upstream = tensor(worker.labels(512 * 20, 1_000_000)).view(512, 20), tensor(worker.numbers((512, 20, 64), worker.UPSTREAM))
    update = torch.optim.Adagrad([table], lr=worker.LEARNING_RATE, fused=not sparse).step
    used, last = torch.unique(at), {}

    def step():
        table.grad = None
        last["y"] = F.embedding(at, table, sparse=sparse)
        last["y"].backward(upstream)
        update()

    def results():
        rows = table.grad.coalesce().values() if sparse else table.grad[used]
        return last["y"].flatten()[0].item(), [rows.numpy()]

    return worker.Workload(step, results)


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


def product(size):
    """Of two square matrices."""
    a, b = (tensor(worker.numbers((size, size), stream)).to(torch.bfloat16 if in_bfloat16 else torch.float32)
            for stream in (worker.INPUTS, worker.UPSTREAM))
    last = {}

    def step():
        last["c"] = a @ b

    return worker.Workload(step, lambda: (last["c"][0, 0].item(), [last["c"].float().numpy()]))


def make(name):
    if compiled:
        torch._dynamo.reset()
    adam, sgd = torch.optim.Adam, torch.optim.SGD
    if name in ("W1-64", "W1-512"):
        return training(BatchNormNet(), (int(name[3:]), 784), 10, adam)
    if name == "W2":
        return in_better_layout(lambda layout: training(ConvolutionalNet(), (64, 1, 28, 28), 10, adam, layout))
    if name in ("W3", "W3-adam"):
        return training(TinyNet(), (8, 4), 2, adam if name == "W3-adam" else None)
    if name == "W7":
        return gradients(Block(128, 4), (8, 128, 128))
    if name == "W9":
        return in_better_layout(lambda layout: training(ResNet([16, 32, 64], 3), (64, 3, 32, 32), 10, sgd, layout))
    if name == "W10":
        return in_better_layout(lambda layout: training(ResNet([64, 128, 256, 512], 2), (16, 3, 32, 32), 10, sgd, layout))
    if name == "W11":
        return in_better_layout(lambda layout: gradients(InvertedResidual(32, 192), (16, 32, 28, 28), layout))
    if name == "W12":
        return gradients(Recurrent(), (32, 64, 256))
    if name.startswith("product-"):
        return product(int(name[8:])) if not compiled else None
    if name.startswith("num-"):
        return None if compiled else numerics.make(name[4:])
    if name.startswith("conv"):
        return convolution(name)
    if name in ("W15", "W15-sparse"):
        return large_table(name == "W15-sparse") if not compiled else None
    makers = {"W4": formula, "W4-lambda": formula, "W5": adam_alone, "W6": softmax_cross_entropy, "W13": language_model, "W14": decoding}
    return makers[name]() if name in makers else None


worker.serve(make)
