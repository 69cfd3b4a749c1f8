/** Checkpoint files: readers, writers, number formats. Pure: bytes come from a `ByteSource`. */
export { memorySource } from "./byte-source.js";
export { ggufChunks, writeGguf, type GgufContent } from "./gguf-write.js";
export { readGguf } from "./gguf-read.js";
export { unreadTensors } from "./derived.js";
export * from "./metadata.js";
export { readOnnx, UNREAD_KEY } from "./onnx-read.js";
export { openCheckpoint } from "./open.js";
export { partFile } from "./part-files.js";
export { readSafetensors, readSafetensorsSharded } from "./safetensors-read.js";
export { safetensorsChunks, writeSafetensors, type SafetensorsContent } from "./safetensors-write.js";
export { fromF32, keptAs, STORAGE, STORAGE_TYPES, storageBytes, toF32, valueCount } from "./storage.js";
export type { EncodableType, StorageRecord } from "./storage.js";
export type * from "./types.js";
