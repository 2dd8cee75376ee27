// The kernels of a backend, by definition and constants: a model of many layers has few shapes, so each is made once.
import { type Kernel, type KernelDefinition, specialise, type Target } from "../../kernel/index.ts";

export class Kernels {
  readonly target: Target;
  readonly #made = new Map<string, Kernel>();

  constructor(target: Target) {
    this.target = target;
  }

  get<C extends object>(definition: KernelDefinition<C>, constants: C): Kernel {
    const key = `${definition.name} ${JSON.stringify(constants)}`;
    const known = this.#made.get(key);
    if (known) return known;
    const made = specialise(definition, constants, this.target);
    this.#made.set(key, made);
    return made;
  }
}
