/** Bundles with native kernels: mapped weights, levels, faults. */
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { scratchBytes } from "../../compiler/5-emit/llvm/index.js";
import type { Manifest } from "../../compiler/6-bundle/index.js";
import type { ManifestLevel, ManifestNativeTarget } from "../../compiler/6-bundle/manifest.js";
import { platformOf, writeBundle, type NativeLevel } from "../../compiler/6-bundle/index.js";
import { arm64Dot, type Target } from "../../compiler/targets/index.js";
import { writeFolder } from "../../cli/write-folder.js";
import { Model } from "../../runtime/model/model.js";
import { openModel, type OpenOptions } from "../../runtime/model/open.js";
import { folderFiles } from "../../runtime/node/folder-files.js";
import { nodeHost } from "../../runtime/node/host.js";
import { busErrors } from "../../runtime/native/bus-errors.js";
import { ownArchitecture } from "../../runtime/native/elf.js";
import { chooseLevel } from "../../runtime/native/choose.js";
import { expectedLogits, kernels, plan, table } from "../runtime/toy-model.js";
import { toyInput } from "../runtime/toy-bundle.js";
import { memoryFiles, type MemoryFiles } from "../support/memory-bundle.js";
import { compileNative, hasNative, levels } from "../support/native.js";

const root = mkdtempSync(join(tmpdir(), "moec-native-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = join(root, "toy");

const levelOf = (target: Target): NativeLevel => ({
  level: target.name,
  platform: platformOf[target.codegen!.architecture],
  needs: target.codegen!.needs,
  plan,
  object: compileNative(kernels, target),
  scratchBytes: scratchBytes(kernels),
});

function write(targets = levels): Manifest {
  const native = targets.map(levelOf);
  return writeFolder(folder, (writer) => writeBundle({ ...toyInput(), native }, writer));
}

async function load(options: OpenOptions = {}): Promise<Model> {
  const model = new Model(await openModel(folderFiles(folder), nodeHost(), { threads: 1, ...options }));
  await model.reset();
  return model;
}

const ids = [3, 1, 4, 1, 5];
async function logits(model: Model): Promise<number[]> {
  const { outputs } = await model.call("forward", { tokens: ids });
  const all = [...outputs["logits"]!.data];
  return all.slice(-expectedLogits(ids).length);
}

describe.runIf(hasNative)("a bundle with native kernels", () => {
  process.env["MOEC_CACHE"] = join(root, "cache");
  beforeEach(() => void write());

  it("runs the best level by itself, shares plan and weights, and maps the weights", async () => {
    using model = await load();
    expect(model.report).toMatchObject({ device: "native", level: levels[0]!.name, mappedBytes: table.byteLength });
    expect(await logits(model)).toEqual(expectedLogits(ids));
    const { targets, files } = model.manifest;
    expect(targets.map(({ name }) => name)).toEqual(["wasm", "native"]);
    expect(files.filter(({ path }) => path.startsWith("weights"))).toHaveLength(1);
    expect(files.filter(({ path }) => path.startsWith("plan"))).toHaveLength(1);
  });

  it("runs on wasm when asked", async () => {
    using model = await load({ device: "wasm" });
    expect(model.report.device).toBe("wasm");
    expect(await logits(model)).toEqual(expectedLogits(ids));
  });

  it("says on auto why native kernels do not run, and refuses on native", async () => {
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
    const native = target();
    const newer = native.levels.map((level) => ({ ...level, needs: [...level.needs, "avx9000"] }));
    const targets = manifest.targets.map((one) => (one.name === "native" ? { ...native, levels: newer } : one));
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ ...manifest, targets }));
    using model = await load();
    expect(model.report).toMatchObject({ device: "wasm", whyNotNative: expect.stringContaining("avx9000") as string });
    await expect(load({ device: "native" })).rejects.toMatchObject({
      code: "MOE4204",
      message: expect.stringMatching(/; the processor lacks avx9000$/) as string,
    });
    expect(chooseLevel(native).level).toEqual(native.levels[0]);
  });

  it("holds kernels for several kinds of processors with one copy of the weights, and runs its own", async () => {
    const { targets } = write([arm64Dot, ...levels]);
    const all = targets.filter((one) => one.name === "native");
    expect(all.map(({ platform }) => platform)).toEqual(["linux-arm64", "linux-x64"]);
    expect(new Set(all.flatMap((one) => one.levels.flatMap(({ shards }) => shards.map(({ file }) => file)))).size).toBe(
      1,
    );
    using model = await load({ device: "native" });
    expect(model.report).toMatchObject({ device: "native", level: levels[0]!.name });
    expect(await logits(model)).toEqual(expectedLogits(ids));
  });

  it("refuses kernels for another kind of processor", async () => {
    write([arm64Dot]);
    const refused = {
      code: "MOE4280",
      message: expect.stringContaining(`this machine is linux-${process.arch}`) as string,
    };
    await expect(load({ device: "native" })).rejects.toMatchObject(refused);
    using model = await load();
    expect(model.report).toMatchObject({ device: "wasm", whyNotNative: expect.stringContaining("arm64") as string });
    // Even where the manifest says that they are its own.
    const object = compileNative(kernels, arm64Dot);
    const own = chooseLevel({
      name: "native",
      platform: platformOf[ownArchitecture],
      levels: [{ ...level(), needs: [] }],
    });
    expect(() => own.open({ plan, object, parallelism: 1 })).toThrow(expect.objectContaining({ code: "MOE4206" }));
  });

  it("refuses weights of another size or hash, and hashes once", async () => {
    (await load()).dispose();
    const weights = join(folder, "weights-0.bin");
    const bytes = readFileSync(weights);
    bytes[100]! ^= 1;
    writeFileSync(weights, bytes);
    await expect(load()).rejects.toMatchObject({ code: "MOE5306" });
    // Asked not to look, it computes with what is there.
    (await load({ verify: false })).dispose();
    appendFileSync(weights, "x");
    await expect(load({ verify: false })).rejects.toMatchObject({ code: "MOE5305" });
  });

  it("refuses an object that is cut off or another file", () => {
    const object = readFileSync(join(folder, `kernels-${levels[0]!.name}.o`));
    for (const [bytes, why] of [
      [object.subarray(0, object.length - 700), /cut off/],
      [readFileSync(process.execPath).subarray(0, 4096), /relocatable/],
      [Buffer.from("x".repeat(200)), /no ELF/],
    ] as const) {
      const choice = chooseLevel({
        name: "native",
        platform: platformOf[ownArchitecture],
        levels: [{ ...level(), needs: [] }],
      });
      const open = (): unknown => choice.open({ plan, object: bytes, parallelism: 1 });
      expect(open).toThrow(expect.objectContaining({ code: "MOE4206", message: expect.stringMatching(why) as string }));
    }
  });

  it("says that a file was cut off under it, in the call that meets it and before later ones", async () => {
    using model = await load();
    expect(await logits(model)).toEqual(expectedLogits(ids));
    const before = busErrors();
    // The device has just looked at the file and will not look again for a while: the read itself fails.
    truncateSync(join(folder, "weights-0.bin"), 0);
    await expect(logits(model)).rejects.toMatchObject({ code: "MOE4207" });
    expect(busErrors()).toBeGreaterThan(before);
    await expect(logits(model)).rejects.toMatchObject({ code: "MOE4207" });
  });

  it("says that a file was written to", async () => {
    using model = await load();
    expect(await logits(model)).toEqual(expectedLogits(ids));
    writeFileSync(join(folder, "weights-0.bin"), Buffer.alloc(table.byteLength));
    utimesSync(join(folder, "weights-0.bin"), new Date(0), new Date(0));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(logits(model)).rejects.toMatchObject({ code: "MOE4207" });
  });

  it("says that there is not enough memory", () => {
    const huge = { ...plan, spaces: { ...plan.spaces, arena: 2 ** 47 } };
    const choice = chooseLevel(target());
    const object = readFileSync(join(folder, level().object));
    const refused = { code: "MOE4205", message: expect.stringContaining("intermediate results") as string };
    expect(() => choice.open({ plan: huge, object, parallelism: 1 })).toThrow(expect.objectContaining(refused));
  });

  it("computes the same in a bundle that is not on disk", async () => {
    const files: MemoryFiles = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    using model = new Model(await openModel(memoryFiles(files), nodeHost(), { device: "native", threads: 2 }));
    await model.reset();
    expect(model.report).toMatchObject({ device: "native", mappedBytes: 0 });
    expect(await logits(model)).toEqual(expectedLogits(ids));
  });
});

function target(): ManifestNativeTarget {
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
  return manifest.targets.find((one): one is ManifestNativeTarget => one.name === "native")!;
}

const level = (): ManifestLevel => target().levels[0]!;
