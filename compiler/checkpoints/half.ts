/**
 * f16 and bf16 to f32 and back, by bit patterns, because Node 20 has no Float16Array. Rounding is to nearest, ties to
 * even; NaN stays NaN (quiet), infinities and subnormals keep their value.
 */

const scratch = new DataView(new ArrayBuffer(4));

/** Bit pattern of the f32 nearest to `value`. */
function bitsOf(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

function floatOf(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

/** `bits >>> shift`, rounded to nearest with ties to even. */
function shiftRounded(bits: number, shift: number): number {
  const kept = bits >>> shift;
  const rest = bits & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/** Value of an f16 bit pattern (the low 16 bits of `half`). Exact: every f16 is an f32. */
export function f16ToF32(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Bit pattern of the f16 nearest to the f32 nearest to `value`. Too large gives infinity. */
export function f32ToF16(value: number): number {
  return f16OfBits(bitsOf(value));
}

function f16OfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // Numbers from 2^-14 up to what rounds to infinity are most; half of the last place is added, less 1 before an even one.
  if (magnitude >= 0x38800000 && magnitude < 0x47800000) {
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  const exponent = (magnitude >>> 23) - 127;
  if (exponent > 15) return sign | 0x7c00;
  if (exponent < -25) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  return sign | shiftRounded(fraction, -1 - exponent);
}

/** Value of a bf16 bit pattern. Exact. */
export function bf16ToF32(half: number): number {
  return floatOf((half & 0xffff) << 16);
}

/** Bit pattern of the bf16 nearest to the f32 nearest to `value`. */
export function f32ToBf16(value: number): number {
  return bf16OfBits(bitsOf(value));
}

function bf16OfBits(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  // Rounding a NaN could carry it into infinity, so its top fraction bit is set instead.
  if (magnitude > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits >>> 16) & 0x8000) | ((magnitude + 0x7fff + ((magnitude >>> 16) & 1)) >>> 16);
}

/** All 65,536 f16 values, built on first use: a table is several times faster than the bit work for whole tensors. */
let table: Float32Array | undefined;

/** What a number becomes when it is stored and read again; undefined for f32. */
export function roundingTo(type: "f32" | "f16" | "bf16"): ((value: number) => number) | undefined {
  switch (type) {
    case "f32":
      return undefined;
    case "f16":
      return (value) => f16ToF32(f32ToF16(value));
    case "bf16":
      return (value) => bf16ToF32(f32ToBf16(value));
  }
}

/** Values of all f16 bit patterns. */
export function f16Values(): Float32Array {
  return (table ??= Float32Array.from({ length: 65536 }, (_, half) => f16ToF32(half)));
}

/** Decode little-endian f16 values. `out[i]` is the value of `bytes[2i], bytes[2i+1]`. */
export function decodeF16(bytes: Uint8Array, out: Float32Array): void {
  const values = f16Values();
  for (let i = 0; i < out.length; i++) out[i] = values[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
}

/** Encode to little-endian f16. */
export function encodeF16(values: Float32Array, out: Uint8Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const half = f16OfBits(bits[i]!);
    out[2 * i] = half;
    out[2 * i + 1] = half >>> 8;
  }
}

/** Decode little-endian bf16 values. */
export function decodeBf16(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
}

/** Encode to little-endian bf16. */
export function encodeBf16(values: Float32Array, out: Uint8Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const half = bf16OfBits(bits[i]!);
    out[2 * i] = half;
    out[2 * i + 1] = half >>> 8;
  }
}
