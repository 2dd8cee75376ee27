// A register tile of a product of bytes: rows of activations times the columns of a panel, block after block of the depth. Integer sums of a block
// are turned into floats and added, scaled. Where pairs of products are one instruction, as many as 16 bits hold are added before they are widened.
import type { Target } from "../ir.ts";
import type { Builder, Int, Vec } from "../language.ts";
import type { LineLayout } from "./quantise.ts";
import { blockWeights, type QuantisedType, quantisedLayouts, weightByteOf } from "./quantised-blocks.ts";
import type { PanelBlock } from "./quantised-panels.ts";

/** Quads of a block's weights. */
export const quadsOfBlock = blockWeights / 4;

/** A block of a tile: its weights, and where the tile's first row has its bytes and its numbers. */
export interface BlockOfTile {
  readonly type: QuantisedType;
  readonly line: LineLayout;
  readonly block: PanelBlock;
  readonly quants: Int;
  readonly numbers: Int;
  readonly rows: number;
  readonly vectors: number;
}

/** Something for each row of a tile and each vector of its columns. */
type Grid = readonly (readonly Vec[])[];

/** Makes something for each row of a tile and each vector of its columns. */
export function gridOf({ rows, vectors }: Pick<BlockOfTile, "rows" | "vectors">, make: (row: number, vector: number) => Vec): Grid {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: vectors }, (_, j) => make(i, j)));
}

/**
 * Rows of a tile: of the accumulators of a float product's, each result takes one as a float and others as integers. Signed bytes are multiplied in so
 * many instructions that half of the floats may as well lie in memory. Measured: docs/log/2026-11-28-products.md.
 */
export function tileRows(target: Target, type: QuantisedType): number {
  const { isSigned } = weightByteOf(target, type);
  const chain = chainOf(target, type);
  const accumulators = chain > 1 && chain < quadsOfBlock / quantisedLayouts[type].pieces ? 3 : isSigned ? 1.5 : 2;
  return Math.max(1, Math.floor(target.tile.rows / accumulators));
}

/** Magnitudes of activations are at most this. */
const mostOfActivation = 127;

/** Quads whose pairs of products may be added in 16 bits; up to 1 where four products are better added at once. */
function chainOf({ int8Dot, bytePairs }: Target, type: QuantisedType): number {
  return int8Dot || !bytePairs ? 0 : Math.floor((2 ** 15 - 1) / (2 * mostOfActivation * quantisedLayouts[type].most));
}

/** Adds a block's products to the sums of a tile: scales of a piece times its integer products, then minima times sums of activations. */
export function addBlock(k: Builder, tile: BlockOfTile, sums: Grid): void {
  const { pieces, sign } = quantisedLayouts[tile.type];
  const { starts } = tile.line;
  for (let piece = 0; piece < pieces; piece++) {
    const products = productsOf(k, tile, piece);
    const scales = vectorsOf(tile, (j) => tile.block.number(piece, j));
    sums.forEach((row, i) => {
      const scale = numberOf(k, tile, i, starts);
      row.forEach((sum, j) => sum.accumulate(products(i, j).toFloat().mul(scales[j]!), scale));
    });
  }
  if (sign === 0) return;
  for (let piece = 0; piece < pieces; piece++) {
    const minima = vectorsOf(tile, (j) => tile.block.number(pieces + piece, j));
    sums.forEach((row, i) => {
      const activations = numberOf(k, tile, i, starts + 1 + piece);
      row.forEach((sum, j) => sum.accumulate(minima[j]!, activations));
    });
  }
}

/** The integer products of a piece by row and vector. What is left to do is emitted when one is asked for, once, so that it takes no register before. */
type Products = (row: number, vector: number) => Vec;

function productsOf(k: Builder, tile: BlockOfTile, piece: number): Products {
  const each = quadsOfBlock / quantisedLayouts[tile.type].pieces;
  const quads = Array.from({ length: each }, (_, i) => piece * each + i);
  const start = (i: number) => (tile.line.starts > 0 ? k.copyVec(numberOf(k, tile, i, piece)) : k.variable());
  const chain = chainOf(k.target, tile.type);
  return chain > 1 ? chained(k, tile, quads, chain, start) : direct(k, tile, quads, start);
}

/** Four products of each lane are added at once. */
function direct(k: Builder, tile: BlockOfTile, quads: readonly number[], start: Products): Products {
  const { most } = quantisedLayouts[tile.type];
  const { isSigned } = weightByteOf(k.target, tile.type);
  const products = gridOf(tile, start);
  for (const quad of quads)
    eachProduct(k, tile, quad, (i, j, weights, bytes) => {
      const product = products[i]![j]!;
      if (isSigned) product.accumulateSignedBytes(weights, bytes);
      else product.accumulateBytes(weights, bytes, most);
    });
  return (i, j) => products[i]![j]!;
}

/** Pairs of `chain` quads are added in 16 bits, and these sums in 32. */
function chained(k: Builder, tile: BlockOfTile, quads: readonly number[], chain: number, start: Products): Products {
  const ones = k.intConstant(0x00010001);
  let products = start;
  for (let first = 0; first < quads.length; first += chain) {
    const before = first === 0 ? start : emitted(tile, products);
    const pairs = pairsOf(k, tile, quads.slice(first, first + chain));
    products = (i, j) => {
      const product = before(i, j);
      product.accumulateHalves(pairs[i]![j]!, ones);
      return product;
    };
  }
  return products;
}

function emitted(tile: BlockOfTile, products: Products): Products {
  const grid = gridOf(tile, products);
  return (i, j) => grid[i]![j]!;
}

/** Two numbers of 16 bits per lane: the products of all quads added in pairs. */
function pairsOf(k: Builder, tile: BlockOfTile, quads: readonly number[]): Grid {
  const { most } = quantisedLayouts[tile.type];
  const pairs: Vec[][] = Array.from({ length: tile.rows }, () => []);
  for (const quad of quads)
    eachProduct(k, tile, quad, (i, j, weights, bytes) => {
      const product = weights.bytePairs(bytes, most);
      const sum = pairs[i]![j];
      if (sum) sum.addHalvesTo(product);
      else pairs[i]![j] = product;
    });
  return pairs;
}

function eachProduct(
  k: Builder,
  tile: BlockOfTile,
  quad: number,
  visit: (row: number, vector: number, weights: Vec, bytes: Vec) => void,
): void {
  const weights = vectorsOf(tile, (j) => tile.block.quad(quad, j));
  for (let i = 0; i < tile.rows; i++) {
    const bytes = k.splat(tile.quants, i * tile.line.bytes + quad * 4);
    for (let j = 0; j < tile.vectors; j++) visit(i, j, weights[j]!, bytes);
  }
}

/** A number of the block of a row, in every lane. */
function numberOf(k: Builder, { numbers, line }: BlockOfTile, row: number, i: number): Vec {
  return k.splat(numbers, row * line.bytes + i * 4);
}

function vectorsOf({ vectors }: BlockOfTile, make: (vector: number) => Vec): Vec[] {
  return Array.from({ length: vectors }, (_, j) => make(j));
}
