"""What gguf-py makes of rows of numbers in the layouts that have one way to be written: quantised-blocks.golden.json.

    python3 quantised_blocks.py

with gguf 0.19.0, numpy 2.4.6; twice gives the same bytes. The rows are ordinary and odd ones: all alike, zeros of either sign, outliers, ties,
subnormal scales, the largest numbers. `quantised_blocks.py compare FOLDER` holds random rows that cria quantised against gguf-py, see
quantised-blocks.mjs."""
import base64
import json
import pathlib
import sys

import gguf
import numpy as np

LAYOUTS = ["f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]


def quantised(rows, name):
    with np.errstate(all="ignore"):
        return gguf.quants.quantize(rows, gguf.GGMLQuantizationType[name.upper()])


def odd_rows(rng):
    normal = lambda scale: rng.normal(0, scale, 32)
    outlier = normal(0.02)
    outlier[5] = -3
    return np.stack(
        [
            *(normal(scale) for scale in (0.02, 1, 1e3, 1e-4)),
            *(np.full(32, value) for value in (0.0, -0.0, 0.125, -0.7, 6e4)),
            *(np.arange(32) * step for step in (0.5, -0.25, 1e-3)),
            outlier,
            np.abs(normal(1)),
            -np.abs(normal(1)),
            normal(1e-7),
            normal(1e-37),
            (np.arange(32) - 16) / 16,
            rng.integers(-127, 128, 32) / 2,
            np.where(np.arange(32) == 31, 65504, normal(1)),
        ]
    ).astype(np.float32)


def text(array):
    return base64.b64encode(array.tobytes()).decode()


def write_golden():
    rows = odd_rows(np.random.default_rng(20261128))
    lines = [f'"rows": "{text(rows.astype("<f4"))}"', *(f'"{name}": "{text(quantised(rows, name))}"' for name in LAYOUTS)]
    (pathlib.Path(__file__).parent / "quantised-blocks.golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def compare(folder):
    rows = np.fromfile(folder / "rows.f32", dtype="<f4").reshape(-1, 4096)
    for name in LAYOUTS:
        ours = np.fromfile(folder / f"{name}.bin", dtype=np.uint8)
        theirs = quantised(rows, name).view(np.uint8).ravel()
        print(name, rows.size, "values,", "same bytes" if np.array_equal(ours, theirs) else f"{(ours != theirs).sum()} bytes differ")


if len(sys.argv) == 3 and sys.argv[1] == "compare":
    compare(pathlib.Path(sys.argv[2]))
else:
    write_golden()
