/** Bundles that are not whole, and the code that each is refused with, from wherever it is read. */
import { memoryWriter, type MemoryFiles } from "../support/memory-bundle.js";
import { toyFiles } from "../runtime/toy-bundle.js";

export const whole = toyFiles();
export const copy = (): MemoryFiles => new Map([...whole].map(([path, bytes]) => [path, bytes.slice()]));
export const manifestText = new TextDecoder().decode(whole.get("manifest.json"));

export function withManifest(change: (manifest: Record<string, unknown>) => void): MemoryFiles {
  const files = copy();
  const manifest = JSON.parse(manifestText) as Record<string, unknown>;
  change(manifest);
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return files;
}

/** Puts a file in with its right hash and size, so that only its content is wrong. */
export function withFile(path: string, text: string): MemoryFiles {
  const files = copy();
  const file = memoryWriter(files).open(path);
  file.write(new TextEncoder().encode(text));
  const entry = file.close();
  const manifest = JSON.parse(manifestText) as { files: { path: string }[] };
  manifest.files = manifest.files.map((one) => (one.path === path ? entry : one));
  files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
  return files;
}

/** Says in all places of the manifest that the weights have so many bytes, in one file. */
function grow(manifest: Record<string, unknown>, bytes: number): void {
  const { memory, shards, files } = manifest as {
    memory: { weights: number };
    shards: { file: string; bytes: number }[];
    files: { path: string; bytes: number }[];
  };
  memory.weights = bytes;
  shards.length = 1;
  shards[0]!.bytes = bytes;
  files.find(({ path }) => path === shards[0]!.file)!.bytes = bytes;
}

/** The same, with a plan that agrees. */
function grown(bytes: number): MemoryFiles {
  const plan = JSON.parse(new TextDecoder().decode(whole.get("plan.json"))) as { spaces: { weights: number } };
  plan.spaces.weights = bytes;
  const files = withFile("plan.json", JSON.stringify(plan));
  const manifest = JSON.parse(new TextDecoder().decode(files.get("manifest.json"))) as Record<string, unknown>;
  grow(manifest, bytes);
  return files.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
}

/** Files that every load on one thread reads. */
export const weighty = [...whole.keys()].filter(
  (path) => /^(kernels-relaxed|plan|weights-0|tokenizer)/.test(path) && !path.includes("threads"),
);

/** What is wrong, the code, and the files. */
export const damages: readonly (readonly [string, string, () => MemoryFiles])[] = [
  ["no manifest", "MOE5301", () => (copy().delete("manifest.json"), new Map())],
  ["another kind of folder", "MOE5301", () => withManifest((manifest) => (manifest["format"] = "zip"))],
  ["the ABI of older bundles", "MOE5303", () => withManifest((manifest) => (manifest["abi"] = 1))],
  ["an ABI to come", "MOE5303", () => withManifest((manifest) => (manifest["abi"] = 3))],
  ["an ABI in words", "MOE5303", () => withManifest((manifest) => (manifest["abi"] = "2"))],
  ["a path that climbs out", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "../plan.json"))],
  ["an absolute path", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "/etc/passwd"))],
  ["a drive", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "C:\\plan.json"))],
  ["a protocol", "MOE5307", () => withManifest((manifest) => (manifest["plan"] = "https://example.org/plan.json"))],
  ["a plan that is not listed", "MOE5302", () => withManifest((manifest) => (manifest["plan"] = "other.json"))],
  ["no shards", "MOE5302", () => withManifest((manifest) => (manifest["shards"] = []))],
  ["no device", "MOE5308", () => withManifest((manifest) => (manifest["targets"] = []))],
  ["a plan that is not JSON", "MOE5302", () => withFile("plan.json", "{")],
  ["a plan of another form", "MOE5302", () => withFile("plan.json", "[]")],
  ["weights of 2^50 bytes", "MOE5302", () => withManifest((manifest) => grow(manifest, 2 ** 50))],
  ["weights of 2^50 bytes that the plan has too", "MOE5310", () => grown(2 ** 50)],
  ["more bytes than numbers count", "MOE5302", () => withManifest((manifest) => grow(manifest, 1e300))],
  ["fewer bytes than none", "MOE5302", () => withManifest((manifest) => grow(manifest, -1))],
  ["kernels that are no module", "MOE5309", () => withFile("kernels-relaxed.wasm", "kernels")],
];
