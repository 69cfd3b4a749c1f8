/** A server with the example model for tests, on a free port. */
import { readFileSync } from "node:fs";
import { chatTemplate } from "../../serve/chat.js";
import { Metrics } from "../../serve/metrics.js";
import { Served, type LoadOn, type ServeLimits } from "../../serve/served.js";
import { startServer, type RunningServer, type ServerOptions } from "../../serve/server.js";
import type { Model } from "../../runtime/node/index.js";
import { folder, tinyModel } from "../real/tiny-moe.js";

export interface TestServer {
  readonly server: RunningServer;
  readonly served: Served;
  readonly model: Model;
  /** Mistakes inside that were logged. */
  readonly mistakes: unknown[];
}

export async function exampleModel(texts: number): Promise<Model> {
  return tinyModel({ storage: "f16", texts });
}

export async function serveModel(
  model: Model,
  limits: Partial<ServeLimits> = {},
  options: Partial<ServerOptions> = {},
  loadOn?: LoadOn,
  config?: string,
): Promise<TestServer> {
  const file = { tokenizer: readFileSync(`${folder}tokenizer.json`, "utf8"), ...(config ? { config } : {}) };
  const template = chatTemplate(file, model.manifest.name);
  const served = new Served(model, template, new Metrics(), { body: 65536, queue: 16, patience: 5, ...limits }, loadOn);
  const mistakes: unknown[] = [];
  const server = await startServer(served, {
    host: "127.0.0.1",
    port: 0,
    access: { origins: [] },
    onMistake: (error) => mistakes.push(error),
    ...options,
  });
  return { server, served, model, mistakes };
}
