/** Terminals that are really closed: the command is ended by SIGHUP, which a shell shows as 129, and nothing is left of it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fromF32, type TensorSource } from "../../compiler/checkpoints/index.js";
import { writeCheckpoint } from "../../cli/convert/write.js";
import { builtCommand, type BuiltCommand } from "./built-command.js";

/**
 * Runs a command in a terminal of its own, which it closes when the command has printed a text, or when a file whose name has
 * it is in the folder. Prints how the command ended.
 */
const TERMINAL = `
import os, pty, select, sys
wanted, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0: os.execvp(command[0], command)
said = b""
while wanted.encode() not in said and not any(wanted in name for name in os.listdir(".")):
    if not select.select([terminal], [], [], 0.01)[0]: continue
    try: piece = os.read(terminal, 4096)
    except OSError: piece = b""
    if not piece: break
    said += piece
os.close(terminal)
status = os.waitpid(child, 0)[1]
print("signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "code %d: %r" % (os.WEXITSTATUS(status), said))
`;
const hasTerminals = spawnSync("python3", ["-c", "import pty; pty.openpty()"]).status === 0;
if (!hasTerminals) console.warn("skipped: terminals are made by python3, which is not here");

/** More than is written while one looks into a folder. */
const numbers = Array.from({ length: 100 }, (_, at) => at);
const SPEC = `model Small[V = 8, D = 4] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}

model Large[M = 1024, K = 1024] {
${numbers.map((at) => `  param p${at}: [M, K]\n`).join("")}
  forward(x: f32[M]) -> f32[K] => ${numbers.map((at) => `x @ p${at}`).join(" + ")}
}

recipe Grow(small: Small) -> large: Large {
${numbers.map((at) => `  large.p${at} = normal([M = 1024, K = 1024], seed: ${at})\n`).join("")}}
`;

let command: BuiltCommand;
let folder: string;
beforeAll(async () => {
  command = await builtCommand("moec-hang-up-");
  // What lies beside the command in `dist/`, and the page that it serves.
  for (const path of ["dist/bundle", "serve"]) symlinkSync(resolve(path), join(command.home, path));
  folder = mkdtempSync(join(tmpdir(), "moec-hang-up-"));
  writeFileSync(join(folder, "models.moe"), SPEC);
  const data = () => fromF32("f32", new Float32Array(32));
  const tensor: TensorSource = { name: "tok", shape: [8, 4], type: "f32", data };
  const { signal } = new AbortController();
  await writeCheckpoint(join(folder, "small.safetensors"), [tensor], new Map(), { signal, note: () => undefined });
});
afterAll(() => {
  command.remove();
  rmSync(folder, { recursive: true, force: true });
});

const SIGHUP = constants.signals.SIGHUP;
const model = ["models.moe", "--model", "Small", "--random", "1"];

it.runIf(hasTerminals).each<[string, string, readonly string[]]>([
  ["waits for edits", "watching", ["build", ...model, "--out", "built", "--watch"]],
  ["serves", "Ctrl-C", ["serve", ...model, "--port", "0"]],
  // Its files are written aside: `.large.safetensors.`, a process and a mark.
  [
    "writes files",
    ".large.safetensors.",
    ["convert", "models.moe", "Grow", "--source", "small=small.safetensors", "--out", "large.safetensors"],
  ],
])("a command that %s is ended by SIGHUP, and clears up", (_, wanted, args) => {
  const line = ["-c", TERMINAL, wanted, process.execPath, command.main, ...args];
  const { stdout, stderr } = spawnSync("python3", line, {
    cwd: folder,
    env: { ...process.env, MOEC_CACHE: command.cache },
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe(`signal ${SIGHUP}`);
  const left = readdirSync(folder).filter(
    (name) => !["models.moe", "small.safetensors", "built", ".moec"].includes(name),
  );
  expect(left).toEqual([]);
});
