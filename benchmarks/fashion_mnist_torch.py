"""The recipe of examples/fashion_mnist.cpp in PyTorch: the peers of W8 in benchmarks/compare.

    python3 fashion_mnist_torch.py [--seed N] [--threads N] [--epochs N] [DIRECTORY]
"""
import argparse
import gzip
import os

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("directory", nargs="?", default="/usr/share/datasets/fashion-mnist")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=os.cpu_count())
parser.add_argument("--epochs", type=int, default=10)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)


def load(name):
    def read(kind, header):
        with gzip.open(os.path.join(args.directory, f"{name}-{kind}.gz")) as file:
            return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)

    return read("images-idx3-ubyte", 16).reshape(-1, 784).float() / 255, read("labels-idx1-ubyte", 8).long()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(784, 256, bias=False)
        self.bn1 = torch.nn.BatchNorm1d(256)
        self.fc2 = torch.nn.Linear(256, 128, bias=False)
        self.bn2 = torch.nn.BatchNorm1d(128)
        self.out = torch.nn.Linear(128, 10)

    def forward(self, x):
        h = torch.relu(self.bn1(self.fc1(x)))
        h = torch.relu(self.bn2(self.fc2(h)))
        return self.out(h)


@torch.no_grad()
def accuracy(x, y):
    net.eval()
    return sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(1000), y.split(1000))) / len(x)


(x, y), (test_x, test_y) = load("train"), load("t10k")
net = Net()
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=args.epochs)
for epoch in range(1, args.epochs + 1):
    net.train()
    for index in torch.randperm(len(x)).split(128):
        adam.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x[index]), y[index])
        loss.backward()
        adam.step()
    schedule.step()
    print(f"epoch {epoch}  test accuracy {accuracy(test_x, test_y):.4f}", flush=True)
