/** `moec serve`: a page and an HTTP API for a model. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { moecError } from "../../compiler/errors/raise.js";
import { traceOf } from "../../compiler/errors/reason.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import {
  addDeviceOptions,
  addModelOptions,
  MODEL_OR_BUNDLE,
  wholeAs,
  wholeFrom,
  wholeNumber,
  within,
  type DeviceOptions,
  type ModelOptions,
} from "../options.js";
import type { TargetName } from "../project-file.js";
import type { CommandDefinition } from "../command.js";
import { deviceText, whyNotText } from "../../runtime/device-text.js";
import type { Model } from "../../runtime/node/index.js";
import type { Shell } from "../shell.js";

interface ServeOptions extends ModelOptions, DeviceOptions {
  readonly host: string;
  readonly port: number;
  readonly apiKey?: string;
  readonly allowOrigin?: readonly string[];
  readonly texts: number;
  readonly maxQueue: number;
  readonly maxBody: number;
  readonly grace: number;
}

/** Seconds that a client may take to send a body or to take an answer. */
const PATIENCE = 30;

/** Seconds of a day: timers can't be set for more than 24 of them. */
const DAY = 86_400;

export const serveCommand: CommandDefinition = (program, start) => {
  const command = program
    .command("serve")
    .summary("a page and an HTTP API for a model")
    .description(
      "Serves a model on this machine: a page that shows text and experts, and the OpenAI API's completions, chat and " +
        "embeddings. Ctrl-C, SIGTERM or SIGHUP ends what was begun, then the server.",
    )
    .argument("<model>", MODEL_OR_BUNDLE)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on; 0 takes a free one", within(0, 65535, wholeNumber), 8080)
    .option("--api-key <key>", "key that requests must carry; MOEC_API_KEY when left out")
    .option("--allow-origin <origin>", "a site whose pages may call; may be repeated", origin)
    .option("--texts <count>", "texts written at the same time", wholeAs("texts"), 4)
    .option("--max-queue <count>", "requests that may wait", wholeFrom(0), 256)
    .option("--max-body <bytes>", "largest body of a request", wholeFrom(1), 4 * 2 ** 20)
    .option("--grace <seconds>", "time for running requests when the server ends", within(0, DAY, wholeNumber), 30)
    .action((model: string, options: ServeOptions) => start("serve", options, (shell) => serve(shell, model, options)))
    .addHelpText(
      "after",
      `
Examples:
  moec serve examples/tiny-moe
  moec serve dist/tiny-moe --port 8000 --texts 8
  moec serve dist/tiny-moe --host 0.0.0.0 --api-key "$KEY"
  curl http://127.0.0.1:8080/v1/completions -d '{"prompt": "In the beginning", "max_tokens": 20}'
`,
    );
  return addDeviceOptions(addModelOptions(command));
};

function origin(text: string, before: readonly string[] = []): readonly string[] {
  if (!URL.canParse(text) || new URL(text).origin !== text) {
    throw new InvalidArgumentError("It is a scheme and a host, such as https://example.org.");
  }
  return [...before, text];
}

async function serve(shell: Shell, path: string, options: ServeOptions): Promise<ExitCode> {
  const { isLoopback } = await import("../../serve/access.js");
  const key = options.apiKey ?? shell.io.env["MOEC_API_KEY"];
  if (!isLoopback(options.host) && (key ?? "") === "") throw moecError("MOE5512", { host: options.host });
  const { loadBundle, runnableBundle } = await import("../load-bundle.js");
  const { chatTemplate } = await import("../../serve/chat.js");
  const { Metrics } = await import("../../serve/metrics.js");
  const { Served } = await import("../../serve/served.js");
  const { startServer } = await import("../../serve/server.js");
  const folder = await runnableBundle(shell, path, options);
  const model = await loadBundle(shell, folder, options, { texts: options.texts });
  const { name, tokenizer } = model.manifest;
  const template = chatTemplate(readTokenizer(folder, tokenizer), name);
  if (template.mistake !== undefined) shell.warn("MOE5525", { name, reason: template.mistake });
  const limits = { body: options.maxBody, queue: options.maxQueue, patience: PATIENCE };
  const loadOn = (device: string): Promise<Model> =>
    loadBundle(shell, folder, { ...options, device: device as TargetName }, { texts: options.texts });
  using served = new Served(model, template, new Metrics(), limits, loadOn);
  const server = await startServer(served, {
    host: options.host,
    port: options.port,
    access: { ...(key === undefined || key === "" ? {} : { key }), origins: options.allowOrigin ?? [] },
    onMistake: (error, where) => shell.note(`${where}: ${traceOf(error)}`),
  });
  const { palette } = shell;
  shell.say(`${palette.strong(model.manifest.name)} at ${palette.accent(server.url)}`);
  const turns = options.texts > 1 && model.textsTogether === 1 ? ", in turns" : "";
  shell.say(palette.dim(`  ${deviceText(model.report)}, ${options.texts} texts at the same time${turns}; Ctrl-C ends`));
  for (const why of whyNotText(model.report)) shell.say(palette.dim(`  ${why}`));
  shell.result(true, { url: server.url, model: model.manifest.name, device: model.report });
  await ended(shell.io.signal);
  shell.note("\nending: no new requests, running ones may finish");
  const broken = await server.close(options.grace);
  if (broken > 0) shell.note(`${broken} requests took longer than ${options.grace} s and were ended`);
  return EXIT.ok;
}

function readTokenizer(folder: string, file: string | undefined): unknown {
  return file === undefined ? undefined : JSON.parse(readFileSync(join(folder, file), "utf8"));
}

/** Until Ctrl-C, SIGTERM or SIGHUP. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
