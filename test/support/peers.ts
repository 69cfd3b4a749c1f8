/**
 * The engines that moec is compared with live in `bench/peers` with a lockfile of their own: `npm run peers:install`
 * brings them. Tests that need one ask here and skip with a printed reason when it is not there.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../bench/peers/", import.meta.url));

/** Path of a peer package, or undefined (and one line that says so) when the peers are not installed. */
export function peerPackage(name: string): string | undefined {
  const path = `${folder}node_modules/${name}`;
  if (existsSync(path)) return path;
  console.warn(`skipped: ${name} is not installed; \`npm run peers:install\` installs it`);
  return undefined;
}

function llama(file: string, ...args: readonly string[]): unknown {
  const out = execFileSync(process.execPath, [`${folder}llama.mjs`, file, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return JSON.parse(out);
}

/** Raw logits of llama.cpp after every position of `ids`: `[positions][vocabulary]`. */
export function llamaLogits(file: string, ids: readonly number[]): readonly (readonly number[])[] {
  return llama(file, "logits", JSON.stringify(ids)) as number[][];
}

/** Ids that llama.cpp makes of texts. */
export function llamaTokens(file: string, texts: readonly string[]): readonly (readonly number[])[] {
  return llama(file, "tokens", JSON.stringify(texts)) as number[][];
}

/** Greedy continuations by llama.cpp, up to `count` tokens each, ending before the end-of-text token. */
export function llamaGreedy(
  file: string,
  prompts: readonly (readonly number[])[],
  count: number,
): readonly (readonly number[])[] {
  return llama(file, "greedy", JSON.stringify(prompts), String(count)) as number[][];
}
