/** Initializers of ONNX files as a checkpoint. */
import { describe, expect, it } from "vitest";
import { bytesField, joined } from "../../compiler/5-emit/onnx/wire.js";
import { fromF32, memorySource, openCheckpoint, readOnnx, UNREAD_KEY } from "../../compiler/checkpoints/index.js";
import { codedError } from "./coded.js";
import { floats, numbers, onnxBytes, onnxModel, outside, raw, tensorProto } from "./onnx-sample.js";

const bytes = fromF32("f32", floats);

describe("an ONNX file", () => {
  const checkpoint = openCheckpoint(memorySource(onnxBytes, "model.onnx"));

  it("gives its initializers, whatever form their numbers have", () => {
    expect(checkpoint.format).toBe("onnx");
    const shapes = [...checkpoint.tensors.values()].map(({ name, shape, type }) => [name, shape.join("x"), type]);
    expect(shapes.sort()).toEqual([
      ["brain", "3x2", "bf16"],
      ["empty", "0x4", "f32"],
      ["floats", "6", "f32"],
      ["half", "6", "f16"],
      ["ints", "2", "i32"],
      ["raw", "2x3", "f32"],
      ["scalar", "", "f32"],
      ["shape", "3", "i64"],
    ]);
    for (const name of ["raw", "floats", "half", "brain"]) expect([...checkpoint.readF32(name)]).toEqual([...floats]);
    expect([...checkpoint.readF32("shape")]).toEqual([-1, 2 ** 40, 7]);
    expect([...checkpoint.readF32("ints")]).toEqual([-5, 5]);
    expect([...checkpoint.readF32("scalar")]).toEqual([2.5]);
  });

  it("says what it does not read, and keeps the model's notes", () => {
    expect(checkpoint.metadata.get(UNREAD_KEY)).toMatchObject({ values: ["wide: double"] });
    expect(checkpoint.metadata.get("made by")).toEqual({ type: "string", value: "a test" });
  });

  it("reads external data by its place", () => {
    const data = joined([new Uint8Array(8), bytes]);
    const asked: string[] = [];
    const model = onnxModel([
      tensorProto("a", 1, [2, 3], outside("weights/model.data", "8", "24")),
      tensorProto("b", 1, [2], outside("weights/model.data", "0", "8")),
    ]);
    const found = readOnnx(memorySource(model), (path) => {
      asked.push(path);
      return memorySource(data);
    });
    expect([...found.readF32("a")]).toEqual([...floats]);
    expect([...found.readF32("b")]).toEqual([0, 0]);
    expect(asked).toEqual(["weights/model.data"]);
  });
});

describe("refused", () => {
  const one = (...data: readonly Uint8Array[]): Uint8Array => onnxModel([tensorProto("w", 1, [2, 3], ...data)]);
  const beside = (location: string, offset = "0", length = "24"): Uint8Array => one(outside(location, offset, length));

  it.each([
    ["external data above the folder", beside("../w.data"), "MOE5612"],
    ["external data by an absolute path", beside("/etc/passwd"), "MOE5612"],
    ["external data below, then above", beside("a/../../w.data"), "MOE5612"],
    ["external data with a backslash", beside("..\\w.data"), "MOE5612"],
    ["external data without a name", beside(""), "MOE5612"],
    ["external data of another length", beside("w.data", "0", "20"), "MOE5612"],
    ["external data at no number", beside("w.data", "-4"), "MOE5612"],
    ["external data behind the end", beside("w.data", "16"), "MOE5109"],
    ["too few bytes", one(raw(bytes.subarray(0, 20))), "MOE5111"],
    ["no numbers", one(), "MOE5111"],
    ["numbers in two places", one(raw(bytes), bytesField(4, bytes)), "MOE5611"],
    ["fewer spelled numbers than the shape", onnxModel([tensorProto("w", 6, [9], numbers(5, [1, 2]))]), "MOE5111"],
    ["more spelled numbers than the shape", onnxModel([tensorProto("w", 6, [1], numbers(5, [1, 2]))]), "MOE5111"],
    ["a shape of 2^62 numbers", onnxModel([tensorProto("w", 1, [2 ** 31, 2 ** 31], raw(bytes))]), "MOE5111"],
    ["an axis below 0", onnxModel([tensorProto("w", 1, [-1], raw(bytes))]), "MOE5611"],
    ["seventeen axes", onnxModel([tensorProto("w", 1, new Array<number>(17).fill(1), raw(bytes))]), "MOE5611"],
    [
      "a name twice",
      onnxModel([tensorProto("w", 1, [6], raw(bytes)), tensorProto("w", 1, [6], raw(bytes))]),
      "MOE5107",
    ],
    ["a name of megabytes", onnxModel([tensorProto("w".repeat(5000), 1, [6], raw(bytes))]), "MOE5611"],
    ["a file that ends early", one(raw(bytes)).slice(0, 40), "MOE5611"],
  ])("%s", (_, model, code) => {
    const error = codedError(() => readOnnx(memorySource(model), () => memorySource(bytes)));
    expect(error.code).toBe(code);
  });

  it("external data when no folder is known", () => {
    expect(codedError(() => readOnnx(memorySource(beside("w.data")))).code).toBe("MOE5612");
  });
});
