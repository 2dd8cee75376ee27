// What cria does with each key that a GGUF has under its architecture's name (ggml-org/llama.cpp, src/llama-arch.cpp: LLM_KV_NAMES), a row each,
// so that none is passed over in silence.
import { check, fail } from "../base/index.ts";
import type { GgufArray, GgufScalar, GgufValue } from "./gguf-metadata.ts";
import { quote } from "./json.ts";

const where = "gguf";

/**
 * What becomes of a key: it is read, it changes nothing, or it names a part that cria lacks where its value is another than those that mean its
 * absence.
 */
type Role = "honoured" | "harmless" | { readonly absent: readonly GgufScalar[]; readonly means: string };

function refused(means: string, ...absent: readonly GgufScalar[]): Role {
  return { absent, means };
}

const roles = new Map<string, Role>(
  Object.entries({
    context_length: "honoured",
    embedding_length: "honoured",
    block_count: "honoured",
    feed_forward_length: "honoured",
    "attention.head_count": "honoured",
    "attention.head_count_kv": "honoured",
    "attention.key_length": "honoured",
    "attention.value_length": "honoured",
    "attention.layer_norm_rms_epsilon": "honoured",
    "attention.sliding_window": "honoured",
    "attention.sliding_window_pattern": "honoured",
    "rope.dimension_count": "honoured",
    "rope.freq_base": "honoured",
    "rope.scale_linear": "honoured",
    "rope.scaling.type": "honoured",
    "rope.scaling.factor": "honoured",
    "rope.scaling.attn_factor": "honoured",
    "rope.scaling.original_context_length": "honoured",
    "rope.scaling.yarn_attn_factor": "honoured",
    "rope.scaling.yarn_beta_fast": "honoured",
    "rope.scaling.yarn_beta_slow": "honoured",
    "rope.scaling.yarn_log_multiplier": "honoured",
    "rope.scaling.yarn_ext_factor": refused("YaRN's ramp by another share than the whole", 1, -1),
    // The embedding table says how many rows it has.
    vocab_size: "harmless",
    "rope.scaling.finetuned": "harmless",
    tensor_data_layout: "harmless",
    expert_count: refused("a mixture of experts, as Mixtral is", 0),
    expert_used_count: refused("a mixture of experts, as Mixtral is", 0),
    "attention.causal": refused("attention to later tokens", true),
    "attention.scale": refused("scores of attention by a scale of its own", 0),
    "attention.clamp_kqv": refused("queries, keys and values that are clamped", 0),
    "attention.max_alibi_bias": refused("ALiBi", 0),
    "attention.temperature_scale": refused("attention whose temperature depends on the position", 0),
    attn_logit_softcapping: refused("scores of attention that are capped", 0),
    final_logit_softcapping: refused("logits that are capped", 0),
    logit_scale: refused("logits by a scale", 0, 1),
    residual_scale: refused("residuals by a scale", 0, 1),
    embedding_scale: refused("embeddings by a scale", 0, 1),
    pooling_type: refused("pooled embeddings in the place of logits", 0, -1),
    use_parallel_residual: refused("attention and feed-forward layers side by side", false),
    nextn_predict_layers: refused("layers that predict several tokens", 0),
    "rope.scaling.alpha": refused("NTK scaling by alpha", 0),
  }),
);

/** The keys of one architecture in a file's metadata, each of the kind that is asked for. */
export class GgufKeys {
  readonly #pairs: ReadonlyMap<string, GgufValue>;
  readonly #prefix: string;
  readonly name: string;

  /** @param name of the file, for messages */
  constructor(name: string, pairs: ReadonlyMap<string, GgufValue>, architecture: string) {
    this.name = name;
    this.#pairs = pairs;
    this.#prefix = `${architecture}.`;
  }

