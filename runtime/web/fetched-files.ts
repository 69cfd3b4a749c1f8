/** A bundle on a web server. */
import { moecError } from "../../compiler/errors/raise.js";
import type { BundleFiles } from "../host.js";

/** The files of the bundle whose `manifest.json` lies at `base` (a URL that ends in a slash). */
export function fetchedFiles(base: URL): BundleFiles {
  const open = async (path: string): Promise<Response> => {
    const response = await fetch(new URL(path, base)).catch(() => undefined);
    if (!response?.ok) throw moecError("MOE5304", { file: path }, { file: base.href });
    return response;
  };
  return {
    location: base.href,
    read: async (path) => new Uint8Array(await (await open(path)).arrayBuffer()),
    readInto: async (path, target, onBytes) => {
      const bytes = await collect(await open(path), onBytes);
      if (bytes.length !== target.length) {
        const sizes = { file: path, found: bytes.length, expected: target.length };
        throw moecError("MOE5305", sizes, { file: base.href });
      }
      target.set(bytes);
      return digest(bytes);
    },
    sha256: digest,
  };
}

async function collect(response: Response, onBytes?: (count: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  if (!response.body || !onBytes) return new Uint8Array(await response.arrayBuffer());
  const pieces: Uint8Array[] = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    onBytes(value.length);
  }
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
