import { describe, expect, it } from "vitest";
import {
  type GgufContent,
  memorySource,
  openCheckpoint,
  readGguf,
  toF32,
  writeGguf,
} from "../../compiler/checkpoints/index.js";
import { ByteWriter } from "../../compiler/checkpoints/gguf-value-bytes.js";
import { codedError, codeOf } from "./coded.js";
import { everyMetadataType, ggufBytes, ggufContent, sampleTensor } from "./samples.js";

const open = (bytes: Uint8Array) => readGguf(memorySource(bytes, "model.gguf"));

/** A header written field by field, so that wrong fields can be written too. */
function rawFile(write: (writer: ByteWriter) => void, tensors = 0, metadata = 0): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(0x46554747);
  writer.u32(3);
  writer.u64(tensors);
  writer.u64(metadata);
  write(writer);
  writer.pad(32);
  return writer.finish();
}

interface RawTensor {
  name?: string;
  sizes?: (number | bigint)[];
  type?: number;
  offset?: number | bigint;
}

const rawTensor =
  ({ name = "w", sizes = [8], type = 0, offset = 0 }: RawTensor) =>
  (writer: ByteWriter): void => {
    writer.string(name);
    writer.u32(sizes.length);
    for (const size of sizes) writer.u64(size);
    writer.u32(type);
    writer.u64(offset);
  };

function fileWithTensors(tensors: RawTensor[], dataBytes: number): Uint8Array {
  const header = rawFile((writer) => tensors.forEach((tensor) => rawTensor(tensor)(writer)), tensors.length);
  const bytes = new Uint8Array(header.length + dataBytes);
  bytes.set(header);
  return bytes;
}

describe("round trip", () => {
  it("reads back every metadata type", () => {
    expect(open(ggufBytes).metadata).toEqual(everyMetadataType);
  });

  it("reads back every tensor with its shape, outermost axis first", () => {
    const checkpoint = open(ggufBytes);
    expect(checkpoint.format).toBe("gguf");
    expect([...checkpoint.tensors.keys()]).toEqual(ggufContent.tensors.map(({ name }) => name));
    for (const { name, shape, type, data } of ggufContent.tensors) {
      expect(checkpoint.tensors.get(name)).toMatchObject({ shape, type });
      expect(checkpoint.tensors.get(name)!.offset % 64).toBe(0);
      expect(checkpoint.read(name)).toEqual(data());
      expect(checkpoint.readF32(name)).toEqual(toF32(type, data()));
    }
  });

  it("writes the same bytes again from what it read", () => {
    const checkpoint = open(ggufBytes);
    const tensors = [...checkpoint.tensors.values()].map((info) => ({
      ...info,
      data: () => checkpoint.read(info.name),
    }));
    expect(writeGguf({ metadata: checkpoint.metadata, tensors })).toEqual(ggufBytes);
  });

  it("stores the innermost size first, as ggml does", () => {
    const bytes = writeGguf({ metadata: new Map(), tensors: [sampleTensor("w", "f32", [2, 3])] });
    const view = new DataView(bytes.buffer, 24 + 8 + 1 + 4);
    expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).toEqual([3n, 2n]);
  });

  it("reads parts of a tensor", () => {
    const checkpoint = open(ggufBytes);
    const whole = checkpoint.read("d.q8_0");
    expect(checkpoint.readPart("d.q8_0", 68, 34)).toEqual(whole.slice(68, 102));
    expect(codeOf(() => checkpoint.readPart("d.q8_0", 68, 1e6))).toBe("MOE5102");
    expect(codeOf(() => checkpoint.readPart("d.q8_0", NaN, 1))).toBe("MOE5102");
  });

  it("is found by its first bytes", () => {
    expect(openCheckpoint(memorySource(ggufBytes)).format).toBe("gguf");
  });

  it("names near tensors when one is missing", () => {
    const error = codedError(() => open(ggufBytes).read("a.f23"));
    expect(error.code).toBe("MOE5116");
    expect(error.help).toBe("Nearest names: a.f32.");
  });
});

