/** Checkpoints of other formats as GGUF. */
export { type GgufExport, ggufModel, type GgufModel } from "./model.js";
