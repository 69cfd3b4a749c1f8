/** A model as the routes see it, and one request with its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { moecError } from "../compiler/errors/raise.js";
import type { Model } from "../runtime/node/index.js";
import type { ChatTemplate } from "./chat.js";
import type { Metrics } from "./metrics.js";
import { Places } from "./places.js";
import { Writer } from "./writer.js";

export interface ServeLimits {
  /** Bytes of a request's body. */
  readonly body: number;
  /** Requests that may wait for a text. */
  readonly queue: number;
  /** Seconds that a client may take to send its body, or to take what is in the buffers. */
  readonly patience: number;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  body(): Promise<Readonly<Record<string, unknown>>>;
}

export class Served {
  readonly places: Places;
  readonly writer: Writer;

  constructor(
    readonly model: Model,
    readonly chat: ChatTemplate,
    readonly metrics: Metrics,
    readonly limits: ServeLimits,
  ) {
    this.places = new Places(model.textCount, limits.queue);
    this.writer = new Writer(model, this.places, metrics);
  }

  /** @throws MoecError MOE5523 when a request names another model. */
  checkModel(name: string | undefined): void {
    const known = this.model.manifest.name;
    if (name === undefined || name === known) return;
    throw moecError("MOE5523", { name: name.slice(0, 200), known });
  }
}
