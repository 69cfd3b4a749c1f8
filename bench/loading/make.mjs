/**
 * Writes a seeded random model of the OLMoE design (454 million parameters) as a GGUF file, whose large tensors have the
 * formats of a usual mixed file, or one format:
 *
 *     node bench/loading/make.mjs q4_K_M|q4_0|q8_0 [--layers 8]
 *
 * Prints the path. Blocks are random bytes with small scales: only times are read off such a model.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { layers: { type: "string", default: "8" } },
});
const [format = "q4_K_M"] = positionals;
const layers = Number(values.layers);
const root = fileURLToPath(new URL("../../", import.meta.url));
const load = async (file) => (await runnerImport(`${root}${file}`)).module;
const { CONFIGS } = await load("bench/models/configs.ts");
const config = { ...CONFIGS.small, layers };
/** Format of a tensor in a file that was quantized as Q4_K_M: half of the value and down projections are finer. */
const typeOf = (name) => {
  if (format !== "q4_K_M") return format;
  const layer = Number(/blk\.(\d+)\./.exec(name)?.[1] ?? 0);
  return name.startsWith("output") || (/attn_v|ffn_down/.test(name) && layer % 2 === 0) ? "q6_K" : "q4_K";
};
/** Where the f16 scales of a block lie. */
const scales = { q4_0: [0], q8_0: [0], q4_K: [0, 2], q6_K: [208] };

const folder = `${root}.cache/bench`;
mkdirSync(folder, { recursive: true });
const path = `${folder}/loading-${format}-${layers}.gguf`;
if (!existsSync(path)) {
  const { ggufChunks } = await load("compiler/checkpoints/index.ts");
  const { STORAGE } = await load("compiler/checkpoints/storage.ts");
  const { ggufMetadata, ggufTensors } = await load("compiler/checkpoints/families/index.ts");
  const { tinyVocabulary } = await load("test/support/tiny-checkpoints.ts");
  const ones = ({ shape }) => new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1);
  const noise = new Uint32Array(1 << 18);
  noise.forEach((_, i) => (noise[i] = Math.imul(i + 1, 0x9e3779b1) ^ (Math.imul(i + 7, 0x85ebca6b) >>> 7)));
  const bytesOf = (type, shape) => {
    const { blockValues, blockBytes } = STORAGE[type];
    const bytes = Buffer.alloc((shape.reduce((product, size) => product * size, 1) / blockValues) * blockBytes);
    for (let at = 0; at < bytes.length; at += noise.byteLength)
      bytes.set(new Uint8Array(noise.buffer, 0, Math.min(noise.byteLength, bytes.length - at)), at);
    // f16 2^-9: values stay small.
    for (let at = 0; at < bytes.length; at += blockBytes)
      for (const scale of scales[type]) bytes.writeUInt16LE(0x1800, at + scale);
    return bytes;
  };
  const tensors = ggufTensors(config, ones, "f32").map((tensor) => {
    const { name, shape } = tensor;
    if (shape.length < 2 || name.includes("gate_inp")) return tensor;
    const type = typeOf(name);
    return { name, shape, type, data: () => bytesOf(type, shape) };
  });
  const metadata = new Map([...ggufMetadata(config, `loading ${format}`), ...tinyVocabulary(config.vocab)]);
  const file = openSync(`${path}.part`, "w");
  for (const chunk of ggufChunks({ metadata, tensors })) writeSync(file, chunk);
  closeSync(file);
  renameSync(`${path}.part`, path);
}
console.log(path);
