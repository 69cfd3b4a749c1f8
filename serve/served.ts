/** A model as the routes see it, and one request with its answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { moecError } from "../compiler/errors/raise.js";
import { reasonOf } from "../compiler/errors/reason.js";
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

/** Loads the same bundle on a device, with as many texts. */
export type LoadOn = (device: string) => Promise<Model>;

export class Served {
  readonly places: Places;
  readonly writer: Writer;

  constructor(
    private loaded: Model,
    readonly chat: ChatTemplate,
    readonly metrics: Metrics,
    readonly limits: ServeLimits,
    private readonly loadOn?: LoadOn,
  ) {
    this.places = new Places(loaded.textCount, limits.queue);
    this.writer = new Writer(() => this.loaded, this.places, metrics);
  }

  get model(): Model {
    return this.loaded;
  }

  /** Devices that the bundle has kernels for; the present one alone where it can't be changed. */
  get devices(): readonly string[] {
    const { manifest, report } = this.loaded;
    return this.loadOn ? manifest.targets.map(({ name }) => name) : [report.device];
  }

  /**
   * Runs the model on another device from now on, when no text is being written; requests wait meanwhile. There is room
   * for one model, so the old one goes first; it comes back when the new device does not run.
   *
   * @throws MoecError MOE5520 when the new device does not run, MOE5521 when the server closes.
   */
  changeDevice(device: string): Promise<void> {
    return this.places.alone(async () => {
      const { loadOn } = this;
      const before = this.loaded.report.device;
      // Asked here and not before: another change may have been waiting in front.
      if (!loadOn || device === before) return;
      this.loaded.dispose();
      try {
        this.loaded = await loadOn(device);
      } catch (error) {
        this.loaded = await loadOn(before);
        const reason = `does not run on ${device} here: ${reasonOf(error)}`;
        throw moecError("MOE5520", { name: this.loaded.manifest.name, reason });
      }
    });
  }

  [Symbol.dispose](): void {
    this.loaded.dispose();
  }

  /** @throws MoecError MOE5523 when a request names another model. */
  checkModel(name: string | undefined): void {
    const known = this.model.manifest.name;
    if (name === undefined || name === known) return;
    throw moecError("MOE5523", { name: name.slice(0, 200), known });
  }
}
