/**
 * What this WebAssembly engine can do, found by asking it to validate a tiny module for each feature: version numbers
 * and user-agent strings lie.
 */

/** Magic and version, then a type section with one function type: no parameters, one v128. */
const HEAD = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, /* types */ 1, 5, 1, 0x60, 0, 1, 0x7b, /* functions */ 3, 2, 1, 0];
const I32_ZERO = [0x41, 0];
const I8X16_SPLAT = [0xfd, 0x0f];
const END = 0x0b;

function probe(body: readonly number[]): boolean {
  const code = [0, ...body, END];
  return WebAssembly.validate(new Uint8Array([...HEAD, 10, code.length + 2, 1, code.length, ...code]));
}

export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Memory that threads can share. */
  readonly sharedMemory: boolean;
}

/** Asks the engine. Cheap; the answer may change when the host turns a feature on. */
export function wasmFeatures(): WasmFeatures {
  // i8x16.popcnt, and i8x16.relaxed_swizzle (0x100 in LEB128).
  const simd = probe([...I32_ZERO, ...I8X16_SPLAT, 0xfd, 0x62]);
  const relaxedSimd = probe([...I32_ZERO, ...I8X16_SPLAT, ...I32_ZERO, ...I8X16_SPLAT, 0xfd, 0x80, 0x02]);
  return { simd, relaxedSimd, sharedMemory: canShareMemory() };
}

function canShareMemory(): boolean {
  try {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    return typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  } catch {
    return false;
  }
}
