/** Checkpoints of other formats as GGUF. */
export { ggufModel } from "./model.js";
export { GGUF_MODELS, GGUF_TITLES } from "./names.js";
export type { GgufExport, GgufModel } from "./types.js";
