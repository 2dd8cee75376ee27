// Pages of the key-value cache: who holds which, and which beginnings of texts are kept for those that come later.
// Pages as a unit of sharing: Kwon et al. 2023 (arXiv 2309.06180). Kept beginnings as a tree of ids: Zheng et al. 2023 (arXiv 2312.07104).
//
// An id here is any number that tells a row's key apart from that of another row behind the same ids. Numbers only: the keys and values themselves lie in the states of the inference graph, at the page's number in every layer.
import { check } from "../base/index.ts";

/** So many keys and values of every layer. */
export interface Page {
  readonly number: number;
  /** Sequences that hold it. */
  readonly users: number;
  /** Whether it is in the tree of prefixes: then its keys stay what they are. */
  readonly isKept: boolean;
}

/** What the tree has for the next ids: a page whose first `keys` keys are theirs. */
export interface Found {
  readonly page: Page;
  readonly keys: number;
}

/** What stands in front of a page: another page, whole and kept, or the beginning of a text. Texts with different salts share nothing. */
export type Before = Page | { readonly salt: string };

class PoolPage implements Page {
  readonly number: number;
  users = 0;
  node: PrefixNode | undefined;
  /** When a sequence last held it, by the pool's clock. */
  usedAt = 0;

  constructor(number: number) {
    this.number = number;
  }

  get isKept(): boolean {
    return this.node !== undefined;
  }
}

/** One page of a prefix. Only whole pages have children: ids that come behind. */
class PrefixNode {
  readonly parent: PrefixNode | undefined;
  readonly ids: readonly number[];
  readonly page: PoolPage | undefined;
  /** The nodes that go on from this one, keyed by the first of their ids. */
  readonly children = new Map<number, PrefixNode[]>();

  constructor(parent: PrefixNode | undefined, ids: readonly number[], page: PoolPage | undefined) {
    this.parent = parent;
    this.ids = ids;
    this.page = page;
  }

  siblingsOf(first: number): readonly PrefixNode[] {
    return this.children.get(first) ?? [];
  }

  add(child: PrefixNode): void {
    const first = child.ids[0]!;
    this.children.set(first, [...this.siblingsOf(first), child]);
  }

  remove(child: PrefixNode): void {
    const first = child.ids[0]!;
    const left = this.siblingsOf(first).filter((node) => node !== child);
    if (left.length > 0) this.children.set(first, left);
    else this.children.delete(first);
  }
}

/**
 * A pool of pages. A page is free, held by sequences, kept in the tree of prefixes, or both held and kept. A sequence that holds a kept page
 * holds every page in front of it, too, so what nobody holds can be given up from the leaves on.
 */
export class PageAllocator {
  readonly #pages: readonly PoolPage[];
  readonly #free: PoolPage[];
  /** The trees of kept prefixes by salt; none is empty. */
  readonly #roots = new Map<string, PrefixNode>();
  #clock = 0;
  #held = 0;

  /** @param count pages, at least 1 */
  constructor(count: number) {
    check(Number.isSafeInteger(count) && count > 0, "infer", () => `a pool has ${count} pages but must have at least 1`);
    this.#pages = Array.from({ length: count }, (_, number) => new PoolPage(number));
    this.#free = [...this.#pages].reverse();
  }

  get count(): number {
    return this.#pages.length;
  }

  /** Pages that sequences hold. */
  get held(): number {
    return this.#held;
  }

  /** Pages of prefixes that no sequence holds. */
  get kept(): number {
    return this.count - this.#held - this.#free.length;
  }

