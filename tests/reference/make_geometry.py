"""Transforms images with torchvision: what tests/data/test_geometry.cpp holds xgrad's transforms against.

    python3 tests/reference/make_geometry.py > tests/reference/geometry.jsonl
"""
import json
import random

import torch

from digests import digest, numbers

# The transforms need none of torchvision's own operations, whose library fits one build of torch only.
for operation in "nms", "qnms":
    torch.library.define(f"torchvision::{operation}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import torchvision.transforms.functional as F  # noqa: E402
from torchvision.transforms import InterpolationMode  # noqa: E402
from torchvision.transforms._functional_tensor import _hsv2rgb, _rgb2hsv  # noqa: E402


def main():
    r = random.Random(1)
    for number in range(24):
        shape = [3, r.randint(3, 9), r.randint(3, 9)]
        image = numbers(shape, 1) * 0.5 + 0.5
        op = ["resize", "hue", "rotate", "affine"][number % 4]
        call = {"op": op, "x": shape}
        if op == "resize":
            call["size"] = r.choice([[4], [6, 3], [12, 7], [2]])
            y = F.resize(image, call["size"], antialias=True)
        elif op == "hue":
            call["shift"] = r.uniform(-0.5, 0.5)
            h, *others = _rgb2hsv(image).unbind(-3)  # as adjust_hue, which computes in float32
            y = _hsv2rgb(torch.stack([(h + call["shift"]) % 1, *others], -3))
        else:
            call.update(nearest=r.random() < 0.3, fill=r.choice([0.0, 0.7]), degrees=r.uniform(-180, 180))
            mode = InterpolationMode.NEAREST if call["nearest"] else InterpolationMode.BILINEAR
            image = image - call["fill"]  # torchvision's own filling counts the part of a pixel that lies outside twice
            if op == "rotate":
                y = F.rotate(image, call["degrees"], mode, fill=None)
            else:
                call.update(scale=r.uniform(0.5, 1.6), shear_x=r.uniform(-30, 30), shear_y=r.uniform(-30, 30))
                y = F.affine(image, call["degrees"], [0, 0], call["scale"], [call["shear_x"], call["shear_y"]], mode, fill=None)
            y = y + call["fill"]
        print(json.dumps({**call, "result": digest(y)}))


main()
