/** Where the bundles of the benched layer are kept. */
import { fileURLToPath } from "node:url";

/**
 * @param kind A storage, or `matmul`.
 * @param dims As they are typed: `D,F,E`.
 * @param device `wasm` or `native`: what the bundle is built for.
 */
export function layerFolder(kind, dims, device = "wasm") {
  const suffix = device === "wasm" ? "" : `-${device}`;
  return fileURLToPath(
    new URL(`../../.cache/bench/layer-${kind}-${dims.replaceAll(",", "-")}${suffix}`, import.meta.url),
  );
}
