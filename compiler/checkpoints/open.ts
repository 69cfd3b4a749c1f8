/** Opens a single-file checkpoint by its first bytes, whatever its name ends with. */
import { isPointer, readChecked } from "./byte-source.js";
import { notACheckpoint } from "./errors.js";
import { GGUF_MAGIC } from "./gguf-header.js";
import { readGguf } from "./gguf-read.js";
import { isOnnx, readOnnx } from "./onnx-read.js";
import { readSafetensors } from "./safetensors-read.js";
import type { ByteSource, Checkpoint, OpenBeside } from "./types.js";

/**
 * Read the header of a GGUF, safetensors or ONNX file.
 *
 * @param openBeside Opens the other parts of a GGUF model, and files that an ONNX model keeps its numbers in.
 * @throws MoecError MOE5101 when it is none of them, else what `readGguf`, `readSafetensors` and `readOnnx` throw.
 */
export function openCheckpoint(source: ByteSource, openBeside?: OpenBeside): Checkpoint {
  if (source.size < 9) throw notACheckpoint(source.name);
  const start = readChecked(source, 0, 9, "the first bytes");
  const magic = new DataView(start.buffer, start.byteOffset, 4).getUint32(0, true);
  if (magic === GGUF_MAGIC) return readGguf(source, openBeside);
  // Byte 8 is the first of the JSON; without this a picture would be refused for its "header length".
  if (start[8] === 0x7b) return readSafetensors(source);
  if (isOnnx(start)) return readOnnx(source, openBeside);
  throw notACheckpoint(source.name, isPointer(source));
}
