/** The worker thread's code as Node can run it: the two files it is made of, transpiled. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder with `node/runtime-node-thread.js` and what it imports; remove it at the end. */
export function compileWorker(): { readonly url: URL; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "moec-worker-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const file of ["node/runtime-node-thread", "wasm/work"]) {
    const source = readFileSync(join(root, "runtime", `${file}.ts`), "utf8");
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, `${file}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  }
  return {
    url: pathToFileURL(join(folder, "node/runtime-node-thread.js")),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
