"""Computes attention, embeddings, recurrent and transformer layers of many options with PyTorch: what tests/nn/test_sequences.cpp holds xgrad's
against.

    python3 tests/reference/make_sequences.py > tests/reference/sequences.jsonl

A line is a call. Of the results and of each gradient there are the shape and two sums of its elements times numbers of their positions, so that
elements that change places show. Weights of modules are numbers by formula, in the order of named_parameters().
"""
import json
import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from digests import digest, numbers

torch.set_default_dtype(torch.float64)


def integers(shape, stream, below):
    return ((numbers(shape, stream) + 1) / 2 * below).long().clamp(max=below - 1)


def flags(shape, stream):
    """True or false, about as often."""
    return numbers(shape, stream) > 0.1


def results(outputs, inputs):
    total = sum((y * numbers(y.shape, 9 + i)).sum() for i, y in enumerate(outputs))
    gradients = torch.autograd.grad(total, inputs, allow_unused=True)
    return [digest(y) for y in outputs] + [digest(torch.zeros_like(x) if g is None else g) for x, g in zip(inputs, gradients)]


def filled(module):
    for stream, parameter in enumerate(module.parameters()):
        parameter.data = 0.5 * numbers(parameter.shape, stream + 1)
    return list(module.parameters()), [name for name, _ in module.named_parameters()]


def range_mask(queries, keys, causal, offset, window):
    query, key = torch.arange(queries)[:, None] + offset, torch.arange(keys)[None]
    mask = torch.ones(queries, keys, dtype=torch.bool)
    if causal:
        mask &= key <= query
    if window:
        mask &= (query - key).abs() < window
    return mask


def attention(r):
    queries, keys = r.choice([1, 2, 5, 9, 70]), r.choice([1, 3, 7, 66, 130])
    groups, per_group = r.choice([1, 2, 3]), r.choice([1, 1, 2])
    call = {"op": "attention", "q": [2, groups * per_group, queries, r.choice([1, 4, 6])], "enable_gqa": per_group > 1, "causal": r.random() < 0.5,
            "query_offset": r.choice([0, 0, 3]), "window": r.choice([0, 0, 0, 1, 4, 40]), "mask": r.choice(["none", "bool", "added"]),
            "scale": r.choice([0, 0, 0.7])}
    call["k"], call["v"] = [2, groups, keys, call["q"][3]], [2, groups, keys, r.choice([1, 3, 5])]
    call["mask_shape"] = r.choice([[queries, keys], [2, 1, 1, keys], [groups * per_group, queries, 1], [2, groups * per_group, queries, keys]])
    q, k, v = (numbers(call[name], i + 1).requires_grad_() for i, name in enumerate("qkv"))
    inputs, mask = [q, k, v], range_mask(queries, keys, call["causal"], call["query_offset"], call["window"])
    if call["mask"] == "bool":
        mask = mask & flags(call["mask_shape"], 4)
    elif call["mask"] == "added":
        added = numbers(call["mask_shape"], 4).requires_grad_()
        inputs.append(added)
        mask = torch.where(mask, added, -torch.inf)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=call["scale"] or None, enable_gqa=call["enable_gqa"])
    return {**call, "results": results([y], inputs)}


def embedding_bag(r):
    rows, width = r.randint(1, 9), r.randint(1, 5)
    call = {"op": "embedding_bag", "weight": [rows, width], "mode": r.choice(["sum", "mean", "max"]), "include_last_offset": False,
            "padding_idx": r.choice([None, 0, -1]), "max_norm": r.choice([None, None, 0.9]), "norm_type": r.choice([2.0, 1.0])}
    # Without scale_grad_by_freq: PyTorch 2.13 divides by the counts of other rows there.
    call["per_sample_weights"] = call["mode"] == "sum" and r.random() < 0.5
    call["offsets"] = None
    if r.random() < 0.5:
        call["input"] = [r.randint(1, 4), r.randint(1, 5)]
    else:
        count, bags = r.randint(1, 9), r.randint(1, 4)
        call["input"], call["offsets"] = [count], [0] + sorted(r.randint(0, count) for _ in range(bags - 1))
        if r.random() < 0.4:
            call["include_last_offset"], call["offsets"] = True, call["offsets"] + [count]
    weight, index = numbers(call["weight"], 1).requires_grad_(), integers(call["input"], 2, rows)
    inputs, more = [weight], {}
    if call["per_sample_weights"]:
        more["per_sample_weights"] = numbers(call["input"], 3).requires_grad_()
        inputs.append(more["per_sample_weights"])
    offsets = None if call["offsets"] is None else torch.tensor(call["offsets"])
    options = {name: call[name] for name in ("mode", "include_last_offset", "padding_idx", "max_norm", "norm_type")}
    return {**call, "results": results([F.embedding_bag(index, weight, offsets, **options, **more)], inputs)}


