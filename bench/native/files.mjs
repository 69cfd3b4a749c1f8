/** GGUF files of the comparison, written once each, and the TypeScript sources of the benches. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";
import { chosen } from "../choice.mjs";

const folder = fileURLToPath(new URL("../../.cache/bench/native/", import.meta.url));

/** The exports of a TypeScript file of this folder. */
export const sources = async (path) => (await runnerImport(fileURLToPath(new URL(path, import.meta.url)))).module;

/** The shapes and the formats of models that options name. */
export async function chosenModels(values) {
  const [{ shapes }, { fileTypes }] = [await sources("./shapes.ts"), await sources("./model.ts")];
  return {
    shapes: chosen("--shapes", values.shapes.split(","), Object.keys(shapes)),
    types: chosen("--types", values.types.split(","), fileTypes),
  };
}

/** Path of the model `shape` stored as `type`, which is written when it is not there yet. */
export async function ggufFile(shape, type) {
  const file = `${folder}${shape}-${type}.gguf`;
  if (existsSync(file)) return file;
  const { writeModel } = await sources("./model.ts");
  mkdirSync(folder, { recursive: true });
  await writeModel(shape, type, `${file}.part`);
  renameSync(`${file}.part`, file);
  return file;
}
