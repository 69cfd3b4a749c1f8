/** Whether a bundle was built with the compiler that is there now. */
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const compiler = fileURLToPath(new URL("../dist/compiler/index.js", import.meta.url));

export function isFresh(bundle) {
  if (!existsSync(compiler)) throw new Error("moec is not built: run `npm run build`");
  const manifest = `${bundle}/manifest.json`;
  return existsSync(manifest) && statSync(manifest).mtimeMs >= statSync(compiler).mtimeMs;
}
