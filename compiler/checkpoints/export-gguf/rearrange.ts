/** Tensors of one design out of those of another: the same numbers over other axes, joined ones taken apart. */

/** Numbers over named axes, row-major. */
export interface NamedValues {
  readonly axes: readonly string[];
  readonly sizes: readonly number[];
  readonly values: Float32Array;
}

/** A part of one axis under another name. */
export interface Cut {
  readonly axis: string;
  readonly as: string;
  readonly from: number;
  readonly to: number;
}

/** What is taken of a tensor. */
export interface Part {
  /** One place of axes that the result lacks. */
  readonly at?: Readonly<Record<string, number>>;
  readonly cut?: Cut;
}

/** The numbers over `axes`, outermost first. Those that lie so already are given as they are. */
export function rearranged(from: NamedValues, axes: readonly string[], { at = {}, cut }: Part = {}): Float32Array {
  if (!cut && from.axes.join() === axes.join()) return from.values;
  const indexOf = (axis: string): number => from.axes.indexOf(cut?.as === axis ? cut.axis : axis);
  const strideOf = (index: number): number => from.sizes.slice(index + 1).reduce((product, size) => product * size, 1);
  const sizes = axes.map((axis) => (cut?.as === axis ? cut.to - cut.from : from.sizes[indexOf(axis)]!));
  const strides = axes.map((axis) => strideOf(indexOf(axis)));
  const starts = Object.entries(at).map(([axis, place]) => place * strideOf(from.axes.indexOf(axis)));
  const start = starts.reduce(
    (sum, offset) => sum + offset,
    cut ? cut.from * strideOf(from.axes.indexOf(cut.axis)) : 0,
  );
  const out = new Float32Array(sizes.reduce((product, size) => product * size, 1));
  let written = 0;
  const copy = (axis: number, offset: number): void => {
    const [size = 1, stride = 1] = [sizes[axis], strides[axis]];
    if (axis < sizes.length - 1) {
      for (let i = 0; i < size; i++) copy(axis + 1, offset + i * stride);
    } else if (stride === 1) {
      out.set(from.values.subarray(offset, offset + size), written);
      written += size;
    } else {
      for (let i = 0; i < size; i++) out[written++] = from.values[offset + i * stride]!;
    }
  };
  copy(0, start);
  return out;
}
