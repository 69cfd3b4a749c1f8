/** Views of one memory by memory type, and the source text of loads and stores through them. */
import type { MemoryType } from "../kernel-ir.js";

/** All views that translated kernels use over one memory. */
export interface Views {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly i16: Int16Array;
  readonly u16: Uint16Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly bytes: number;
}

export function viewsOf(memory: ArrayBufferLike): Views {
  const whole = memory.byteLength - (memory.byteLength % 4);
  return {
    f32: new Float32Array(memory, 0, whole / 4),
    i32: new Int32Array(memory, 0, whole / 4),
    i16: new Int16Array(memory, 0, whole / 2),
    u16: new Uint16Array(memory, 0, whole / 2),
    i8: new Int8Array(memory),
    u8: new Uint8Array(memory),
    bytes: memory.byteLength,
  };
}

export const viewNames = ["f32", "i32", "i16", "u16", "i8", "u8"] as const;

/** The view through which a memory type is read and written. */
export const viewOf: Readonly<Record<MemoryType, (typeof viewNames)[number]>> = {
  f32: "f32",
  i32: "i32",
  i16: "i16",
  i8: "i8",
  u8: "u8",
  f16: "u16",
  bf16: "u16",
};

/** The register value behind what the view holds. */
export function decoded(memory: MemoryType, text: string): string {
  if (memory === "f16") return `n.f16[${text}]`;
  return memory === "bf16" ? `n.bf16(${text})` : text;
}

/** What the view takes for a register value; integer views keep the low bits by themselves. */
export function encoded(memory: MemoryType, text: string): string {
  if (memory === "f16") return `n.toF16(${text})`;
  return memory === "bf16" ? `n.toBf16(${text})` : text;
}
