/** Models of specs for the tests of the runtime: compiled in memory, with parameters from seeds. */
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { deriveBatch, deriveLastToken, optimize } from "../../compiler/3-optimize/index.js";
import { schedule } from "../../compiler/4-schedule/index.js";
import type { ScheduleLimits } from "../../compiler/4-schedule/options.js";
import { emitWasm, scratchBytes } from "../../compiler/5-emit/wasm/index.js";
import { writeBundle } from "../../compiler/6-bundle/index.js";
import { wasmRelaxed } from "../../compiler/targets/index.js";
import { byteTokenizer } from "../../cli/byte-tokenizer.js";
import { Model } from "../../runtime/model/model.js";
import { openModel } from "../../runtime/model/open.js";
import { nodeHost } from "../../runtime/node/host.js";
import { testHost } from "../check/host.js";
import { parameter } from "../optimize/tiny-model.js";
import { interpreterDevice } from "../support/interpreter-device.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";

export interface SpecModelOptions {
  readonly limits: ScheduleLimits;
  readonly device?: "wasm" | "interpreter";
  /** Side by side; 1 when absent. */
  readonly texts?: number;
}

export function programOf(spec: string): Program {
  const project = check("spec.moe", testHost({ "spec.moe": spec }));
  const [error] = project.diagnostics.filter(({ severity }) => severity === "error");
  if (error) throw new Error(error.message);
  return deriveLastToken(buildProgram(project));
}

/** The model with the numbers that `parameter` gives. */
export async function specModel(program: Program, options: SpecModelOptions): Promise<Model> {
  const { limits, device = "wasm", texts = 1 } = options;
  const optimized = deriveBatch(optimize(program));
  const { kernels, plan } = schedule(optimized, wasmRelaxed, { limits });
  const isWasm = device === "wasm";
  const files: MemoryFiles = new Map();
  const read = (path: string, layer: readonly number[]): Float32Array => {
    const { data, axes } = parameter(program, path);
    const layers = program.params.find((each) => each.path === path)!.layerAxes;
    const size = axes.slice(layers).reduce((product, axis) => product * axis.size, 1);
    const from = layer.reduce((at, turn, index) => at * axes[index]!.size + turn, 0) * size;
    return Float32Array.from(data.subarray(from, from + size));
  };
  writeBundle(
    {
      program: optimized,
      plan,
      modules: isWasm
        ? [{ relaxedSimd: true, threads: false, bytes: emitWasm(kernels, wasmRelaxed, { threads: false }) }]
        : [],
      scratchBytes: scratchBytes(kernels),
      parameters: { read },
      tokenizer: JSON.stringify({ tokenizer: JSON.parse(byteTokenizer()) as unknown }),
      generation: {},
      compiler: "test",
    },
    memoryWriter(files),
  );
  const make = isWasm ? undefined : () => Promise.resolve(interpreterDevice(kernels, plan));
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), { threads: 1, texts }, make));
  await model.reset();
  return model;
}
