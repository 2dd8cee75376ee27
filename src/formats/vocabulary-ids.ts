// The ids of a tokenizer.json's pieces: those of its model, and those of tokens that it and the files beside it add.
import { unusedPiece } from "../tokenizer/index.ts";
import type { JsonFields } from "./json-fields.ts";

/** A model's own vocabulary. */
export interface VocabularyMember {
  /** The pieces, no two alike, in the order of the file. */
  readonly names: readonly string[];
  readonly ids: ArrayLike<number>;
  find(piece: string): number | undefined;
}

/** piece → id. */
export class VocabularyIds {
  readonly #member: VocabularyMember;
  /** Pieces that the member lacks. */
  readonly #added = new Map<string, number>();
  /** The highest id; -1 where there is none. */
  #top = -1;
  /** id → 1 where the member has it; made when it is first asked. */
  #isOwn: Uint8Array | undefined;

  constructor(member: VocabularyMember) {
    this.#member = member;
    for (let i = 0; i < member.ids.length; i++) this.#top = Math.max(this.#top, member.ids[i]!);
  }

  get(piece: string): number | undefined {
    return this.#member.find(piece) ?? this.#added.get(piece);
  }

  /** How many pieces the model's own vocabulary has. */
  get ownSize(): number {
    return this.#member.names.length;
  }

  /** Whether the model's own vocabulary has the id. */
  isOwn(id: number): boolean {
    if (this.#isOwn === undefined) {
      const { ids } = this.#member;
      this.#isOwn = new Uint8Array(Math.min(this.#top + 1, this.#most));
      for (let i = 0; i < ids.length; i++) this.#isOwn[ids[i]!] = 1;
    }
    return this.#isOwn[id] === 1;
  }

  /** Adds a token, which is not there or has this id. */
  add(piece: string, id: number): void {
    if (this.#member.find(piece) !== undefined) return;
    this.#added.set(piece, id);
    this.#top = Math.max(this.#top, id);
  }

  /** Adds a token behind all others. @returns its id */
  append(piece: string): number {
    this.add(piece, this.#top + 1);
    return this.#top;
  }

  /** More ids than this are not left out. */
  get #most(): number {
    return 2 * (this.ownSize + this.#added.size) + 1024;
  }

  /** Pieces by their ids; those that a file leaves out, of which cl100k has some, stand for pieces that no text becomes. */
  pieces(fields: JsonFields): { readonly pieces: string[]; readonly unused: readonly number[] } {
    const most = this.#most;
    const byId = new Array<string | undefined>(Math.min(this.#top + 1, most)).fill(undefined);
    const place = (piece: string, id: number) => {
      if (id >= most)
        fields.fail(`"${piece}" has the id ${id}, but there are ${this.ownSize + this.#added.size} pieces: so many ids cannot be left out`);
      if (byId[id] !== undefined) fields.fail(`"${byId[id]}" and "${piece}" both have the id ${id}: ids must be unique`);
      byId[id] = piece;
    };
    const { names, ids } = this.#member;
    for (let i = 0; i < names.length; i++) place(names[i]!, ids[i]!);
    for (const [piece, id] of this.#added) place(piece, id);
    const unused: number[] = [];
    const pieces: string[] = [];
    for (let id = 0; id < byId.length; id++) {
      const piece = byId[id];
      if (piece === undefined) unused.push(id);
      pieces.push(piece ?? unusedPiece(id));
    }
    return { pieces, unused };
  }
}
