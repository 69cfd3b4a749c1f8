import { describe, expect, it } from "vitest";
import {
  memorySource,
  openCheckpoint,
  readSafetensors,
  readSafetensorsSharded,
  toF32,
  writeSafetensors,
} from "../../compiler/checkpoints/index.js";
import { codedError, codeOf } from "./coded.js";
import { safetensorsBytes, safetensorsContent, sampleTensor } from "./samples.js";

const open = (bytes: Uint8Array) => readSafetensors(memorySource(bytes, "model.safetensors"));

/** A file from a header text, so that wrong headers can be written too. */
function rawFile(header: string | object, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

describe("round trip", () => {
  it("reads back every tensor", () => {
    const checkpoint = open(safetensorsBytes);
    expect(checkpoint.format).toBe("safetensors");
    expect(checkpoint.tensors.size).toBe(safetensorsContent.tensors.length);
    for (const { name, shape, type, data } of safetensorsContent.tensors) {
      expect(checkpoint.tensors.get(name)).toMatchObject({ shape, type });
      expect(checkpoint.read(name)).toEqual(data());
      expect(checkpoint.readF32(name)).toEqual(toF32(type, data()));
    }
    expect(checkpoint.metadata).toEqual(new Map([["format", { type: "string", value: "pt" }]]));
  });

  it("begins its data at a multiple of 8 and is found by its first bytes", () => {
    expect(openCheckpoint(memorySource(safetensorsBytes)).tensors.get("a.f32")!.offset % 8).toBe(0);
  });

  it("has a header that JSON.parse reads as the format says", () => {
    const length = Number(new DataView(safetensorsBytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(safetensorsBytes.subarray(8, 8 + length))) as unknown;
    expect(header).toMatchObject({ __metadata__: { format: "pt" }, "a.f32": f32([3, 5], 0, 60) });
  });
});

describe("refusals", () => {
  it.each<[string, string, Uint8Array]>([
    ["an empty file", "MOE5101", new Uint8Array(0)],
    ["a header longer than the file", "MOE5104", rawFile({}).with(3, 1)],
    ["a header length beyond 2^53", "MOE5105", rawFile({}).with(7, 255)],
    ["a header that is an array", "MOE5114", rawFile("[]")],
    ["a header that is not JSON", "MOE5114", rawFile("{]")],
    ["a header that is not UTF-8", "MOE5106", rawFile('{"w"}').with(10, 0xff)],
    ["an entry that is a number", "MOE5114", rawFile({ w: 1 })],
    ["no dtype", "MOE5114", rawFile({ w: { shape: [1], data_offsets: [0, 4] } }, 4)],
    ["a negative size", "MOE5114", rawFile({ w: f32([-1], 0, 4) }, 4)],
    ["a fractional size", "MOE5114", rawFile({ w: f32([0.5], 0, 4) }, 4)],
    ["one offset", "MOE5114", rawFile({ w: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4)],
    ["offsets that run backwards", "MOE5114", rawFile({ w: f32([1], 4, 0) }, 4)],
    ["room for another number of bytes", "MOE5114", rawFile({ w: f32([4], 0, 12) }, 12)],
    ["a product beyond 2^53", "MOE5111", rawFile({ w: f32([2 ** 40, 2 ** 40], 0, 4) }, 4)],
    ["a hole", "MOE5114", rawFile({ v: f32([1], 0, 4), w: f32([1], 8, 12) }, 12)],
    ["bytes behind the last tensor", "MOE5114", rawFile({ w: f32([1], 0, 4) }, 5)],
    ["a tensor behind the end", "MOE5109", rawFile({ w: f32([4], 0, 16) }, 8)],
    ["tensors that overlap", "MOE5110", rawFile({ v: f32([2], 0, 8), w: f32([2], 4, 12) }, 12)],
    [
      "a name twice",
      "MOE5107",
      rawFile(`{"w":${JSON.stringify(f32([0], 0, 0))},"\\u0077":${JSON.stringify(f32([0], 0, 0))}}`),
    ],
    ["metadata that is not strings", "MOE5114", rawFile({ __metadata__: { a: 1 } })],
  ])("%s", (_, code, bytes) => {
    expect(codeOf(() => open(bytes))).toBe(code);
  });

  it("a dtype by its name", () => {
    const error = codedError(() => open(rawFile({ w: { dtype: "F8_E4M3", shape: [4], data_offsets: [0, 4] } }, 4)));
    expect(error.code).toBe("MOE5108");
    expect(error.message).toContain("F8_E4M3");
  });

  it("a file cut off anywhere", () => {
    for (let size = 0; size < safetensorsBytes.length; size++) {
      expect(codeOf(() => open(safetensorsBytes.subarray(0, size)))).toMatch(/^MOE51(01|04|09)$/);
    }
  });

  it("block types and damaged tensors when writing", () => {
    const write = (tensor: object) => () =>
      writeSafetensors({ tensors: [{ ...sampleTensor("w", "f32", [2]), ...tensor }] });
    expect(codeOf(write({ type: "q8_0", shape: [32] }))).toBe("MOE5117");
    expect(codeOf(write({ data: () => new Uint8Array(3) }))).toBe("MOE5117");
    expect(codeOf(write({ name: "__metadata__" }))).toBe("MOE5117");
    const twice = sampleTensor("w", "f32", [2]);
    expect(codeOf(() => writeSafetensors({ tensors: [twice, twice] }))).toBe("MOE5107");
  });
});

describe("shards", () => {
  const shards = new Map([
    [
      "model-00001-of-00002.safetensors",
      writeSafetensors({ tensors: [sampleTensor("a", "f32", [2]), sampleTensor("x", "f16", [4])] }),
    ],
    ["model-00002-of-00002.safetensors", writeSafetensors({ tensors: [sampleTensor("b", "bf16", [3])] })],
  ]);
  const openShard = (name: string) => memorySource(shards.get(name)!, name);
  const index = (weightMap: unknown) => JSON.stringify({ metadata: { total_size: 14 }, weight_map: weightMap });
  const [first, second] = [...shards.keys()];

  it("reads each tensor from the file that the index names", () => {
    const checkpoint = readSafetensorsSharded(index({ b: second, a: first }), openShard);
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b"]);
    expect(checkpoint.readF32("a")).toEqual(Float32Array.of(-2, -1.125));
    expect(checkpoint.readF32("b")).toEqual(Float32Array.of(-2, -1.125, -0.25));
    expect(checkpoint.tensors.get("b")!.source).toBe(1);
  });

  it.each<[string, string]>([
    ["text that is not JSON", "{"],
    ["no weight map", "{}"],
    ["a weight map that is a list", index([])],
    ["a file in another folder", index({ a: "../model.safetensors" })],
    ["a hidden file", index({ a: ".." })],
    ["a number instead of a file", index({ a: 1 })],
    ["a tensor that its shard does not have", index({ a: second })],
  ])("refuses %s", (_, text) => {
    expect(codeOf(() => readSafetensorsSharded(text, openShard))).toBe("MOE5115");
  });
});
