/** All index vectors of axes of these sizes, the last index fastest; one empty vector without axes. */
export function indexVectors(sizes: readonly number[]): readonly (readonly number[])[] {
  return sizes.reduce<readonly (readonly number[])[]>(
    (before, size) => before.flatMap((outer) => Array.from({ length: size }, (_, index) => [...outer, index])),
    [[]],
  );
}
