/** Checks `manifest.json`: form, ABI, paths that stay inside the folder, shards that cover the weights. */
import type {
  BundleAbi,
  Manifest,
  ManifestCudaModule,
  ManifestCudaTarget,
  ManifestEntry,
  ManifestFile,
  ManifestGeneration,
  ManifestKernels,
  ManifestKnob,
  ManifestLevel,
  ManifestMemory,
  ManifestNativeTarget,
  ManifestPort,
  ManifestQuads,
  ManifestShard,
  ManifestTarget,
  ManifestWebGpuTarget,
  ManifestWasmTarget,
} from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import { count, flag, json, list, number, object, oneOf, optional, record, table, text, wrong } from "./shape.js";
import type { Reader } from "./shape.js";

/** The ABI that this runtime runs. */
export const ABI: BundleAbi = 2;

/** Optional fields as fields that may be undefined, which is how they are read. */
type Loose<T> = { [K in keyof T]-?: T[K] | undefined };

const axis = object<{ name: string; size: string }>({ name: text, size: text });
const port = object<ManifestPort>({ name: text, dtype: oneOf("f32", "i32", "bool"), axes: list(axis) });
const range: Reader<readonly [number, number]> = (value, at) => {
  const [from, to] = list(number)(value, at);
  if (from !== undefined && to !== undefined) return [from, to];
  throw wrong(at, "a range has two ends");
};
const knob: Reader<ManifestKnob> = (value, at) => {
  const { init, range: ends } = object<{ init: number; range: readonly [number, number] | undefined }>({
    init: number,
    range: optional(range),
  })(value, at);
  return { ...port(value, at), init, ...(ends ? { range: ends } : {}) };
};
const entry = object<ManifestEntry>({ name: text, inputs: list(port), outputs: list(port) });
const path: Reader<string> = (value, at) => plainPath(text(value, at));
const kernels = object<ManifestKernels>({ file: path, relaxedSimd: flag, threads: flag });
const memory = object<ManifestMemory>({ weights: count, state: count, arena: count, io: count, peak: count });
const shard = object<ManifestShard>({ file: path, offset: count, bytes: count });
const wasmTarget = object<Loose<Pick<ManifestWasmTarget, "quads">> & Omit<ManifestWasmTarget, "quads">>({
  name: oneOf("wasm"),
  kernels: list(kernels),
  scratchBytes: count,
  quads: optional(object<ManifestQuads>({ kernels: list(kernels), scratchBytes: count, plan: path, memory })),
}) as Reader<ManifestWasmTarget>;
const level = object<ManifestLevel>({
  level: text,
  needs: list(text),
  object: path,
  scratchBytes: count,
  plan: path,
  memory,
  shards: list(shard),
});
const nativeTarget = object<ManifestNativeTarget>({
  name: oneOf("native"),
  platform: oneOf("linux-x64", "linux-arm64"),
  levels: list(level),
});
const webgpuTarget = object<ManifestWebGpuTarget>({
  name: oneOf("webgpu"),
  programs: path,
  plan: path,
  memory,
  shards: list(shard),
});
const cudaTarget = object<ManifestCudaTarget>({
  name: oneOf("cuda"),
  source: path,
  modules: list(object<ManifestCudaModule>({ file: path, kind: oneOf("cubin", "ptx"), capability: count })),
  launches: path,
  plan: path,
  memory,
  shards: list(shard),
});
const target: Reader<ManifestTarget> = (value, at) => {
  switch ((record(value, at) as { readonly name?: unknown }).name) {
    case "native":
      return nativeTarget(value, at);
    case "webgpu":
      return webgpuTarget(value, at);
    case "cuda":
      return cudaTarget(value, at);
    default:
      return wasmTarget(value, at);
  }
};
const hash: Reader<string> = (value, at) => {
  if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return value;
  throw wrong(at, "a SHA-256 in 64 hexadecimal digits is missing");
};
const file = object<ManifestFile>({ path, bytes: count, sha256: hash });

const generation = object<Loose<ManifestGeneration>>({
  temperature: optional(number),
  topK: optional(count),
  topP: optional(number),
  minP: optional(number),
  repetitionPenalty: optional(number),
  maxTokens: optional(count),
  stop: optional(list(text)),
}) as Reader<ManifestGeneration>;

