"""Writes smollm2.golden.json: what llama.cpp and PyTorch make of SmolLM2-135M-Instruct as a GGUF of Q4_1.

    node tools/fetch-smollm2.mjs && npm ci --prefix ../../bench/peers
    python3 smollm2.py     needs torch, transformers, accelerate, gguf and jinja2; made with torch 2.15.0, transformers 5.24.0 and node-llama-cpp 3.22.1

transformers reads the file itself and computes in float32 with the values that its blocks stand for: that is the judge. Of each prompt: its ids by llama.cpp, the judge's most
probable ids with their log-probabilities, and the Kullback-Leibler divergence of llama.cpp's distribution from the judge's. Of a few prompts llama.cpp's greedy ids, each with
the gap between its two most probable ids. Of a few chats what jinja2 makes of the file's template.
"""

import base64
import json
import pathlib
import subprocess

import gguf
import jinja2.sandbox
import numpy as np
import torch
import transformers

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
FILE = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
OUT = HERE / "smollm2.golden.json"

SUBJECTS = [
    "water", "the capital of France", "a prime number", "bread", "the moon", "a list in Python", "Shakespeare", "photosynthesis", "a dog", "music",
    "the Roman Empire", "an atom", "winter", "a computer", "love", "the number seven", "a bicycle", "gravity", "tea", "a poem",
]  # fmt: skip
FRAMES = [
    "{} is", "What is {}? It is", "The most important thing about {} is that", "Question: where does {} come from?\nAnswer:", "Once upon a time there was {}, and",
    "<|im_start|>user\nTell me about {}.<|im_end|>\n<|im_start|>assistant\n", "In 1923, {} was", "def about():\n    return \"{}\"\n\nprint(", "{}, {}, {} and", "Dear friend,\n\nI write to you of {}. 日本語 🦙",
]  # fmt: skip
GREEDY = ["The capital of France is", "Once upon a time", "def fibonacci(n):", "<|im_start|>user\nWhat is gravity?<|im_end|>\n<|im_start|>assistant\n"]
CHATS = [
    [dict(role="user", content="Hello!")],
    [dict(role="system", content="Be brief."), dict(role="user", content=" What is 2 + 2? \n")],
    [dict(role="user", content="One"), dict(role="assistant", content="Two"), dict(role="user", content="Three <|im_end|>")],
]


def main():
    prompts = [frame.replace("{}", subject) for frame in FRAMES for subject in SUBJECTS]
    peer = Peer()
    ids = [peer.ask(text=text)["ids"] for text in prompts]
    model = transformers.AutoModelForCausalLM.from_pretrained(FILE.parent, gguf_file=FILE.name, dtype=torch.float32).eval()
    torch.set_num_threads(1)
    rows = [row(peer, model, text, one) for text, one in zip(prompts, ids)]
    greedy = [greedy_row(peer, text) for text in GREEDY]
    template = gguf.GGUFReader(FILE).fields["tokenizer.chat_template"].contents()
    chats = [dict(messages=chat, text=render(template, chat)) for chat in CHATS]
    print("mean divergence of llama.cpp", np.mean([one["divergence"] for one in rows]), "largest", max(one["divergence"] for one in rows))
    made_by = f"test/goldens/smollm2.py, torch {torch.__version__}, transformers {transformers.__version__}, node-llama-cpp 3.22.1"
    OUT.write_text(json.dumps(dict(madeBy=made_by, prompts=rows, greedy=greedy, chats=chats), ensure_ascii=False) + "\n")


def row(peer, model, text, ids):
    with torch.no_grad():
        judge = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), -1)
    theirs = torch.log_softmax(torch.from_numpy(peer.logits(ids)).double(), -1)
    best = judge.topk(4)
    return dict(
        text=text, ids=ids, best=best.indices.tolist(), logProbabilities=[round(one, 6) for one in best.values.tolist()],
        divergence=float((judge.exp() * (judge - theirs)).sum()), theirBest=int(theirs.argmax()),
    )  # fmt: skip


def greedy_row(peer, text, tokens=32):
    answer = peer.ask(ids=peer.ask(text=text)["ids"], tokens=tokens)
    return dict(text=text, tokens=answer["ids"], gaps=answer["gaps"])


def render(template, messages):
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(messages=messages, add_generation_prompt=True, bos_token="<|im_start|>", eos_token="<|im_end|>")


class Peer:
    """bench/peers/llama-cpp.mjs: a line for a line."""

    def __init__(self):
        command = ["node", str(ROOT / "bench/peers/llama-cpp.mjs"), str(FILE)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def logits(self, ids):
        return np.frombuffer(base64.b64decode(self.ask(ids=ids)["logits"]), "<f4")


if __name__ == "__main__":
    main()
