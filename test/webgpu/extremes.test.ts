/** Minima, maxima and conversions of the values where drivers differ: on a driver as on the interpreter, to the bit. */
import { expect, test } from "vitest";
import { KernelBuilder } from "../../compiler/4-schedule/kernel-builder.js";
import { add, block, convert, max, min, mul } from "../../compiler/4-schedule/kernel-expressions.js";
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { runningDevice, runWgsl } from "../support/webgpu.js";

const values = [NaN, -Infinity, -3e9, -1.5, -0, 0, 1.5, 2147483520, 3e9, Infinity];
const left = values.flatMap((a) => values.map(() => a));
const right = values.flatMap(() => values);
/** As a window of a mask may chain; with branches in the functions a driver compiled such a kernel for minutes. */
const CHAINED = 32;

const kernel = (() => {
  const k = new KernelBuilder("extremes", { doc: "of two numbers", threads: 1 });
  const [a, b] = [k.buffer("a", "f32", "read"), k.buffer("b", "f32", "read")];
  const [floats, whole] = [k.buffer("floats", "f32", "write"), k.buffer("whole", "i32", "write")];
  const [x, y] = [k.let("x", k.load(a, block)), k.let("y", k.load(b, block))];
  let [least, greatest] = [k.let("least", min(x, y)), k.let("greatest", max(x, y))];
  for (let i = 0; i < CHAINED; i++) {
    const [one, other] = i % 2 === 0 ? [x, y] : [y, x];
    least = k.let("least", min(max(least, one), min(one, other)));
    greatest = k.let("greatest", max(min(greatest, one), max(one, other)));
  }
  k.store(floats, mul(block, 2), least);
  k.store(floats, add(mul(block, 2), 1), greatest);
  k.store(whole, block, convert(x, "i32"));
  return k.finish();
})();

test("extremes and whole numbers on WebGPU", async ({ skip }) => {
  const count = left.length;
  const data = [Float32Array.from(left), Float32Array.from(right), new Float32Array(2 * count), new Int32Array(count)];
  const memory = new ArrayBuffer(20 * count);
  new Float32Array(memory).set([...left, ...right]);
  makeInterpreter([kernel]).launch("extremes", memory, [0, 4 * count, 8 * count, 16 * count], [], 0, count);
  const running = await runningDevice();
  if (!running) return skip("no driver");
  const found = await runWgsl(running.device, kernel, data, [], count);
  expect(found[2]).toEqual(new Float32Array(memory, 8 * count, 2 * count));
  expect(found[3]).toEqual(new Int32Array(memory, 16 * count, count));
});
