/** Runs the tests of specs as WebAssembly: each is compiled to a bundle in memory, as a model would be. */
import type { PreparedTest, TestResult } from "../compiler/2-graph/index.js";
import type { Program } from "../compiler/2-graph/ir.js";
import { optimize } from "../compiler/3-optimize/index.js";
import { schedule } from "../compiler/4-schedule/index.js";
import { emitWasm, scratchBytes } from "../compiler/5-emit/wasm/index.js";
import { writeBundle, type ParameterSource } from "../compiler/6-bundle/index.js";
import { rearrange } from "../compiler/6-bundle/rearrange.js";
import { MoecError } from "../compiler/errors/moec-error.js";
import { wasmRelaxed, wasmSimd } from "../compiler/targets/index.js";
import { Model } from "../runtime/model/model.js";
import { openModel } from "../runtime/model/open.js";
import { nodeHost } from "../runtime/node/host.js";
import { wasmFeatures } from "../runtime/wasm/features.js";
import { memoryFiles, memoryWriter, type MemoryFiles } from "./memory-bundle.js";

/** A result, or why the target has no kernels for the test. */
export type DeviceResult = TestResult & { readonly refused?: string };

/** Sizes of a test are numbers, so that no call has more tokens than one; its caches hold what its statements append. */
const LIMITS = { T: 1, context: 1024 };

/** The numbers of a test's parameters, a layer at a time and in the order that a kernel wants. */
function testParameters(test: PreparedTest, program: Program): ParameterSource {
  return {
    read(path, layer, axes) {
      const { layerAxes = 0 } = program.params.find((param) => param.path === path)!;
      const { axes: all, data } = test.params(path);
      const own = all.slice(layerAxes);
      const size = own.reduce((product, axis) => product * axis.size, 1);
      const index = layer.reduce((sum, at, position) => sum * all[position]!.size + at, 0);
      const values = Float32Array.from(data.subarray(index * size, (index + 1) * size));
      const order = axes.map((name) => own.findIndex((axis) => axis.name === name));
      return rearrange(
        values,
        own.map((axis) => axis.size),
        order,
      );
    },
  };
}

/** Compiles the program to a bundle in memory and calls it. */
async function outputsOnWasm(
  test: PreparedTest,
  source: Program,
): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  const relaxedSimd = wasmFeatures().relaxedSimd;
  const target = relaxedSimd ? wasmRelaxed : wasmSimd;
  const program = optimize(source);
  const { kernels, plan } = schedule(program, target, { limits: LIMITS });
  const files: MemoryFiles = new Map();
  const bytes = emitWasm(kernels, target, { threads: false });
  const parameters = testParameters(test, program);
  const input = { program, plan, parameters, generation: {}, compiler: "test", scratchBytes: scratchBytes(kernels) };
  writeBundle({ ...input, modules: [{ relaxedSimd, threads: false, bytes }] }, memoryWriter(files));
  const model = new Model(await openModel(memoryFiles(files), nodeHost(), { threads: 1 }));
  try {
    await model.reset();
    const { outputs } = await model.call("test", {});
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  } finally {
    model.dispose();
  }
}

export async function runOnWasm(test: PreparedTest): Promise<DeviceResult> {
  if (!test.program) return test.judge({});
  try {
    const result = test.judge(await outputsOnWasm(test, test.program));
    return await explained(test, result);
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    const result = test.broken(error);
    // The target says that it cannot, which is not the test's fault.
    return /^MOE[34]/.test(error.code) ? { ...result, refused: `${error.code}: ${error.message}` } : result;
  }
}

/** With what its comparisons say; as it is where the target has no kernels for their operands alone. */
async function explained(test: PreparedTest, result: TestResult): Promise<TestResult> {
  const inquiry = test.inquiry(result);
  if (!inquiry) return result;
  try {
    return inquiry.explain(await outputsOnWasm(test, inquiry.program));
  } catch (error) {
    if (error instanceof MoecError && /^MOE[34]/.test(error.code)) return result;
    throw error;
  }
}
