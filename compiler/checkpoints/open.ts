/** Opens a single-file checkpoint by its first bytes, whatever its name ends with. */
import { readChecked } from "./byte-source.js";
import { notACheckpoint } from "./errors.js";
import { GGUF_MAGIC, readGguf } from "./gguf-read.js";
import { readSafetensors } from "./safetensors-read.js";
import type { ByteSource, Checkpoint } from "./types.js";

/**
 * Read the header of a GGUF or safetensors file.
 *
 * @throws MoecError MOE5101 when it is neither, else what `readGguf` and `readSafetensors` throw.
 */
export function openCheckpoint(source: ByteSource): Checkpoint {
  if (source.size < 9) throw notACheckpoint(source.name);
  const start = readChecked(source, 0, 9, "the first bytes");
  if (new DataView(start.buffer, start.byteOffset, 4).getUint32(0, true) === GGUF_MAGIC) return readGguf(source);
  // Byte 8 is the first of the JSON; without this a picture would be refused for its "header length".
  if (start[8] === 0x7b) return readSafetensors(source);
  throw notACheckpoint(source.name);
}
