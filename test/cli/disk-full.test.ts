/** What the system says while an open file is written has no path: commands still say which file it was. */
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { report } from "../../cli/failures.js";
import { Shell } from "../../cli/shell.js";
import { writeFolder } from "../../cli/write-folder.js";
import { replaceFiles, replaceFilesInTurns } from "../../runtime/node/replace-files.js";
import { silentIo } from "./io.js";

const folder = mkdtempSync(join(tmpdir(), "moec-full-"));
const out = join(folder, "out");
afterAll(() => rmSync(folder, { recursive: true }));

/** A device of Linux on which nothing has room. */
const FULL = "/dev/full";
function writeNowhere(): void {
  const descriptor = openSync(FULL, "w");
  try {
    writeSync(descriptor, new Uint8Array(8));
  } finally {
    closeSync(descriptor);
  }
}

describe.runIf(existsSync(FULL))("a full disk", () => {
  it.each([
    ["files", () => replaceFiles([out], writeNowhere)],
    ["files in turns", () => replaceFilesInTurns([out], () => Promise.resolve().then(writeNowhere))],
    ["folders", () => writeFolder(out, writeNowhere)],
  ])("is MOE5460 with the place, for %s", async (_, write) => {
    const error: unknown = await Promise.resolve()
      .then(write)
      .then(
        () => undefined,
        (cause: unknown) => cause,
      );
    const said: string[] = [];
    const io = { ...silentIo({ cwd: folder }), out: (text: string) => void said.push(text) };
    expect(report(new Shell(io, "build", { json: true }), error)).toBe(3);
    const { error: coded } = JSON.parse(said.join("")) as { error: { code: string; message: string } };
    expect(coded).toMatchObject({ code: "MOE5460", message: "can't use `out`: the disk is full" });
    expect(readdirSync(folder)).toEqual([]);
  });
});
