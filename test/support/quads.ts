/** Engines whose sums of four products of bytes are exact: Node 20 and 22 are none, Node 24 is on newer processors. */
import { wasmFeatures } from "../../runtime/wasm/features.js";

/** Says that tests of such an engine are left out, and how they are not. */
export function skipQuads(): void {
  console.warn("skipped: sums of four products of bytes are not exact here; MOEC_NODE names a Node where they are");
}

/** Whether this engine is one; says so when it is not. */
export function hasQuads(): boolean {
  const { quads } = wasmFeatures();
  if (!quads) skipQuads();
  return quads;
}
