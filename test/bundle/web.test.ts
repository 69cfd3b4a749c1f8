/** The same damage read over HTTP by the readers of a page, and what only a server can do. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadAs } from "../../runtime/load.js";
import { Model } from "../../runtime/model/model.js";
import { nodeHost } from "../../runtime/node/host.js";
import { fetchedFiles } from "../../runtime/web/fetched-files.js";
import { storedFiles, type Store } from "../../runtime/web/stored-files.js";
import type { MemoryFiles } from "../support/memory-bundle.js";
import { copy, damages, weighty } from "./damages.js";

let files: MemoryFiles = copy();
let asked: string[] = [];
/** Answers of a server that misbehaves, by path. */
let tricks: Readonly<Record<string, (response: ServerResponse, bytes: Uint8Array) => void>> = {};

const server = createServer((request, response) => {
  const path = new URL(request.url!, "http://x").pathname.slice(1);
  asked.push(path);
  const bytes = files.get(path);
  const trick = tricks[path];
  if (trick) trick(response, bytes ?? new Uint8Array());
  else if (bytes) response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  else response.writeHead(404).end();
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The readers of a page: from the network alone, and through the browser's storage, which is empty. */
const readers = ["fetched", "stored"] as const;

const emptyStore: Store = {
  match: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(false),
  keys: () => Promise.resolve([]),
};

function load(now: MemoryFiles, reader: (typeof readers)[number], tricky: typeof tricks = {}): Promise<Model> {
  [files, asked, tricks] = [now, [], tricky];
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const fetched = fetchedFiles(base);
  const kept = storedFiles(fetched, base.href, () => Promise.resolve(emptyStore));
  return loadAs(Model, reader === "fetched" ? fetched : kept, nodeHost(), { threads: 1 });
}
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe.each(readers)("a damaged bundle, %s", (reader) => {
  it("loads when it is whole", async () => {
    (await load(copy(), reader)).dispose();
  });

  it.each(weighty)("is refused when %s is missing, cut off, or changed", async (path) => {
    const missing = copy();
    missing.delete(path);
    await expect(load(missing, reader)).rejects.toThrow(code("MOE5304"));
    const short = copy();
    short.set(path, short.get(path)!.slice(0, -1));
    await expect(load(short, reader)).rejects.toThrow(code("MOE5305"));
    const other = copy();
    other.get(path)![5]! ^= 1;
    await expect(load(other, reader)).rejects.toThrow(code("MOE5306"));
  });

  it.each(damages)("is refused for %s (%s), before its weights are asked for", async (_, expected, make) => {
    await expect(load(make(), reader)).rejects.toThrow(code(expected));
    expect(asked.filter((path) => path.startsWith("weights"))).toEqual([]);
    // Nothing outside of the folder was asked for, and nothing from elsewhere.
    for (const path of asked) expect(path).toMatch(/^[\w.-]+$/);
  });

  /** Sends until nobody listens any more, and says how much that was. */
  const endless = (sent: { bytes: number }) => (response: ServerResponse) => {
    const piece = new Uint8Array(2 ** 16);
    const send = (): void => {
      while (!response.destroyed) {
        sent.bytes += piece.length;
        if (!response.write(piece)) {
          response.once("drain", send);
          return;
        }
      }
    };
    response.writeHead(200);
    send();
  };

  it.each([
    ["manifest.json", "MOE5301", 2 ** 26],
    ["plan.json", "MOE5305", 2 ** 24],
    ["weights-0.bin", "MOE5305", 2 ** 24],
  ])("stops reading %s when it has no end (%s)", async (path, expected, most) => {
    const sent = { bytes: 0 };
    await expect(load(copy(), reader, { [path]: endless(sent) })).rejects.toThrow(code(expected));
    // What lies in buffers on the way, besides what may be read.
    expect(sent.bytes).toBeLessThan(most);
  });

  it.each(["plan.json", "weights-0.bin"])("says so when the connection breaks in %s", async (path) => {
    const breaking = (response: ServerResponse, bytes: Uint8Array): void => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
    };
    await expect(load(copy(), reader, { [path]: breaking })).rejects.toThrow(code("MOE5305"));
  });

  it.each(["manifest.json", "plan.json", "weights-0.bin"])(
    "tells a server that does not answer for %s from a file that is not there",
    async (path) => {
      const busy = (response: ServerResponse): void => void response.writeHead(503).end();
      await expect(load(copy(), reader, { [path]: busy })).rejects.toThrow(/the server answered 503/);
      const silent = (response: ServerResponse): void => void response.destroy();
      await expect(load(copy(), reader, { [path]: silent })).rejects.toThrow(code("MOE4304"));
    },
  );

  it("believes no length that a server says", async () => {
    const lying = (response: ServerResponse, bytes: Uint8Array): void => {
      response.writeHead(200, { "content-length": 2 ** 50 });
      response.write(bytes);
    };
    await expect(load(copy(), reader, { "plan.json": lying })).rejects.toThrow(code("MOE5305"));
  });
});
