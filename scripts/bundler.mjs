/** The bundler that vite brings. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

/** @returns {Promise<typeof import("esbuild")>} */
export async function bundler() {
  const fromVite = createRequire(createRequire(import.meta.url).resolve("vite/package.json"));
  return import(pathToFileURL(fromVite.resolve("esbuild")).href);
}
