/** The weights space of a plan as files. */
import type { Plan } from "../4-schedule/plan.js";
import type { BundleInput } from "./input.js";
import type { ManifestFile, ManifestShard } from "./manifest.js";
import { packWeights } from "./weights.js";
import type { BundleWriter, OpenFile } from "./writer.js";

/** Large enough that requests don't count, small enough for caches of browsers and proxies. */
const SHARD_BYTES = 64 * 2 ** 20;

/** What decides the bytes of the weights space. */
export function layoutText({ spaces, weights, buffers }: Plan): string {
  return JSON.stringify([spaces.weights, weights, buffers.filter(({ space }) => space === "weights")]);
}

/**
 * The weights space cut into files; gaps between parameters are zeros.
 *
 * @param name Of the files, before their number.
 * @param files Gets what was written.
 */
export function writeShards(
  plan: Plan,
  name: string,
  input: Pick<BundleInput, "parameters" | "onProgress">,
  writer: BundleWriter,
  files: ManifestFile[],
): readonly ManifestShard[] {
  const total = plan.spaces.weights;
  const shards: ManifestShard[] = [];
  let at = 0;
  let file: OpenFile | undefined;
  const write = (bytes: Uint8Array): void => {
    for (let from = 0; from < bytes.length;) {
      const start = Math.floor(at / SHARD_BYTES) * SHARD_BYTES;
      const path = `${name}-${shards.length}.bin`;
      file ??= writer.open(path);
      const count = Math.min(bytes.length - from, start + SHARD_BYTES - at);
      file.write(bytes.subarray(from, from + count));
      from += count;
      at += count;
      if (at === start + SHARD_BYTES || at === total) {
        files.push(file.close());
        file = undefined;
        shards.push({ file: path, offset: start, bytes: at - start });
      }
    }
  };
  const fillTo = (offset: number): void => {
    const zeros = new Uint8Array(Math.min(65536, Math.max(0, offset - at)));
    while (at < offset) write(zeros.subarray(0, Math.min(zeros.length, offset - at)));
  };
  for (const { offset, bytes } of packWeights(plan, input.parameters)) {
    fillTo(offset);
    write(bytes);
    input.onProgress?.(at, total);
  }
  fillTo(total);
  return shards;
}
