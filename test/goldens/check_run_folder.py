"""Opens a run folder as other tools would and prints its logits, as JSON, for one sequence of token ids.

    python3 check_run_folder.py RUN_FOLDER 1,5,7,9 [--reader transformers|plain]

Reads config.json in Hugging Face's Llama format and model.safetensors: with transformers where it is installed, else with the small
reader below and llama_model.py. {"reader": "…", "logits": [[V numbers] for each token]} goes to stdout; exit code 1 and a message on
stderr where the folder is not what it says it is. With --text TEXT and transformers, "text_ids" are the ids that its tokenizer gives a text.
"""

import argparse
import importlib.util
import json
import pathlib
import struct
import sys

import torch

from llama_model import forward, parameter_rows

DTYPES = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16)
ACTIVATIONS = dict(
    silu="swiglu", swish="swiglu", gelu="geglu", gelu_pytorch_tanh="gegluTanh", relu="reglu", sigmoid="glu", linear="bilinear",
)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("ids", type=lambda text: [int(part) for part in text.split(",")], help="token ids, separated by commas")
    parser.add_argument("--reader", choices=["transformers", "plain"], help="default: transformers where it is installed")
    parser.add_argument("--text", help="a text for the folder's tokenizer, which only transformers opens")
    args = parser.parse_args()
    reader = args.reader or ("transformers" if importlib.util.find_spec("transformers") else "plain")
    try:
        if not (args.folder / "config.json").is_file():
            raise FileNotFoundError("there is no config.json")
        by, logits = dict(transformers=with_transformers, plain=with_plain_reader)[reader](args.folder, args.ids)
    except Exception as error:  # libraries raise all kinds for a bad folder; each is an answer
        sys.exit(f"[run folder] {args.folder}: {type(error).__name__}: {error}")
    text_ids = None if args.text is None or reader == "plain" else text_ids_of(args.folder, args.text)
    print(json.dumps(dict(reader=by, logits=logits.tolist(), text_ids=text_ids)))


def with_transformers(folder, ids):
    import transformers

    # Load and run in float32 whatever the file holds. A missing or left-over tensor is only a warning there; here it is an error.
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    wrong = {key: sorted(report[key]) for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if report.get(key)}
    if wrong:
        raise ValueError(f"the tensors are not the model's: {wrong}")
    check_ids(ids, model.config.vocab_size, model.config.max_position_embeddings)
    with torch.no_grad():
        return f"transformers {transformers.__version__}, torch {torch.__version__}", model.eval()(torch.tensor([ids])).logits[0]


def text_ids_of(folder, text):
    import transformers

    return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)(text)["input_ids"]


def with_plain_reader(folder, ids):
    config = our_config(json.loads((folder / "config.json").read_text()))
    check_ids(ids, config["vocabSize"], config["contextLength"])
    weights = read_safetensors(folder / "model.safetensors")
    want = {name: shape for name, shape, _ in parameter_rows(config)}
    have = {name: list(tensor.shape) for name, tensor in weights.items()}
    if want != have:
        wrong = {name: (have.get(name), want.get(name)) for name in want.keys() | have.keys() if want.get(name) != have.get(name)}
        raise ValueError(f"the tensors are not the config's; name: (in the file, by the config) {wrong}")
    weights = {name: tensor.float() for name, tensor in weights.items()}
    return f"plain, torch {torch.__version__}", forward(config, weights, torch.tensor([ids]))[0]


def our_config(hf):
    """Hugging Face's names to the ones of src/model/config.ts, with its defaults; refuses what LlamaForCausalLM would not be."""
    if hf.get("model_type") != "llama":
        raise ValueError(f'config.json: model_type is {hf.get("model_type")!r}: only "llama" can be read')
    rope = hf.get("rope_parameters") or hf.get("rope_scaling") or {}
    if rope.get("rope_type", "default") != "default" or hf.get("attention_bias") or hf.get("mlp_bias"):
        raise ValueError("config.json: scaled RoPE and biases in linear layers are not LLaMA's")
    if hf.get("head_dim") not in (None, hf["hidden_size"] // hf["num_attention_heads"]):
        raise ValueError(f'config.json: head_dim is {hf["head_dim"]}, not hidden_size / num_attention_heads')
    return dict(
        vocabSize=hf["vocab_size"], dim=hf["hidden_size"], nLayers=hf["num_hidden_layers"], nHeads=hf["num_attention_heads"],
        nKvHeads=hf.get("num_key_value_heads") or hf["num_attention_heads"], hiddenDim=hf["intermediate_size"],
        contextLength=hf.get("max_position_embeddings", 2048), normEpsilon=hf.get("rms_norm_eps", 1e-6),
        ropeTheta=hf.get("rope_theta") or rope.get("rope_theta", 10000.0), ropePairing="half",
        tiedOutput=hf.get("tie_word_embeddings", False), norm="rms", normPlacement="pre",
        activation=ACTIVATIONS[hf.get("hidden_act", "silu")], swishBeta=1.0, positions="rope",
    )  # fmt: skip


def check_ids(ids, vocab_size, context_length):
    if not ids or not all(0 <= id < vocab_size for id in ids) or len(ids) > context_length:
        raise ValueError(f"token ids must be 1 to {context_length} numbers below {vocab_size}")


def read_safetensors(path):
    """name to tensor. Layout: u64 length N of the header, N bytes of JSON, then the data that its offsets count from."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    header.pop("__metadata__", None)
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        if begin != end or stop > len(body):
            raise ValueError(f"{path.name}: {name} lies at {begin} to {stop}; {end} was next, and the data has {len(body)} bytes")
        tensors[name] = torch.frombuffer(body[begin:stop], dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
        end = stop
    if end != len(body):
        raise ValueError(f"{path.name}: {len(body) - end} bytes after the last tensor")
    return tensors


if __name__ == "__main__":
    main()
