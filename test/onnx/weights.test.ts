/** Encoders whose numbers come from an ONNX file: what they give is what they gave from their own checkpoints. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCheckpointFiles } from "../../cli/checkpoint-files.js";
import { packageRoot } from "../../cli/package-root.js";
import { diskHost } from "../../cli/source-host.js";
import { check } from "../../compiler/1-check/index.js";
import { buildProgram } from "../../compiler/2-graph/index.js";
import type { Program } from "../../compiler/2-graph/ir.js";
import { modelBytes, onnxGraph } from "../../compiler/5-emit/onnx/index.js";
import { checkpointSource, type ParameterSource } from "../../compiler/6-bundle/index.js";
import { memorySource, openCheckpoint, writeSafetensors } from "../../compiler/checkpoints/index.js";
import { readWeights } from "../../examples/sentence-encoder/import-weights.mjs";
import { onnxModel, outside, tensorProto } from "../checkpoints/onnx-sample.js";
import { moec } from "../cli/io.js";
import { configs, hfOf } from "../import/configs.js";
import { imported, programOf, referenceRows, relativeError, wasmModel, wasmRows } from "../import/imported.js";
import { encoderPackage } from "../real/sentence-encoder.js";

const IDS = [1, 300, 17, 42, 511, 3, 3, 260];
const folder = mkdtempSync(join(tmpdir(), "moec-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An export names the numbers of each layer `path.layer`; its matrices lie as `x @ w` reads them. */
function onnxNames({ params }: Program): string {
  const lines = params.map(({ path, layerAxes }) => {
    const at = path.indexOf(".");
    const parameter = layerAxes === 0 ? path : `${path.slice(0, at)}[i]${path.slice(at)}`;
    return `${parameter}: "${path}${layerAxes === 0 ? "" : ".{i}"}"`;
  });
  return `weights onnx { ${lines.join(", ")} }`;
}

function exported(program: Program, source: ParameterSource): Uint8Array {
  return modelBytes(onnxGraph(program, program.entries[0]!.name, source));
}

describe("a BERT encoder", async () => {
  const { checkpoint, config } = hfOf(configs["bert"]!);
  const own = await imported(checkpoint, config);
  const bytes = exported(own.program, checkpointSource(own.program, checkpoint));
  // The block of names is the last of the spec.
  const text = `${own.text.slice(0, own.text.indexOf("weights safetensors"))}${onnxNames(own.program)}\n}\n`;

  it("gives the same vectors with the numbers of its ONNX file, on the reference evaluator and on wasm", async () => {
    expect(text).not.toContain("safetensors");
    const read = { ...own, text, program: programOf(text), checkpoint: openCheckpoint(memorySource(bytes)) };
    const wanted = referenceRows(own, IDS);
    expect(referenceRows(read, IDS)).toEqual(wanted);
    using model = await wasmModel(read);
    // As test/import/math.test.ts derives it.
    expect(relativeError(await wasmRows(model, IDS), wanted)).toBeLessThan(1e-5);
  });

  it("is listed by `moec import`, layers together", async () => {
    const path = join(folder, "bert.onnx");
    writeFileSync(path, bytes);
    const { code, out } = await moec(["import", path, "--json"]);
    expect(code).toBe(0);
    const { tensors } = JSON.parse(out) as { readonly tensors: readonly { pattern: string; count: number }[] };
    const layers = own.program.params.filter(({ layerAxes }) => layerAxes > 0);
    for (const { path: name } of layers) expect(tensors).toContainEqual(expect.objectContaining({ pattern: `${name}.{i}`, count: 2 })); // prettier-ignore
    const plain = await moec(["import", path]);
    expect(plain.out).toContain("weights onnx");
    expect((await moec(["import", path, "--out", folder])).code).toBe(2);
  });
});

it("reads numbers from a file beside the model, and only there", () => {
  const values = Float32Array.of(1, 2, 3);
  writeFileSync(join(folder, "split.data"), new Uint8Array(values.buffer));
  const write = (location: string): string => {
    const path = join(folder, "split.onnx");
    writeFileSync(path, onnxModel([tensorProto("w", 1, [3], outside(location, "0", "12"))]));
    return path;
  };
  const opened = openCheckpointFiles([write("split.data")]);
  expect([...opened.checkpoint.readF32("w")]).toEqual([...values]);
  expect(opened.files).toHaveLength(2);
  opened.close();
  const elsewhere = write(`../${basename(folder)}/split.data`);
  expect(() => openCheckpointFiles([elsewhere])).toThrow(expect.objectContaining({ code: "MOE5612" }));
  expect(() => openCheckpointFiles([write("other.data")])).toThrow(expect.objectContaining({ code: "MOE5123" }));
});

const encoderFolder = encoderPackage();

describe.skipIf(encoderFolder === undefined)("examples/sentence-encoder", () => {
  it("has the same numbers from an ONNX file", () => {
    const program = buildProgram(check("examples/sentence-encoder/sentence-encoder.moe", diskHost(packageRoot)));
    const tensors = readWeights(encoderFolder!);
    const source = checkpointSource(program, openCheckpoint(memorySource(writeSafetensors({ tensors }))));
    const weightNames = { onnx: Object.fromEntries(program.params.map(({ path }) => [path, { pattern: path }])) };
    const checkpoint = openCheckpoint(memorySource(exported(program, source)));
    const again = checkpointSource({ ...program, weightNames }, checkpoint);
    for (const { path, axes } of program.params) {
      const names = axes.map(({ name }) => name);
      // Millions of numbers: a byte comparison takes no time.
      const [found, wanted] = [again, source].map((from) => Buffer.from(from.read(path, [], names).buffer));
      expect(found!.equals(wanted!), path).toBe(true);
    }
  });
});
