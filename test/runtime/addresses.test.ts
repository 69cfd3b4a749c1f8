/** Addresses that `ulimit -v` leaves: read from what Linux says, and asked for before a thread starts. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { addressesLeft } from "../../runtime/node/addresses.js";

const said =
  (limit: string, taken: string) =>
  (path: string): string =>
    path.endsWith("limits")
      ? `Limit  Soft Limit  Hard Limit  Units\nMax address space         ${limit}     unlimited   bytes\n`
      : `Name:\tnode\nVmPeak:\t  900000 kB\nVmSize:\t  ${taken} kB\n`;

it.each([
  ["4096000", "1000", 4096000 - 1000 * 1024],
  ["1024", "1000", 1024 - 1000 * 1024],
  ["unlimited", "1000", Infinity],
  ["4096000", "none", Infinity],
])("of %s bytes, with %s kB taken", (limit, taken, left) => {
  expect(addressesLeft(said(limit, taken))).toBe(left);
});

it("are without end where the system says nothing", () => {
  const gone = (): string => {
    throw new Error("no such file");
  };
  expect(addressesLeft(gone)).toBe(Infinity);
});

it.skipIf(!existsSync("/proc/self/limits"))("are those of this process", () => {
  const limit = 64 * 2 ** 30;
  const script = 'JSON.stringify(["limits", "status"].map((name) => fs.readFileSync(`/proc/self/${name}`, "utf8")))';
  const out = execFileSync("sh", ["-c", `ulimit -v ${limit / 1024}; exec "$0" -p "$1"`, process.execPath, script]);
  const [limits, status] = JSON.parse(out.toString()) as [string, string];
  const left = addressesLeft((path) => (path.endsWith("limits") ? limits : status));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(limit);
});
