/** What a bundle's `index.js` calls. */
import type { BundleFiles, Host } from "./host.js";
import type { Model } from "./model/model.js";
import { type ModelParts } from "./model/model.js";
import { openModel, type OpenOptions } from "./model/open.js";

/** A class of models: `Model` itself, or the typed one that a bundle's shim declares. */
export type ModelClass<M extends Model> = new (parts: ModelParts) => M;

/** Opens a bundle as an instance of `type`, with its states initialized. */
export async function loadAs<M extends Model>(
  type: ModelClass<M>,
  files: BundleFiles,
  host: Host,
  options: OpenOptions = {},
): Promise<M> {
  const model = new type(await openModel(files, host, options));
  await model.reset();
  return model;
}
