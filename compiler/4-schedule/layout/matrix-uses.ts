/**
 * Which parameters are matrices of products, and how: the axes that a contraction sums over are columns, the axis that
 * numbers the experts of a bank makes many matrices, what is left are rows. Packed layouts are chosen for this use; other
 * uses of the same parameter (a tied embedding table) read through the packing, so it is stored once.
 */
import type { MixtureAttrs, Node, Program, Region, StackAttrs, ValueId } from "../../2-graph/ir.js";
import type { TensorType, ValueType } from "../../ops/types.js";

export interface MatrixUse {
  /** Names in the declaration; layer axes are in none of the lists. */
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly columns: readonly string[];
}

/** A value that is a parameter under other names, perhaps one layer or one expert of it. */
interface Traced {
  readonly path: string;
  /** Present name of an axis to its name in the declaration. */
  readonly names: ReadonlyMap<string, string>;
  readonly batch: readonly string[];
}

type Known = Map<ValueId, Traced>;

const axisNames = (type: ValueType | undefined): readonly string[] =>
  type?.kind === "tensor" ? type.axes.map((axis) => axis.name) : [];

/** The matrix uses of all parameters; the first use in the order of the graph decides. */
export function matrixUses(program: Program): ReadonlyMap<string, MatrixUse> {
  const uses = new Map<string, MatrixUse>();
  const visit = (region: Region, known: Known): void => {
    const types = new Map<ValueId, ValueType>(region.params.map((param) => [param.id, param.type]));
    for (const node of region.nodes) {
      for (const result of node.results) types.set(result.id, result.type);
      if (node.op === "param") {
        const [result] = node.results;
        const names = new Map(axisNames(result!.type).map((name) => [name, name]));
        known.set(result!.id, { path: node.attrs.path as string, names, batch: [] });
      }
      pass(node, known);
      if (node.op === "contract") record(node, known, types, uses);
      for (const [index, inner] of node.regions.entries()) visit(inner, enter(node, index, inner, known, types));
    }
  };
  for (const entry of program.entries) visit(entry.body, new Map());
  return uses;
}

/** Views that keep a parameter a parameter. */
function pass(node: Node, known: Known): void {
  const [source] = node.operands;
  const traced = source === undefined ? undefined : known.get(source);
  if (!traced) return;
  const [result] = node.results;
  if (node.op === "order") known.set(result!.id, traced);
  if (node.op !== "rename") return;
  const { from, to } = node.attrs as { readonly from: string; readonly to: string };
  const names = new Map([...traced.names].map(([name, own]) => [name === from ? to : name, own]));
  known.set(result!.id, { ...traced, names });
}

/** What a region's parameters are, when they are parameters of the program. */
function enter(node: Node, index: number, inner: Region, known: Known, types: ReadonlyMap<ValueId, ValueType>): Known {
  const own: Known = new Map();
  const give = (param: number, operand: number, dropped: "none" | "layer" | "expert"): void => {
    const id = node.operands[operand]!;
    const traced = known.get(id);
    const target = inner.params[param];
    if (!traced || !target) return;
    const [first] = axisNames(types.get(id));
    if (dropped === "none" || first === undefined) return void own.set(target.id, traced);
    const names = new Map([...traced.names].filter(([name]) => name !== first));
    const batch = dropped === "expert" ? [...traced.batch, traced.names.get(first)!] : traced.batch;
    own.set(target.id, { ...traced, names, batch });
  };
  if (node.op === "stack") {
    const { carried, stacked } = node.attrs as StackAttrs;
    for (let i = carried; i < node.operands.length; i++) give(i, i, i < carried + stacked ? "layer" : "none");
  } else if (node.op === "fold") {
    for (let i = node.attrs.carried as number; i < node.operands.length; i++) give(i + 1, i, "none");
  } else if (node.op === "mixture" || node.op === "dispatch") {
    const { banks, captures, perToken = 0 } = node.attrs as MixtureAttrs;
    let operand = 2 + perToken;
    for (const [number, bank] of banks.entries()) {
      for (let i = 0; i < bank.params; i++, operand++) if (number === index) give(1 + perToken + i, operand, "expert");
    }
    const first = 1 + perToken + banks[index]!.params;
    for (let i = 0; i < captures; i++) give(first + i, operand + i, "none");
  }
  return own;
}

function record(node: Node, known: Known, types: ReadonlyMap<ValueId, ValueType>, uses: Map<string, MatrixUse>): void {
  const over = node.attrs.over as readonly string[];
  for (const side of [1, 0]) {
    const weight = known.get(node.operands[side]!);
    if (!weight || over.length === 0 || uses.has(weight.path)) continue;
    const [own, other] = [node.operands[side]!, node.operands[1 - side]!].map((id) => types.get(id) as TensorType);
    const rows = own!.axes.filter((axis) => !over.includes(axis.name));
    if (rows.length === 0 || rows.some((axis) => other!.axes.some((shared) => shared.name === axis.name))) continue;
    const declared = (names: readonly string[]): readonly string[] => names.map((name) => weight.names.get(name)!);
    uses.set(weight.path, {
      batch: weight.batch,
      rows: declared(rows.map((axis) => axis.name)),
      columns: declared(own!.axes.map((axis) => axis.name).filter((name) => over.includes(name))),
    });
    return;
  }
}
