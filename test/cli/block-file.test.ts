/** Files written in blocks: the same bytes however they are handed over, in writes that begin and end at blocks. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { BLOCK_BYTES, BlockFile } from "../../cli/block-file.js";
import { writeFolder } from "../../cli/write-folder.js";

const folder = mkdtempSync(join(tmpdir(), "moec-blocks-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes of which no two blocks are alike. */
const CONTENT = new Uint8Array(new Uint32Array(BLOCK_BYTES).map((_, i) => Math.imul(i, 2654435761)).buffer);

const descriptors = (): number => readdirSync("/proc/self/fd").length;
const knowsDescriptors = existsSync("/proc/self/fd");

/** Writes the first bytes of the content in pieces of these sizes, and gives what is in the file. */
function written(path: string, pieces: readonly number[]): Buffer {
  const file = new BlockFile(path);
  let at = 0;
  for (const size of pieces) {
    const piece = CONTENT.slice(at, at + size);
    file.write(piece);
    // What was handed over may be used again.
    piece.fill(0xee);
    at += size;
    expect(file.bytes).toBe(at);
  }
  file.close();
  return readFileSync(path);
}

describe("a file in blocks", () => {
  const path = join(folder, "one");
  const near = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES];

  it.each(near.flatMap((first) => near.map((second) => [first, second] as const)))(
    "of %i and %i bytes",
    (...pieces) => {
      const total = pieces[0] + pieces[1];
      expect(Buffer.compare(written(path, pieces), CONTENT.subarray(0, total))).toBe(0);
    },
  );

  it("holds any pieces in their order", () => {
    const size = fc.oneof(
      fc.nat(100),
      fc.nat(BLOCK_BYTES),
      fc.integer({ min: -3, max: 3 }).map((d) => BLOCK_BYTES + d),
    );
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 4 }), (pieces) => {
        const total = pieces.reduce((sum, one) => sum + one, 0);
        fc.pre(total <= CONTENT.length);
        expect(Buffer.compare(written(path, pieces), CONTENT.subarray(0, total))).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("is written beside others, each with its own block", () => {
    const files = ["a", "b", "c"].map((name) => new BlockFile(join(folder, name)));
    const half = BLOCK_BYTES / 2 + 1;
    for (let turn = 0; turn < 3; turn++) {
      for (const [index, file] of files.entries()) file.write(CONTENT.subarray(index, index + half));
    }
    for (const file of files) file.close();
    for (const [index, name] of ["a", "b", "c"].entries()) {
      const piece = CONTENT.subarray(index, index + half);
      expect(Buffer.compare(readFileSync(join(folder, name)), Buffer.concat([piece, piece, piece]))).toBe(0);
    }
  });

  it.runIf(existsSync("/dev/null"))("takes more than Node writes in one call", () => {
    const file = new BlockFile("/dev/null");
    // Pages that nobody touches are none.
    file.write(new Uint8Array(2 ** 31 + 7));
    file.close();
    expect(file.bytes).toBe(2 ** 31 + 7);
  });

  it("is closed once: further writes are a mistake, further ends are not", () => {
    const file = new BlockFile(path);
    file.write(CONTENT.subarray(0, 5));
    file.close();
    file.abandon();
    expect(() => file.write(CONTENT.subarray(0, BLOCK_BYTES))).toThrow(TypeError);
    expect(statSync(path).size).toBe(5);
  });
});

describe.runIf(existsSync("/dev/full") && knowsDescriptors)("where the disk is full", () => {
  it("the file is closed, and the error is the system's", () => {
    const before = descriptors();
    const file = new BlockFile("/dev/full");
    file.write(CONTENT.subarray(0, 10));
    expect(() => file.close()).toThrow(/ENOSPC/);
    const other = new BlockFile("/dev/full");
    expect(() => other.write(CONTENT.subarray(0, BLOCK_BYTES))).toThrow(/ENOSPC/);
    other.abandon();
    expect(descriptors()).toBe(before);
  });

  it("a bundle that fails leaves no file open", () => {
    const before = descriptors();
    const failed = (): unknown =>
      writeFolder(join(folder, "bundle"), (writer) => {
        writer.open("one").write(CONTENT);
        writer.open("two").write(CONTENT.subarray(0, 10));
        throw new Error("the model is wrong");
      });
    expect(failed).toThrow("the model is wrong");
    expect(descriptors()).toBe(before);
    expect(existsSync(join(folder, "bundle"))).toBe(false);
  });
});
