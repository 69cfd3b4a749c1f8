/** Parts of WebGPU and of WGSL that a browser or a GPU may lack, and the text of a module for one that has them or not. */
import type { WgslFeature } from "../../compiler/5-emit/wgsl/alternatives.js";
import type { PlannedWgsl } from "../../compiler/5-emit/wgsl/planned.js";
import type { Gpu, GpuAdapter } from "./gpu.js";

/** What the kernels may use. */
export interface Support {
  /** Features that the device is opened with. */
  readonly features: readonly WgslFeature[];
  /** WGSL has products of packed bytes. */
  readonly packedDots: boolean;
}

/** Everything written out. */
export const leastSupport: Support = { features: [], packedDots: false };

/** What WGSL calls each feature. */
const enabled: Readonly<Record<WgslFeature, string>> = { subgroups: "subgroups", "shader-f16": "f16" };

/** Every feature that parts of a module may be for. */
export const wgslFeatures = Object.keys(enabled) as readonly WgslFeature[];

export function supportOf({ wgslLanguageFeatures: language }: Gpu, { features }: GpuAdapter): Support {
  const has = (name: string): boolean => language?.has(name) ?? false;
  const found: WgslFeature[] = features.has("shader-f16") ? ["shader-f16"] : [];
  // Which threads form a subgroup is said only by its number.
  if (features.has("subgroups") && has("subgroup_id")) found.push("subgroups");
  return { features: found, packedDots: has("packed_4x8_integer_dot_product") };
}

/** The module of a program for a device. */
export function codeFor({ code, alternatives }: Pick<PlannedWgsl, "code" | "alternatives">, support: Support): string {
  const used = alternatives.filter(({ feature }) => support.features.includes(feature));
  const text = used.reduce((whole, { plain, text: own }) => whole.replace(plain, () => own), code);
  const heads = [...new Set(used.map(({ feature }) => `enable ${enabled[feature]};\n`))];
  return heads.join("") + (support.packedDots ? text : withoutPackedDots(text));
}

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
function withoutPackedDots(code: string): string {
  if (!code.includes("dot4I8Packed(")) return code;
  return `${product}${code.replaceAll("dot4I8Packed(", "moec_dot4(")}`;
}
