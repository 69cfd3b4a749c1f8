/** The server: routes, access, counts, and an end that finishes what it has begun. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MoecError } from "../compiler/errors/moec-error.js";
import { moecError } from "../compiler/errors/raise.js";
import { checkAccess, type AccessRules } from "./access.js";
import { chatCompletions, completions } from "./api/completions.js";
import { changeDevice } from "./api/device.js";
import { embeddings } from "./api/embeddings.js";
import { describeModel, writeTraced } from "./api/page.js";
import { failureOf } from "./failures.js";
import { readBody, send, sendJson } from "./http.js";
import { PAGE_HEADERS, pageFiles, type PageFile } from "./page-files.js";
import type { Exchange, Served } from "./served.js";

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly access: AccessRules;
  /** Told of mistakes inside, with what belongs in a log and not in an answer. */
  readonly onMistake?: (error: unknown, path: string) => void;
}

export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /**
   * Takes no more requests, lets those that run end for `graceSeconds`, then ends them.
   *
   * @returns how many had to be ended.
   */
  close(graceSeconds: number): Promise<number>;
}

type Handler = (served: Served, exchange: Exchange) => Promise<void> | void;

const ROUTES: Readonly<Record<string, Handler>> = {
  "POST /v1/completions": completions,
  "POST /v1/chat/completions": chatCompletions,
  "POST /v1/embeddings": embeddings,
  "POST /moec/write": writeTraced,
  "POST /moec/device": changeDevice,
  "GET /moec/model": describeModel,
  "GET /v1/models": listModels,
  "GET /health": (_, { response }) => sendJson(response, 200, { status: "ok" }),
  "GET /metrics": metrics,
};

/** The name of a model behind it. */
const ONE_MODEL = "/v1/models/";

/** Routes that say nothing about the model; probes have no key. */
const OPEN = new Set(["GET /health"]);

/** @throws MoecError MOE5511 when the address can't be had. */
export async function startServer(served: Served, options: ServerOptions): Promise<RunningServer> {
  const files = pageFiles();
  const open = new Map<ServerResponse, (reason: unknown) => void>();
  let closing = false;
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 5_000 });
  server.maxHeadersCount = 100;
  server.on("request", (request, response) => void handle(request, response));
  // Requests that are no HTTP get the shortest answer there is.
  server.on("clientError", (_, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const begun = performance.now();
    const path = pathOf(request);
    const route = `${request.method ?? ""} ${path}`;
    const abort = new AbortController();
    open.set(response, (reason) => abort.abort(reason));
    response.once("close", () => {
      open.delete(response);
      if (!response.writableFinished) abort.abort(new Error("the client went away"));
    });
    response.on("error", () => undefined);
    const body = (): Promise<Readonly<Record<string, unknown>>> =>
      readBody(request, { bytes: served.limits.body, seconds: served.limits.patience });
    const exchange: Exchange = {
      request,
      response,
      signal: abort.signal,
      abort: (reason) => abort.abort(reason),
      body,
    };
    try {
      if (closing) throw moecError("MOE5521", {});
      await answer(route, exchange, served, files, options.access);
    } catch (error) {
      fail(error, exchange, path, options);
    } finally {
      const known = route in ROUTES || files.has(path) ? path : "other";
      if (response.writableFinished || response.writableEnded) {
        served.metrics.requests.add(1, { route: known, status: String(response.statusCode) });
      } else served.metrics.aborted.add();
      served.metrics.duration.observe((performance.now() - begun) / 1000);
    }
  };

  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: async (graceSeconds) => {
      closing = true;
      served.places.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      let ended = 0;
      const timer = setTimeout(() => {
        ended = open.size;
        for (const [response, abort] of open) {
          abort(moecError("MOE5521", {}));
          response.destroy();
        }
        server.closeAllConnections();
      }, graceSeconds * 1000);
      await closed;
      clearTimeout(timer);
      return ended;
    },
  };
}

async function answer(
  route: string,
  exchange: Exchange,
  served: Served,
  files: ReadonlyMap<string, PageFile>,
  access: AccessRules,
): Promise<void> {
  const { request, response } = exchange;
  const [method = "", path = ""] = route.split(" ");
  const { origin } = request.headers;
  if (origin !== undefined && access.origins.includes(origin)) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
    if (method === "OPTIONS") {
      const headers = {
        "access-control-allow-headers": "authorization, content-type",
        "access-control-allow-methods": "GET, POST",
      };
      send(response, 204, "text/plain", "", headers);
      return;
    }
  }
  const file = method === "GET" ? files.get(path) : undefined;
  // The page itself is no secret; what it asks for is.
  if (file) return send(response, 200, file.type, file.body, PAGE_HEADERS);
  if (!OPEN.has(route)) checkAccess(request, access);
  const handler = handlerOf(route);
  if (!handler) throw moecError("MOE5518", { method: method.slice(0, 20), path: path.slice(0, 200) });
  await handler(served, exchange);
}

function fail(error: unknown, { request, response, signal }: Exchange, path: string, options: ServerOptions): void {
  const isGone = response.destroyed || (signal.aborted && error === signal.reason && !isCoded(error));
  if (isGone) {
    response.destroy();
    return;
  }
  const { status, body } = failureOf(error);
  if (status === 500) options.onMistake?.(error, path);
  if (response.headersSent) {
    // In the middle of a stream: an event that says so, as clients expect it.
    response.end(`data: ${JSON.stringify(body)}\n\n`);
    return;
  }
  const headers: Record<string, string> = status === 429 || status === 503 ? { "retry-after": "1" } : {};
  // The rest of a body that is too large or too slow is not waited for.
  if (!request.complete) headers["connection"] = "close";
  sendJson(response, status, body, headers);
}

function isCoded(error: unknown): boolean {
  return error instanceof MoecError;
}

/** The path of a request without its question; a target that is no path matches no route. */
function pathOf({ url = "" }: IncomingMessage): string {
  const end = url.indexOf("?");
  const path = end < 0 ? url : url.slice(0, end);
  return path.includes(" ") ? "" : path;
}

function handlerOf(route: string): Handler | undefined {
  if (route.startsWith(`GET ${ONE_MODEL}`)) return oneModel;
  return Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined;
}

function listModels({ model }: Served, { response }: Exchange): void {
  sendJson(response, 200, { object: "list", data: [modelRecord(model.manifest.name)] });
}

function oneModel(served: Served, { request, response }: Exchange): void {
  const { name } = served.model.manifest;
  served.checkModel(decoded(pathOf(request).slice(ONE_MODEL.length)));
  sendJson(response, 200, modelRecord(name));
}

const modelRecord = (id: string) => ({ id, object: "model", created: 0, owned_by: "moec" });

/** A part of a path as it is meant; one that is encoded wrongly as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function metrics(served: Served, { response }: Exchange): void {
  const { places, model } = served;
  const text = served.metrics.text({
    moec_texts: ["Texts that may be written at the same time.", places.count],
    moec_texts_busy: ["Texts that are being written.", places.busy],
    moec_requests_waiting: ["Requests that wait for a text.", places.waiting],
    moec_device_memory_bytes: ["Memory that the device took.", model.report.memoryBytes],
    process_resident_memory_bytes: ["Resident memory of the process.", process.memoryUsage.rss()],
  });
  send(response, 200, "text/plain; version=0.0.4; charset=utf-8", text);
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(moecError("MOE5511", { address: `${host}:${port}`, reason: error.code ?? error.message }));
    });
    server.listen(port, host, resolve);
  });
}
