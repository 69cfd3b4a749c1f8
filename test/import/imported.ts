/** From the bytes of a checkpoint through its imported spec to logits: on the reference evaluator and on wasm. */
import { check } from "../../compiler/1-check/index.js";
import { buildProgram, evaluate, StateStore } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import type { Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import type { Plan } from "../../compiler/4-schedule/plan.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { checkpointSource, writeBundle } from "../../compiler/6-bundle/index.js";
import type { Checkpoint } from "../../compiler/checkpoints/index.js";
import { importModel, type ImportedModel, type SentenceFiles } from "../../compiler/checkpoints/import/index.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { wasmRelaxed, type Target } from "../../compiler/targets/index.js";
import { formatText } from "../../cli/format.js";
import { storageOf, type MatrixStorage } from "../../cli/storage-choice.js";
import type { Device } from "../../runtime/device.js";
import { Model } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { testHost } from "../check/host.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { nativeDevice } from "../support/native.js";

export interface Imported {
  readonly model: ImportedModel;
  /** Formatted text of the spec. */
  readonly text: string;
  readonly program: Program;
  readonly checkpoint: Checkpoint;
}

/** Imports a checkpoint; the spec must format and check without a diagnostic. `edit` changes its text. */
export async function imported(
  checkpoint: Checkpoint,
  config?: unknown,
  edit: (text: string) => string = (text) => text,
  sentences: SentenceFiles = {},
): Promise<Imported> {
  const model = importModel({ checkpoint, config, name: "Imported", source: "test", sentences: () => sentences });
  const formatted = await formatText(model.spec, "imported.moe");
  if (!formatted.ok) throw new Error(`${JSON.stringify(formatted.diagnostics)}\n${model.spec}`);
  const text = edit(formatted.text);
  return { model, text, program: programOf(text), checkpoint };
}

export function programOf(text: string): Program {
  const project = check("imported.moe", testHost({ "imported.moe": text }));
  if (project.diagnostics.length > 0) throw new Error(`${JSON.stringify(project.diagnostics)}\n${text}`);
  return buildProgram(project);
}

/** Numbers of tokens in each call: `[n]` is prefill, `[1, 1, …]` is token by token. */
export type Pieces = readonly number[];

/** Rows of the result after every position of `ids`, on the reference evaluator. */
export function referenceRows(
  { program, checkpoint }: Imported,
  ids: readonly number[],
  pieces: Pieces = [ids.length],
): Float64Array {
  const source = checkpointSource(program, checkpoint);
  const params = paramReader(program, source);
  const states = new StateStore();
  const entry = program.entries[0]!.name;
  const parts: Float64Array[] = [];
  let from = 0;
  for (const count of pieces) {
    const tokens = intTensor(ids.slice(from, from + count));
    const types = intTensor(new Array<number>(count).fill(0));
    const inputs = entry === "encode" ? { tokens, token_types: types } : { tokens };
    const result = evaluate(program, entry, { inputs, params, states }).outputs["result"];
    if (result?.kind !== "tensor") throw new Error("no result");
    parts.push(Float64Array.from(result.data));
    from += count;
  }
  return joined(parts);
}

const intTensor = (values: readonly number[]): ReferenceTensor =>
  makeTensor("i32", [{ name: "T", size: values.length }], Float64Array.from(values));

function paramReader(program: Program, source: ReturnType<typeof checkpointSource>): (path: string) => ReferenceTensor {
  const known = new Map<string, ReferenceTensor>();
  return (path) => {
    const cached = known.get(path);
    if (cached) return cached;
    const decl = program.params.find((param) => param.path === path)!;
    const axes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
    const own = axes.slice(decl.layerAxes).map(({ name }) => name);
    const layers = axes.slice(0, decl.layerAxes).reduce((product, { size }) => product * size, 1);
    const values = Array.from({ length: layers }, (_, layer) =>
      Float64Array.from(source.read(path, decl.layerAxes > 0 ? [layer] : [], own)),
    );
    const made = makeTensor(decl.dtype, axes, joined(values));
    known.set(path, made);
    return made;
  };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The imported model compiled to wasm, through a whole bundle in memory. */
export function wasmModel(own: Imported, storage: MatrixStorage = "f32"): Promise<Model> {
  return modelOn(wasmRelaxed, own, storage);
}

/** The imported model in machine code of a level, through a whole bundle in memory. */
export function nativeModel(own: Imported, level: Target, storage: MatrixStorage): Promise<Model> {
  return modelOn(level, own, storage, (kernels, plan) => nativeDevice(kernels, plan, level));
}

async function modelOn(
  target: Target,
  { program, checkpoint }: Imported,
  storage: MatrixStorage,
  device?: (kernels: readonly Kernel[], plan: Plan) => Device,
): Promise<Model> {
  const isEncoder = program.entries.every(({ name }) => name === "encode");
  const built = isEncoder ? program : deriveLastToken(program);
  const optimized = optimize(built);
  const limits = { T: 32, context: 64 };
  const { kernels, plan } = schedule(optimized, target, { limits, storage: storageOf(optimized, storage) });
  const files: MemoryFiles = new Map();
  writeBundle(
    {
      program: built,
      plan,
      modules: device
        ? []
        : [{ relaxedSimd: true, threads: false, bytes: emitWasm(kernels, target, { threads: false }) }],
      scratchBytes: scratchBytes(kernels),
      parameters: checkpointSource(built, checkpoint),
      generation: {},
      compiler: "test",
    },
    memoryWriter(files),
  );
  const make = device && (() => Promise.resolve(device(kernels, plan)));
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), { threads: 1 }, make));
  await model.reset();
  return model;
}

/** Rows of the result after every position of `ids`, on wasm or on native code. */
export async function wasmRows(
  model: Model,
  ids: readonly number[],
  pieces: Pieces = [ids.length],
): Promise<Float64Array> {
  await model.reset();
  const parts: Float64Array[] = [];
  let from = 0;
  for (const count of pieces) {
    const tokens = ids.slice(from, from + count);
    const isEncoder = model.manifest.entries.some(({ name }) => name === "encode");
    const result = isEncoder
      ? await model.extend("encode", { tokens, token_types: tokens.map(() => 0) })
      : await model.extend("forward", { tokens });
    parts.push(Float64Array.from(Object.values(result.outputs)[0]!.data));
    from += count;
  }
  return joined(parts);
}

/** Root mean square of the difference, divided by that of the expected values. */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < found.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
