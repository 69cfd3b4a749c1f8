/** A bundle on a web server. */
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { BundleFiles } from "../host.js";

/** Answers that a file is not there, and has gone. */
const NOT_THERE: ReadonlySet<number> = new Set([404, 410]);

/**
 * The files of the bundle whose `manifest.json` lies at `base` (a URL that ends in a slash).
 *
 * @param moved URLs of files that lie elsewhere, by their paths in the bundle: bundlers rename what they copy.
 */
export function fetchedFiles(base: URL, moved: Readonly<Record<string, string>> = {}): BundleFiles {
  const open = async (path: string): Promise<Response> => {
    const url = Object.hasOwn(moved, path) ? new URL(moved[path]!, base) : new URL(path, base);
    const response = await fetch(url).catch((error: unknown) => {
      throw moecError("MOE4304", { url: url.href, reason: `no answer came (${reasonOf(error)})` });
    });
    if (NOT_THERE.has(response.status)) throw moecError("MOE5304", { file: path }, { file: base.href });
    if (!response.ok) throw moecError("MOE4304", { url: url.href, reason: `the server answered ${response.status}` });
    return response;
  };
  const otherSize = (path: string, found: number, expected: number): Error =>
    moecError("MOE5305", { file: path, found, expected }, { file: base.href });
  return {
    location: base.href,
    read: async (path, most = Infinity) => {
      const response = await open(path);
      // What a server says of the length may be wrong, and tells of the packed one when it packs.
      const said = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
      if (said > most) {
        await response.body?.cancel();
        throw otherSize(path, said, most);
      }
      const pieces: Uint8Array[] = [];
      const found = await receive(response, most, (piece) => void pieces.push(piece));
      if (found > most) throw otherSize(path, found, most);
      return joined(pieces, found);
    },
    readInto: async (path, target, onBytes) => {
      const found = await receive(await open(path), target.length, (piece, at) => {
        target.set(piece, at);
        onBytes?.(piece.length);
      });
      if (found !== target.length) throw otherSize(path, found, target.length);
      return digest(target);
    },
    sha256: digest,
  };
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * Hands on what comes, with its place, and gives how many bytes came: all of them, or those until the connection broke.
 * Stops at the first that is too many.
 */
async function receive(
  response: Response,
  most: number,
  take: (piece: Uint8Array, at: number) => void,
): Promise<number> {
  if (!response.body) return 0;
  const reader = response.body.getReader();
  for (let at = 0; ;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
    if (done) return at;
    if (at + value.length > most) {
      await reader.cancel();
      return at + value.length;
    }
    take(value, at);
    at += value.length;
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
