/** A bundle on a web server. */
import { moecError } from "../../compiler/errors/raise.js";
import type { BundleFiles } from "../host.js";

/**
 * The files of the bundle whose `manifest.json` lies at `base` (a URL that ends in a slash).
 *
 * @param moved URLs of files that lie elsewhere, by their paths in the bundle: bundlers rename what they copy.
 */
export function fetchedFiles(base: URL, moved: Readonly<Record<string, string>> = {}): BundleFiles {
  const open = async (path: string): Promise<Response> => {
    const url = Object.hasOwn(moved, path) ? new URL(moved[path]!, base) : new URL(path, base);
    const response = await fetch(url).catch(() => undefined);
    if (!response?.ok) throw moecError("MOE5304", { file: path }, { file: base.href });
    return response;
  };
  return {
    location: base.href,
    read: async (path) => new Uint8Array(await (await open(path)).arrayBuffer()),
    readInto: async (path, target, onBytes) => {
      const found = await receive(await open(path), target, onBytes);
      if (found !== target.length) {
        throw moecError("MOE5305", { file: path, found, expected: target.length }, { file: base.href });
      }
      return digest(target);
    },
    sha256: digest,
  };
}

/** Writes what comes to where it belongs and gives how many bytes came; stops at the first that is too many. */
async function receive(
  response: Response,
  target: Uint8Array,
  onBytes: (count: number) => void = () => undefined,
): Promise<number> {
  if (!response.body) return 0;
  const reader = response.body.getReader();
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return at;
    if (at + value.length > target.length) {
      await reader.cancel();
      return at + value.length;
    }
    target.set(value, at);
    at += value.length;
    onBytes(value.length);
  }
}

/** SHA-256 in hexadecimal digits. @throws MoecError MOE4302 where browsers compute none. */
export async function digest(bytes: Uint8Array): Promise<string> {
  // Node types say that it is always there.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle)
    throw moecError("MOE4302", { origin: (globalThis as { readonly origin?: string }).origin ?? "this page" });
  // Shared memory is refused, so it is copied.
  const own = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
  const hash = new Uint8Array(await subtle.digest("SHA-256", own));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
