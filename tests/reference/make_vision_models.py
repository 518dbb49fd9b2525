"""Records what tests/models/test_models.cpp must reproduce: the names and shapes of torchvision's models, and what ResNet-18 and MobileNetV2 give
in PyTorch, float64, for weights that a formula makes on both sides.

    python3 tests/reference/make_vision_models.py tests/reference/vision_models.json
"""
import json
import math
import sys

import numpy
import torch

# The models need none of torchvision's own operations, whose library fits one build of torch only.
for operation in "nms", "qnms":
    torch.library.define(f"torchvision::{operation}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import torchvision.models  # noqa: E402

NAMED = ["resnet18", "resnet34", "resnet50", "mobilenet_v2", "vgg11_bn"]
RUN = ["resnet18", "mobilenet_v2"]
SHAPE, CLASSES = (4, 3, 64, 64), 7


def numbers(stream, count):
    """In [-1, 1), multiples of 2^-23: `numbers` of test_models.cpp."""
    with numpy.errstate(over="ignore"):
        h = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(2654435761) + numpy.uint32(stream) * numpy.uint32(2246822519)
        h = (h ^ (h >> numpy.uint32(15))) * numpy.uint32(739982445)
        h = (h ^ (h >> numpy.uint32(12))) * numpy.uint32(695872825)
        h ^= h >> numpy.uint32(15)
    return torch.from_numpy((h >> numpy.uint32(8)).astype(numpy.float64) * 2.0**-23 - 1)


def fill(state):
    """Weights around which activations neither grow nor fade."""
    for stream, (name, tensor) in enumerate(state.items()):
        if name.endswith("num_batches_tracked"):
            continue
        values = numbers(stream, tensor.numel()).reshape(tensor.shape)
        if tensor.dim() > 1:
            values = values * math.sqrt(6 / tensor[0].numel())
        elif name.endswith(("running_var", "weight")):
            values = 1 + 0.25 * values
        else:
            values = 0.1 * values
        tensor.copy_(values)


def digest(tensor):
    """The norm, and the product with a fixed direction, which is small where the tensor is wrong anywhere."""
    flat = tensor.detach().flatten()
    return [flat.norm().item(), (flat @ numbers(1000, flat.numel())).item()]


result = {"names": {}, "runs": {}}
for name in NAMED:
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    result["names"][name] = [[key, list(value.shape)] for key, value in model.state_dict().items()]
for name in RUN:
    model = getattr(torchvision.models, name)(num_classes=CLASSES).double()
    with torch.no_grad():
        fill(model.state_dict())
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    x = numbers(2000, math.prod(SHAPE)).reshape(SHAPE)
    run = {"evaluation": model.eval()(x).flatten().tolist()}
    y = model.train()(x)
    run["training"] = y.flatten().tolist()
    (y * numbers(3000, y.numel()).reshape(y.shape)).sum().backward()
    run["gradients"] = {key: digest(value.grad) for key, value in model.named_parameters()}
    run["buffers"] = {key: digest(value.double()) for key, value in model.named_buffers()}
    result["runs"][name] = run
with open(sys.argv[1], "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
