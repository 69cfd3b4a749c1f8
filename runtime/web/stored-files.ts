/**
 * Weights kept in the browser's cache storage, so that a second visit loads nothing: each shard under its hash, checked
 * again whenever it is read. Shards of an older build of the same bundle are removed.
 */
import type { BundleFiles } from "../host.js";
import { digest } from "./fetched-files.js";

const STORE = "moec-weights";

/** What of the Cache API is used; tests give their own. */
export interface Store {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
  delete(url: string): Promise<boolean>;
  keys(): Promise<readonly { readonly url: string }[]>;
}

export type StoredFiles = BundleFiles & {
  /** What happened so far, in words. */
  storage(): string;
};

async function openStore(): Promise<Store | undefined> {
  // There is none on pages that are not secure, and some browsers refuse it in private windows.
  const storage = (globalThis as { readonly caches?: CacheStorage }).caches;
  return storage?.open(STORE).catch(() => undefined);
}

/** `files` with their shards kept in the browser. */
export function storedFiles(
  files: BundleFiles,
  base: string,
  open: () => Promise<Store | undefined> = openStore,
): StoredFiles {
  let store: Promise<Store | undefined> | undefined;
  let found = 0;
  let fetched = 0;
  let refused = 0;
  const place = (path: string, hash: string): string => new URL(`${path}?sha256=${hash}`, base).href;
  return {
    ...files,
    async readInto(path, target, onBytes, sha256) {
      const kept = await (store ??= open());
      if (!kept || sha256 === undefined) {
        fetched++;
        refused++;
        return files.readInto(path, target, onBytes, sha256);
      }
      const url = place(path, sha256);
      if (await takeKept(kept, url, target, sha256)) {
        found++;
        onBytes?.(target.length);
        return sha256;
      }
      const hash = await files.readInto(path, target, onBytes, sha256);
      fetched++;
      if (hash === sha256 && !(await keep(kept, url, target))) refused++;
      return hash;
    },
    storage() {
      const parts = [`${found} of ${found + fetched} weight files from this browser's storage`];
      if (refused > 0) parts.push(`${refused} not kept, since the browser gives no room`);
      return parts.join(", ");
    },
  };
}

/** Fills the target from the store; false when it is not there or not what it was. */
async function takeKept(store: Store, url: string, target: Uint8Array, sha256: string): Promise<boolean> {
  const response = await store.match(url);
  if (!response) return false;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length === target.length && (await digest(bytes)) === sha256) {
    target.set(bytes);
    return true;
  }
  await store.delete(url);
  return false;
}

/** Keeps a shard in the place of an older build's; false when there is no room. */
async function keep(store: Store, url: string, bytes: Uint8Array): Promise<boolean> {
  const withoutHash = (text: string): string => text.slice(0, text.indexOf("?"));
  for (const { url: old } of await store.keys()) {
    if (withoutHash(old) === withoutHash(url)) await store.delete(old);
  }
  try {
    await store.put(url, new Response(new Uint8Array(bytes)));
    return true;
  } catch {
    return false;
  }
}
