/** Runs a case on the interpreter, with all its checks on. */
import { makeInterpreter } from "../../compiler/4-schedule/interpreter/index.js";
import { copies, type Data, type SeamCase } from "./case.js";

/** What the buffers hold afterwards. */
export function interpreted(seam: SeamCase): readonly Data[] {
  const results = copies(seam);
  const addresses: number[] = [];
  let end = 1024;
  for (const { byteLength } of results) {
    addresses.push(end);
    end += Math.ceil(byteLength / 16) * 16;
  }
  const memory = new ArrayBuffer(end);
  const bytes = new Uint8Array(memory);
  const view = (data: Data): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  results.forEach((data, i) => bytes.set(view(data), addresses[i]));
  const scalars = seam.scalars.map((scalar) => (typeof scalar === "number" ? scalar : scalar.f32));
  const sizes = results.map(({ byteLength }) => byteLength);
  makeInterpreter([seam.kernel], { checked: true }).launch(
    seam.kernel.name,
    memory,
    addresses,
    scalars,
    0,
    seam.blocks,
    sizes,
  );
  results.forEach((data, i) => view(data).set(bytes.subarray(addresses[i], addresses[i]! + data.byteLength)));
  return results;
}
