/** The runtime in browsers: bundles come from a web server. */
import { loadAs, type ModelClass } from "./load.js";
import type { Model } from "./model/model.js";
import type { LoadOptions } from "./model/open.js";
import { fetchedFiles } from "./web/fetched-files.js";
import { webHost } from "./web/host.js";

export * from "./exports.js";

/**
 * Loads the bundle whose `manifest.json` lies at `base`.
 *
 * @param type `Model`, or the class that the bundle's shim declares.
 * @example const model = await loadModel(Model, new URL("./tiny/", import.meta.url));
 */
export function loadModel<M extends Model>(type: ModelClass<M>, base: URL, options?: LoadOptions): Promise<M> {
  return loadAs(type, fetchedFiles(base), webHost(), options);
}
