/** One entry point on the reference evaluator and on a device, with the same inputs. */
import { evaluate, type RouteTrace, type StateStore } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceRoutes, ReferenceTensor } from "../../compiler/ops/types.js";
import type { ManifestEntry } from "../../compiler/6-bundle/manifest.js";
import { randomSource } from "../../runtime/generate/random.js";
import { compileSize } from "../../runtime/plan/sizes.js";
import type { Model } from "../../runtime/node/index.js";
import type { LayerRoutes } from "./compare.js";

/** Results of an entry, by output, and the routes of every layer. */
export interface EntryRun {
  readonly outputs: Readonly<Record<string, ArrayLike<number>>>;
  readonly routes: readonly LayerRoutes[];
}

/** Numbers of the last axis of an entry's first output: the vocabulary of a language model. */
export function outputWidth(entry: ManifestEntry): number {
  return compileSize(entry.outputs[0]!.axes.at(-1)?.size ?? "1", {}).constant ?? 1;
}

/** Inputs that fill an entry: token ids where they are given, seeded numbers elsewhere. */
export function makeInputs(
  program: Program,
  entry: ManifestEntry,
  tokens: number,
  seed: number,
  ids: readonly number[] | undefined,
): Readonly<Record<string, ReferenceTensor>> {
  const random = randomSource(seed);
  const runtime = Object.fromEntries(program.runtimeSizes.map((name) => [name, name === "past" ? 0 : tokens]));
  let isFirst = true;
  return Object.fromEntries(
    entry.inputs.map(({ name, dtype, axes }) => {
      const shape = axes.map((axis) => ({ name: axis.name, size: compileSize(axis.size, runtime).constant ?? tokens }));
      const data = new Float64Array(shape.reduce((product, { size }) => product * size, 1));
      if (dtype === "f32") data.forEach((_, at) => (data[at] = Math.fround(2 * random() - 1)));
      else if (isFirst) {
        const vocabulary = outputWidth(entry);
        data.forEach((_, at) => (data[at] = ids?.[at] ?? Math.floor(random() * vocabulary)));
      }
      // Further integers (types of tokens, positions) are 0, which every table has.
      isFirst &&= dtype === "f32";
      return [name, makeTensor(dtype, shape, data)];
    }),
  );
}

/** Results of an entry, by output, and the routes as the evaluator met them. */
interface ReferenceRun {
  readonly outputs: EntryRun["outputs"];
  readonly traces: readonly RouteTrace[];
}

/** A call of the text that `states` hold; they go on with it. A store that is new begins a text. */
export function runReference(
  program: Program,
  entry: string,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  params: (path: string) => ReferenceTensor,
  states: StateStore,
): ReferenceRun {
  const { outputs, routes } = evaluate(program, entry, { inputs, params, states, trace: true });
  return {
    outputs: Object.fromEntries(
      Object.entries(outputs).flatMap(([name, value]) => (value.kind === "tensor" ? [[name, value.data]] : [])),
    ),
    traces: routes,
  };
}

/** The reference's routes in the order in which a device has them: of mixtures, and of axes inside of each. */
export function routesAs(traces: readonly RouteTrace[], device: readonly LayerRoutes[]): readonly LayerRoutes[] {
  return byMixture(traces).map(({ routes: { tokens, slots, index } }, layer) => {
    const { axes = tokens.map(({ name }) => name), rows } = rowsOf(device[layer]);
    const all = tokens.reduce((product, axis) => product * axis.size, 1);
    // As in traces of devices, further axes are more places of a row.
    const choices = all / rows;
    const name = device[layer]?.name ?? String(layer);
    return { layer, name, slots: slots * choices, choices, index: alongAxes({ tokens, slots, index }, axes) };
  });
}

function rowsOf(routes: LayerRoutes | undefined): { axes?: readonly string[]; rows: number } {
  if (!routes) return { rows: 1 };
  const rows = routes.index.length / Math.max(1, routes.slots);
  return routes.axes ? { axes: routes.axes, rows } : { rows };
}

/** The experts of routes with their axes in another order, the slots innermost as before. */
function alongAxes(
  { tokens, slots, index }: Pick<ReferenceRoutes, "tokens" | "slots" | "index">,
  order: readonly string[],
): ArrayLike<number> {
  if (tokens.length < 2 || tokens.every(({ name }, at) => name === order[at])) return index;
  let step = slots;
  const strides = new Map<string, { size: number; step: number }>();
  for (const { name, size } of [...tokens].reverse()) {
    strides.set(name, { size, step });
    step *= size;
  }
  let places = [0];
  for (const name of order) {
    const axis = strides.get(name);
    if (!axis) throw new RangeError(`routes over [${tokens.map((one) => one.name).join(", ")}] have no axis ${name}`);
    places = places.flatMap((place) => Array.from({ length: axis.size }, (_, at) => place + at * axis.step));
  }
  return places.flatMap((place) => Array.from({ length: slots }, (_, slot) => index[place + slot]!));
}

/**
 * The order of a device: mixture by mixture in the order of the spec, layer by layer inside. The evaluator meets all
 * mixtures of a layer before the next layer.
 */
export function byMixture(traces: readonly RouteTrace[]): readonly RouteTrace[] {
  const met = new Map<string, number>();
  const mixtures = new Map<string, RouteTrace[]>();
  for (const trace of traces) {
    const stacks = trace.layers.map(({ stack }) => stack).join("/");
    const turn = `${stacks} ${trace.layers.map(({ index }) => index).join("/")}`;
    const number = met.get(turn) ?? 0;
    met.set(turn, number + 1);
    const mixture = `${stacks} ${number}`;
    mixtures.set(mixture, [...(mixtures.get(mixture) ?? []), trace]);
  }
  return [...mixtures.values()].flat();
}

/** @param how `call` begins a new text, `extend` goes on with the one that the model holds. */
export async function runDevice(
  model: Model,
  entry: string,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  how: "call" | "extend",
): Promise<EntryRun> {
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, axes, dtype }]) => [
      name,
      { data: dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data), shape: axes.map(({ size }) => size) },
    ]),
  );
  const { outputs, routes } = await model[how](entry, given, { trace: true });
  const layers = routes.flatMap((trace) =>
    trace.names.map((name, layer) => {
      const length = trace.tokens * trace.slots;
      const { slots, byToken, axes } = trace;
      const index = trace.index.subarray(layer * length, (layer + 1) * length);
      return { name, slots, byToken, ...(axes ? { axes } : {}), index };
    }),
  );
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data])),
    routes: layers.map((one, layer) => ({ layer, ...one })),
  };
}
