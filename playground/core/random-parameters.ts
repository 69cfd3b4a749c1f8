/** Random numbers for the parameters of a small program, in the form that the reference evaluator reads. */
import type { ParamDecl, Program } from "../../compiler/2-graph/ir.js";
import { randomSource } from "../../compiler/6-bundle/parameters.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";

/** The reference computes in doubles, one number after the other: more parameters than this are not for a page. */
const MOST = 2_000_000;

function sizesOf(param: ParamDecl): readonly number[] {
  return param.axes.map(({ size }) => size.constant ?? 0);
}

/** A sentence when the program is too large to be run here. */
export function tooMany(program: Program): string | undefined {
  const count = program.params.reduce((sum, param) => sum + sizesOf(param).reduce((a, b) => a * b, 1), 0);
  if (count <= MOST) return undefined;
  return `${program.name} has ${count} parameters; the page runs models of at most ${MOST}. Smaller sizes will do.`;
}

/** Every parameter filled by its declared initialization. */
export function randomParameters(program: Program, seed: number): (path: string) => ReferenceTensor {
  const source = randomSource(program, seed);
  const made = new Map<string, ReferenceTensor>();
  return (path) => {
    const known = made.get(path);
    if (known) return known;
    const param = program.params.find((each) => each.path === path)!;
    const sizes = sizesOf(param);
    const layers = sizes.slice(0, param.layerAxes);
    const inner = param.axes.slice(param.layerAxes).map(({ name }) => name);
    const each = sizes.slice(param.layerAxes).reduce((a, b) => a * b, 1);
    const data = new Float64Array(sizes.reduce((a, b) => a * b, 1));
    for (let at = 0; at * each < data.length; at++) data.set(source.read(path, indexOf(at, layers), inner), at * each);
    const axes = param.axes.map(({ name }, i) => ({ name, size: sizes[i]! }));
    const tensor = { kind: "tensor", dtype: param.dtype, axes, data } as const;
    made.set(path, tensor);
    return tensor;
  };
}

/** Number `at` of the layers, counted outermost first. */
function indexOf(at: number, sizes: readonly number[]): readonly number[] {
  const index: number[] = [];
  let rest = at;
  for (let i = sizes.length - 1; i >= 0; i--) {
    index.unshift(rest % sizes[i]!);
    rest = Math.floor(rest / sizes[i]!);
  }
  return index;
}
