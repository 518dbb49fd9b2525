"""The recipes of examples/gpt.cpp and examples/char_lstm.cpp in PyTorch: the same first weights, batches and validation.

    gpt --epochs 1 --record run.safetensors
    python3 text_torch.py gpt run.safetensors --epochs 1 [--batch-size N] [--seed N] [--threads N]

The file is what the example wrote by --record. Only dropout, which draws other random numbers, differs.
"""
import argparse
import math
import os

import safetensors.torch
import torch
import torch.nn.functional as F


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.attention = torch.nn.MultiheadAttention(width, heads, dropout=0.1, batch_first=True)
        self.up, self.down = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)
        self.dropout = torch.nn.Dropout(0.1)

    def forward(self, x, hidden):
        y = self.norm1(x)
        x = x + self.dropout(self.attention(y, y, y, attn_mask=hidden, is_causal=True, need_weights=False)[0])
        return x + self.dropout(self.down(F.gelu(self.up(self.norm2(x)))))


class GPT(torch.nn.Module):
    def __init__(self, width=128, heads=4, depth=4, length=128):
        super().__init__()
        self.token, self.position = torch.nn.Embedding(256, width), torch.nn.Embedding(length, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = torch.nn.LayerNorm(width)

    def forward(self, tokens):
        length = tokens.shape[1]
        hidden = torch.nn.Transformer.generate_square_subsequent_mask(length)
        x = self.token(tokens) + self.position(torch.arange(length))
        for block in self.blocks:
            x = block(x, hidden)
        return F.linear(self.norm(x), self.token.weight)

    def optimizer(self):
        groups = [{"params": [p for p in self.parameters() if (p.dim() >= 2) == decayed], "weight_decay": 0.1 * decayed}
                  for decayed in (True, False)]
        return torch.optim.AdamW(groups, lr=1e-3)


class CharLSTM(torch.nn.Module):
    def __init__(self, width=256):
        super().__init__()
        self.token = torch.nn.Embedding(256, width // 4)
        self.lstm = torch.nn.LSTM(width // 4, width, 2, batch_first=True, dropout=0.1)
        self.out = torch.nn.Linear(width, 256)

    def forward(self, tokens):
        return self.out(self.lstm(self.token(tokens))[0])

    def optimizer(self):
        return torch.optim.AdamW(self.parameters(), lr=4e-3, weight_decay=0.01)


MODELS = {"gpt": (GPT, 16), "char_lstm": (CharLSTM, 32)}
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model", choices=MODELS)
parser.add_argument("file")
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--batch-size", type=int)
parser.add_argument("--seed", type=int, default=0, help="of dropout")
parser.add_argument("--threads", type=int, default=os.cpu_count())
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(args.seed)
make, batch_size = MODELS[args.model]
batch_size = args.batch_size or batch_size
tensors = safetensors.torch.load_file(args.file)
net = make()
net.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("net.")})
x, y, validation_x, validation_y = (tensors[name].long() for name in ("x", "y", "validation_x", "validation_y"))


@torch.no_grad()
def bits_per_character():
    net.eval()
    bits = sum(F.cross_entropy(net(a).flatten(0, 1), b.flatten(), reduction="sum").item()
               for a, b in zip(validation_x.split(batch_size), validation_y.split(batch_size)))
    return bits / math.log(2) / validation_x.numel()


optimizer = net.optimizer()
windows = len(x) // args.epochs
steps = args.epochs * math.ceil(windows / batch_size)
warmup = min(50, steps // 10 + 1)


def rate(step):
    if step < warmup:
        return step / warmup
    along = min(1, (step - warmup) / (steps - warmup))
    return 0.1 + 0.9 * (1 + math.cos(math.pi * along)) / 2


schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
print(f"{bits_per_character():.3f} bits per character before")
for epoch in range(args.epochs):
    net.train()
    part = slice(epoch * windows, (epoch + 1) * windows)
    for a, b in zip(x[part].split(batch_size), y[part].split(batch_size)):
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(a).flatten(0, 1), b.flatten()).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    print(f"epoch {epoch + 1}: {bits_per_character():.3f} bits per character", flush=True)
