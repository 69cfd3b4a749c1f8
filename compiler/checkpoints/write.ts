/** What both writers share. */
import { notWritable } from "./errors.js";
import { storageBytes } from "./storage.js";
import type { TensorSource } from "./types.js";

/**
 * The tensor's bytes, with the promise about their number checked: one byte too few would shift every later tensor.
 *
 * @throws MoecError MOE5117 when the source gives another number of bytes than its shape and type say.
 */
export function tensorBytes(tensor: TensorSource): Uint8Array {
  const expected = storageBytes(tensor.type, tensor.shape, tensor.name);
  const bytes = tensor.data();
  if (bytes.length !== expected) {
    throw notWritable(tensor.name, `its data has ${bytes.length} bytes, its shape and type ask for ${expected}`);
  }
  return bytes;
}

/** One array of all chunks. */
export function joinChunks(chunks: Iterable<Uint8Array>): Uint8Array {
  const all = [...chunks];
  const joined = new Uint8Array(all.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of all) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
