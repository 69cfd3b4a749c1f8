/**
 * What every checkpoint reader gives and every writer takes. Shapes are row-major with the outermost axis first, as in
 * PyTorch; a GGUF file stores them the other way round and its reader turns them.
 */

/** How the numbers of a tensor lie in memory. `storage.ts` holds one record for each. */
export type StorageType =
  | ("f32" | "f16" | "bf16" | "i32" | "i64" | "u8" | "i8" | "bool" | "q8_0" | "q4_0")
  | ("q4_1" | "q5_0" | "q5_1" | "q4_K" | "q5_K" | "q6_K");

/**
 * Random access to the bytes of one file.
 *
 * `read` returns exactly `length` bytes. Readers in this folder check `offset + length <= size` before they call it, so
 * an implementation may throw on anything else.
 */
export interface ByteSource {
  /** Bytes in the file. */
  readonly size: number;
  /** Used in messages only. */
  readonly name?: string;
  read(offset: number, length: number): Uint8Array;
}

/** Gives a file that lies beside another one, by its path from there. */
export type OpenBeside = (path: string) => ByteSource;

/** One tensor as the file's header describes it; no data is read for it. */
export interface TensorInfo {
  readonly name: string;
  /** Outermost axis first; `[]` is a scalar. */
  readonly shape: readonly number[];
  readonly type: StorageType;
  readonly byteLength: number;
  /** Which of the checkpoint's files holds it: 0 unless the checkpoint is sharded. */
  readonly source: number;
  /** First byte, counted from the start of that file. */
  readonly offset: number;
}

/** Number types of GGUF metadata whose values are exact as JavaScript numbers. */
export type MetadataNumberType = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "f64";

/** Array of numbers, kept in the narrowest typed array that holds the element type. */
export type MetadataNumbers =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** A metadata array; `of` names the element type and decides the type of `values`. */
export type MetadataArray =
  | { readonly type: "array"; readonly of: MetadataNumberType; readonly values: MetadataNumbers }
  | { readonly type: "array"; readonly of: "u64"; readonly values: BigUint64Array }
  | { readonly type: "array"; readonly of: "i64"; readonly values: BigInt64Array }
  | { readonly type: "array"; readonly of: "bool"; readonly values: readonly boolean[] }
  | { readonly type: "array"; readonly of: "string"; readonly values: readonly string[] }
  | { readonly type: "array"; readonly of: "array"; readonly values: readonly MetadataArray[] };

/** One metadata value with the type it has in the file, so that writing what was read gives the same bytes. */
export type MetadataValue =
  | { readonly type: MetadataNumberType; readonly value: number }
  | { readonly type: "u64" | "i64"; readonly value: bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | MetadataArray;

/** Metadata by key, in the order of the file. Safetensors metadata has strings only. */
export type Metadata = ReadonlyMap<string, MetadataValue>;

/** An open checkpoint: a table of tensors whose every range was checked against the file. */
export interface Checkpoint {
  readonly format: "gguf" | "safetensors" | "onnx";
  readonly metadata: Metadata;
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * The tensor's bytes as stored.
   *
   * @throws MoecError MOE5116 when there is no such tensor.
   */
  read(name: string): Uint8Array;
  /**
   * Part of the tensor's bytes, for tensors too large to hold at once.
   *
   * @param byteOffset counted from the start of the tensor.
   * @throws MoecError MOE5116 when there is no such tensor, MOE5102 when the range leaves it.
   */
  readPart(name: string, byteOffset: number, byteLength: number): Uint8Array;
  /**
   * The tensor's values as f32, row-major.
   *
   * @throws MoecError MOE5116 when there is no such tensor.
   */
  readF32(name: string): Float32Array;
}

/** A tensor to be written. `data` is asked once, when its turn comes, so that a writer never holds two tensors. */
export interface TensorSource {
  readonly name: string;
  /** Outermost axis first. */
  readonly shape: readonly number[];
  readonly type: StorageType;
  /** Exactly the bytes that `storageBytes(type, shape)` counts. */
  readonly data: () => Uint8Array;
}
