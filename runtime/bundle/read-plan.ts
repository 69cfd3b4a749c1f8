/**
 * Checks `plan.json` before a device trusts it: buffers lie inside their spaces, spaces are those of the manifest, ports
 * and states name buffers that exist.
 */
import type {
  MemorySpace,
  Plan,
  PlanBuffer,
  PlanBufferArg,
  PlanEntry,
  PlanLaunch,
  PlanLoop,
  PlanPort,
  PlanScalarArg,
  PlanState,
  PlanStep,
  PlanTrace,
  PlanWeight,
} from "../../compiler/4-schedule/plan.js";
import type { Derivation } from "../../compiler/2-graph/ir.js";
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import { runtimeSizes } from "../plan/launches.js";
import { compileSize } from "../plan/sizes.js";
import {
  count,
  json,
  list,
  number,
  object,
  oneOf,
  optional,
  record,
  table,
  text,
  wrong,
  type Reader,
} from "./shape.js";

const space = oneOf<MemorySpace>("weights", "state", "arena", "io");
const dtype = oneOf("f32", "i32", "bool");
const buffer = object<PlanBuffer>({ id: text, space, offset: count, bytes: count });
const textAxis = object<{ name: string; size: string }>({ name: text, size: text });
/** How weights were packed is between schedule and packer; the runtime only moves the bytes. */
const weight: Reader<PlanWeight> = (value, at) => record(value, at) as unknown as PlanWeight;
/** `init` may be an infinity, which JSON can't say: such numbers are written as text. */
const init: Reader<number> = (value, at) => (typeof value === "string" ? Number(value) : number(value, at));
const state = object<PlanState>({
  buffer: text,
  path: text,
  kind: oneOf("fixed", "cache"),
  dtype,
  init,
  positionBytes: count,
  runs: count,
  runStride: count,
  layers: count,
  layerStride: count,
});
const port = object<Omit<PlanPort, "rows"> & { rows: number | undefined }>({
  name: text,
  dtype,
  axes: list(textAxis),
  buffer: text,
  rows: optional(count),
}) as Reader<PlanPort>;
const bufferArg = object<PlanBufferArg>({ buffer: text, offset: text, strides: table(number) });
const scalarArg: Reader<PlanScalarArg> = (value, at) =>
  record(value, at)["type"] === "i32"
    ? object<PlanScalarArg & { type: "i32" }>({ type: oneOf("i32"), value: text })(value, at)
    : object<PlanScalarArg & { type: "f32" }>({ type: oneOf("f32"), value: init })(value, at);
const launch = object<Omit<PlanLaunch, "on"> & { on: PlanLaunch["on"] | undefined }>({
  kind: oneOf("launch"),
  kernel: text,
  grid: text,
  buffers: list(bufferArg),
  scalars: list(scalarArg),
  label: text,
  on: optional(oneOf("gpu", "cpu")),
}) as Reader<PlanLaunch>;
/** Layers of a stack; loops are unrolled at load. */
const MAX_TURNS = 65536;
const turns: Reader<number> = (value, at) => {
  const found = count(value, at);
  if (found <= MAX_TURNS) return found;
  throw wrong(at, `there are more than ${MAX_TURNS} turns`);
};
const always: Reader<true> = (value, at) => {
  if (value === true) return value;
  throw wrong(at, "it must be true or absent");
};
const loop: Reader<PlanLoop> = (value, at) =>
  object<Omit<PlanLoop, "texts"> & { texts: true | undefined }>({
    kind: oneOf("loop"),
    name: text,
    count: turns,
    texts: optional(always),
    steps: list(step),
  })(value, at) as PlanLoop;
const step: Reader<PlanStep> = (value, at) =>
  record(value, at)["kind"] === "loop" ? loop(value, at) : launch(value, at);
type Optional = "loop" | "names" | "rows" | "axes";
const trace = object<Omit<PlanTrace, Optional> & { [K in Optional]: PlanTrace[K] | undefined }>({
  label: text,
  loop: optional(text),
  layers: count,
  names: optional(list(text)),
  experts: count,
  axes: optional(list(text)),
  rows: optional(text),
  slots: count,
  layerStride: count,
  index: text,
  weight: text,
}) as Reader<PlanTrace>;
const entry = object({
  name: text,
  tokens: optional(text),
  positions: optional(count),
  derived: optional(object<Derivation>({ from: text, form: oneOf("last", "decode", "batch") })),
  inputs: list(port),
  outputs: list(port),
  steps: list(step),
  traces: list(trace),
}) as Reader<PlanEntry>;

/**
 * @param manifest The manifest, or the level whose plan it is.
 * @throws MoecError MOE5302 with the place of what is wrong.
 */
export function readPlan(source: string, manifest: Pick<Manifest, "memory">): Plan {
  const plan = object<Plan>({
    limits: table(count),
    spaces: object<Record<MemorySpace, number>>({ weights: count, state: count, arena: count, io: count }),
    buffers: list(buffer),
    weights: list(weight),
    states: list(state),
    knobs: list(port),
    entries: list(entry),
  })(json(source, "plan.json"), "plan.json");
  checkBuffers(plan);
  plan.entries.forEach(checkSizes);
  if (plan.spaces.weights !== manifest.memory.weights) {
    throw wrong("plan.json.spaces.weights", `it is not the ${manifest.memory.weights} of the manifest`);
  }
  return plan;
}

/** Sizes of ports and traces are texts of `Size` over what the inputs decide. */
function checkSizes(planned: PlanEntry): void {
  const known = new Set(runtimeSizes(planned));
  const check = (name: string, size: string): void => {
    const place = `plan.json.entries.${planned.name}.${name}`;
    try {
      const stranger = compileSize(size).names.find((each) => !known.has(each));
      if (stranger === undefined) return;
      throw wrong(place, `\`${size}\` depends on \`${stranger}\`, which no input decides`);
    } catch (error) {
      throw error instanceof RangeError ? wrong(place, error.message) : error;
    }
  };
  for (const { name, axes } of [...planned.inputs, ...planned.outputs]) {
    for (const { size } of axes) check(name, size);
  }
  if (planned.tokens !== undefined) check("tokens", planned.tokens);
  for (const { label, rows } of planned.traces) if (rows !== undefined) check(label, rows);
}

function checkBuffers(plan: Plan): void {
  const ids = new Set<string>();
  for (const { id, space: where, offset, bytes } of plan.buffers) {
    if (ids.has(id)) throw wrong("plan.json.buffers", `\`${id}\` is declared twice`);
    if (offset + bytes > plan.spaces[where]) throw wrong("plan.json.buffers", `\`${id}\` ends outside its space`);
    ids.add(id);
  }
  const used = [
    ...plan.states,
    ...plan.knobs,
    ...plan.entries.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]),
  ].map((one) => one.buffer);
  const traced = plan.entries.flatMap(({ traces }) => traces).flatMap(({ index, weight: values }) => [index, values]);
  for (const { label, layers, names } of plan.entries.flatMap(({ traces }) => traces)) {
    if (names && names.length !== layers)
      throw wrong("plan.json.entries", `\`${label}\` has ${layers} layers and ${names.length} names`);
  }
  for (const id of [...used, ...traced]) {
    if (!ids.has(id)) throw wrong("plan.json", `buffer \`${id}\` is not declared`);
  }
}
