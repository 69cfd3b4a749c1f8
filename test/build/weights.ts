/** Parameters of a program from a checkpoint, by the names in its spec; plain and slow, for tests of the builder. */
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import type { ParamDecl, Program } from "../../compiler/2-graph/ir.js";

/** Order the numbers of a file (axes `from`) as the axes `to`. */
function reordered(
  data: Float32Array,
  from: readonly { name: string; size: number }[],
  to: readonly string[],
): Float64Array {
  const strides = new Map<string, number>();
  let stride = 1;
  for (const axis of [...from].reverse()) {
    strides.set(axis.name, stride);
    stride *= axis.size;
  }
  const sizes = to.map((name) => from.find((axis) => axis.name === name)!.size);
  const result = new Float64Array(data.length);
  const index = sizes.map(() => 0);
  for (let at = 0; at < result.length; at++) {
    let offset = 0;
    for (let i = 0; i < to.length; i++) offset += index[i]! * strides.get(to[i]!)!;
    result[at] = data[offset]!;
    for (let i = to.length - 1; i >= 0; i--) {
      if (++index[i]! < sizes[i]!) break;
      index[i] = 0;
    }
  }
  return result;
}

export function paramsFrom(
  program: Program,
  checkpoint: Checkpoint,
  format: string,
): (path: string) => ReferenceTensor {
  const cache = new Map<string, ReferenceTensor>();
  return (path) => {
    const known = cache.get(path);
    if (known) return known;
    const decl = program.params.find((param) => param.path === path)!;
    const made = read(decl, program, checkpoint, format);
    cache.set(path, made);
    return made;
  };
}

function read(decl: ParamDecl, program: Program, checkpoint: Checkpoint, format: string): ReferenceTensor {
  const source = program.weightNames[format]?.[decl.path];
  if (!source) throw new Error(`no name for ${decl.path}`);
  const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
  const outer = axes.slice(0, decl.layerAxes);
  const perExpert = source.pattern.includes("{e}");
  const counted = perExpert ? axes.slice(0, decl.layerAxes + 1) : outer;
  const inner = axes.slice(counted.length);
  const parts: Float64Array[] = [];
  const count = counted.reduce((product, axis) => product * axis.size, 1);
  for (let n = 0; n < count; n++) {
    const experts = perExpert ? counted.at(-1)!.size : 1;
    const name = source.pattern.replace("{e}", String(n % experts)).replace("{i}", String(Math.floor(n / experts)));
    const order = source.axes ?? inner.map((axis) => axis.name);
    const from = order.map((axis) => inner.find((candidate) => candidate.name === axis)!);
    parts.push(
      reordered(
        checkpoint.readF32(name),
        from,
        inner.map((axis) => axis.name),
      ),
    );
  }
  const data = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return makeTensor(decl.dtype, axes, data);
}
