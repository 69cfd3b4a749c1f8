/** Finds RMS norms, layer norms and norms by length. */
import type { Node, ValueId } from "../../2-graph/ir.js";
import { axisNames, constantOf } from "../graph.js";
import type { Scope } from "./scope.js";
import type { NormCluster } from "./types.js";

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

const namesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];

/** d and the root of its statistic: `d * rsqrt(s)` or `d / sqrt(s)`. */
function scaledByRoot(node: Node, scope: Scope): readonly { value: ValueId; root: Node }[] {
  const [a, b] = node.operands;
  if (a === undefined || b === undefined) return [];
  const pair = (value: ValueId, root: Node | undefined): readonly { value: ValueId; root: Node }[] =>
    root ? [{ value, root }] : [];
  if (node.op === "div") return pair(a, scope.maker(b, "sqrt"));
  if (node.op !== "mul") return [];
  return [...pair(a, scope.maker(b, "rsqrt")), ...pair(b, scope.maker(a, "rsqrt"))];
}

interface Statistic {
  readonly members: readonly Node[];
  readonly over: readonly string[];
  readonly kind: "mean" | "sum";
  readonly epsilon: number;
}

/** The mean or sum of the squares of `value`, with or without an epsilon. */
function statisticOf(root: Node, value: ValueId, scope: Scope): Statistic | undefined {
  const inner = root.operands[0]!;
  const sum = scope.maker(inner, "add");
  const number = sum?.operands.map((id) => constantOf(scope.made.get(id))).find((each) => each !== undefined);
  const reducedId = sum ? sum.operands.find((id) => constantOf(scope.made.get(id)) === undefined) : inner;
  if (sum && number === undefined) return undefined;
  const reduced = scope.maker(reducedId, "reduce");
  const kind = reduced?.attrs["kind"];
  if (!reduced || (kind !== "mean" && kind !== "sum")) return undefined;
  const square = scope.maker(reduced.operands[0], "mul");
  if (!square?.operands.every((id) => id === value)) return undefined;
  const members = [square, reduced, ...(sum ? [sum] : []), root];
  return { members, over: namesOf(reduced.attrs["over"]), kind, epsilon: number ?? 0 };
}

/** `x - mean(x)` along the same axes. */
function centring(value: ValueId, over: readonly string[], scope: Scope): readonly Node[] | undefined {
  const difference = scope.maker(value, "sub");
  const mean = scope.maker(difference?.operands[1], "reduce");
  if (!difference || mean?.attrs["kind"] !== "mean" || mean.operands[0] !== difference.operands[0]) return undefined;
  return sameNames(namesOf(mean.attrs["over"]), over) ? [mean, difference] : undefined;
}

/** A node behind `value` that multiplies or adds something that has no other axes than the normalized ones. */
function affine(
  value: ValueId,
  op: "mul" | "add",
  over: readonly string[],
  scope: Scope,
): { node: Node; other: ValueId } | undefined {
  const node = scope.onlyUser(value);
  if (node?.op !== op || !scope.isFree(node)) return undefined;
  const other = node.operands.find((id) => id !== value);
  if (other === undefined) return undefined;
  const names = axisNames(scope.type(other));
  return names.length > 0 && names.every((name) => over.includes(name)) ? { node, other } : undefined;
}

/** All norms of the region whose inner values nobody else uses. */
export function findNorms(scope: Scope): readonly NormCluster[] {
  const found: NormCluster[] = [];
  for (const node of scope.region.nodes) {
    for (const { value, root } of scope.isFree(node) ? scaledByRoot(node, scope) : []) {
      const statistic = statisticOf(root, value, scope);
      if (!statistic) continue;
      const { over, kind, epsilon } = statistic;
      const members = new Set([...statistic.members, node]);
      const centred = centring(value, over, scope);
      const whole = new Set([...(centred ?? []), ...members]);
      const isCentred = centred?.every((each) => scope.isInterior(each, whole)) ?? false;
      if (isCentred) centred!.forEach((each) => members.add(each));
      if (![...members].every((each) => each === node || scope.isInterior(each, members))) continue;
      let output = node.results[0]!.id;
      const gain = affine(output, "mul", over, scope);
      if (gain) {
        members.add(gain.node);
        output = gain.node.results[0]!.id;
      }
      const bias = affine(output, "add", over, scope);
      if (bias) {
        members.add(bias.node);
        output = bias.node.results[0]!.id;
      }
      found.push({
        kind: "norm",
        ...scope.take(members),
        input: isCentred ? centred![0]!.operands[0]! : value,
        over,
        statistic: kind,
        centred: isCentred,
        epsilon,
        ...(gain ? { gain: gain.other } : {}),
        ...(bias ? { bias: bias.other } : {}),
        output,
      });
      break;
    }
  }
  return found;
}
