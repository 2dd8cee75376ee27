// What a program reads of its buffers: the bytes as they were written, and forms of weights.
import { fail } from "../../base/index.ts";
import type { Tensor } from "../../graph/index.ts";
import { BufferBytes, type ChangeCount, type FormOfBytes } from "./buffer-bytes.ts";
import type { FormOf, Lowered, Place, WeightForm } from "./lower-graph.ts";

/** The bytes and packed forms that a program holds for as long as it lives. */
export class HeldBytes implements Pick<Place, "once"> {
  readonly #plain = new Map<Tensor, BufferBytes>();
  readonly #forms: FormOfBytes[] = [];
  readonly #addresses = new Map<string, number>();
  /** Those that a run writes. */
  readonly #written: BufferBytes[] = [];
  readonly #changes: ChangeCount;
  /** How many changes there were when the forms were last refreshed. */
  #seenChanges = -1;

  private constructor(changes: ChangeCount) {
    this.#changes = changes;
  }

  /** Called by a job of the backend's queue. @throws CriaError when memory does not suffice; nothing is held then. */
  static async hold({ space, forms, updated }: Lowered, bytes: ReadonlyMap<Tensor, BufferBytes>, changes: ChangeCount): Promise<HeldBytes> {
    const held = new HeldBytes(changes);
    try {
      for (const [tensor, plain] of bytes) if (space.names(tensor)) await held.#holdPlain(tensor, plain);
      for (const tensor of updated) held.#written.push(boundTo(tensor, bytes));
      for (const lot of lotsOf(forms)) await held.#prepare(lot, bytes);
      return held;
    } catch (error) {
      held.letGo();
      throw error;
    }
  }

  /** The address of what was written, of a tensor that is bound. */
  address(tensor: Tensor): number | undefined {
    return this.#plain.get(tensor)?.address;
  }

  once({ id, name }: Tensor, form: WeightForm): number {
    return this.#addresses.get(`${id} ${form.name}`) ?? fail("cpu", `"${name}" has no form ${form.name}`);
  }

  /** Fills forms that are not what their weights now say. */
  refresh(): Promise<void> | undefined {
    return this.#seenChanges === this.#changes.value ? undefined : this.#refresh();
  }

  async #refresh(): Promise<void> {
    await BufferBytes.refresh(this.#forms);
    this.#seenChanges = this.#changes.value;
  }

  /** Called behind a run: forms of what it has written are made again when a program reads them. */
  changed(): void {
    for (const bytes of this.#written) bytes.changed();
  }

  letGo(): void {
    for (const bytes of this.#plain.values()) bytes.letGo();
    this.#plain.clear();
  }

  async #holdPlain(tensor: Tensor, bytes: BufferBytes): Promise<void> {
    this.#plain.set(tensor, bytes);
    await bytes.hold();
  }

  /** Forms of weights that are filled are made now, the others before the first run. */
  async #prepare(lot: readonly FormOf[], bound: ReadonlyMap<Tensor, BufferBytes>): Promise<void> {
    const forms = lot.map(({ weight, form }) => ({ bytes: boundTo(weight, bound), form }));
    lot.forEach(({ weight, form }, i) => void this.#addresses.set(`${weight.id} ${form.name}`, forms[i]!.bytes.place(form)));
    this.#forms.push(...forms);
    await BufferBytes.refresh(forms.filter(({ bytes }) => bytes.isFilled));
  }
}

/**
 * Lots of forms that are made by one program each, which takes as long to load as some small weights to pack. What one lot's weights give back serves
 * the next, so a lot is no larger than the largest form, or a sixteenth of all.
 */
function lotsOf(forms: readonly FormOf[]): FormOf[][] {
  const sizes = forms.map(({ form }) => form.bytes);
  const largest = Math.max(sizes.reduce((sum, size) => sum + size, 0) / 16, ...sizes);
  const lots: FormOf[][] = [];
  let left = 0;
  for (const one of forms) {
    if (one.form.bytes > left) {
      lots.push([]);
      left = largest;
    }
    lots.at(-1)?.push(one);
    left -= one.form.bytes;
  }
  return lots;
}

function boundTo(tensor: Tensor, bytes: ReadonlyMap<Tensor, BufferBytes>): BufferBytes {
  return bytes.get(tensor) ?? fail("cpu", `"${tensor.name}" has no buffer`);
}
