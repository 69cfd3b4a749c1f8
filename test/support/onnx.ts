/**
 * Runs exported graphs on ONNX Runtime: the peer `onnxruntime-web` (its CPU kernels as WebAssembly), and
 * `onnxruntime-node` where the benches have installed it.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { modelBytes, type OnnxGraph } from "../../compiler/5-emit/onnx/index.js";
import type { ParameterSource } from "../../compiler/6-bundle/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { makeTensor } from "../../compiler/ops/reference-tensor.js";
import type { ReferenceTensor } from "../../compiler/ops/types.js";
import { peerPackage } from "./peers.js";

export interface OrtTensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly dims: readonly number[];
  readonly type: string;
}
interface Session {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}
interface Runtime {
  readonly env: { readonly wasm: { numThreads: number }; logLevel: string };
  readonly Tensor: new (type: string, data: OrtTensor["data"], dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

export const hasOnnxRuntime = peerPackage("onnxruntime-web") !== undefined;

/** Where each engine's package lies, and what runs graphs in it. */
const ENGINES = {
  "onnxruntime-web": { folder: "../../bench/peers/", provider: "wasm" },
  "onnxruntime-node": { folder: "../../bench/onnxruntime/", provider: "cpu" },
} as const;
export type OnnxEngine = keyof typeof ENGINES;

/** The engines that are installed. */
export const onnxEngines = (Object.keys(ENGINES) as OnnxEngine[]).filter((name) =>
  existsSync(new URL(`${ENGINES[name].folder}node_modules/${name}`, import.meta.url)),
);

const loaded = new Map<OnnxEngine, Promise<Runtime>>();
function runtime(engine: OnnxEngine): Promise<Runtime> {
  const known = loaded.get(engine) ?? load(engine);
  loaded.set(engine, known);
  return known;
}

async function load(engine: OnnxEngine): Promise<Runtime> {
  const require = createRequire(new URL(`${ENGINES[engine].folder}package.json`, import.meta.url));
  const found = (await import(pathToFileURL(require.resolve(engine)).href)) as Runtime & { readonly default?: Runtime };
  const ort = (found.InferenceSession as unknown) === undefined ? found.default! : found;
  if (engine === "onnxruntime-web") ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  return ort;
}

export interface OnnxRun {
  (inputs: Readonly<Record<string, ReferenceTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
}

/** A session that keeps its states: what a call gives as `present.…` is the next one's `past.…`. */
export async function onnxSession(
  graph: OnnxGraph,
  engine: OnnxEngine = "onnxruntime-web",
): Promise<{ run: OnnxRun; release: () => Promise<void> }> {
  const ort = await runtime(engine);
  const options = { executionProviders: [ENGINES[engine].provider], logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(modelBytes(graph), options);
  const states = new Map<string, OrtTensor>();
  const run: OnnxRun = async (inputs) => {
    const feeds: Record<string, OrtTensor> = {};
    for (const port of graph.inputs) {
      if (port.name.startsWith("knob.")) continue;
      const given = inputs[port.name];
      const dims = given
        ? given.axes.map(({ size }) => size)
        : port.dims.map((dim) => (typeof dim === "number" ? dim : 0));
      const data = given?.data ?? new Float64Array(dims.reduce((product, dim) => product * dim, 1));
      const made =
        port.type === "f32"
          ? new ort.Tensor("float32", Float32Array.from(data), dims)
          : port.type === "i32"
            ? new ort.Tensor("int32", Int32Array.from(data), dims)
            : new ort.Tensor("bool", Uint8Array.from(data), dims);
      feeds[port.name] = states.get(port.name) ?? made;
    }
    const results = await session.run(feeds);
    for (const { name } of graph.outputs) {
      if (name.startsWith("present.")) states.set(name.replace("present.", "past."), results[name]!);
    }
    return results;
  };
  return { run, release: () => session.release() };
}

/** All numbers of a parameter, as the evaluator wants them. */
export function wholeParameter(program: Program, source: ParameterSource, path: string): ReferenceTensor {
  const decl = program.params.find((param) => param.path === path)!;
  const sizes = decl.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
  const own = sizes.slice(decl.layerAxes).map(({ name }) => name);
  const layers = sizes
    .slice(0, decl.layerAxes)
    .reduce<readonly (readonly number[])[]>(
      (all, { size }) => all.flatMap((outer) => Array.from({ length: size }, (_, index) => [...outer, index])),
      [[]],
    );
  const result = makeTensor(decl.dtype, sizes);
  const each = result.data.length / layers.length;
  layers.forEach((layer, index) => result.data.set(source.read(path, layer, own), index * each));
  return result;
}
