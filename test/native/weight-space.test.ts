/** Pages of weight files are entered into the tables of the process behind the first call. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { WeightSpace } from "../../runtime/native/weight-space.js";
import { describeLevels, levels } from "../support/native.js";

const folder = mkdtempSync(join(tmpdir(), "moec-weights-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes of the mapping of a file that this process has pages of. */
function residentBytes(file: string): number {
  const maps = readFileSync("/proc/self/smaps", "utf8").split("\n");
  const at = maps.findIndex((line) => line.endsWith(file));
  const kilobytes = /^Rss:\s+(\d+) kB/.exec(maps.slice(at).find((line) => line.startsWith("Rss:")) ?? "");
  return Number(kilobytes![1]) * 1024;
}

describeLevels(
  "the weights space",
  () => {
    const bytes = 2 ** 21;
    const files = ["a.bin", "b.bin"].map((name, number) => ({
      path: join(folder, name),
      offset: number * bytes,
      bytes,
      sha256: "",
    }));
    const write = (): void => files.forEach(({ path }, i) => writeFileSync(path, new Uint8Array(bytes).fill(i + 1)));

    it("enters all pages of files that lie in the cache of files, once asked to", async () => {
      write();
      const space = new WeightSpace(2 * bytes, files);
      expect(files.map(({ path }) => residentBytes(path))).toEqual([0, 0]);
      await space.enterPages();
      expect(files.map(({ path }) => residentBytes(path))).toEqual([bytes, bytes]);
      space.free();
    });

    it("leaves it when a file was cut off, and when it is freed meanwhile", async () => {
      write();
      const cut = new WeightSpace(2 * bytes, files);
      truncateSync(files[1]!.path, 4096);
      await cut.enterPages();
      expect(residentBytes(files[0]!.path)).toBe(bytes);
      expect(residentBytes(files[1]!.path)).toBeLessThanOrEqual(4096);
      cut.free();
      write();
      const freed = new WeightSpace(2 * bytes, files);
      const entered = freed.enterPages();
      freed.free();
      await entered;
    });
  },
  levels.slice(0, 1),
);
