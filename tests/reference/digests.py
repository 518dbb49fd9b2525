"""Inputs that C++ makes too, and results as a few numbers: see digests.hpp."""
import torch


def numbers(shape, stream):
    """In [-1, 1], the same as in the tests."""
    i = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(i * (1.7 + stream) + 0.3 * stream + 1e-3 * i * i).reshape(shape)


def digest(tensor):
    """The shape and two sums of the elements times numbers of their positions, so that elements that change places show."""
    flat = tensor.detach().reshape(-1)
    i = torch.arange(flat.numel(), dtype=torch.float64)
    return [list(tensor.shape), (flat * torch.sin(i + 1)).sum().item(), (flat * torch.cos(i * 0.37)).sum().item()]


def result(y, inputs):
    """Of y and of the gradients of the inputs; those of nothing have the wrong shape in PyTorch."""
    gradients = inputs
    if inputs[0].numel() > 0:
        gradients = torch.autograd.grad((y * numbers(y.shape, 9)).sum(), inputs)
    return [digest(tensor) for tensor in (y, *gradients)]
