/** The runtime for browsers as it was built ahead: every bundle carries these files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserFile } from "../compiler/6-bundle/index.js";
import { moecError } from "../compiler/errors/raise.js";
import { packageRoot } from "./package-root.js";

/** @throws MoecError MOE4303 when `npm run build` was not run. */
export function browserRuntime(): readonly BrowserFile[] {
  const folder = join(packageRoot, "dist", "browser");
  const entry = "runtime.js";
  if (!existsSync(join(folder, entry))) throw moecError("MOE4303", { folder, file: entry });
  return readdirSync(folder)
    .filter((path) => path.endsWith(".js"))
    .sort()
    .map((path) => ({ path, bytes: readFileSync(join(folder, path)) }));
}
