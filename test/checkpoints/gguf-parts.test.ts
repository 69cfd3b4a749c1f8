/** GGUF models in several files: any part stands for all, and files that are not the parts of one model are refused. */
import { describe, expect, it } from "vitest";
import { type Checkpoint, memorySource, openCheckpoint } from "../../compiler/checkpoints/index.js";
import { ggufParts } from "../support/gguf-parts.js";
import { tinyGguf } from "../support/tiny-checkpoints.js";
import { codedError, codeOf } from "./coded.js";

const whole = openCheckpoint(memorySource(tinyGguf("olmoe", "q4_0")));
const other = openCheckpoint(memorySource(tinyGguf("mixtral", "f16")));
const [first, second, third] = [1, 2, 3].map((part) => `model-0000${part}-of-00003.gguf`) as [string, string, string];

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0;

/** Opens one of a folder's files. */
function open(files: Readonly<Record<string, Uint8Array>>, name: string): Checkpoint {
  return openCheckpoint(memorySource(files[name]!, name), (beside) => {
    const bytes = files[beside];
    if (!bytes) throw new Error(`${beside} is not there`);
    return memorySource(bytes, beside);
  });
}

describe("any part", () => {
  const files = ggufParts(whole, 3);
  it.each([first, second, third])("%s stands for all", (name) => {
    const found = open(files, name);
    expect(found.metadata).toEqual(whole.metadata);
    expect([...found.tensors.keys()]).toEqual([...whole.tensors.keys()]);
    for (const tensor of whole.tensors.keys()) {
      expect(isSame(found.read(tensor), whole.read(tensor)), tensor).toBe(true);
      expect(found.readPart(tensor, 4, 8)).toEqual(whole.readPart(tensor, 4, 8));
    }
    expect(new Set([...found.tensors.values()].map(({ source }) => source))).toEqual(new Set([0, 1, 2]));
  });

  it("stands for all where the first has no tensors", () => {
    const bare = ggufParts(whole, 3, { bareFirst: true });
    expect(open(bare, second).tensors.size).toBe(whole.tensors.size);
    expect(open(bare, second).metadata).toEqual(whole.metadata);
  });

  it("has an alignment of its own", () => {
    const aligned = ggufParts(whole, 3, { keys: { 2: { "general.alignment": { type: "u32", value: 512 } } } });
    const found = open(aligned, first);
    for (const tensor of whole.tensors.keys())
      expect(isSame(found.read(tensor), whole.read(tensor)), tensor).toBe(true);
  });
});

describe("refuses", () => {
  const files = ggufParts(whole, 3);
  const said = (changed: Readonly<Record<string, Uint8Array>>, name = first): string => {
    const error = codedError(() => open({ ...files, ...changed }, name));
    expect(error.code).toBe("MOE5127");
    return error.message;
  };

  it("a copy of another part", () => {
    expect(said({ [third]: files[second]! })).toMatch(/model-00003-of-00003.* it is part 3 of 3, .* says part 2 of 3/);
  });

  it("a whole model under the name of a part", () => {
    expect(said({ [second]: tinyGguf("olmoe", "q4_0") })).toContain("a model of its own");
  });

  it("a part of a model in another number of files", () => {
    const five = ggufParts(whole, 5);
    expect(said({ [second]: five["model-00002-of-00005.gguf"]! })).toContain("says part 2 of 5");
    expect(said({ [first]: five["model-00001-of-00005.gguf"]! })).toContain("says part 1 of 5");
  });

  it("a part of a model with another number of tensors, or another architecture", () => {
    expect(said({ [third]: ggufParts(other, 3)[third]! })).toMatch(/`split\.tensors\.count` is \d+ there and \d+ in/);
    const foreign = { 2: { "general.architecture": { type: "string", value: "llama" } } } as const;
    expect(said(ggufParts(whole, 3, { keys: foreign }))).toContain("`general.architecture` is llama there and olmoe");
  });

  it("parts that do not have as many tensors as they say", () => {
    const count = { type: "i32", value: whole.tensors.size + 1 } as const;
    const keys = {
      1: { "split.tensors.count": count },
      2: { "split.tensors.count": count },
      3: { "split.tensors.count": count },
    };
    expect(said(ggufParts(whole, 3, { keys }))).toContain(
      `${whole.tensors.size + 1} tensors together, and they have ${whole.tensors.size}`,
    );
  });

  it("a part whose name does not say which it is", () => {
    expect(said({ "renamed.gguf": files[second]! }, "renamed.gguf")).toContain("its name does not say so");
  });

  it("tensors that two parts have", () => {
    const twice = ggufParts(whole, 2);
    const same = openCheckpoint(memorySource(tinyGguf("olmoe", "q4_0")));
    const again = ggufParts(same, 2, { keys: { 1: { "split.no": { type: "u16", value: 1 } } } });
    const [one, two] = ["model-00001-of-00002.gguf", "model-00002-of-00002.gguf"] as const;
    expect(codeOf(() => open({ [one]: twice[one]!, [two]: again[one]! }, one))).toBe("MOE5107");
  });

  it("a part alone", () => {
    expect(codeOf(() => openCheckpoint(memorySource(files[second]!, second)))).toBe("MOE5123");
  });
});
