/** Values of what a recipe makes, one layer at a time where the layers do not see each other. */
import { declarationsOf, evaluate, type BuiltParameter } from "../../compiler/2-graph/index.js";
import type { Entry, Node, ParamDecl, Program, Region, Value } from "../../compiler/2-graph/ir.js";
import { dropUnusedNodes, sinkAllSlices } from "../../compiler/3-optimize/index.js";
import { RegionEditor, ValueIds } from "../../compiler/3-optimize/rewrite.js";
import { layerSizes, product, shapeOf } from "../../compiler/6-bundle/stored-order.js";
import { Size } from "../../compiler/axes/size.js";
import type { ReferenceTensor, ReferenceValue } from "../../compiler/ops/types.js";

/** The run-time size that says which layer is asked for. */
const LAYER = "layer";

/** Reads a parameter of a source, all of it or one layer. */
export type ReadSource = (path: string, layer?: number) => ReferenceTensor;

/** A parameter's values in one layer, row-major over its own axes. Layers are asked for in order. */
export type ReadValue = (layer: readonly number[]) => Float32Array;

/** @param target The parameter that is made. */
export function valuesOf(built: BuiltParameter, target: ParamDecl, read: ReadSource): ReadValue {
  const program = dropUnusedNodes.run(built.program);
  const layers = layerSizes(target);
  const count = product(shapeOf(target).sizes);
  const each = target.layerAxes === 1 ? byLayer(program, target.axes[0]!.name, count) : undefined;
  if (each) return ([layer = 0]) => valuesIn(run(each.program, read, each.inputs, layer));
  let all: Float32Array | undefined;
  return (layer) => {
    all ??= valuesIn(run(program, read, []));
    const at = layer.reduce((place, index, depth) => place * layers[depth]! + index, 0);
    return all.subarray(at * count, (at + 1) * count);
  };
}

function valuesIn(value: ReferenceValue): Float32Array {
  if (value.kind !== "tensor") throw new Error("a parameter is a tensor");
  return Float32Array.from(value.data);
}

function run(program: Program, read: ReadSource, inputs: readonly string[], layer = 0): ReferenceValue {
  const { outputs } = evaluate(program, "value", {
    inputs: Object.fromEntries(inputs.map((path) => [path, read(path, layer)])),
    params: (path) => read(path),
    sizes: { past: 0, [LAYER]: layer },
  });
  return outputs["value"]!;
}

/**
 * The program of one layer, whose inputs are that layer of the sources; undefined where it would have to compute more for
 * every layer than a layer has.
 */
function byLayer(program: Program, axis: string, count: number): LayerProgram | undefined {
  const from = Size.of(LAYER);
  const to = from.plus(Size.one);
  const entry = program.entries[0]!;
  const ids = new ValueIds(entry.body);
  const editor = new RegionEditor(ids, declarationsOf(program), []);
  for (const node of entry.body.nodes) editor.emit(node);
  const result = editor.add("slice", [entry.body.results[0]!], { axis, from, to });
  const asked: Entry = { ...entry, body: { params: [], nodes: editor.nodes, results: [result] } };
  const whole: Program = { ...program, runtimeSizes: [...program.runtimeSizes, LAYER], entries: [asked] };
  const sunk = dropUnusedNodes.run(sinkAllSlices(whole));
  const made = withLayersAsInputs(sunk);
  const read = made?.program.params.filter(({ path }) =>
    made.program.entries[0]!.body.nodes.some(({ op, attrs }) => op === "param" && attrs["path"] === path),
  );
  // Sources that every layer reads as a whole are read again for each.
  return read && read.reduce((sum, decl) => sum + sizeOf(decl), 0) <= count ? made : undefined;
}

function sizeOf({ axes }: ParamDecl): number {
  return product(axes.map(({ size }) => size.evaluate({})));
}

interface LayerProgram {
  readonly program: Program;
  /** Paths of the parameters that its inputs are one layer of. */
  readonly inputs: readonly string[];
}

/** Reads of one layer of a parameter become inputs. */
function withLayersAsInputs(program: Program): LayerProgram | undefined {
  const entry = program.entries[0]!;
  const makers = new Map(entry.body.nodes.flatMap((node) => node.results.map(({ id }) => [id, node] as const)));
  const decls = new Map(program.params.map((decl) => [decl.path, decl]));
  const params: Value[] = [];
  const inputs: string[] = [];
  const nodes: Node[] = [];
  for (const node of entry.body.nodes) {
    const isAsked =
      node.op === "slice" && node.attrs["from"] instanceof Size && node.attrs["from"].names.includes(LAYER);
    if (!isAsked) {
      nodes.push(node);
      continue;
    }
    const maker = makers.get(node.operands[0]!);
    const path = maker?.op === "param" ? (maker.attrs["path"] as string) : undefined;
    const decl = path === undefined ? undefined : decls.get(path);
    if (path !== undefined && decl?.layerAxes === 1 && decl.axes[0]!.name === node.attrs["axis"]) {
      params.push(node.results[0]!);
      inputs.push(path);
    } else if (maker && maker.operands.length > 0) {
      // All layers are computed to have one: better once for all.
      return undefined;
    } else nodes.push(node);
  }
  const body: Region = { ...entry.body, params, nodes };
  const made: Program = { ...program, entries: [{ ...entry, inputs, body }] };
  return { program: dropUnusedNodes.run(made), inputs };
}
