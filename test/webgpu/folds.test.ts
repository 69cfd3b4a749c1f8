/** What the threads of a block bring, folded: the text form, the interpreter and WGSL agree with plain arithmetic. */
import { beforeAll, describe, expect, it } from "vitest";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { add, block, compare, convert, mul, sub, thread } from "../../compiler/4-schedule/kernel-expressions.js";
import type { FoldOp, Kernel } from "../../compiler/4-schedule/kernel-ir.js";
import { parseKernel } from "../../compiler/4-schedule/kernel-parse.js";
import { printKernel } from "../../compiler/4-schedule/kernel-print.js";
import { verifyKernel } from "../../compiler/4-schedule/kernel-verify.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { emitWgsl } from "../../compiler/5-emit/wgsl/index.js";
import { webgpu } from "../../compiler/targets/index.js";
import { checkingDevice, runningDevice, runWgsl, wgslProblems } from "../support/webgpu.js";

const blocks = 3;
const ops = ["add", "min", "max", "first"] as const satisfies readonly FoldOp[];

/** Thread t of block b brings (t - 11) * (b + 1); thread 0 stores the four results as f32 and as i32. */
function folds(threads: number): Kernel {
  const k = new KernelBuilder("folds", { doc: "each fold of each type", threads });
  const floats = k.buffer("floats", "f32", "write");
  const whole = k.buffer("whole", "i32", "write");
  const own = k.let("own", mul(sub(thread, 11), add(block, 1)));
  ops.forEach((op, i) => {
    const [f, w] = [k.fold("f", op, convert(own, "f32")), k.fold("w", op, own)];
    // The result of `first` may steer control flow around barriers.
    const meet = (): void => k.barrier();
    if (op === "first") k.ifThen(compare("lt", w, 0), meet);
    k.ifThen(compare("eq", thread, 0), () => {
      k.store(floats, add(mul(block, ops.length), i), f);
      k.store(whole, add(mul(block, ops.length), i), w);
    });
  });
  return k.finish();
}

const sums = (threads: number): readonly number[] =>
  Array.from({ length: blocks }, (_, b) => {
    const values = Array.from({ length: threads }, (_, t) => (t - 11) * (b + 1));
    return [values.reduce((x, y) => x + y), Math.min(...values), Math.max(...values), values[0]!];
  }).flat();

let checking: Awaited<ReturnType<typeof checkingDevice>>;
let running: Awaited<ReturnType<typeof runningDevice>>;
beforeAll(async () => {
  checking = await checkingDevice();
  running = await runningDevice();
});

// Numbers of threads that are a power of two, a product, and a prime.
describe.each([32, 18, 13])("folds over the %i threads of a block", (threads) => {
  const kernel = folds(threads);
  const expected = sums(threads);

  it("are sound and read back from their text", () => {
    expect(verifyKernel(kernel)).toEqual([]);
    expect(parseKernel(printKernel(kernel))).toEqual(kernel);
  });

  it("are what the interpreter computes", () => {
    const bytes = expected.length * 4;
    const memory = new ArrayBuffer(2 * bytes);
    makeInterpreter([kernel]).launch("folds", memory, [0, bytes], [], 0, blocks);
    expect([...new Float32Array(memory, 0, expected.length)]).toEqual(expected);
    expect([...new Int32Array(memory, bytes)]).toEqual(expected);
  });

  it("are valid WGSL, and the same on a driver", async ({ skip }) => {
    if (!checking) return skip("webgpu is not installed");
    expect(await wgslProblems(checking, emitWgsl(kernel, webgpu))).toEqual([]);
    if (!running) return skip("no driver");
    const empty = [new Float32Array(expected.length), new Int32Array(expected.length)];
    const found = await runWgsl(running.device, kernel, empty, [], blocks);
    for (const data of found) expect([...(data as Float32Array)]).toEqual(expected);
  });
});
