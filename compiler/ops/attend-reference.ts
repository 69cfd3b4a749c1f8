/** Attention as it is defined, one query row at a time; the mask is asked once for all pairs of positions. */
import type { Size } from "../axes/size.js";
import { makeTensor, offsetsOf, readAs, stridesIn, tensorAt } from "./reference-tensor.js";
import type { OpCall, ReferenceContext, ReferenceTensor, ReferenceValue } from "./types.js";

// Names that no source can write, so that they never meet an axis of the region.
const queryName = "'query";
const keyName = "'key";

function positions(name: string, first: number, size: number): ReferenceTensor {
  return makeTensor(
    "i32",
    [{ name, size }],
    Float64Array.from({ length: size }, (_, i) => first + i),
  );
}

/**
 * The mask over `[queries, keys]`. A mask works on two scalars; ops on them align axes by name, so running it once on
 * an axis of queries and an axis of keys gives all pairs.
 */
function maskOf(context: ReferenceContext, offset: number, queries: number, keys: number): Float64Array {
  const query = positions(queryName, offset, queries);
  const key = positions(keyName, 0, keys);
  const allowed = context.run(0, [query, key])[0] as ReferenceTensor;
  return readAs(allowed, [...query.axes, ...key.axes]);
}

export function attendReference(
  context: ReferenceContext,
  operands: readonly ReferenceValue[],
  call: OpCall,
): ReferenceTensor {
  const { attrs } = call;
  const [q, k, v] = [tensorAt(operands, 0), tensorAt(operands, 1), tensorAt(operands, 2)];
  const sinks = attrs.hasSinks === true ? tensorAt(operands, 3) : undefined;
  const keep = attrs.hasKeep === true ? tensorAt(operands, operands.length - 1) : undefined;
  const axisOf = (tensor: ReferenceTensor, name: unknown) => tensor.axes.find((axis) => axis.name === name)!;
  const contracted = axisOf(q, attrs.contracted);
  const query = axisOf(q, attrs.queryAxis);
  const key = axisOf(k, attrs.keyAxis);
  const value = axisOf(v, attrs.valueAxis);
  const rows = q.axes.filter((axis) => axis !== contracted);
  const mask =
    attrs.hasMask === true ? maskOf(context, context.size(attrs.queryOffset as Size), query.size, key.size) : undefined;

  const result = makeTensor(
    "f32",
    q.axes.map((axis) => (axis === contracted ? value : axis)),
  );
  const bases = (tensor: ReferenceTensor): Int32Array => offsetsOf(rows, stridesIn(tensor, rows));
  const [qBase, kBase, vBase, outBase] = [bases(q), bases(k), bases(v), bases(result)];
  const sinkBase = sinks && bases(sinks);
  const keepBase = keep && bases(keep);
  const queryNumber = offsetsOf(
    rows,
    rows.map((axis) => Number(axis === query)),
  );
  const step = (tensor: ReferenceTensor, axis: { name: string; size: number }): number => stridesIn(tensor, [axis])[0]!;
  const [qc, kc, ks, vs, vv] = [step(q, contracted), step(k, contracted), step(k, key), step(v, key), step(v, value)];
  const outV = step(result, value);
  const keepStep = keep ? step(keep, key) : 0;

  const scores = new Float64Array(key.size);
  for (let row = 0; row < qBase.length; row++) {
    const sink = sinks ? sinks.data[sinkBase![row]!]! : -Infinity;
    let top = sink;
    for (let s = 0; s < key.size; s++) {
      const masked = mask?.[queryNumber[row]! * key.size + s] === 0;
      const dropped = keep?.data[keepBase![row]! + s * keepStep] === 0;
      // undefined cannot be kept in a Float64Array, so a key that is not allowed has the score -Infinity.
      scores[s] = -Infinity;
      if (masked || dropped) continue;
      let sum = 0;
      for (let c = 0; c < contracted.size; c++)
        sum += q.data[qBase[row]! + c * qc]! * k.data[kBase[row]! + s * ks + c * kc]!;
      scores[s] = sum * (attrs.scale as number);
      top = Math.max(top, scores[s]!);
    }
    if (top === -Infinity) continue;
    let whole = Math.exp(sink - top);
    for (let s = 0; s < key.size; s++) whole += scores[s] = Math.exp(scores[s]! - top);
    for (let s = 0; s < key.size; s++) {
      const weight = scores[s]! / whole;
      if (weight === 0) continue;
      const from = vBase[row]! + s * vs;
      for (let i = 0; i < value.size; i++) result.data[outBase[row]! + i * outV]! += weight * v.data[from + i * vv]!;
    }
  }
  return result;
}
