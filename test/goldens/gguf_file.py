"""A small GGUF as gguf-py writes it, with metadata of every type and tensors in several layouts: gguf-file.golden.json.

    python3 gguf_file.py

with gguf 0.19.0, numpy 2.4.6; twice gives the same bytes. `gguf_file.py show FILE` prints what gguf-py's reader finds in a file."""
import base64
import json
import pathlib
import sys
import tempfile

import gguf
import numpy as np

T = gguf.GGUFValueType


def write_golden():
    rng = np.random.default_rng(20261128)
    tensors = {
        "token_embd.weight": (rng.normal(size=(3, 32)).astype(np.float32), "Q8_0"),
        "blk.0.attn_norm.weight": (np.ones(5, np.float32), "F32"),
        "blk.0.ffn_down.weight": (rng.normal(size=(2, 64)).astype(np.float32), "Q4_1"),
        "output.weight": (rng.normal(size=(3, 7)).astype(np.float32), "F16"),
    }
    with tempfile.NamedTemporaryFile() as file:
        writer = gguf.GGUFWriter(file.name, "llama")
        writer.add_string("general.name", "Größe")
        for name, value, kind in [("u8", 255, T.UINT8), ("i8", -5, T.INT8), ("u16", 65535, T.UINT16), ("i16", -7, T.INT16)]:
            writer.add_key_value(name, value, kind)
        writer.add_uint32("u32", 2**32 - 1)
        writer.add_int32("i32", -(2**31))
        writer.add_uint64("u64", 2**40)
        writer.add_int64("i64", -(2**40))
        writer.add_float32("f32", 1e-5)
        writer.add_float64("f64", 0.1)
        writer.add_bool("flag", True)
        writer.add_array("texts", ["a", "", "▁b"])
        writer.add_array("numbers", [1, -2, 3])
        writer.add_array("floats", [0.5, -1.25])
        writer.add_array("flags", [True, False])
        for name, (values, kind) in tensors.items():
            kind = gguf.GGMLQuantizationType[kind]
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        file_bytes = pathlib.Path(file.name).read_bytes()
    text = lambda data: base64.b64encode(data).decode()
    golden = {"file": text(file_bytes), "tensors": {name: text(values.tobytes()) for name, (values, _) in tensors.items()}}
    (pathlib.Path(__file__).parent / "gguf-file.golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def show(path):
    reader = gguf.GGUFReader(path)
    for field in reader.fields.values():
        value = field.contents()
        print(field.name, f"{len(value)} values" if isinstance(value, list) and len(value) > 8 else repr(value))
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        print(tensor.name, tensor.tensor_type.name, list(reversed(tensor.shape.tolist())), f"root mean square {np.sqrt(np.mean(values**2)):.5f}")


if len(sys.argv) == 3 and sys.argv[1] == "show":
    show(sys.argv[2])
else:
    write_golden()
