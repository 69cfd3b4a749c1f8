/** The native device computes what the plan says, whatever the number of threads. */
import { expect, it } from "vitest";
import type { Device } from "../../runtime/device.js";
import { describeLevels, nativeDevice } from "../support/native.js";
import { expectedLogits, kernels, plan, table, V } from "../runtime/toy-model.js";

async function logitsOf(device: Device, ids: readonly number[], past: number): Promise<number[]> {
  await device.write("io", 0, new Uint8Array(Int32Array.from(ids).buffer));
  await device.run("forward", { T: ids.length, past });
  const bytes = await device.read("io", 64, ids.length * V * 4);
  return [...new Float32Array(bytes.slice().buffer)];
}

describeLevels("the native device", (target) => {
  it.each([1, 2, 7])("computes what the plan says with %i threads, call after call", async (threads) => {
    const device = nativeDevice(kernels, plan, target, threads);
    await device.write("weights", 0, new Uint8Array(table.slice().buffer));
    let text: number[] = [];
    for (let call = 0; call < 400; call++) {
      if (text.length >= 16) text = [];
      const ids = Array.from({ length: 1 + (call % 5) }, (_, i) => (call * 7 + i * 3) % V);
      const logits = await logitsOf(device, ids, text.length);
      const expected = ids.flatMap((_, i) => expectedLogits([...text, ...ids.slice(0, i + 1)]));
      expect(logits).toEqual(expected);
      text.push(...ids);
    }
    expect(await logitsOf(device, [], 0)).toEqual([]);
    device.dispose();
  });
});
