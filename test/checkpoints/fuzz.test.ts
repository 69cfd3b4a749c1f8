/**
 * Damaged files: whatever bytes come, either a checkpoint or a coded error, and no allocation that a length field asks
 * for without the file having the bytes. `MOEC_FUZZ_RUNS` raises the number of runs for a long search.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ByteSource, memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import { hfConfig, readFamilyConfig, readFamilyTensors } from "../../compiler/checkpoints/families/index.js";
import { ggufParts } from "../support/gguf-parts.js";
import { tinyConfigs, tinyFamilies, tinyGguf } from "../support/tiny-checkpoints.js";
import { onnxBytes } from "./onnx-sample.js";
import { ggufBytes, safetensorsBytes } from "./samples.js";

const numRuns = Number(process.env["MOEC_FUZZ_RUNS"] ?? 300);

/** Changes that parsers dislike: flipped bytes, extreme 64-bit fields, cut, doubled and moved ranges. */
const mutation = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constant("field" as const),
    at: fc.nat(),
    value: fc.constantFrom(0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), length: fc.nat(64) }),
  fc.record({ kind: fc.constant("repeat" as const), at: fc.nat(), length: fc.nat(64) }),
  fc.record({ kind: fc.constant("end" as const), at: fc.nat() }),
);

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, change: Mutation, focus: number): Uint8Array {
  // Most of the file is data; three of four changes go to the header, where the fields are.
  const at = change.at % Math.max(1, change.at % 4 === 0 ? bytes.length : Math.min(bytes.length, focus));
  switch (change.kind) {
    case "set":
      return bytes.length === 0 ? bytes : bytes.with(at, change.value);
    case "field": {
      const copy = bytes.slice();
      if (at + 8 <= copy.length) new DataView(copy.buffer).setBigUint64(at, change.value, true);
      return copy;
    }
    case "cut":
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + change.length)]);
    case "repeat":
      return Uint8Array.from([...bytes.subarray(0, at + change.length), ...bytes.subarray(at)]);
    case "end":
      return bytes.slice(0, at);
  }
}

/** A source that fails the test when more is asked for than the file has, or much more in sum. */
function guarded(bytes: Uint8Array, name?: string): ByteSource {
  const inner = memorySource(bytes, name);
  let asked = 0;
  const read = (offset: number, length: number): Uint8Array => {
    asked += length;
    expect(offset + length).toBeLessThanOrEqual(bytes.length);
    expect(asked).toBeLessThanOrEqual(8 * bytes.length + 1024);
    return inner.read(offset, length);
  };
  return { ...inner, read };
}

/** @param files Those beside it, by name; its own is the first. */
function readEverything(bytes: Uint8Array, files: Readonly<Record<string, Uint8Array>> = {}): void {
  const all = Object.values(files).reduce((sum, { length }) => sum + length, bytes.length);
  const beside = (name: string): ByteSource => {
    if (!Object.hasOwn(files, name)) throw new MoecError("MOE5123", `can't read ${name}`);
    return guarded(files[name]!, name);
  };
  try {
    const checkpoint = openCheckpoint(guarded(bytes, Object.keys(files)[0]), beside);
    let total = 0;
    for (const [name, info] of checkpoint.tensors) {
      total += info.byteLength;
      expect(checkpoint.read(name).length).toBe(info.byteLength);
      checkpoint.readF32(name);
    }
    expect(total).toBeLessThanOrEqual(all);
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    expect(error.code).toMatch(/^MOE5(1\d|61)\d$/);
  }
}

describe.each([
  { name: "gguf", bytes: ggufBytes, focus: 1600 },
  { name: "safetensors", bytes: safetensorsBytes, focus: 800 },
  { name: "onnx", bytes: onnxBytes, focus: onnxBytes.length },
])("$name", ({ bytes, focus }) => {
  it("survives mutations of a valid file", () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (changes) => {
        readEverything(changes.reduce((current, change) => mutate(current, change, focus), bytes));
      }),
      { numRuns },
    );
  });

  it("survives arbitrary bytes after its first ones", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
        readEverything(Uint8Array.from([...bytes.subarray(0, prefixLength(bytes)), ...tail]));
      }),
      { numRuns },
    );
  });
});

it("survives mutations of any part of a model in several files", () => {
  const parts = ggufParts(openCheckpoint(memorySource(ggufBytes)), 3);
  const names = Object.keys(parts);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(mutation, { minLength: 1, maxLength: 3 }), (name, changes) => {
      const files = {
        ...parts,
        [name]: changes.reduce((current, change) => mutate(current, change, 1600), parts[name]!),
      };
      readEverything(files[names[0]!]!, files);
    }),
    { numRuns },
  );
});

/** Bytes that say which format it is: magic and version, or the header length and its brace. */
function prefixLength(bytes: Uint8Array): number {
  return bytes[8] === 0x7b ? 9 : 8;
}

describe.each(tinyFamilies)("config of %s", (family) => {
  const checkpoint = openCheckpoint(memorySource(tinyGguf(family, "q4_0")));
  const valid = hfConfig(tinyConfigs[family]);
  const value = fc.oneof(
    fc.constantFrom(null, 0, -1, 1, 3, 2 ** 31, 1e300, NaN, "x", true, [], {}, [0, 1]),
    fc.jsonValue(),
  );

  it("gives a config or a coded error for any values", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(valid), "rope_scaling", "mlp_only_layers"), value, { maxKeys: 3 }),
        (changes) => {
          try {
            readFamilyTensors(checkpoint, readFamilyConfig({ config: { ...valid, ...changes } }));
          } catch (error) {
            if (!(error instanceof MoecError)) throw error;
            expect(error.code).toMatch(/^MOE51\d\d$/);
          }
        },
      ),
      { numRuns },
    );
  });
});
