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
  readonly #root = new PrefixNode(undefined, [], undefined);
  #clock = 0;

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
    return this.#pages.filter(({ users }) => users > 0).length;
  }

  /** Pages of prefixes that no sequence holds. */
  get kept(): number {
    return this.#pages.filter(({ users, isKept }) => users === 0 && isKept).length;
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
    own.users++;
    own.usedAt = ++this.#clock;
  }

  release(page: Page): void {
    const own = this.#own(page);
    check(own.users > 0, "infer", () => `page ${page.number} is released but nobody holds it`);
    own.users--;
    own.usedAt = ++this.#clock;
    this.#freeIfUnused(own);
  }

  /**
   * The kept page with the most of `ids` from `from` on, at most to `until`, exactly compared; undefined where no page has even the first.
   * @param before the page of the ids in front, which is whole and kept; undefined at the beginning of a text
   */
  find(before: Page | undefined, ids: readonly number[], from: number, until: number): Found | undefined {
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
  keep(before: Page | undefined, page: Page, ids: readonly number[]): Page {
    const parent = this.#nodeOf(before);
    if (parent === undefined) return page;
    for (const sibling of parent.siblingsOf(ids[0]!)) {
      const common = commonLength(sibling.ids, ids, 0, ids.length);
      if (common === ids.length && sibling.page !== undefined) return sibling.page;
      if (common === sibling.ids.length && sibling.page !== undefined) this.detach(sibling.page); // the new page says more
    }
    const own = this.#own(page);
    own.node = new PrefixNode(parent, ids, own);
    parent.add(own.node);
    return page;
  }

  /** Takes a page without children out of the tree, so that its only holder may write to it. @returns whether it could be done. */
  detach(page: Page): boolean {
    const own = this.#own(page);
    const { node } = own;
    if (node === undefined || node.children.size > 0) return false;
    node.parent?.remove(node);
    own.node = undefined;
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

  #nodeOf(page: Page | undefined): PrefixNode | undefined {
    return page === undefined ? this.#root : this.#own(page).node;
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
