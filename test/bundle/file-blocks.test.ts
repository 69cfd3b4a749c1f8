/** Quantized tensors of a file in a bundle: the same quants and scales, in every layout. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlanWeight } from "../../compiler/4-schedule/plan.js";
import { packLayer } from "../../compiler/4-schedule/layout/pack.js";
import { packQ4Tiles, packQ8Tiles, type QuantizedMatrix } from "../../compiler/4-schedule/micro/layouts.js";
import { packWideRecords } from "../../compiler/4-schedule/micro/wide-layouts.js";
import { asBlocks } from "../../compiler/checkpoints/reblock.js";
import { fromF32, STORAGE, toF32 } from "../../compiler/checkpoints/storage.js";

const formats = ["q8_0", "q4_0"] as const;

/** Any bytes are blocks: all quants occur, also those that no quantizer writes, and scales that are NaN. */
const bytesOf = (format: (typeof formats)[number], blocks: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: blocks * STORAGE[format].blockBytes, maxLength: blocks * STORAGE[format].blockBytes });

function quantized(
  format: (typeof formats)[number],
  bytes: Uint8Array,
  rows: number,
  columns: number,
): QuantizedMatrix {
  const size = STORAGE[format].blockBytes;
  const count = bytes.length / size;
  const quants = new Int8Array(count * 32);
  const scales = Uint16Array.from({ length: count }, (_, b) => bytes[b * size]! | (bytes[b * size + 1]! << 8));
  for (let b = 0; b < count; b++) {
    const block = bytes.subarray(b * size + 2, (b + 1) * size);
    if (format === "q8_0") quants.set(new Int8Array(block.slice().buffer), b * 32);
    else block.forEach((pair, j) => quants.set([(pair & 15) - 8], b * 32 + j));
    if (format === "q4_0") block.forEach((pair, j) => quants.set([(pair >> 4) - 8], b * 32 + 16 + j));
  }
  return { rows, columns, quants, scales };
}

const weight = (
  storage: (typeof formats)[number],
  wide: boolean,
  sizes: readonly [number, number, number],
): PlanWeight => ({
  buffer: "w",
  path: "w",
  storage,
  layout: wide ? "wide-any" : "tiles",
  matrix: { batch: ["E"], rows: ["N"], columns: ["K"] },
  // Declared in another order than the file's, which is E, N, K.
  axes: [
    { name: "K", size: sizes[2] },
    { name: "E", size: sizes[0] },
    { name: "N", size: sizes[1] },
  ],
  layerAxes: 0,
  layerStride: 0,
});

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 37 }),
  fc.integer({ min: 1, max: 5 }).map((blocks) => 32 * blocks),
);

describe.each(formats)("%s blocks", (format) => {
  it.each([false, true])("are moved, not changed (512-bit tiles: %s)", (wide) => {
    fc.assert(
      fc.property(
        sizes.chain(([e, n, k]) => fc.tuple(fc.constant([e, n, k] as const), bytesOf(format, (e * n * k) / 32))),
        ([[experts, rows, columns], bytes]) => {
          const packed = packLayer(weight(format, wide, [experts, rows, columns]), {
            storage: format,
            axes: ["E", "N", "K"],
            bytes,
          });
          const one = bytes.length / experts;
          const pack = wide
            ? (matrix: QuantizedMatrix) => packWideRecords(format, matrix)
            : format === "q8_0"
              ? packQ8Tiles
              : packQ4Tiles;
          let at = 0;
          for (let e = 0; e < experts; e++) {
            const expected = pack(quantized(format, bytes.subarray(e * one, (e + 1) * one), rows, columns));
            expect(Buffer.compare(packed.subarray(at, at + expected.length), expected)).toBe(0);
            at += expected.length;
          }
          expect(packed.length - at).toBeLessThan(64);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("of a table lie in planes: quants as they are, scales behind them", () => {
    fc.assert(
      fc.property(bytesOf(format, 12), (bytes) => {
        const size = STORAGE[format].blockBytes;
        const axes = [
          { name: "V", size: 6 },
          { name: "D", size: 64 },
        ];
        const table: PlanWeight = { ...tableOf(format), axes };
        const packed = packLayer(table, { storage: format, axes: ["V", "D"], bytes });
        const scalesAt = Math.ceil((12 * (size - 2)) / 64) * 64;
        for (let b = 0; b < 12; b++) {
          const block = bytes.subarray(b * size, (b + 1) * size);
          expect(Buffer.compare(packed.subarray(b * (size - 2), (b + 1) * (size - 2)), block.subarray(2))).toBe(0);
          expect(Buffer.compare(packed.subarray(scalesAt + 2 * b, scalesAt + 2 * b + 2), block.subarray(0, 2))).toBe(0);
        }
      }),
    );
  });

  it("give the bytes that their numbers give, when a quantizer wrote them", () => {
    const values = Float32Array.from({ length: 2 * 5 * 96 }, (_, i) => Math.sin(i * i));
    const own = weight(format, true, [2, 5, 96]);
    // From E, N, K to the declared K, E, N.
    const declared = values.map((_, i) => values[(i % 10) * 96 + Math.floor(i / 10)]!);
    expect(packLayer(own, declared)).toEqual(
      packLayer(own, { storage: format, axes: ["E", "N", "K"], bytes: fromF32(format, values) }),
    );
  });

  it("are refused when they run along another axis", () => {
    const stored = { storage: format, axes: ["E", "K", "N"], bytes: new Uint8Array(0) };
    expect(() => packLayer(weight(format, true, [1, 32, 32]), stored)).toThrow(RangeError);
  });
});

function tableOf(storage: (typeof formats)[number]): PlanWeight {
  return { buffer: "t", path: "t", storage, layout: "planes", axes: [], layerAxes: 0, layerStride: 0 };
}

describe("blocks of 4 and 5 bits", () => {
  it.each(["q4_0", "q5_0"] as const)("%s are the same numbers in 8 bits", (type) => {
    const { blockBytes } = STORAGE[type];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3 * blockBytes, maxLength: 3 * blockBytes }), (bytes) => {
        expect(toF32("q8_0", asBlocks(type, bytes, "q8_0"))).toEqual(toF32(type, bytes));
      }),
    );
  });

  it.each(["q4_1", "q5_1", "q4_K", "q5_K", "q6_K", "f16", "bf16", "f32"] as const)(
    "%s are quantized a piece at a time as they are at once",
    (type) => {
      // More than one piece, the last one not whole; scales of 2^-8 or 0.5 so that nothing is infinite.
      const { blockBytes, blockValues } = STORAGE[type];
      const count = 40 * 1024;
      const bytes = new Uint8Array((count / blockValues) * blockBytes).map((_, i) => (i * 37 + (i >> 5)) & 0x3f);
      expect(Buffer.compare(asBlocks(type, bytes, "q8_0"), fromF32("q8_0", toF32(type, bytes)))).toBe(0);
    },
  );
});