/**
 * A path as it may stand in a manifest: relative, forward slashes, no empty, `.` or `..` part, no drive, no protocol.
 *
 * @throws MoecError MOE5307
 */
export function plainPath(value: string): string {
  const parts = value.split("/");
  const plain = /^[\w][\w.+@ -]*$/;
  if (parts.every((part) => plain.test(part) && !part.includes(".."))) return value;
  throw moecError("MOE5307", { path: value });
}

/**
 * @param source Text of `manifest.json`.
 * @param location Where the bundle lies, for messages.
 * @throws MoecError MOE5301 when it is another kind of file, MOE5303 for another ABI, MOE5302 and MOE5307 for the rest.
 */
export function readManifest(source: string, location: string): Manifest {
  const root = record(json(source, "manifest.json"), "manifest.json");
  if (root["format"] !== "moec-bundle") {
    throw moecError("MOE5301", { path: location, reason: "its manifest.json was not written by moec" });
  }
  if (root["abi"] !== ABI) throw moecError("MOE5303", { found: JSON.stringify(root["abi"]) ?? "none", expected: ABI });
  const manifest = object<Loose<Pick<Manifest, "tokenizer" | "language">> & Omit<Manifest, "tokenizer" | "language">>({
    format: oneOf("moec-bundle"),
    abi: oneOf(ABI),
    name: text,
    compiler: text,
    entries: list(entry),
    language: optional(text),
    knobs: list(knob),
    limits: table(count),
    memory,
    targets: list(target),
    plan: path,
    shards: list(shard),
    parameters: table(count),
    tokenizer: optional(path),
    generation,
    files: list(file),
  })(root, "manifest.json") as Manifest;
  checkFiles(manifest);
  return manifest;
}

/** Every file that is named is listed with its hash, and the shards are the weights, without gap or overlap. */
function checkFiles(manifest: Manifest): void {
  const sizes = new Map(manifest.files.map(({ path: name, bytes }) => [name, bytes]));
  if (sizes.size !== manifest.files.length) throw wrong("manifest.json.files", "a file is listed twice");
  const quads = manifest.targets.flatMap((one) => (one.name === "wasm" && one.quads ? [one.quads] : []));
  const wasm = [...manifest.targets.flatMap((one) => (one.name === "wasm" ? [one] : [])), ...quads];
  const levels = manifest.targets.flatMap((one) => (one.name === "native" ? one.levels : []));
  const gpus = manifest.targets.flatMap((one) => (one.name === "webgpu" || one.name === "cuda" ? [one] : []));
  const named = [
    ...(manifest.tokenizer === undefined ? [] : [manifest.tokenizer]),
    ...wasm.flatMap((one) => one.kernels.map((kernel) => kernel.file)),
    ...quads.map((one) => one.plan),
    ...levels.map((one) => one.object),
    ...gpus.flatMap((one) =>
      one.name === "webgpu" ? [one.programs] : [one.source, one.launches, ...one.modules.map((module) => module.file)],
    ),
    ...[manifest, ...levels, ...gpus].flatMap(({ plan, shards }) => [plan, ...shards.map((one) => one.file)]),
  ];
  for (const name of named) {
    if (!sizes.has(name)) throw wrong("manifest.json.files", `\`${name}\` is used but not listed`);
  }
  for (const { shards, memory: wanted } of [manifest, ...levels, ...gpus]) checkShards(shards, wanted.weights, sizes);
  for (const { memory: wanted } of quads) checkShards(manifest.shards, wanted.weights, sizes);
}

function checkShards(shards: readonly ManifestShard[], weights: number, sizes: ReadonlyMap<string, number>): void {
  let end = 0;
  for (const { file: name, offset, bytes } of shards) {
    if (offset !== end || sizes.get(name) !== bytes) throw wrong("manifest.json.shards", `\`${name}\` does not fit`);
    end += bytes;
  }
  if (end !== weights) {
    throw wrong("manifest.json.shards", `they hold ${end} bytes, the weights have ${weights}`);
  }
}
