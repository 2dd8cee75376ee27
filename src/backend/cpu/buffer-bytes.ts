// The bytes of a buffer: as they were written, and in the forms that programs read. What is read in such forms alone gives its own bytes back, and
// gets them again, from a form or from its file, when somebody asks.
import { fail } from "../../base/index.ts";
import type { Executor } from "./executor.ts";
import type { Kernels } from "./kernels.ts";
import { CallList, type WeightForm } from "./lower-graph.ts";

/** Where bytes lie, and how they go back. */
export interface PlainBytes {
  readonly address: number;
  giveBack(): void;
  /** Lets the system have the memory of bytes that are still those of a file, which are read from it again when they are touched. */
  drop?(): void;
}

/** One form of a weight. */
interface Packed {
  readonly form: WeightForm;
  readonly address: number;
  isCurrent: boolean;
}

/** A form of what a buffer holds. */
export interface FormOfBytes {
  readonly bytes: BufferBytes;
  readonly form: WeightForm;
}

/** Counts what happens to the buffers of a backend after which forms may have to be made, or bytes given back: as long as it stays, a run need not look. */
export class ChangeCount {
  value = 0;
}

/** All methods that return a promise, and `dispose`, are called one at a time, by jobs of the backend's queue. */
export class BufferBytes {
  readonly #executor: Executor;
  readonly #kernels: Kernels;
  readonly #changes: ChangeCount;
  readonly #bytes: number;
  #plain: PlainBytes | undefined;
  /** Whether the bytes are anything else than the zeros that they were allocated as. */
  #isFilled: boolean;
  readonly #forms = new Map<string, Packed>();
  /** Programs that read the bytes as they were written. */
  #readers = 0;

  /** @param plain allocated by default */
  constructor(executor: Executor, kernels: Kernels, changes: ChangeCount, bytes: number, plain?: PlainBytes) {
    this.#executor = executor;
    this.#kernels = kernels;
    this.#changes = changes;
    this.#bytes = bytes;
    this.#plain = plain ?? this.#allocate();
    this.#isFilled = plain !== undefined;
  }

  /** The address of the bytes as they were written, which stays theirs from {@link hold} to {@link letGo}. */
  get address(): number {
    return this.#plain?.address ?? fail("cpu", "the bytes of a weight were given back while a program reads them");
  }

  /** Holds the bytes as they were written, for a program that reads them so. */
  async hold(): Promise<void> {
    this.#readers++;
    await this.#restore();
  }

  letGo(): void {
    this.#readers--;
    this.#changes.value++;
  }

  /** Whether there is anything to make forms of. */
  get isFilled(): boolean {
    return this.#isFilled;
  }

  /** The address of a form, which {@link BufferBytes.refresh} fills. */
  place(form: WeightForm): number {
    const packed = this.#forms.get(form.name) ?? { form, address: this.#executor.allocate(form.bytes), isCurrent: false };
    this.#forms.set(form.name, packed);
    this.#changes.value++;
    return packed.address;
  }

  /** Fills forms that are not what their weights now say, all by one program; then gives back what nobody reads. */
  static async refresh(forms: readonly FormOfBytes[]): Promise<void> {
    const stale = forms.filter(({ bytes, form }) => !bytes.#packed(form).isCurrent);
    const [one] = stale;
    if (one) await one.bytes.#pack(stale);
    for (const { bytes } of forms) bytes.#giveBackUnread();
  }

  async #pack(stale: readonly FormOfBytes[]): Promise<void> {
    for (const { bytes } of stale) await bytes.#restore();
    await this.#call((calls) => {
      for (const { bytes, form } of stale) form.pack(calls, bytes.address, bytes.#packed(form).address);
    });
    for (const { bytes, form } of stale) {
      bytes.#packed(form).isCurrent = true;
      bytes.#drop();
    }
  }

  #drop(): void {
    this.#plain?.drop?.();
  }

  #packed({ name }: WeightForm): Packed {
    return this.#forms.get(name) ?? fail("cpu", `the weight was never asked for ${name}`);
  }

  #giveBackUnread(): void {
    if (this.#plain && !this.#plain.drop && this.#readers === 0 && this.#source()) this.#giveBack();
  }

  /** Waits for nothing where the bytes are there. */
  write(from: ArrayBufferView, at: number): Promise<void> | undefined {
    if (this.#plain === undefined && from.byteLength < this.#bytes) return this.#restoreAndWrite(from, at);
    this.#plain ??= this.#allocate();
    this.#executor.write(this.#plain.address + at, from);
    this.changed();
    return undefined;
  }

  async #restoreAndWrite(from: ArrayBufferView, at: number): Promise<void> {
    await this.#restore();
    return this.write(from, at);
  }

  /** Called when the bytes that are there were written: they are no file's any more, and no form is what they say. */
  changed(): void {
    if (this.#plain?.drop) this.#plain = { address: this.#plain.address, giveBack: this.#plain.giveBack };
    this.#isFilled = true;
    if (this.#forms.size > 0) this.#changes.value++;
    for (const packed of this.#forms.values()) packed.isCurrent = false;
  }

  /** The bytes are there until the next run then. */
  async read(into: ArrayBufferView, at: number): Promise<void> {
    this.#executor.read((await this.#restore()) + at, into);
  }

  dispose(): void {
    this.#giveBack();
    for (const { address } of this.#forms.values()) this.#executor.free(address);
    this.#forms.clear();
  }

  /** Makes the bytes of a form where they are gone. @returns their address. @throws CriaError when memory does not suffice. */
  async #restore(): Promise<number> {
    if (this.#plain) return this.#plain.address;
    const source = this.#source() ?? fail("cpu", "the bytes of a weight were given back and no form has them");
    const plain = this.#allocate();
    await this.#call((calls) => source.form.unpack?.(calls, source.address, plain.address));
    this.#plain = plain;
    this.#changes.value++;
    return plain.address;
  }

  /** A form that the bytes can be made of. */
  #source(): Packed | undefined {
    return [...this.#forms.values()].find(({ form, isCurrent }) => isCurrent && form.unpack);
  }

  #allocate(): PlainBytes {
    const address = this.#executor.allocate(this.#bytes);
    return { address, giveBack: () => this.#executor.free(address) };
  }

  #giveBack(): void {
    this.#plain?.giveBack();
    this.#plain = undefined;
  }

  /** Runs calls once. */
  async #call(emit: (calls: CallList) => void): Promise<void> {
    const calls = new CallList(this.#kernels);
    emit(calls);
    const { kernels, phases } = calls.finish();
    const program = await this.#executor.load(kernels, phases);
    try {
      await this.#executor.run(program);
    } finally {
      this.#executor.unload(program);
    }
  }
}