describe("refusals", () => {
  it.each<[string, string, Uint8Array]>([
    ["an empty file", "MOE5101", new Uint8Array(0)],
    ["another format", "MOE5101", new TextEncoder().encode("PK\u0003\u0004 something else")],
    ["version 2", "MOE5103", rawFile(() => undefined).with(4, 2)],
    [
      "a big-endian version",
      "MOE5103",
      rawFile(() => undefined)
        .with(4, 0)
        .with(7, 3),
    ],
    ["more tensors than bytes", "MOE5104", rawFile(() => undefined, 1e15)],
    ["more metadata than bytes", "MOE5104", rawFile(() => undefined, 0, 1e15)],
    ["a string longer than the file", "MOE5104", rawFile((w) => w.u64(2n ** 63n), 0, 1)],
    [
      "an array longer than the file",
      "MOE5104",
      rawFile((w) => (w.string("k"), w.u32(9), w.u32(4), w.u64(1e12)), 0, 1),
    ],
    [
      "bytes that are not UTF-8",
      "MOE5106",
      rawFile((w) => (w.u64(2), w.bytes(Uint8Array.of(0xff, 0xfe)), w.pad(32)), 0, 1),
    ],
    ["a value type that does not exist", "MOE5112", rawFile((w) => (w.string("k"), w.u32(13), w.u64(0)), 0, 1)],
    ["a bool of 2", "MOE5112", rawFile((w) => (w.string("k"), w.u32(7), w.u8(2)), 0, 1)],
    ["alignment 24", "MOE5113", writeGgufWithAlignment(24)],
    ["alignment 0", "MOE5113", writeGgufWithAlignment(0)],
    ["rank 5", "MOE5104", fileWithTensors([{ sizes: [1, 1, 1, 1, 1] }], 64)],
    ["a size beyond 2^53", "MOE5105", fileWithTensors([{ sizes: [2n ** 60n] }], 64)],
    ["a product beyond 2^53", "MOE5111", fileWithTensors([{ sizes: [2 ** 30, 2 ** 30] }], 64)],
    ["half a block", "MOE5111", fileWithTensors([{ sizes: [48], type: 8 }], 128)],
    ["an offset that is not aligned", "MOE5113", fileWithTensors([{ offset: 8 }], 64)],
    ["an offset beyond 2^53", "MOE5105", fileWithTensors([{ offset: 2n ** 63n }], 64)],
    ["a tensor behind the end", "MOE5109", fileWithTensors([{ sizes: [100] }], 64)],
    ["the same name twice", "MOE5107", fileWithTensors([{}, { offset: 32 }], 64)],
    ["tensors that overlap", "MOE5110", fileWithTensors([{ sizes: [16] }, { name: "v", offset: 32 }], 64)],
  ])("%s", (_, code, bytes) => {
    expect(codeOf(() => open(bytes))).toBe(code);
  });

  it("a metadata key twice", () => {
    const entry = (w: ByteWriter): void => (w.string("k"), w.u32(4), w.u32(1));
    expect(codeOf(() => open(rawFile((w) => (entry(w), entry(w)), 0, 2)))).toBe("MOE5107");
  });

  it.each([
    [16, "iq2_xxs"],
    [39, "mxfp4"],
    [99, "type 99"],
  ])("tensor type %i by its name", (type, name) => {
    const error = codedError(() => open(fileWithTensors([{ name: "blk.0.ffn_up.weight", type }], 64)));
    expect(error.code).toBe("MOE5108");
    expect(error.message).toBe(`tensor \`blk.0.ffn_up.weight\` is stored as ${name}, which is not supported`);
    expect(error.place).toEqual({ file: "model.gguf", path: "blk.0.ffn_up.weight" });
  });

  it("a file cut off anywhere", () => {
    for (let size = 0; size < ggufBytes.length; size += 7) {
      expect(codeOf(() => open(ggufBytes.subarray(0, size)))).toMatch(/^MOE51(01|02|04|09)$/);
    }
  });

  it("arrays nested without end", () => {
    const bytes = rawFile(
      (w) => {
        w.string("k");
        w.u32(9);
        for (let i = 0; i < 1000; i++) {
          w.u32(9);
          w.u64(1);
        }
      },
      0,
      1,
    );
    expect(codeOf(() => open(bytes))).toBe("MOE5112");
  });
});

function writeGgufWithAlignment(value: number): Uint8Array {
  return rawFile((w) => (w.string("general.alignment"), w.u32(4), w.u32(value)), 0, 1);
}

describe("writer", () => {
  const write = (content: Partial<GgufContent>) => () => writeGguf({ metadata: new Map(), tensors: [], ...content });
  const tensor = sampleTensor("w", "f32", [2]);

  it.each<[string, string, () => unknown]>([
    ["a u8 tensor", "MOE5117", write({ tensors: [sampleTensor("w", "u8", [2])] })],
    ["five axes", "MOE5117", write({ tensors: [sampleTensor("w", "f32", [1, 1, 1, 1, 1])] })],
    ["data of another length", "MOE5117", write({ tensors: [{ ...tensor, data: () => new Uint8Array(7) }] })],
    ["a name twice", "MOE5107", write({ tensors: [tensor, tensor] })],
    ["half a block", "MOE5111", write({ tensors: [{ ...tensor, type: "q4_0" }] })],
    ["a number that does not fit", "MOE5112", write({ metadata: new Map([["k", { type: "u8", value: 256 }]]) })],
    ["alignment 3", "MOE5113", write({ metadata: new Map([["general.alignment", { type: "u32", value: 3 }]]) })],
  ])("refuses %s", (_, code, action) => {
    expect(codeOf(action)).toBe(code);
  });
});
