/** Bodies in, answers out: limits on what is read, patience with slow readers, server-sent events. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { moecError } from "../compiler/errors/raise.js";

export interface BodyLimits {
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * The JSON object in a request's body.
 *
 * @throws MoecError MOE5513 for a body beyond the limit, MOE5514 for one that is not a JSON object, MOE5522 for one that
 * takes too long.
 */
export async function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
): Promise<Readonly<Record<string, unknown>>> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limits.bytes) throw moecError("MOE5513", { limit: limits.bytes });
  const text = new TextDecoder("utf-8", { fatal: true });
  let value: unknown;
  try {
    value = JSON.parse(text.decode(await collect(request, limits)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw moecError("MOE5514", { reason: error instanceof SyntaxError ? error.message : "it is not UTF-8" });
    }
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw moecError("MOE5514", { reason: `it is ${Array.isArray(value) ? "an array" : String(value)}` });
  }
  return value as Readonly<Record<string, unknown>>;
}

function collect(request: IncomingMessage, { bytes, seconds }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => end(() => reject(moecError("MOE5522", { seconds }))), seconds * 1000);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      request.off("data", onData);
      settle();
    };
    const onData = (piece: Buffer): void => {
      length += piece.length;
      if (length > bytes) end(() => reject(moecError("MOE5513", { limit: bytes })));
      else pieces.push(piece);
    };
    request.on("data", onData);
    request.once("end", () => end(() => resolve(Buffer.concat(pieces))));
    request.once("error", (error) => end(() => reject(error)));
    request.once("close", () => end(() => reject(new Error("the client went away"))));
  });
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  send(response, status, "application/json; charset=utf-8", JSON.stringify(body), headers);
}

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

/** A stream of server-sent events; each `send` waits until the reader has taken what came before. */
export class EventStream {
  private begun = false;

  /** @param patience Seconds that a reader may take for what lies in the buffers. */
  constructor(
    private readonly response: ServerResponse,
    private readonly patience: number,
  ) {}

  async send(data: unknown): Promise<void> {
    this.begin();
    const text = typeof data === "string" ? data : JSON.stringify(data);
    if (this.response.write(`data: ${text}\n\n`) || this.response.destroyed) return;
    await this.drained();
  }

  end(): void {
    if (this.response.destroyed) return;
    this.begin();
    this.response.end();
  }

  private begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.response.destroy(), this.patience * 1000);
      const done = (): void => {
        clearTimeout(timer);
        this.response.off("drain", done);
        this.response.off("close", done);
        resolve();
      };
      this.response.once("drain", done);
      this.response.once("close", done);
    });
  }
}
