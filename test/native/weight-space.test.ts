/** Pages of weight files are entered into the tables of the process, a file for each call behind the first. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { libc } from "../../runtime/native/libc.js";
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

    it("enters the pages of a file that lies in the cache of files each time it is asked to", async () => {
      write();
      const space = new WeightSpace(2 * bytes, files);
      // A huge page of a file can be entered as one.
      expect(space.address % 2 ** 21).toBe(0);
      expect(files.map(({ path }) => residentBytes(path))).toEqual([0, 0]);
      await space.enterNext();
      expect(files.map(({ path }) => residentBytes(path))).toEqual([bytes, 0]);
      // The third time nothing is left.
      await space.enterNext();
      await space.enterNext();
      expect(files.map(({ path }) => residentBytes(path))).toEqual([bytes, bytes]);
      space.free();
    });

    it("leaves it when a file was cut off, and when it is freed meanwhile", async () => {
      write();
      const cut = new WeightSpace(2 * bytes, files);
      truncateSync(files[1]!.path, 4096);
      await cut.enterNext();
      await cut.enterNext();
      expect(residentBytes(files[0]!.path)).toBe(bytes);
      expect(residentBytes(files[1]!.path)).toBeLessThanOrEqual(4096);
      cut.free();
      write();
      const freed = new WeightSpace(2 * bytes, files);
      const entered = freed.enterNext();
      freed.free();
      await entered;
    });

    // Linux: setresuid of this thread alone, which can be taken back because the saved user stays root.
    const become = (user: number): number => libc().syscall(117, user, user, 0);
    it.runIf(process.getuid?.() === 0)("enters none of a file that this user may only read", async () => {
      write();
      chmodSync(folder, 0o755);
      const asOther = async (mode: number): Promise<number> => {
        chmodSync(files[0]!.path, mode);
        const space = new WeightSpace(2 * bytes, files);
        expect(become(65534)).toBe(0);
        try {
          await space.enterNext();
        } finally {
          expect(become(0)).toBe(0);
        }
        const resident = residentBytes(files[0]!.path);
        space.free();
        return resident;
      };
      expect(await asOther(0o644)).toBe(0);
      expect(await asOther(0o666)).toBe(bytes);
    });
  },
  levels.slice(0, 1),
);
