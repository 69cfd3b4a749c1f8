/** The runtime as it was built ahead: every bundle carries it for Node, with its types, and for browsers. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BundleRuntime, RuntimeFile } from "../compiler/6-bundle/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { packageRoot } from "./package-root.js";

/**
 * @param browser Whether the bundle has kernels that browsers run.
 * @throws MoecError MOE4303 when `npm run build` was not run.
 */
export function bundleRuntime(browser: boolean): BundleRuntime {
  return {
    node: [...filesOf("node", "runtime-node.js"), ...filesOf("types", "runtime.d.ts")],
    ...(browser ? { browser: filesOf("browser", "runtime.js") } : {}),
  };
}

function filesOf(place: string, entry: string): readonly RuntimeFile[] {
  const folder = join(packageRoot, "dist", "bundle", place);
  if (!existsSync(join(folder, entry))) throw moecError("MOE4303", { folder, file: entry });
  return readdirSync(folder)
    .sort()
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}
