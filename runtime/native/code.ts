/** Objects as code that can be called. */
import { moecError } from "../../compiler/errors/raise.js";
import { linkObject } from "./elf.js";
import type { Address } from "./koffi.js";
import { libc, PROTECTION } from "./libc.js";
import { Mapping } from "./mapping.js";

export interface LoadedCode {
  /** @throws MoecError MOE4206 when the object has no such symbol. */
  address(symbol: string): Address;
  has(symbol: string): boolean;
  /** Its functions may not run any more. Does nothing after `keep`. */
  free(): void;
  /** Leaves the code where it is as long as the process lives. */
  keep(): void;
}

/**
 * Puts an object into memory. No page can be written and run at the same time.
 *
 * @param file Name of the object, for messages.
 * @throws MoecError MOE4206, MOE4205
 */
export function loadCode(object: Uint8Array, file: string): LoadedCode {
  const image = linkObject(object, file);
  const mapping = Mapping.memory(image.bytes.length, "kernels");
  mapping.view(0, image.bytes.length).set(image.bytes);
  const places = new DataView(mapping.buffer);
  for (const { at, value } of image.absolute) places.setBigUint64(at, BigInt(mapping.address + value), true);
  if (image.writable > 0) {
    libc().clearInstructions(mapping.address, image.writable);
    mapping.protect(0, image.writable, PROTECTION.readExecute);
  }
  let isKept = false;
  return {
    has: (symbol) => image.symbols.has(symbol),
    address: (symbol) => {
      const place = image.symbols.get(symbol);
      if (place !== undefined) return mapping.address + place;
      throw moecError("MOE4206", { file, reason: `it has no \`${symbol}\`` });
    },
    free: () => {
      if (!isKept) mapping.free();
    },
    keep: () => {
      isKept = true;
    },
  };
}
