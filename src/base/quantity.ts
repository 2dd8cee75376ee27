// Numbers as people write them: 4_000_000, 50,000, 4k, 7B, 1e6. Flags, `--set` and the keys of recipes all read them here. And sizes as people read them.

/** What each suffix multiplies by, as a power of ten, in capitals or not. */
const powers: Readonly<Record<string, number>> = { k: 3, m: 6, g: 9, b: 9, t: 12, p: 15 };

/** Thousands stand apart by "," in groups of three or by "_"; an exponent and a suffix exclude each other. */
const written = /^([+-]?)(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:_\d+)*(?:\.\d*)?|\.\d+)(?:e([+-]?\d+)|([kmgbtp]))?$/i;

/** A number with an optional suffix k, M, G or B, T, P, which are powers of ten. NaN for what is no finite number. */
export function parseQuantity(text: string): number {
  const [, sign, digits, exponent, suffix] = written.exec(text.trim()) ?? [];
  if (digits === undefined) return Number.NaN;
  const power = suffix === undefined ? (exponent ?? "0") : powers[suffix.toLowerCase()];
  const value = Number(`${sign}${digits.replaceAll(/[,_]/g, "")}e${power}`); // 4.1k is 4100: no product that rounds
  return Number.isFinite(value) ? value : Number.NaN;
}

/**
 * Why `text` cannot be a length: people write 8k for 8000 and for 8192, and lengths, batches and vocabularies come in both. It names both;
 * undefined where the text says one thing.
 */
export function ambiguousLength(text: string): string | undefined {
  const [, , digits, , suffix] = written.exec(text.trim()) ?? [];
  const power = suffix === undefined ? 0 : powers[suffix.toLowerCase()]!;
  if (digits === undefined || power === 0) return undefined;
  const decimal = parseQuantity(text);
  const binary = Number(digits.replaceAll(/[,_]/g, "")) * 1024 ** (power / 3);
  return `"${suffix}" may stand for ${10 ** power} or ${1024 ** (power / 3)} here: write ${decimal} or ${binary}`;
}

/** 1.23 GB, with three digits. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toPrecision(3)} GB`;
}

/** 950 B, 12.3 kB, 4.56 GB. */
export function byteSize(bytes: number): string {
  const [size, unit] = (
    [
      [1e9, "GB"],
      [1e6, "MB"],
      [1e3, "kB"],
    ] as const
  ).find(([least]) => bytes >= least) ?? [1, "B"];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}
