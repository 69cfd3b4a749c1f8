/** Small valid files and metadata that the format tests start from. */
import type { GgufContent } from "../../compiler/checkpoints/index.js";
import type { MetadataValue, TensorSource } from "../../compiler/checkpoints/index.js";
import {
  fromF32,
  STORAGE,
  storageBytes,
  type StorageType,
  writeGguf,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";

/** A tensor whose bytes count up, or whose values do for types that f32 can be turned into. */
export function sampleTensor(name: string, type: StorageType, shape: readonly number[]): TensorSource {
  const data = (): Uint8Array => {
    const bytes = storageBytes(type, shape, name);
    if (STORAGE[type].encode === undefined) return Uint8Array.from({ length: bytes }, (_, i) => i & 1);
    const count = shape.reduce((product, size) => product * size, 1);
    return fromF32(
      type as "f32",
      Float32Array.from({ length: count }, (_, i) => ((i * 7) % 31) / 8 - 2),
    );
  };
  return { name, type, shape, data };
}

/** One metadata entry of every type that GGUF has. */
export const everyMetadataType: ReadonlyMap<string, MetadataValue> = new Map<string, MetadataValue>([
  ["general.architecture", { type: "string", value: "llama" }],
  ["general.alignment", { type: "u32", value: 64 }],
  ["u8", { type: "u8", value: 255 }],
  ["i8", { type: "i8", value: -128 }],
  ["u16", { type: "u16", value: 65535 }],
  ["i16", { type: "i16", value: -32768 }],
  ["u32", { type: "u32", value: 4294967295 }],
  ["i32", { type: "i32", value: -2147483648 }],
  ["f32", { type: "f32", value: 0.5 }],
  ["f64", { type: "f64", value: Math.PI }],
  ["u64", { type: "u64", value: 2n ** 64n - 1n }],
  ["i64", { type: "i64", value: -(2n ** 63n) }],
  ["yes", { type: "bool", value: true }],
  ["no", { type: "bool", value: false }],
  ["text", { type: "string", value: "größer \u{1f600} \ufeff" }],
  ["empty", { type: "string", value: "" }],
  ["bytes", { type: "array", of: "u8", values: Uint8Array.of(1, 2, 3) }],
  ["i8s", { type: "array", of: "i8", values: Int8Array.of(-1, 2) }],
  ["shorts", { type: "array", of: "i16", values: Int16Array.of(-2, 2) }],
  ["u16s", { type: "array", of: "u16", values: Uint16Array.of(2, 65535) }],
  ["u32s", { type: "array", of: "u32", values: Uint32Array.of(7, 4294967295) }],
  ["i32s", { type: "array", of: "i32", values: Int32Array.of(1, -1) }],
  ["scores", { type: "array", of: "f32", values: Float32Array.of(-1.5, 0) }],
  ["f64s", { type: "array", of: "f64", values: Float64Array.of(Math.E) }],
  ["u64s", { type: "array", of: "u64", values: BigUint64Array.of(1n, 2n ** 63n) }],
  ["i64s", { type: "array", of: "i64", values: BigInt64Array.of(-1n) }],
  ["bools", { type: "array", of: "bool", values: [true, false, true] }],
  ["tokens", { type: "array", of: "string", values: ["a", "", "ü"] }],
  ["none", { type: "array", of: "string", values: [] }],
  [
    "nested",
    {
      type: "array",
      of: "array",
      values: [
        { type: "array", of: "u8", values: Uint8Array.of(9) },
        { type: "array", of: "string", values: ["x"] },
      ],
    },
  ],
]);

/** Every tensor type of GGUF, every metadata type. */
export const ggufContent: GgufContent = {
  metadata: everyMetadataType,
  tensors: [
    sampleTensor("a.f32", "f32", [3, 5]),
    sampleTensor("b.f16", "f16", [2, 3, 5]),
    sampleTensor("c.bf16", "bf16", [7]),
    sampleTensor("d.q8_0", "q8_0", [2, 3, 64]),
    sampleTensor("e.q4_0", "q4_0", [4, 32]),
    sampleTensor("f.i32", "i32", [3]),
    sampleTensor("g.i64", "i64", [2]),
    sampleTensor("h.i8", "i8", [5]),
    sampleTensor("i.scalar", "f32", []),
    sampleTensor("j.empty", "f32", [0, 4]),
  ],
};

/** Every tensor type of safetensors. */
export const safetensorsContent = {
  metadata: new Map([["format", "pt"]]),
  tensors: [
    sampleTensor("a.f32", "f32", [3, 5]),
    sampleTensor("b.f16", "f16", [2, 3, 5, 1, 2]),
    sampleTensor("c.bf16", "bf16", [7]),
    sampleTensor("d.u8", "u8", [3]),
    sampleTensor("e.i32", "i32", [3]),
    sampleTensor("f.i64", "i64", [2]),
    sampleTensor("g.bool", "bool", [4]),
    sampleTensor("1", "i8", [5]),
    sampleTensor("__proto__", "f32", []),
    sampleTensor("i.empty", "f32", [0]),
  ],
};

export const ggufBytes = writeGguf(ggufContent);
export const safetensorsBytes = writeSafetensors(safetensorsContent);
