/** Runs schedules on Dawn: the memory is prepared as for every machine of the tests, then a device has a copy of it. */
import { emitWgslPrograms } from "../../compiler/5-emit/wgsl/module.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import type { Driver } from "../../compiler/4-schedule/plan.js";
import { webgpu } from "../../compiler/targets/index.js";
import type { Device } from "../../runtime/device.js";
import { makeWebGpuDevice } from "../../runtime/webgpu/device.js";
import type { Support } from "../../runtime/webgpu/support.js";
import { close, compare, type CompareOptions, type Moment } from "../schedule/compare.js";
import { Machine } from "../schedule/machine.js";
import { sharedDevice } from "./webgpu-shared.js";

/** Both ways to write a value: for GPUs, and for drivers that compute on the processor. */
export const drivers: readonly Driver[] = ["gpu", "cpu"];

/** Less than a driver has. */
export type Limit = (support: Support) => Support;

/** @returns undefined where there is no driver at all. */
async function deviceFor(image: Machine, on: Driver, limit: Limit): Promise<Device | undefined> {
  const running = await sharedDevice();
  if (!running) return undefined;
  const { plan, kernels } = image.schedule;
  const device = await makeWebGpuDevice({
    plan,
    programs: emitWgslPrograms(kernels, plan, webgpu),
    device: running.device,
    name: running.name,
    isSoftware: on === "cpu",
    support: limit(running.support),
  });
  for (const space of ["weights", "state", "io", "arena"] as const) {
    if (plan.spaces[space] > 0) await device.write(space, 0, wholeWords(image.bytes(space)));
  }
  return device;
}

const wholeWords = (bytes: Uint8Array): Uint8Array => {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return padded;
};

/**
 * `compare` on Dawn: calls one after the other, outputs as the reference gives them.
 *
 * @param limit What of the driver is used.
 *
 * @returns false where there is no driver.
 */
export async function compareOnDawn(
  program: Program,
  what: CompareOptions,
  on: Driver,
  limit: Limit = (support) => support,
): Promise<boolean> {
  return runOnDawn(program, momentsOf(program, what), what.tolerance, on, limit);
}

/** What the reference gives for each call, for both kinds of launches. */
export function momentsOf(program: Program, what: CompareOptions): readonly Moment[] {
  const moments: Moment[] = [];
  compare(program, { ...what, target: webgpu, runners: [], onCall: (moment) => moments.push(moment) });
  return moments;
}

/**
 * Calls on Dawn that the reference has answered.
 *
 * @returns false where there is no driver.
 */
export async function runOnDawn(
  program: Program,
  moments: readonly Moment[],
  tolerance: number,
  on: Driver,
  limit: Limit = (support) => support,
): Promise<boolean> {
  const [first] = moments;
  if (!first) throw new Error("there is nothing to run");
  const image = new Machine(first.schedule, webgpu, "interpreter");
  image.setParams(first.params);
  for (const knob of program.knobs) {
    const count = knob.axes.reduce((n, axis) => n * axis.size.evaluate({}), 1);
    image.setKnob(knob.path, Array<number>(count).fill(knob.init));
  }
  const device = await deviceFor(image, on, limit);
  if (!device) return false;
  try {
    for (const { entry, call, expected } of moments) {
      image.feed(entry, call.inputs);
      await device.write("io", 0, wholeWords(image.bytes("io")));
      await device.run(entry, { past: 0, ...call.sizes });
      const io = image.bytes("io");
      io.set((await device.read("io", 0, Math.ceil(io.length / 4) * 4)).subarray(0, io.length));
      const found = image.outputs(entry, call.sizes);
      for (const [name, values] of Object.entries(expected)) close(found[name]!, values, tolerance, `${on} ${name}`);
    }
  } finally {
    device.dispose();
  }
  return true;
}
