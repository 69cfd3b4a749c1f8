/** Specs from checkpoints. */
export { importModel, type ImportedModel, type ImportSource } from "./import.js";
export { poolingFolder, type SentenceFiles } from "./pooling.js";
export { type GenerateSettings, type SpecSource, writeSpec } from "./spec.js";
export { countText, fileStem, modelName } from "./text.js";
