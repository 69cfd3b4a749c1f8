/** V8's flag for relaxed SIMD, which Node 20 has behind it. */
export const RELAXED_SIMD = "experimental-wasm-relaxed-simd";
