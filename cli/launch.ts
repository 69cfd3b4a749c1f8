/**
 * How the command comes into memory. `npm run build` puts all of its modules into one file (`scripts/build-cli.mjs`), and
 * V8's code for what a command has used of it is kept in moec's cache folder: reading and compiling modules costs a short
 * command more than its work. Without that file, or when the modules are newer, the modules are loaded one by one.
 */
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import * as nodeModules from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cachedDataVersionTag, setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { cacheFolder } from "../runtime/native/cache-folder.js";
import { Cache, hashOf } from "../runtime/native/cache.js";
import { RELAXED_SIMD } from "../runtime/node/relaxed-simd.js";
import type * as Entry from "./entry.js";

/**
 * What the bundle evaluates to: the body of a CommonJS module. Of what only modules have it is given the address that one
 * of its modules has in `dist/`, and `import`, which code that was kept can't do by itself.
 */
type Body = (
  exports: Partial<typeof Entry>,
  require: NodeJS.Require,
  module: { exports: typeof Entry },
  moduleUrl: (path: string) => string,
  importPackage: (name: string) => Promise<unknown>,
) => void;

/** What Node 20 does not have. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/** Under which the code is kept for what names no command: help; the version has its own. */
const GENERAL = "help";
const VERSION = "version";
const MONTH = 30 * 24 * 3600 * 1000;

/** Runs a command line. */
export async function launch(args: readonly string[]): Promise<void> {
  const { main } = bundled(args) ?? (await import("./entry.js"));
  await main(args);
}

/** The command out of the one file; undefined where that is not there or older than the modules. */
function bundled(args: readonly string[]): typeof Entry | undefined {
  const folder = dirname(fileURLToPath(import.meta.url));
  const file = join(folder, "moec.cjs");
  if (!isCurrent(file, join(folder, "..", ".tsbuildinfo"))) return undefined;
  const text = readFileSync(file, "latin1");
  const mark = String(statSync(file).mtimeMs);
  const code = process.env["NODE_DISABLE_COMPILE_CACHE"] ? undefined : new KeptCode(text, mark, args);
  // From Node 22 on packages that stay outside of the bundle are kept by Node.
  const cache = cacheFolder();
  if (code && cache !== undefined) {
    (nodeModules as CompileCache).enableCompileCache?.(join(cache, "code", "packages"));
  }
  const script = new Script(text, {
    filename: file,
    ...(code?.data ? { cachedData: code.data } : {}),
  });
  const body = script.runInThisContext() as Body;
  const module = { exports: {} as typeof Entry };
  const moduleUrl = (path: string): string => new URL(`../${path}`, import.meta.url).href;
  body(module.exports, nodeModules.createRequire(file), module, moduleUrl, (name) => import(name));
  code?.keepAtExit(script, module.exports.COMMAND_NAMES);
  return module.exports;
}

/** The TypeScript compiler writes its record whenever it writes modules. */
function isCurrent(bundle: string, record: string): boolean {
  const made = statSync(bundle, { throwIfNoEntry: false });
  const compiled = statSync(record, { throwIfNoEntry: false });
  return made !== undefined && (compiled === undefined || compiled.mtimeMs <= made.mtimeMs);
}

/**
 * V8's code of one command: functions that it has called, which are a fraction of all. It belongs to one build, V8 and
 * its flags, and processor, and V8 itself looks again at what it is given.
 */
class KeptCode {
  readonly data: Uint8Array | undefined;
  private readonly command: string;
  private readonly engine = cachedDataVersionTag();
  private readonly kind: string;
  private readonly cache: Cache;

  /**
   * @param text Its first line is a hash of the rest, so that nobody has to hash it all.
   * @param mark Changes when somebody edits the file, who does not make that hash anew: V8 itself compares lengths only.
   */
  constructor(
    text: string,
    mark: string,
    private readonly args: readonly string[],
  ) {
    const [word = ""] = args;
    this.command = /^[a-z]+$/.test(word) ? word : ["-V", "--version"].includes(word) ? VERSION : GENERAL;
    const build = hashOf(text.slice(0, text.indexOf("\n")), mark, process.version, process.arch, String(this.engine));
    this.kind = build.toString("hex", 0, 12);
    // A folder that can't be written costs milliseconds: nothing to speak of.
    this.cache = new Cache(join("code", this.kind), () => undefined);
    this.data = this.cache.read(this.command);
  }

  /** At the end of a run all functions that the command needs are there. */
  keepAtExit(script: Script, commands: readonly string[]): void {
    if (this.data && script.cachedDataRejected !== true) return;
    // Words that are no commands would fill the folder.
    const isCommand = commands.includes(this.command);
    if (!isCommand && this.command !== GENERAL && this.command !== VERSION) return;
    // What is kept first stays, so it has to be of a run that did its work.
    if (isCommand && this.args.some((arg) => arg === "--help" || arg === "-h")) return;
    process.once("exit", (code) => {
      if (code !== 0) return;
      // V8 keeps its flags beside the code, and those of the next start are without this one.
      if (cachedDataVersionTag() !== this.engine) setFlagsFromString(`--no-${RELAXED_SIMD}`);
      if (cachedDataVersionTag() !== this.engine) return;
      this.cache.write(this.command, script.createCachedData());
      removeOld(this.kind);
    });
  }
}

/** Code of builds that are gone stays behind; what is still in use is made again. */
function removeOld(own: string): void {
  const cache = cacheFolder();
  if (cache === undefined) return;
  const folder = join(cache, "code");
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name !== own && statSync(path).mtimeMs < Date.now() - MONTH) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Another process is at it, or nobody may.
  }
}
