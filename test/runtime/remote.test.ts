/** The model behind a line of messages, as a page has it: the same answers as without, aborts, errors, kept weights. */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { methodName } from "../../compiler/6-bundle/shim.js";
import { MoecError } from "../../compiler/errors/moec-error.js";
import type { BundleFiles } from "../../runtime/host.js";
import { loadAs } from "../../runtime/load.js";
import { Model as LocalModel } from "../../runtime/model/model.js";
import { nodeHost } from "../../runtime/node/host.js";
import { Connection } from "../../runtime/web/connection.js";
import { digest } from "../../runtime/web/fetched-files.js";
import { serveModel } from "../../runtime/web/inference.js";
import { connectModel, type LoadOptions } from "../../runtime/web/load.js";
import { Model } from "../../runtime/web/model.js";
import { storedFiles, type Store } from "../../runtime/web/stored-files.js";
import { memoryFiles } from "../support/memory-bundle.js";
import { toyFiles } from "./toy-bundle.js";

const files = toyFiles();
const bundle = { base: "http://localhost/toy/", moved: {}, keep: false };
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

function load(options: LoadOptions = {}, from: BundleFiles = memoryFiles(files)): Promise<Model> {
  const { port1, port2 } = new MessageChannel();
  serveModel(port2, nodeHost(), () => from);
  for (const port of [port1, port2]) port.start();
  const close = (): void => setTimeout(() => port1.close(), 0) as unknown as void;
  return connectModel(Model, new Connection(port1, close), bundle, { threads: 1, ...options });
}

let remote: Model;
let local: LocalModel;
beforeAll(async () => {
  remote = await load();
  local = await loadAs(LocalModel, memoryFiles(files), nodeHost(), { threads: 1 });
});
afterAll(() => {
  remote.dispose();
  local.dispose();
});

async function piecesOf(text: AsyncIterable<string>): Promise<readonly string[]> {
  const pieces: string[] = [];
  for await (const piece of text) pieces.push(piece);
  return pieces;
}

describe("a model in a worker", () => {
  it("has the names and types of the model in Node", () => {
    type Public<M> = { readonly [K in keyof M]: M[K] };
    expectTypeOf<Public<Model>>().toEqualTypeOf<Public<LocalModel>>();
  });

  it.each([
    ["in Node", (): Model | LocalModel => local],
    ["on a page", (): Model | LocalModel => remote],
  ])("keeps its members %s from entries of the same name", (_, model) => {
    const members = [model(), Object.getPrototypeOf(model()) as object].flatMap(Object.getOwnPropertyNames);
    expect(members).toContain("generate");
    for (const name of members) expect(methodName(name), name).not.toBe(name);
  });

  it("answers as the model in Node does", async () => {
    const inputs = { tokens: [1, 4, 2] };
    expect(await remote.call("forward", inputs, { trace: true })).toEqual(
      await local.call("forward", inputs, { trace: true }),
    );
    expect(remote.tokens).toEqual(local.tokens);
    expect(await remote.read([1, 4, 2], { trace: true })).toEqual(await local.read([1, 4, 2], { trace: true }));
    expect(await remote.extend("forward", { tokens: [5] })).toEqual(await local.extend("forward", { tokens: [5] }));
    expect(remote.tokens).toEqual([1, 4, 2, 5]);
    const saved = await remote.save();
    expect(saved).toEqual(await local.save());
    await remote.reset();
    expect(remote.tokens).toEqual([]);
    await remote.restore(saved);
    expect(remote.tokens).toEqual(saved.tokens);
    expect(remote.manifest).toEqual(local.manifest);
    expect(remote.tokenizer.encode("ABC")).toEqual(local.tokenizer.encode("ABC"));
  });

  it("writes the same pieces and tells the same steps", async () => {
    const write = async (model: Model | LocalModel): Promise<unknown> => {
      const steps: unknown[] = [];
      await model.reset();
      const pieces = await piecesOf(
        model.generate("AB", { temperature: 0, maxTokens: 8, onStep: (s) => steps.push(s) }),
      );
      return { pieces, steps, tokens: model.tokens };
    };
    expect(await write(remote)).toEqual(await write(local));
  });

  it("stops when nobody asks for more", async () => {
    for await (const piece of remote.generate("AB", { temperature: 0 })) {
      expect(piece).not.toBe("");
      break;
    }
    expect(await piecesOf(remote.generate("AB", { temperature: 0, maxTokens: 1 }))).toHaveLength(1);
  });

  it("aborts with the signal's reason and can go on", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const written = remote.generate("AB", { temperature: 0, signal: controller.signal });
    await written.next();
    controller.abort(reason);
    await expect(piecesOf(written)).rejects.toBe(reason);
    await expect(remote.call("forward", { tokens: [1] }, { signal: controller.signal })).rejects.toBe(reason);
    expect((await remote.call("forward", { tokens: [1] })).outputs["logits"]!.axes[0]!.size).toBe(1);
  });

  it("brings errors with their codes", async () => {
    await expect(remote.call("backward", {})).rejects.toEqual(code("MOE5322"));
    await expect(remote.call("backward", {})).rejects.toBeInstanceOf(MoecError);
    await expect(piecesOf(remote.generate("AB", { maxTokens: -1 }))).rejects.toEqual(code("MOE5323"));
    await expect(load({ threads: 0.5 })).rejects.toEqual(code("MOE5323"));
  });

  it("holds as many texts as were asked for", async () => {
    using model = await load({ texts: 2 });
    expect(model.textCount).toBe(2);
    // The plan of this test has no entry for several texts.
    expect(model.textsTogether).toBe(1);
    expect(model.longest).toBe(local.longest);
    await model.call("forward", { tokens: [1, 4] }, { text: 1 });
    expect([model.tokensOf(0), model.tokensOf(1)]).toEqual([[], [1, 4]]);
    await expect(load({ texts: 0 })).rejects.toEqual(code("MOE5323"));
  });

  it("says so when it was disposed of", async () => {
    const model = await load();
    const open = model.call("forward", { tokens: [1] });
    model.dispose();
    model.dispose();
    await expect(open).rejects.toEqual(code("MOE5324"));
    await expect(model.reset()).rejects.toEqual(code("MOE5324"));
  });

  it("refuses weights beyond one memory before kernels or weights are fetched", async () => {
    const text = (path: string): string => new TextDecoder().decode(files.get(path));
    const weights = 5 * 2 ** 30;
    const large = new Map(files);
    const plan = text("plan.json").replace(/"spaces":\{"weights":\d+/, `"spaces":{"weights":${weights}`);
    large.set("plan.json", new TextEncoder().encode(plan));
    const manifest = JSON.parse(text("manifest.json")) as {
      memory: object;
      files: { path: string; bytes: number; sha256: string }[];
      shards: object[];
    };
    manifest.memory = { ...manifest.memory, weights };
    manifest.shards = [{ file: "weights-0.bin", offset: 0, bytes: weights }];
    manifest.files = await Promise.all(
      manifest.files.map(async (file) => {
        if (file.path === "weights-0.bin") return { ...file, bytes: weights };
        const bytes = large.get(file.path)!;
        return { path: file.path, bytes: bytes.length, sha256: await digest(bytes) };
      }),
    );
    large.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
    const source = memoryFiles(large);
    const asked: string[] = [];
    const watched: BundleFiles = {
      ...source,
      read: (path) => {
        asked.push(path);
        return source.read(path);
      },
      readInto: () => Promise.reject(new Error("weights were fetched")),
    };
    await expect(load({}, watched)).rejects.toEqual(code("MOE5310"));
    expect(asked).toEqual(["manifest.json", "plan.json"]);
  });
});

