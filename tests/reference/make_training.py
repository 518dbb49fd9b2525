"""Trains a small batch-normalised classifier with PyTorch in float64 and records what test_training.cpp must reproduce.

    python3 tests/reference/make_training.py tests/reference/training.safetensors
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

STEPS, BATCH = 200, 32
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.95, momentum=0.5),
    "adam": lambda p: torch.optim.Adam(p, lr=3e-3, betas=(0.9, 0.99), weight_decay=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=3e-3, weight_decay=0.05),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05, lr_decay=1e-3),
}


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(20, 32, bias=False)
        self.bn1 = torch.nn.BatchNorm1d(32)
        self.fc2 = torch.nn.Linear(32, 16, bias=False)
        self.bn2 = torch.nn.BatchNorm1d(16)
        self.out = torch.nn.Linear(16, 5)

    def forward(self, x):
        h = torch.relu(self.bn1(self.fc1(x)))
        h = torch.relu(self.bn2(self.fc2(h)))
        return self.out(h)


def save(path, tensors):
    """Writes the safetensors format: a length, a JSON header, the elements."""
    names = {torch.float64: "F64", torch.int64: "I64"}
    header, blobs, offset = {}, [], 0
    for name, tensor in tensors.items():
        blob = bytes(tensor.detach().contiguous().flatten().numpy().tobytes())
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
x = torch.randn(256, 20)
teacher = torch.randn(20, 5)
y = (x @ teacher + torch.randn(256, 5)).argmax(1)
start = Net()
tensors = {"x": x, "y": y, **{f"start.{name}": value.clone() for name, value in start.state_dict().items()}}
for name, make in OPTIMIZERS.items():
    net = Net()
    net.load_state_dict({key[len("start."):]: value for key, value in tensors.items() if key.startswith("start.")})
    optimizer, losses = make(net.parameters()), []
    for step in range(STEPS):
        first = step * BATCH % len(x)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[first:first + BATCH]), y[first:first + BATCH])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tensors[f"{name}.losses"] = torch.tensor(losses)
    tensors |= {f"{name}.{key}": value.clone() for key, value in net.state_dict().items()}
save(sys.argv[1], tensors)
