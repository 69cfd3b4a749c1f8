/** What commands that run a model do first: have its bundle, then load it on a device. */
import { MoecError } from "../compiler/errors/moec-error.js";
import { moecError } from "../compiler/errors/raise.js";
import { loadModel, Model, type LoadOptions } from "../runtime/node/index.js";
import type { DeviceOptions, ModelOptions } from "./options.js";
import type { Project } from "./project.js";
import type { Shell } from "./shell.js";
import { named } from "./source-host.js";

/**
 * The folder of the bundle that `path` names; a project or checkpoint is compiled into one when it is not there yet.
 *
 * @throws MoecError MOE5313 when a tokenizer is needed and the project has none, before anything is compiled.
 */
export async function runnableBundle(
  shell: Shell,
  path: string,
  options: ModelOptions & DeviceOptions,
  needs: { readonly tokenizer?: boolean } = {},
): Promise<string> {
  const { openRunnable } = await import("./runnable.js");
  const opened = await openRunnable(shell, path, options);
  if (opened.kind === "bundle") return opened.folder;
  const { cachedBundle } = await import("./cached-bundle.js");
  const { folder, made } = await cachedBundle(shell, opened, async () => {
    if (needs.tokenizer === true) await requireTokenizer(shell, opened);
  });
  if (made) {
    const { bundleSummary } = await import("./show/bundle-summary.js");
    for (const line of bundleSummary(made, named(shell.io.cwd, folder), shell.notePalette)) shell.note(line);
    shell.note("");
  }
  return folder;
}

/** What loading the bundle would say later, packed weights and all. */
async function requireTokenizer(shell: Shell, project: Project): Promise<void> {
  const { tokenizerText } = await import("./tokenizer-files.js");
  const { openCheckpointFiles } = await import("./checkpoint-files.js");
  const opened = project.weights.length > 0 ? openCheckpointFiles(project.weights) : undefined;
  // Why the checkpoint's own can't be used; another one may stand in its place.
  let refused: MoecError | undefined;
  try {
    if (tokenizerText(project.tokenizer, opened?.checkpoint) !== undefined) return;
  } catch (error) {
    if (project.tokenizer !== undefined || !(error instanceof MoecError)) throw error;
    refused = error;
  } finally {
    opened?.close();
  }
  // Neither the project file nor the checkpoint has one: the spec may name it.
  const { buildModel, checkSpec } = await import("./compile.js");
  const { runSettings } = await import("./spec-settings.js");
  const settings = runSettings(buildModel(checkSpec(shell, project.spec), project), project);
  if (tokenizerText(settings.tokenizer, undefined) !== undefined) return;
  if (refused) throw refused;
  const help =
    "Where there is a tokenizer.json, `tokenizer: path/to/tokenizer.json` in moec.yaml names it. " +
    "Every folder of `moec new` has one of bytes, for models of 256 tokens.";
  throw moecError("MOE5313", {}, undefined, help);
}

/** Loads a bundle as the options say, with progress; Ctrl-C ends it. */
export async function loadBundle(
  shell: Shell,
  folder: string,
  { threads, device, verify }: DeviceOptions,
  more: Pick<LoadOptions, "texts"> = {},
): Promise<Model> {
  const model = await loadModel(Model, folder, {
    ...more,
    ...(threads === undefined ? {} : { threads }),
    ...(device === undefined ? {} : { device }),
    ...(verify === undefined ? {} : { verify }),
    onProgress: ({ loaded, total }) => shell.progress.update("loading weights", loaded / total),
    signal: shell.io.signal,
  });
  shell.progress.clear();
  return model;
}
