/** `moec export`: the file as a whole or nothing at all. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { moec } from "./io.js";

const folder = mkdtempSync(join(tmpdir(), "moec-export-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const out = join(folder, "tiny.onnx");

it("refuses an entry point that is not there and leaves nothing behind", async () => {
  const { code, err } = await moec(["export", "examples/tiny-moe", "--entry", "nothing", "-o", out]);
  expect(code).toBe(3);
  expect(err).toContain("MOE5602");
  expect(readdirSync(folder)).toEqual([]);
});

it("writes all weights of tiny-moe into one file", async () => {
  const { code } = await moec(["export", "examples/tiny-moe", "-o", out]);
  expect(code).toBe(0);
  expect(readdirSync(folder)).toEqual(["tiny.onnx"]);
  expect(existsSync(out)).toBe(true);
  const bytes = readFileSync(out);
  // Field 1 (the version of the file format) is the varint 10.
  expect([...bytes.subarray(0, 2)]).toEqual([8, 10]);
  expect(bytes.includes("present.")).toBe(true);
}, 60_000);

it("uses fused operators when asked, smaller by their formats", async () => {
  const out = join(folder, "fused.onnx");
  const made = ["export", "examples/tiny-moe", "-o", out, "--contrib"];
  const { code } = await moec([...made, "QMoE,GroupQueryAttention", "--experts", "q4_0"]);
  expect(code).toBe(0);
  const text = readFileSync(out).toString("latin1");
  for (const name of ["QMoE", "GroupQueryAttention", "com.microsoft"]) expect(text).toContain(name);
  const wrong = await moec([...made, "Attention"]);
  expect(wrong.code).toBe(2);
  expect(wrong.err).toContain("MoE, QMoE, GroupQueryAttention");
});

it("has no options that would change nothing", async () => {
  for (const option of ["--cache", "--context", "--prefill"]) {
    const { code, err } = await moec(["export", "examples/tiny-moe", "-o", join(folder, "x.onnx"), option, "f16"]);
    expect(code).toBe(2);
    expect(err).toContain(`unknown option '${option}'`);
  }
  const wrong = [
    ["x.onnx", "--quantization", "f16"],
    ["x.gguf", "--entry", "forward"],
    ["x.gguf", "--contrib", "MoE"],
    ["x.gguf", "--experts", "q4_0"],
    ["x.bin", "--format", "gguf"],
  ] as const;
  for (const [name, option, value] of wrong) {
    const { code, err } = await moec(["export", "examples/tiny-moe", "-o", join(folder, name), option, value]);
    expect(code, err).toBe(2);
    expect(err).toContain(option === "--format" ? "does not end in .gguf" : `${option} changes nothing`);
  }
});
