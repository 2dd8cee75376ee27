// What a program reads of its buffers: the bytes as they were written, and forms of weights.
import { fail } from "../../base/index.ts";
import type { Tensor } from "../../graph/index.ts";
import type { BufferBytes } from "./buffer-bytes.ts";
import type { Lowered, Place, WeightForm } from "./lower.ts";

export class HeldBytes implements Pick<Place, "once"> {
  readonly #plain = new Map<Tensor, BufferBytes>();
  readonly #forms: { readonly bytes: BufferBytes; readonly form: WeightForm }[] = [];
  readonly #addresses = new Map<string, number>();
  /** Those that a run writes. */
  readonly #written: BufferBytes[] = [];

  /** Called by a job of the backend's queue. @throws CriaError when memory does not suffice; nothing is held then. */
  static async hold({ space, forms, updated }: Lowered, bytes: ReadonlyMap<Tensor, BufferBytes>): Promise<HeldBytes> {
    const held = new HeldBytes();
    try {
      for (const [tensor, plain] of bytes) if (space.names(tensor)) await held.#holdPlain(tensor, plain);
      for (const tensor of updated) held.#written.push(boundTo(tensor, bytes));
      for (const { weight, form } of forms) await held.#prepare(weight, form, bytes);
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
  async refresh(): Promise<void> {
    for (const { bytes, form } of this.#forms) await bytes.refresh(form);
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

  async #prepare(weight: Tensor, form: WeightForm, bound: ReadonlyMap<Tensor, BufferBytes>): Promise<void> {
    const bytes = boundTo(weight, bound);
    this.#addresses.set(`${weight.id} ${form.name}`, await bytes.prepare(form));
    this.#forms.push({ bytes, form });
  }
}

function boundTo(tensor: Tensor, bytes: ReadonlyMap<Tensor, BufferBytes>): BufferBytes {
  return bytes.get(tensor) ?? fail("cpu", `"${tensor.name}" has no buffer`);
}
