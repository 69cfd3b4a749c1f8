/** Loading a bundle in a page: a worker is started, and the model is what talks to it. */
import { moecError } from "../../compiler/errors/raise.js";
import { reasonOf } from "../../compiler/errors/reason.js";
import type { OpenOptions } from "../model/open.js";
import { Connection } from "./connection.js";
import type { Model, RemoteParts } from "./model.js";
import type { Loaded, RemoteBundle } from "./protocol.js";

/** A class of models: `Model` itself, or the typed one that a bundle's shim declares. */
export type ModelClass<M extends Model> = new (parts: RemoteParts) => M;

export interface LoadOptions extends OpenOptions {
  /** `auto` (default) keeps weights in the browser for the next visit where it can; `none` loads them anew each time. */
  readonly storage?: "auto" | "none";
}

/**
 * Loads the bundle whose `manifest.json` lies at `base`, in a worker.
 *
 * @param type `Model`, or the class that the bundle's shim declares.
 * @param moved URLs of the bundle's files where a bundler has moved them, by path.
 * @example const model = await loadModel(Model, new URL("./tiny/", location.href));
 * @throws MoecError MOE4301 when the page can't have workers, and everything that loading in Node throws.
 */
export function loadModel<M extends Model>(
  type: ModelClass<M>,
  base: URL | string,
  options: LoadOptions = {},
  moved: Readonly<Record<string, URL | string>> = {},
): Promise<M> {
  const folder = new URL(base, globalThis.location?.href);
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  const bundle = {
    base: folder.href,
    moved: Object.fromEntries(Object.entries(moved).map(([path, url]) => [path, String(url)])),
    keep: options.storage !== "none",
  };
  return connectModel(type, startWorker(), bundle, options);
}

/** Loads a bundle over a connection whose other side is `serveModel`. */
export async function connectModel<M extends Model>(
  type: ModelClass<M>,
  connection: Connection,
  bundle: RemoteBundle,
  // The rest says how the worker opens the device.
  { onProgress, signal, storage: _storage, ...options }: LoadOptions,
): Promise<M> {
  connection.onProgress = onProgress;
  try {
    const loaded = await connection.askInTask<Loaded>(signal, (task) => ({ kind: "load", task, bundle, options }));
    return new type({ connection, loaded });
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    connection.onProgress = undefined;
  }
}

function startWorker(): Connection {
  let worker: Worker;
  try {
    // Bundlers know this form and bring the worker along.
    worker = new Worker(new URL("./runtime-worker.js", import.meta.url), { type: "module" });
  } catch (error) {
    throw moecError("MOE4301", { reason: reasonOf(error) });
  }
  const connection = new Connection(worker, () => worker.terminate());
  worker.addEventListener("error", ({ message }) => {
    const reason = typeof message === "string" && message !== "" ? message : "its script can't be loaded";
    connection.fail(moecError("MOE4301", { reason }));
  });
  return connection;
}