describe("kept weights", () => {
  const contents = new Map<string, Uint8Array>();
  const store: Store = {
    match: (url) => Promise.resolve(contents.has(url) ? new Response(contents.get(url)!.slice()) : undefined),
    put: async (url, response) => void contents.set(url, new Uint8Array(await response.arrayBuffer())),
    delete: (url) => Promise.resolve(contents.delete(url)),
    keys: () => Promise.resolve([...contents.keys()].map((url) => ({ url }))),
  };
  const shard = files.get("weights-0.bin")!;
  const visit = async (open: () => Promise<Store | undefined>): Promise<string> => {
    const kept = storedFiles(memoryFiles(files), bundle.base, open);
    const target = new Uint8Array(shard.length);
    const sha256 = await digest(shard);
    expect(await kept.readInto("weights-0.bin", target, undefined, sha256)).toBe(sha256);
    expect(target).toEqual(shard);
    return kept.storage();
  };
  const opened = (): Promise<Store> => Promise.resolve(store);

  it("are not fetched a second time, and not believed when they have changed", async () => {
    expect(await visit(opened)).toMatch(/^0 of 1 /);
    expect(await visit(opened)).toMatch(/^1 of 1 /);
    const [url] = contents.keys();
    contents.get(url!)![0]! ^= 1;
    expect(await visit(opened)).toMatch(/^0 of 1 /);
    expect(await visit(opened)).toMatch(/^1 of 1 /);
    contents.set(url!.replace(/=.*/, "=0"), new Uint8Array(1));
    contents.delete(url!);
    await visit(opened);
    expect([...contents.keys()]).toEqual([url]);
  });

  it("are said not to be kept where there is no room", async () => {
    expect(await visit(() => Promise.resolve(undefined))).toMatch(/1 not kept/);
    const full: Store = {
      ...store,
      match: () => Promise.resolve(undefined),
      put: () => Promise.reject(new Error("full")),
    };
    expect(await visit(() => Promise.resolve(full))).toMatch(/1 not kept/);
  });
});