def recurrent(r, kind):
    call = {"op": kind, "input_size": r.randint(1, 5), "hidden_size": r.randint(2, 6), "num_layers": r.choice([1, 1, 2, 3]), "bias": r.random() < 0.8,
            "batch_first": r.random() < 0.5, "bidirectional": r.random() < 0.4, "steps": r.choice([1, 2, 5]), "batch": r.choice([0, 1, 3, 4]),
            "given_state": r.random() < 0.5, "proj_size": 0, "nonlinearity": "tanh", "lengths": None}
    more = {}
    if kind == "RNN":
        call["nonlinearity"] = more["nonlinearity"] = r.choice(["tanh", "relu"])
    if kind == "LSTM" and r.random() < 0.3:
        call["proj_size"] = more["proj_size"] = call["hidden_size"] - 1
    names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "bidirectional")
    module = getattr(nn, kind)(**{name: call[name] for name in names}, **more)
    parameters, call["parameters"] = filled(module)
    batch, steps = call["batch"], call["steps"]  # a batch of 0 stands for a single sequence without one
    middle = [] if batch == 0 else [batch]
    shape = [batch, steps] if batch and call["batch_first"] else [steps] + middle
    x = numbers(shape + [call["input_size"]], 20).requires_grad_()
    layers = call["num_layers"] * (2 if call["bidirectional"] else 1)
    h = numbers([layers] + middle + [call["proj_size"] or call["hidden_size"]], 21).requires_grad_()
    c = numbers([layers] + middle + [call["hidden_size"]], 22).requires_grad_()
    states = ([h, c] if kind == "LSTM" else [h]) if call["given_state"] else []
    state = None if not states else tuple(states) if kind == "LSTM" else h
    if batch > 1 and steps > 1 and r.random() < 0.6:
        call["lengths"] = [r.randint(1, steps) for _ in range(batch)]
        packed = pack_padded_sequence(x, torch.tensor(call["lengths"]), batch_first=call["batch_first"], enforce_sorted=False)
        y, last = module(packed, state)
        y, _ = pad_packed_sequence(y, batch_first=call["batch_first"], total_length=steps)
    else:
        y, last = module(x, state)
    return {**call, "results": results([y, *(last if kind == "LSTM" else [last])], [x, *states, *parameters])}


def cell(r, kind):
    call = {"op": kind, "input_size": r.randint(1, 4), "hidden_size": r.randint(1, 4), "bias": r.random() < 0.7, "batch": r.choice([0, 3]),
            "nonlinearity": "tanh", "given_state": r.random() < 0.6}
    more = {}
    if kind == "RNNCell":
        call["nonlinearity"] = more["nonlinearity"] = r.choice(["tanh", "relu"])
    module = getattr(nn, kind)(call["input_size"], call["hidden_size"], bias=call["bias"], **more)
    parameters, call["parameters"] = filled(module)
    front = [call["batch"]] if call["batch"] else []
    x, h, c = (numbers(front + [call[size]], 20 + i).requires_grad_() for i, size in enumerate(("input_size", "hidden_size", "hidden_size")))
    states = ([h, c] if kind == "LSTMCell" else [h]) if call["given_state"] else []
    y = module(x, (tuple(states) if kind == "LSTMCell" else h) if states else None)
    return {**call, "results": results(list(y) if kind == "LSTMCell" else [y], [x, *states, *parameters])}


def visible(mask):
    """The mask, with the first key seen by all: PyTorch gives NaN to a query that sees none."""
    mask[..., 0] = False
    return mask


