/**
 * What every command of a fresh clone needs first: the packages of `package-lock.json` and the compiled sources. Uses
 * only what Node brings. Both steps look before they work, so a second run takes milliseconds.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_NODE = [20, 19];

/** Ends the process with a sentence when Node is too old to run anything. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  console.error(`moec needs Node ${OLDEST_NODE.join(".")} or newer; this is ${process.version}.`);
  process.exit(1);
}

/**
 * Runs a program and ends the process when it fails.
 * @param {string} label @param {string} command @param {readonly string[]} args
 */
export function runStep(label, command, args) {
  process.stderr.write(`${label}…\n`);
  const result = spawnSync(command, [...args], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status === 0) return;
  if (result.error) console.error(result.error.message);
  console.error(`${label} failed: ${command} ${args.join(" ")}`);
  process.exit(result.status ?? 1);
}

/** @param {string} path */
function hashOf(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** Installs the packages when they are not there or the lockfile has changed since. */
export function ensurePackages() {
  const lock = hashOf(join(root, "package-lock.json"));
  const mark = join(root, "node_modules", ".moec-lock-hash");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  // An installation by hand is as good when npm's own record is newer than the lockfile.
  const record = join(root, "node_modules", ".package-lock.json");
  const isFresh = existsSync(record) && statSync(record).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
  if (!isFresh) runStep("installing packages", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(mark, lock);
}

/** What else decides what is built: packages go into the bundles too. Paths from the root. */
export function buildInputs() {
  const scripts = readdirSync(join(root, "scripts")).filter((name) => /^(build-.*|bundler)\.mjs$/.test(name));
  return [
    "tsconfig.json",
    "tsconfig.build.json",
    "package-lock.json",
    ...scripts.sort().map((name) => `scripts/${name}`),
  ];
}

/** Names, sizes and times of all sources: enough to see that something was edited. */
function sourceMark() {
  const hash = createHash("sha256");
  for (const part of ["grammar", "compiler", "runtime", "serve", "cli", "editor/server"]) {
    for (const file of readdirSync(join(root, part), { recursive: true, encoding: "utf8" }).sort()) {
      if (!file.endsWith(".ts")) continue;
      const stats = statSync(join(root, part, file));
      hash.update(`${part}/${file} ${stats.size} ${stats.mtimeMs}\n`);
    }
  }
  for (const file of buildInputs()) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/**
 * Compiles TypeScript to `dist/` when a source has changed since the last time. Types are checked by `npm test`; without
 * that, compiling takes half the time.
 */
export function ensureBuild() {
  const mark = join(root, "dist", ".source-mark");
  const now = sourceMark();
  if (existsSync(mark) && readFileSync(mark, "utf8") === now) return;
  runStep("compiling moec", process.execPath, [
    ...["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noCheck"],
  ]);
  runStep("bundling the parser", process.execPath, ["scripts/build-grammar.mjs"]);
  runStep("bundling the runtimes", process.execPath, ["scripts/build-runtimes.mjs"]);
  runStep("bundling the command", process.execPath, ["scripts/build-cli.mjs"]);
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(mark, now);
}
