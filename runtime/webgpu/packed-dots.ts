/** Products of packed bytes: a part of WGSL that a browser may lack, and how a printed module does without. */

/** Name of the language feature with `dot4I8Packed`. */
export const packedDots = "packed_4x8_integer_dot_product";

const product = `fn moec_dot4(a: u32, b: u32) -> i32 {
  let x = bitcast<i32>(a);
  let y = bitcast<i32>(b);
  return dot(
    vec4<i32>(extractBits(x, 0u, 8u), extractBits(x, 8u, 8u), extractBits(x, 16u, 8u), x >> 24u),
    vec4<i32>(extractBits(y, 0u, 8u), extractBits(y, 8u, 8u), extractBits(y, 16u, 8u), y >> 24u),
  );
}
`;

/** The same module for a browser whose WGSL has no products of packed bytes. */
export function withoutPackedDots(code: string): string {
  if (!code.includes("dot4I8Packed(")) return code;
  return `${product}${code.replaceAll("dot4I8Packed(", "moec_dot4(")}`;
}
