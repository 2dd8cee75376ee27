// The kernels of a backend, by definition and constants: a model of many layers has few shapes, so each is made once. What an earlier process
// has compiled is not made at all, unless somebody looks at its IR.
import { type Kernel, type KernelDefinition, specialise, type Target } from "../../kernel/index.ts";

/** Code of kernels that outlives the process, for one target and one form of code. */
export interface CodeStore {
  /** @param kernel its definition's name and constants. */
  find(kernel: string): StoredCode | undefined;
  keep(kernel: string, code: StoredCode): void;
}

/** All that calling a kernel takes. */
export interface StoredCode extends Pick<Kernel, "params" | "units" | "liveUnits" | "scratchBytes"> {
  readonly code: Uint8Array;
}

/** The kernels of one target, each made once for equal constants. */
export class Kernels {
  readonly target: Target;
  readonly #store: CodeStore | undefined;
  readonly #made = new Map<string, Kernel>();

  constructor(target: Target, store?: CodeStore) {
    this.target = target;
    this.#store = store;
  }

  /** @param definition one of the library: what is stored is told apart by its name. */
  get<C extends object>(definition: KernelDefinition<C>, constants: C): Kernel {
    const key = `${definition.name} ${JSON.stringify(constants)}`;
    const known = this.#made.get(key);
    if (known) return known;
    const make = () => specialise(definition, constants, this.target);
    const made = this.#store ? new LibraryKernel(key, definition.name, this.target, make, this.#store) : make();
    this.#made.set(key, made);
    return made;
  }
}

/** A kernel whose code may be known before its IR. */
class LibraryKernel implements Kernel {
  readonly name: string;
  readonly target: Target;
  readonly params: Kernel["params"];
  readonly units: number;
  readonly liveUnits: Kernel["liveUnits"];
  readonly scratchBytes: number;
  readonly #key: string;
  readonly #store: CodeStore;
  readonly #make: () => Kernel;
  #made: Kernel | undefined;
  #code: Uint8Array | undefined;

  constructor(key: string, name: string, target: Target, make: () => Kernel, store: CodeStore) {
    const stored = store.find(key);
    if (!stored) this.#made = make();
    const { params, units, liveUnits, scratchBytes } = stored ?? this.#made!;
    this.name = name;
    this.target = target;
    this.params = params;
    this.units = units;
    this.liveUnits = liveUnits;
    this.scratchBytes = scratchBytes;
    this.#key = key;
    this.#store = store;
    this.#make = make;
    this.#code = stored?.code;
  }

  get body(): Kernel["body"] {
    return this.#ir().body;
  }

  /** Compiles it unless its code is known, and keeps that for later processes. */
  code(compile: (kernel: Kernel) => Uint8Array): Uint8Array {
    if (this.#code) return this.#code;
    const { params, units, liveUnits, scratchBytes } = this;
    this.#code = compile(this.#ir());
    this.#store.keep(this.#key, { params, units, liveUnits, scratchBytes, code: this.#code });
    return this.#code;
  }

  #ir(): Kernel {
    this.#made ??= this.#make();
    return this.#made;
  }
}

/** The code of a kernel: that of an earlier process where there is one. */
export function codeOf(kernel: Kernel, compile: (kernel: Kernel) => Uint8Array): Uint8Array {
  return kernel instanceof LibraryKernel ? kernel.code(compile) : compile(kernel);
}