  /** A page for one sequence: a free one, else that of the prefix which was not used for longest. Undefined where sequences hold all. */
  take(): Page | undefined {
    if (this.#free.length === 0) this.#giveUpPrefix();
    const page = this.#free.pop();
    if (page !== undefined) this.hold(page);
    return page;
  }

  hold(page: Page): void {
    const own = this.#own(page);
    if (own.users++ === 0) this.#held++;
    own.usedAt = ++this.#clock;
  }

  release(page: Page): void {
    const own = this.#own(page);
    check(own.users > 0, "infer", () => `page ${page.number} is released but nobody holds it`);
    if (--own.users === 0) this.#held--;
    own.usedAt = ++this.#clock;
    this.#freeIfUnused(own);
  }

  /**
   * The kept page with the most of `ids` from `from` on, at most to `until`, exactly compared; undefined where no page has even the first.
   */
  find(before: Before, ids: readonly number[], from: number, until: number): Found | undefined {
    let best: Found | undefined;
    if (from >= until) return undefined;
    for (const { ids: kept, page } of this.#nodeOf(before)?.siblingsOf(ids[from]!) ?? []) {
      const keys = commonLength(kept, ids, from, until);
      if (page !== undefined && keys > (best?.keys ?? 0)) best = { page, keys };
    }
    return best;
  }

  /**
   * Keeps a page that holds the keys of `ids`, behind `before`, for those that come later; its holder writes no more to these keys.
   * @param ids from 1 to 64; fewer than 64 are the end of a text
   * @returns the page that is kept for these ids: another one where the tree has them already
   */
  keep(before: Before, page: Page, ids: readonly number[]): Page {
    const parent = this.#nodeOf(before) ?? this.#newRoot(before);
    if (parent === undefined) return page;
    const siblings = parent.siblingsOf(ids[0]!);
    const commonOf = (sibling: PrefixNode) => commonLength(sibling.ids, ids, 0, ids.length);
    const same = siblings.find((sibling) => commonOf(sibling) === ids.length);
    if (same?.page !== undefined) return same.page;
    const own = this.#own(page);
    own.node = new PrefixNode(parent, ids, own);
    parent.add(own.node);
    for (const sibling of siblings) if (commonOf(sibling) === sibling.ids.length && sibling.page !== undefined) this.detach(sibling.page); // the new page says more
    return page;
  }

  /** Takes a page without children out of the tree, so that its only holder may write to it. @returns whether it could be done. */
  detach(page: Page): boolean {
    const own = this.#own(page);
    const { node } = own;
    if (node === undefined || node.children.size > 0) return false;
    node.parent?.remove(node);
    own.node = undefined;
    this.#removeEmptyRoot(node.parent);
    this.#freeIfUnused(own);
    return true;
  }

  #giveUpPrefix(): void {
    let oldest: PoolPage | undefined;
    for (const page of this.#pages)
      if (page.users === 0 && page.node?.children.size === 0 && page.usedAt < (oldest?.usedAt ?? Number.POSITIVE_INFINITY)) oldest = page;
    if (oldest !== undefined) this.detach(oldest);
  }

  #freeIfUnused(page: PoolPage): void {
    if (page.users === 0 && page.node === undefined) this.#free.push(page);
  }

  #nodeOf(before: Before): PrefixNode | undefined {
    return "salt" in before ? this.#roots.get(before.salt) : this.#own(before).node;
  }

  /** The tree that begins with the first page of its salt; undefined behind a page that is not kept. */
  #newRoot(before: Before): PrefixNode | undefined {
    if (!("salt" in before)) return undefined;
    const root = new PrefixNode(undefined, [], undefined);
    this.#roots.set(before.salt, root);
    return root;
  }

  /** Salts come and go with those who use them, so that an empty tree is not kept. */
  #removeEmptyRoot(node: PrefixNode | undefined): void {
    if (node === undefined || node.parent !== undefined || node.children.size > 0) return;
    for (const [salt, root] of this.#roots) if (root === node) this.#roots.delete(salt);
  }

  #own({ number }: Page): PoolPage {
    return this.#pages[number]!;
  }
}

/** How many of `kept` are those of `ids` from `from` on, before `until`. */
function commonLength(kept: readonly number[], ids: readonly number[], from: number, until: number): number {
  const most = Math.min(kept.length, until - from);
  let count = 0;
  while (count < most && kept[count] === ids[from + count]) count++;
  return count;
}
