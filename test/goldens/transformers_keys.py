"""Writes transformers-keys.golden.json: every key that config.json and generation_config.json can hold, with the first and the last release that has it.

    python3 transformers_keys.py FOLDER     FOLDER holds wheels of transformers (pip download --no-deps transformers==4.28.0 …)

made with 4.28.0 (the first with LLaMA), 4.31.0, 4.38.0, 4.45.0, 4.51.0, 4.57.0, 5.0.0 and 5.24.0. The source is read, not run: the arguments of
LlamaConfig and PreTrainedConfig, what their constructors take out of the other arguments, the generation settings that configs held, and the same
of GenerationConfig.
"""

import ast
import json
import pathlib
import sys
import zipfile

OUT = pathlib.Path(__file__).parent / "transformers-keys.golden.json"
CONFIG = ["models/llama/configuration_llama.py", "configuration_utils.py"]
GENERATION = ["generation/configuration_utils.py"]


def main():
    wheels = sorted(pathlib.Path(sys.argv[1]).glob("transformers-*.whl"), key=version)
    found = {"config": {}, "generation": {}}
    for wheel in wheels:
        sources = zipfile.ZipFile(wheel)
        for document, files in (("config", CONFIG), ("generation", GENERATION)):
            for file in files:
                tree = ast.parse(sources.read(f"transformers/{file}"))
                for key in set(keys_of(tree)) - NEVER_WRITTEN:
                    found[document].setdefault(key, []).append(wheel.name.split("-")[1])
    golden = {document: {key: [all[0], all[-1]] for key, all in sorted(keys.items())} for document, keys in found.items()}
    OUT.write_text(json.dumps(golden, indent=1) + "\n")
    print({document: len(keys) for document, keys in golden.items()})


def version(wheel):
    return [int(part) for part in wheel.name.split("-")[1].split(".")]


def keys_of(tree):
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name in CLASSES]
    for one in classes:
        for node in one.body:
            if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar"):
                yield node.target.id
            if isinstance(node, ast.FunctionDef) and node.name in METHODS:
                yield from keys_of_method(node)


CLASSES = {"LlamaConfig", "PretrainedConfig", "PreTrainedConfig", "GenerationConfig"}
METHODS = {"__init__", "__post_init__", "_get_generation_defaults", "_get_global_generation_defaults", "_get_default_generation_params"}
# What the classes know of themselves, which no file holds.
NEVER_WRITTEN = {
    *["_auto_class", "attribute_map", "base_config_key", "base_model_ep_plan", "base_model_pp_plan", "base_model_tp_plan", "sub_configs"],
    *["has_no_defaults_at_init", "is_composition", "ignore_keys_at_rope_validation", "_original_object_hash", "_mask_length"],
    *["_bos_token_tensor", "_eos_token_tensor", "_pad_token_tensor", "_decoder_start_token_tensor"],
}


def keys_of_method(method):
    if method.name == "__init__":
        yield from (argument.arg for argument in method.args.args + method.args.kwonlyargs if argument.arg != "self")
    for node in ast.walk(method):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "kwargs.pop":
            yield from (argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant))
        if isinstance(node, ast.Dict) and "default" in method.name:
            yield from (key.value for key in node.keys)


if __name__ == "__main__":
    main()
