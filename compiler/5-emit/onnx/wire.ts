/**
 * Protocol buffer messages as bytes: the three wire kinds that ONNX needs. A message is built from its parts without
 * copying large ones more than once.
 */

export type Part = Uint8Array;

/** Base-128 varint; negative numbers are 64-bit two's complement, as the format asks. */
export function varint(value: number | bigint): Part {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

/** Joins parts into one. */
export function joined(parts: readonly Part[]): Part {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const tag = (field: number, wire: number): Part => varint(field * 8 + wire);

export function integerField(field: number, value: number | bigint): Part {
  return joined([tag(field, 0), varint(value)]);
}

const encoder = new TextEncoder();

/** A string, bytes or a nested message. */
export function bytesField(field: number, value: string | Part | readonly Part[]): Part {
  const parts = typeof value === "string" ? [encoder.encode(value)] : value instanceof Uint8Array ? [value] : value;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return joined([tag(field, 2), varint(length), ...parts]);
}

export function floatField(field: number, value: number): Part {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return joined([tag(field, 5), data]);
}
