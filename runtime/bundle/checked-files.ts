/** Files of a bundle, compared with what the manifest says of them. */
import type { Manifest, ManifestFile } from "../../compiler/6-bundle/manifest.js";
import { moecError } from "../../compiler/errors/raise.js";
import type { BundleFiles } from "../host.js";

/** @throws MoecError MOE5304 to MOE5306 */
export async function checkedText(files: BundleFiles, manifest: Manifest, path: string): Promise<string> {
  return new TextDecoder().decode(await checkedBytes(files, manifest, path));
}

/** @throws MoecError MOE5304 to MOE5306 */
export async function checkedBytes(files: BundleFiles, manifest: Manifest, path: string): Promise<Uint8Array> {
  const expected = listed(manifest, path);
  const bytes = await files.read(path, expected.bytes);
  if (bytes.length !== expected.bytes) {
    throw moecError("MOE5305", { file: path, found: bytes.length, expected: expected.bytes }, { file: files.location });
  }
  if ((await files.sha256(bytes)) !== expected.sha256) {
    throw moecError("MOE5306", { file: path }, { file: files.location });
  }
  return bytes;
}

/** The manifest reader has checked that every file in use is listed. */
export function listed(manifest: Manifest, path: string): ManifestFile {
  return manifest.files.find((file) => file.path === path)!;
}
