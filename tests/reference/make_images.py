"""Writes small pictures of every kind with Pillow, and what Pillow reads of them, for tests/image/test_image.cpp.

    python3 tests/reference/make_images.py tests/reference/images
"""
import json
import pathlib
import sys

import numpy
from PIL import Image

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
rng = numpy.random.default_rng(0)
H, W = 5, 7
smooth = numpy.stack([*numpy.meshgrid(numpy.linspace(0, 255, W), numpy.linspace(30, 220, H)), numpy.full((H, W), 90.0)], -1)
colors = rng.integers(0, 256, (H, W, 4), dtype=numpy.uint8)
gentle = smooth.astype(numpy.uint8)
palette = Image.fromarray(colors[..., :3]).quantize(8)
pictures = {
    "gray.png": (Image.fromarray(colors[..., 0]), {}),
    "gray_alpha.png": (Image.fromarray(numpy.ascontiguousarray(colors[..., :2]), "LA"), {}),
    "rgb.png": (Image.fromarray(colors[..., :3]), {}),
    "rgba.png": (Image.fromarray(colors), {}),
    "bits.png": (Image.fromarray(colors[..., 0]).convert("1"), {}),
    "palette.png": (palette, {}),
    "palette_alpha.png": (palette, {"transparency": 2}),
    "gray16.png": (Image.fromarray(colors[..., 0].astype(numpy.uint16) * 257), {}),
    "gray.jpg": (Image.fromarray(gentle[..., 0]), {"quality": 95}),
    "rgb.jpg": (Image.fromarray(gentle), {"quality": 95, "subsampling": 0}),
    "subsampled.jpg": (Image.fromarray(gentle), {"quality": 95, "subsampling": 2}),
    "progressive.jpg": (Image.fromarray(gentle), {"quality": 95, "progressive": True}),
    "cmyk.jpg": (Image.fromarray(gentle).convert("CMYK"), {"quality": 95}),
}
expected = {}
for name, (picture, options) in pictures.items():
    picture.save(folder / name, **options)
    read = Image.open(folder / name)
    if name == "gray16.png":
        pixels = numpy.asarray(read, dtype=numpy.uint16) // 257
    elif name == "palette_alpha.png":
        pixels = numpy.asarray(read.convert("RGBA"))
    elif read.mode in ("P", "CMYK"):
        pixels = numpy.asarray(read.convert("RGB"))
    elif read.mode == "1":
        pixels = numpy.asarray(read.convert("L"))
    else:
        pixels = numpy.asarray(read)
    pixels = pixels.reshape(H, W, -1).transpose(2, 0, 1)
    expected[name] = {"shape": pixels.shape, "values": pixels.flatten().tolist()}
(folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