def multihead(r):
    heads = r.choice([1, 2, 3])
    call = {"op": "multihead", "embed_dim": heads * r.randint(1, 3), "num_heads": heads, "bias": r.random() < 0.7, "batch": r.choice([1, 3]),
            "queries": r.randint(1, 5), "keys": r.randint(1, 6), "to_itself": r.random() < 0.4, "kdim": None, "vdim": None,
            "mask": r.choice(["none", "bool", "added"]), "per_head": r.random() < 0.3, "padding": r.random() < 0.4}
    if not call["to_itself"] and r.random() < 0.4:
        call["kdim"], call["vdim"] = r.randint(1, 5), r.randint(1, 5)
    if call["to_itself"]:
        call["keys"] = call["queries"]
    width, batch, queries, keys = call["embed_dim"], call["batch"], call["queries"], call["keys"]
    module = nn.MultiheadAttention(width, heads, bias=call["bias"], kdim=call["kdim"], vdim=call["vdim"], batch_first=True)
    parameters, call["parameters"] = filled(module)
    query = numbers([batch, queries, width], 20).requires_grad_()
    inputs, key, value = [query], query, query
    if not call["to_itself"]:
        key = numbers([batch, keys, call["kdim"] or width], 21).requires_grad_()
        value = numbers([batch, keys, call["vdim"] or width], 22).requires_grad_()
        inputs += [key, value]
    shape = [batch * heads, queries, keys] if call["per_head"] else [queries, keys]
    mask = {"none": None, "bool": visible(flags(shape, 23)), "added": numbers(shape, 23)}[call["mask"]]
    padding = visible(flags([batch, keys], 24)) if call["padding"] else None
    if call["mask"] == "added" and padding is not None:  # PyTorch wants both of one kind
        padding = torch.zeros([batch, keys]).masked_fill(padding, -torch.inf)
    y, weights = module(query, key, value, attn_mask=mask, key_padding_mask=padding)
    return {**call, "results": results([y, weights], inputs + parameters)}


def transformer(r, kind):
    heads = r.choice([1, 2])
    call = {"op": kind, "d_model": heads * r.randint(2, 3), "nhead": heads, "dim_feedforward": r.randint(1, 6), "activation": r.choice(["relu", "gelu"]),
            "layer_norm_eps": r.choice([1e-5, 0.1]), "norm_first": r.random() < 0.5, "bias": r.random() < 0.7, "num_layers": r.choice([0, 1, 2]),
            "batch": r.choice([1, 2]), "steps": r.randint(1, 5), "memory": r.randint(1, 4), "causal": r.random() < 0.5}
    names = ("d_model", "nhead", "dim_feedforward", "activation", "layer_norm_eps", "norm_first", "bias")
    module = getattr(nn, f"Transformer{kind}Layer")(**{name: call[name] for name in names}, dropout=0.0, batch_first=True)
    more = {}
    if call["num_layers"]:  # else the layer alone
        norm = nn.LayerNorm(call["d_model"]) if call["norm_first"] else None
        if kind == "Encoder":
            more["enable_nested_tensor"] = False
        module = getattr(nn, f"Transformer{kind}")(module, call["num_layers"], norm, **more)
    parameters, call["parameters"] = filled(module)
    x = numbers([call["batch"], call["steps"], call["d_model"]], 20).requires_grad_()
    memory = numbers([call["batch"], call["memory"], call["d_model"]], 21).requires_grad_()
    mask = nn.Transformer.generate_square_subsequent_mask(call["steps"]) if call["causal"] else None
    if kind == "Encoder":
        option = "mask" if call["num_layers"] else "src_mask"
        return {**call, "results": results([module(x, **{option: mask})], [x, *parameters])}
    return {**call, "results": results([module(x, memory, tgt_mask=mask)], [x, memory, *parameters])}


def main():
    r = random.Random(1)
    calls = [attention(r) for _ in range(80)] + [embedding_bag(r) for _ in range(60)] + [multihead(r) for _ in range(40)]
    for kind in "RNN", "LSTM", "GRU":
        calls += [recurrent(r, kind) for _ in range(30)] + [cell(r, kind + "Cell") for _ in range(6)]
    calls += [transformer(r, kind) for kind in ("Encoder", "Decoder") for _ in range(15)]
    for call in calls:
        print(json.dumps(call))


main()
