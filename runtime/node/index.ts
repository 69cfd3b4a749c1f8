/** The runtime in Node: bundles are folders on disk, or come from a web server. */
import { fileURLToPath } from "node:url";
import { loadAs, type ModelClass } from "../load.js";
import type { Model } from "../model/model.js";
import type { OpenOptions } from "../model/open.js";
import { fetchedFiles } from "../web/fetched-files.js";
import { folderFiles } from "./folder-files.js";
import { nodeHost } from "./host.js";

export * from "../exports.js";
export { Model } from "../model/model.js";
export type { OpenOptions as LoadOptions } from "../model/open.js";
export type { ModelClass } from "../load.js";

/**
 * Loads the bundle in the folder `base`: a path, or a URL of protocol file, http or https that ends in a slash.
 *
 * @param type `Model`, or the class that the bundle's shim declares.
 * @example const model = await loadModel(Model, "dist/tiny-moe");
 */
export function loadModel<M extends Model>(type: ModelClass<M>, base: URL | string, options?: OpenOptions): Promise<M> {
  const files =
    typeof base === "string"
      ? folderFiles(base)
      : base.protocol === "file:"
        ? folderFiles(fileURLToPath(base))
        : fetchedFiles(base);
  return loadAs(type, files, nodeHost(), options);
}
