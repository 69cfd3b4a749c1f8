import { expect, it } from "vitest";
import { kernelsOf } from "../../cli/show/kernels-of.js";

it.each([
  [{ relaxedSimd: false, level: "x86-64-v3" }, "x86-64-v3"],
  [{ relaxedSimd: false, quads: false }, "relaxed SIMD off"],
  [{ relaxedSimd: true, quads: false }, "relaxed SIMD on"],
  [{ relaxedSimd: true, quads: true }, "relaxed SIMD on, sums of four bytes"],
])("a device with %o runs %s", (report, text) => expect(kernelsOf(report)).toBe(text));
