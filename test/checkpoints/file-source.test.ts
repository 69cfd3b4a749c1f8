import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openCheckpoint } from "../../compiler/checkpoints/index.js";
import { openFileSource } from "../../runtime/node/file-source.js";
import { codeOf } from "./coded.js";
import { ggufBytes, ggufContent } from "./samples.js";

const folder = mkdtempSync(join(tmpdir(), "moec-source-"));
const path = join(folder, "model.gguf");
afterAll(() => rmSync(folder, { recursive: true }));

it("reads a checkpoint from disk", () => {
  writeFileSync(path, ggufBytes);
  const source = openFileSource(path);
  expect(source.name).toBe("model.gguf");
  const checkpoint = openCheckpoint(source);
  for (const { name, data } of ggufContent.tensors) expect(checkpoint.read(name)).toEqual(data());
  source.close();
});

it("refuses ranges outside the file, also when the file became shorter", () => {
  writeFileSync(path, new Uint8Array(100));
  const source = openFileSource(path);
  expect(codeOf(() => source.read(90, 11))).toBe("MOE5102");
  expect(codeOf(() => source.read(-1, 1))).toBe("MOE5102");
  expect(codeOf(() => source.read(0, 0.5))).toBe("MOE5102");
  truncateSync(path, 50);
  expect(codeOf(() => source.read(0, 100))).toBe("MOE5102");
  source.close();
});

it("refuses missing files and folders", () => {
  expect(codeOf(() => openFileSource(join(folder, "absent.gguf")))).toBe("MOE5123");
  expect(codeOf(() => openFileSource(folder))).toBe("MOE5123");
});
