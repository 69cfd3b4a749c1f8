/** An ONNX file with tensors in every form that the format has. */
import { bytesField, integerField, joined, varint } from "../../compiler/5-emit/onnx/wire.js";
import { fromF32 } from "../../compiler/checkpoints/index.js";

type Part = Uint8Array;

/** A tensor: name, type number, dims and whatever holds its numbers. */
export function tensorProto(name: string, type: number, dims: readonly number[], ...data: readonly Part[]): Part {
  return joined([...dims.map((dim) => integerField(1, dim)), integerField(2, type), ...data, bytesField(8, name)]);
}

/** External data in a file beside the model. */
export function outside(location: string, offset: string, length: string): Part {
  const pair = (key: string, value: string): Part => bytesField(13, [bytesField(1, key), bytesField(2, value)]);
  return joined([pair("location", location), pair("offset", offset), pair("length", length), integerField(14, 1)]);
}

export function onnxModel(tensors: readonly Part[]): Uint8Array {
  const node = joined([bytesField(1, "x"), bytesField(2, "y"), bytesField(4, "Relu")]);
  const graph = [bytesField(1, node), bytesField(2, "g"), ...tensors.map((tensor) => bytesField(5, tensor))];
  const note = bytesField(14, [bytesField(1, "made by"), bytesField(2, "a test")]);
  return joined([integerField(1, 10), bytesField(2, "test"), bytesField(7, graph), bytesField(8, integerField(2, 21)), note]); // prettier-ignore
}

export const raw = (bytes: Part): Part => bytesField(9, bytes);
export const numbers = (field: number, values: readonly (number | bigint)[]): Part =>
  bytesField(field, joined(values.map(varint)));

export const floats = Float32Array.from({ length: 6 }, (_, i) => i / 4 - 1);
export const onnxBytes = onnxModel([
  tensorProto("raw", 1, [2, 3], raw(fromF32("f32", floats))),
  tensorProto("floats", 1, [6], bytesField(4, fromF32("f32", floats))),
  tensorProto("half", 10, [6], raw(fromF32("f16", floats))),
  tensorProto("brain", 16, [3, 2], numbers(5, [...new Uint16Array(fromF32("bf16", floats).buffer)])),
  tensorProto("shape", 7, [3], numbers(7, [-1, 2n ** 40n, 7])),
  tensorProto("ints", 6, [2], numbers(5, [-5, 5])),
  tensorProto("scalar", 1, [], raw(fromF32("f32", Float32Array.of(2.5)))),
  tensorProto("empty", 1, [0, 4]),
  tensorProto("wide", 11, [1], raw(new Uint8Array(8))),
]);
