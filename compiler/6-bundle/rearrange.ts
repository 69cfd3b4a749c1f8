/** Copies of row-major values with their axes in another order. */

/**
 * @param values Row-major over `sizes`.
 * @param order `order[i]` is which axis of the source is axis i of the result.
 */
export function rearrange(values: Float32Array, sizes: readonly number[], order: readonly number[]): Float32Array {
  if (order.every((axis, index) => axis === index)) return values;
  const strides = new Array<number>(sizes.length).fill(1);
  for (let axis = sizes.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * sizes[axis + 1]!;
  const counts = order.map((axis) => sizes[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const result = new Float32Array(values.length);
  const inner = counts.length - 1;
  const count = counts[inner] ?? 1;
  const step = steps[inner] ?? 1;
  const place = new Array<number>(counts.length).fill(0);
  let from = 0;
  for (let at = 0; at < result.length; at += count) {
    for (let index = 0; index < count; index++) result[at + index] = values[from + index * step]!;
    // The next row: count up like an odometer, without the innermost axis.
    for (let axis = inner - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < counts[axis]!) break;
      from -= steps[axis]! * counts[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

/**
 * Rotary dimensions from pairs (2i, 2i + 1) to pairs (i, i + n / 2), along one axis of row-major values.
 *
 * @param outer Product of the sizes before the axis.
 * @param size Of the axis; even.
 * @param inner Product of the sizes behind it; for bytes the bytes of so many values.
 */
export function pairHalves<T extends Float32Array | Uint8Array>(
  values: T,
  outer: number,
  size: number,
  inner: number,
): T {
  const result = values.slice() as T;
  eachPair(outer, size, inner, (half, pair) => result.set(values.subarray(pair, pair + inner), half));
  return result;
}

/** The way back: rotary dimensions in pairs (i, i + n / 2) to pairs (2i, 2i + 1). */
export function pairNeighbours(values: Float32Array, outer: number, size: number, inner: number): Float32Array {
  const result = values.slice();
  eachPair(outer, size, inner, (half, pair) => result.set(values.subarray(half, half + inner), pair));
  return result;
}

/** Where each run of `inner` values lies with dimensions in pairs (i, i + n / 2), and where in pairs (2i, 2i + 1). */
function eachPair(outer: number, size: number, inner: number, visit: (half: number, pair: number) => void): void {
  for (let block = 0; block < outer; block++) {
    for (let at = 0; at < size; at++) {
      const neighbour = at < size / 2 ? 2 * at : 2 * at - size + 1;
      visit((block * size + at) * inner, (block * size + neighbour) * inner);
    }
  }
}