  /** @throws CriaError for a key that names a part which cria lacks. @returns a sentence for keys that it does not know, or none */
  check(): string[] {
    const unknown: string[] = [];
    for (const [full, { value }] of this.#pairs) {
      if (!full.startsWith(this.#prefix)) continue;
      const role = roles.get(full.slice(this.#prefix.length));
      if (role === undefined) unknown.push(full);
      else if (typeof role === "object" && !isOneOf(role.absent, value))
        this.fail(
          full.slice(this.#prefix.length),
          value,
          `stands for ${role.means}, which cria does not compute: choose a model without it`,
        );
    }
    if (unknown.length === 0) return [];
    return [`[${where}] ${this.name}: cria does not know ${unknown.join(", ")}, and reads the file as if they were not there`];
  }

  fail(key: string, value: unknown, message: string): never {
    return fail(where, `${this.name}: ${this.#prefix}${key} is ${shown(value)}, which ${message}`);
  }

  has(key: string): boolean {
    return this.#pairs.has(this.#prefix + key);
  }

  text(key: string): string | undefined {
    const value = this.#value(key);
    return value === undefined || typeof value === "string" ? value : this.fail(key, value, "must be a text: the file is damaged");
  }

  /** A float32 as the shortest decimal that rounds to it, which is what the file was made of: 1e-5 and not 0.000009999999747378752. */
  number(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isFinite(value)) return this.fail(key, value, "must be a finite number: the file is damaged");
    return this.#pairs.get(this.#prefix + key)?.type === "f32" ? shortestDecimal(value) : value;
  }

  /** A whole number from 0, of any width. */
  whole(key: string): number | undefined {
    const value = this.#value(key);
    return value === undefined ? undefined : this.#asWhole(key, value);
  }

  /** A whole number that is the same in all layers, though a file may list it layer by layer. @throws CriaError where it differs */
  perLayer(key: string, nLayers: number): number | undefined {
    const list = this.list(key, nLayers);
    if (list === undefined) return this.whole(key);
    const numbers = list.map((value) => this.#asWhole(key, value));
    const [first] = numbers;
    check(
      numbers.every((number) => number === first),
      where,
      () =>
        `${this.name}: ${this.#prefix}${key} is ${shown(numbers)}, but cria computes layers that are all alike: choose a model whose layers are`,
    );
    return first;
  }

  /** A value for every layer, where the file lists them. */
  list(key: string, nLayers: number): readonly unknown[] | undefined {
    const value = this.#pairs.get(this.#prefix + key)?.value;
    if (typeof value !== "object") return undefined;
    const { length } = value.values;
    check(
      length === nLayers,
      where,
      () => `${this.name}: ${this.#prefix}${key} lists ${length} layers, but block_count is ${nLayers}: the file is damaged`,
    );
    return Array.from(value.values);
  }

  /** @throws CriaError naming the key where it is absent */
  required(key: string, value: number | undefined): number {
    return value ?? fail(where, `${this.name}: it has no ${this.#prefix}${key}, which a model needs: convert it again`);
  }

  #value(key: string): GgufScalar | undefined {
    const value = this.#pairs.get(this.#prefix + key)?.value;
    if (typeof value === "object") return this.fail(key, value, "must be one value: the file is damaged");
    return value;
  }

  #asWhole(key: string, value: unknown): number {
    const isWhole = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    return isWhole ? value : this.fail(key, value, "must be a whole number from 0: the file is damaged");
  }
}

function isOneOf(values: readonly GgufScalar[], value: GgufValue["value"]): boolean {
  const given = typeof value === "object" ? Array.from<unknown>(value.values) : [value];
  return given.every((one) => values.some((absent) => absent === one));
}

/** A value as messages show it, of a list its first. */
function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (!isGgufArray(value)) return Array.isArray(value) ? shownList(value) : String(value);
  return shownList(Array.from<unknown>(value.values));
}

function isGgufArray(value: unknown): value is GgufArray {
  return typeof value === "object" && value !== null && "type" in value;
}

function shownList(values: readonly unknown[]): string {
  return `[${values.slice(0, 8).map(String).join(", ")}${values.length > 8 ? ", …" : ""}]`;
}

/** The decimal of fewest digits that rounds to a float32. */
export function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}
