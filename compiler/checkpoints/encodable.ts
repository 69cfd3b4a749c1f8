/** Types that f32 values can be converted to. */
import type { StorageType } from "./types.js";

export const ENCODABLE_TYPES = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const satisfies readonly StorageType[];

/** One of `ENCODABLE_TYPES`. */
export type EncodableType = (typeof ENCODABLE_TYPES)[number];
