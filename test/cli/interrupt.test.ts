/** Ctrl-C, SIGTERM and SIGHUP: a command that can't listen is ended by the system, one that listens is asked and says how it ended. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { processIo, type Io } from "../../cli/io.js";
import { runCli } from "../../cli/program.js";
import { folderOf } from "./io.js";

const MODEL = `model Small[V = 8, D = 4] {
  param tok: [V, D]
  forward(tokens: int[T]) -> f32[T, V] => tok[V: tokens] @ tok
}
`;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const own = new Set(SIGNALS.flatMap((signal) => process.listeners(signal)));
let place: ReturnType<typeof folderOf>;
let said: string;

beforeEach(() => {
  said = "";
  place = folderOf({ "small.moe": MODEL });
});
afterEach(() => {
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) if (!own.has(listener)) process.off(signal, listener);
  }
  place.remove();
  vi.restoreAllMocks();
});

/** The io of the process in the folder of the test, with what is said kept. */
function ioHere(): Io {
  const keep = (text: string): void => {
    said += text;
  };
  const io = processIo();
  return Object.defineProperties(io, { cwd: { value: place.path }, out: { value: keep }, err: { value: keep } });
}

it("leaves Ctrl-C to the system while a model is built", async () => {
  expect(await runCli(["build", "small.moe", "--random", "1", "--out", "small"], ioHere())).toBe(0);
  for (const signal of SIGNALS) expect(process.listeners(signal).filter((one) => !own.has(one))).toEqual([]);
});

it.each([
  ["SIGINT", 130, "Ctrl-C"],
  ["SIGTERM", 143, "SIGTERM"],
  ["SIGHUP", 129, "SIGHUP"],
] as const)("asks a command that listens to end, which says so: %s is code %i", async (signal, code, name) => {
  const ended = runCli(["build", "small.moe", "--random", "1", "--out", "small", "--watch"], ioHere());
  await vi.waitFor(() => expect(said).toContain("watching"), { timeout: 50_000 });
  const [listener] = process.listeners(signal).filter((one) => !own.has(one));
  listener!(signal);
  expect(await ended).toBe(code);
  expect(said.endsWith(`\nended by ${name}\n`)).toBe(true);
});

it.each([
  ["SIGINT", "SIGTERM", 143],
  ["SIGTERM", "SIGINT", 130],
  ["SIGINT", "SIGINT", 130],
] as const)("is ended by the second of %s and %s, with code %i", (first, second, code) => {
  const { signal: asked } = processIo();
  const send = (signal: (typeof SIGNALS)[number]): void => {
    for (const listener of process.listeners(signal)) if (!own.has(listener)) listener(signal);
  };
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  send(first);
  expect(asked.aborted).toBe(true);
  expect(exit).not.toHaveBeenCalled();
  send(second);
  expect(exit.mock.calls).toEqual([[code]]);
});

// The shell shows 129. Node's own exit aborts where the terminal is gone.
it.each([
  ["SIGHUP", "SIGTERM"],
  ["SIGTERM", "SIGHUP"],
  ["SIGHUP", "SIGHUP"],
] as const)("is ended by SIGHUP itself behind %s and %s", (first, second) => {
  const { signal: asked } = processIo();
  const kill = vi.spyOn(process, "kill").mockImplementation(() => true);
  const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
  const others = process.listeners("SIGHUP").filter((one) => own.has(one));
  const send = (signal: (typeof SIGNALS)[number]): void => {
    for (const listener of process.listeners(signal)) if (!own.has(listener)) listener(signal);
  };
  send(first);
  expect(asked.aborted).toBe(true);
  expect(kill).not.toHaveBeenCalled();
  send(second);
  expect(kill.mock.calls).toEqual([[process.pid, "SIGHUP"]]);
  expect(exit).not.toHaveBeenCalled();
  expect(process.listeners("SIGHUP")).toEqual([]);
  for (const listener of others) process.on("SIGHUP", listener);
});
