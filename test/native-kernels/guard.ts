/** Buffers that kernels can't read or write beyond unseen. */
import { PAGE_BYTES } from "../../compiler/5-emit/llvm/pool-layout.js";
import { PROTECTION } from "../../runtime/native/libc.js";
import { Mapping } from "../../runtime/native/mapping.js";

/** A copy that ends where a page ends behind which nobody may read or write: a kernel that does ends the process. */
export function guard(buffer: Uint8Array): { readonly bytes: Uint8Array; readonly free: () => void } {
  const inside = Math.max(1, Math.ceil(buffer.length / PAGE_BYTES)) * PAGE_BYTES;
  const mapping = Mapping.memory(inside + PAGE_BYTES, "a buffer and its guard");
  mapping.protect(inside, PAGE_BYTES, PROTECTION.none);
  const bytes = mapping.view(inside - buffer.length, buffer.length);
  bytes.set(buffer);
  return { bytes, free: () => mapping.free() };
}
