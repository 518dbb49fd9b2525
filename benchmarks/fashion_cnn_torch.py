"""The recipes of examples/fashion_cnn.cpp and, with --resnet, examples/fashion_resnet.cpp in PyTorch: see docs/networks.md.

    python3 fashion_cnn_torch.py [--resnet] [--seed N] [--threads N] [--epochs N] [DIRECTORY]
"""
import argparse
import gzip
import os
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("directory", nargs="?", default="/usr/share/datasets/fashion-mnist")
parser.add_argument("--resnet", action="store_true")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
epochs = args.epochs or (20 if args.resnet else 10)
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)


def load(name):
    def read(kind, header):
        with gzip.open(os.path.join(args.directory, f"{name}-{kind}.gz")) as file:
            return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)

    return read("images-idx3-ubyte", 16).reshape(-1, 1, 28, 28).float() / 255, read("labels-idx1-ubyte", 8).long()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = torch.nn.Conv2d(1, 32, 3, padding=1, bias=False), torch.nn.BatchNorm2d(32)
        self.conv2, self.bn2 = torch.nn.Conv2d(32, 96, 3, padding=1, bias=False), torch.nn.BatchNorm2d(96)
        self.hidden, self.bn3 = torch.nn.Linear(96 * 7 * 7, 256, bias=False), torch.nn.BatchNorm1d(256)
        self.dropout, self.out = torch.nn.Dropout(0.25), torch.nn.Linear(256, 10)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 2)
        h = F.max_pool2d(F.relu(self.bn2(self.conv2(h)), inplace=True), 2)
        return self.out(self.dropout(F.relu(self.bn3(self.hidden(h.flatten(1))), inplace=True)))


class BasicBlock(torch.nn.Module):
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


def resnet20():
    layers, channels = [torch.nn.Conv2d(1, 16, 3, padding=1, bias=False), torch.nn.BatchNorm2d(16), torch.nn.ReLU(inplace=True)], 16
    for width in (16, 32, 64):
        for block in range(3):
            layers.append(BasicBlock(channels, width, 2 if width > 16 and block == 0 else 1))
            channels = width
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))


def augmented(images, shift):
    """Each moved by at most `shift` pixels, and half of them mirrored."""
    n, _, height, width = images.shape
    top, left = torch.randint(2 * shift + 1, (2, n, 1))
    columns = left + torch.arange(width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    rows = top + torch.arange(height)
    return F.pad(images[:, 0], (shift,) * 4)[torch.arange(n).view(n, 1, 1), rows.unsqueeze(2), columns.unsqueeze(1)].unsqueeze(1)


@torch.no_grad()
def accuracy(x, y):
    net.eval()
    return sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(1000), y.split(1000))) / len(x)


(x, y), (test_x, test_y) = load("train"), load("t10k")
net = (resnet20() if args.resnet else Net()).to(memory_format=torch.channels_last)
rate, shift, smoothing = (0.1, 2, 0.0) if args.resnet else (3e-3, 1, 0.05)
if args.resnet:
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True)
else:
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2, fused=True)
steps = len(x) // 128
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=epochs * steps, cycle_momentum=not args.resnet)
start = time.perf_counter()
for epoch in range(1, epochs + 1):
    net.train()
    for index in torch.randperm(len(x)).split(128)[:steps]:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(augmented(x[index], shift)), y[index], label_smoothing=smoothing).backward()
        optimizer.step()
        schedule.step()
    print(f"epoch {epoch:2}  test accuracy {accuracy(test_x, test_y):.4f}  "
          f"{time.perf_counter() - start:.0f} s, {time.process_time():.0f} s of processor time", flush=True)
