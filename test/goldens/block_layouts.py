"""What gguf-py makes of random blocks of every quantised layout: block-layouts.golden.json, float32 values.

    python3 block_layouts.py

with gguf 0.19.0, numpy 2.4.6; twice gives the same bytes. All bytes are random; half floats are ordinary ones, then extreme ones."""
import base64
import json
import pathlib

import gguf
import numpy as np

# Layout → where a block has its half floats.
HALVES = {"q8_0": [0], "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "iq4_nl": [0], "q2_K": [80, 82], "q3_K": [108], "q4_K": [0, 2], "q5_K": [0, 2], "q6_K": [208], "iq4_xs": [0]}  # fmt: skip
# The smallest subnormal, the largest subnormal, the largest number of either sign, minus zero, infinity and NaN.
EXTREMES = [0x0001, 0x83FF, 0x7BFF, 0xFBFF, 0x8000, 0x7C00, 0xFE00]

rng = np.random.default_rng(20261128)


def blocks_of(name):
    weights, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name.upper()]]
    count = 16 if weights == 32 else 4
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for i, block in enumerate(blocks):
        for at in HALVES[name]:
            ordinary = np.float16(rng.normal()).view(np.uint16)
            half = ordinary if i < count // 4 else rng.choice(EXTREMES)
            block[at : at + 2] = [half & 255, half >> 8]
    return blocks


def text(array):
    return base64.b64encode(array.tobytes()).decode()


rows = []
with np.errstate(all="ignore"):
    for name in HALVES:
        blocks = blocks_of(name)
        values = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[name.upper()])
        rows.append(f'"{name}": {json.dumps({"blocks": text(blocks), "values": text(values.astype("<f4"))})}')
(pathlib.Path(__file__).parent / "block-layouts.golden.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")
