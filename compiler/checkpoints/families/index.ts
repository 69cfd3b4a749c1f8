/** Model families: what their configs and tensors are called in Hugging Face files and in GGUF. */
export { type ConfigSource, readFamilyConfig } from "./config.js";
export { detectFamily, FAMILIES, type FamilySource } from "./detect.js";
export { type Encode, ggufMetadata, ggufTensors, hfConfig, hfTensors, type TensorValues } from "./export.js";
export { type FamilyReader, type FamilyTensor, familyTensors, readFamilyTensors } from "./tensors.js";
export type * from "./types.js";
