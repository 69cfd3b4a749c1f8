/** Bytes of protocol buffer fields, against the examples of the format's own description. */
import { expect, it } from "vitest";
import { bytesField, floatField, integerField, varint } from "../../compiler/5-emit/onnx/wire.js";

it("writes varints", () => {
  expect([...varint(150)]).toEqual([0x96, 0x01]);
  expect([...varint(0)]).toEqual([0]);
  expect([...varint(-1)]).toEqual([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
});

it("writes fields with their tags", () => {
  expect([...integerField(1, 150)]).toEqual([0x08, 0x96, 0x01]);
  expect([...bytesField(2, "testing")]).toEqual([0x12, 7, ...new TextEncoder().encode("testing")]);
  expect([...bytesField(3, integerField(1, 150))]).toEqual([0x1a, 3, 0x08, 0x96, 0x01]);
  expect([...floatField(2, 1)]).toEqual([0x15, 0, 0, 0x80, 0x3f]);
});
