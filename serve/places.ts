/**
 * Who may use the model's texts: each request takes one for as long as it writes, and waits in a queue with an end when
 * all are taken. Of the free texts a request gets the one that has most of its prompt in the caches already, so a chat
 * that goes on reads only what is new.
 */
import { moecError } from "../compiler/errors/raise.js";

interface Waiting {
  readonly give: (text: number) => void;
  readonly refuse: (error: Error) => void;
}

export class Places {
  private readonly free: Set<number>;
  private readonly queue: Waiting[] = [];
  private closed = false;
  private turn: Promise<void> = Promise.resolve();

  /**
   * @param count Texts that the model holds.
   * @param longest Requests that may wait.
   */
  constructor(
    readonly count: number,
    private readonly longest: number,
  ) {
    this.free = new Set(Array.from({ length: count }, (_, text) => text));
  }

  get waiting(): number {
    return this.queue.length;
  }

  get busy(): number {
    return this.count - this.free.size;
  }

  /**
   * Runs `work` with a text of its own.
   *
   * @param shared How many tokens of the prompt a text has in its caches.
   * @throws MoecError MOE5519 when too many wait already, MOE5521 when the server closes; the signal's reason.
   */
  async take<T>(shared: (text: number) => number, signal: AbortSignal, work: (text: number) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const text = this.best(shared) ?? (await this.wait(signal));
    try {
      return await work(text);
    } finally {
      this.release(text);
    }
  }

  /**
   * Runs `work` when no text is being written; who comes in meanwhile waits.
   *
   * @throws MoecError MOE5521 when the server closes.
   */
  alone(work: () => Promise<void>): Promise<void> {
    // Two that gather texts at once would wait for each other.
    const turn = this.turn.then(async () => {
      const all = Array.from({ length: this.count }, async () => this.best(() => 0) ?? (await this.queued()));
      const asked = await Promise.allSettled(all);
      try {
        for (const one of asked) if (one.status === "rejected") throw one.reason;
        await work();
      } finally {
        for (const one of asked) if (one.status === "fulfilled") this.release(one.value);
      }
    });
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /** Nobody waits any longer and nobody comes in; what runs goes on. */
  close(): void {
    this.closed = true;
    for (const { refuse } of this.queue.splice(0)) refuse(moecError("MOE5521", {}));
  }

  private best(shared: (text: number) => number): number | undefined {
    if (this.closed) throw moecError("MOE5521", {});
    let found: number | undefined;
    for (const text of this.free) if (found === undefined || shared(text) > shared(found)) found = text;
    if (found !== undefined) this.free.delete(found);
    return found;
  }

  private queued(): Promise<number> {
    return new Promise((give, refuse) => this.queue.push({ give, refuse }));
  }

  private wait(signal: AbortSignal): Promise<number> {
    if (this.queue.length >= this.longest) throw moecError("MOE5519", { waiting: this.queue.length });
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.queue.splice(this.queue.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        give: (text) => {
          signal.removeEventListener("abort", leave);
          resolve(text);
        },
        refuse: (error) => {
          signal.removeEventListener("abort", leave);
          reject(error);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.queue.push(waiting);
    });
  }

  private release(text: number): void {
    const next = this.queue.shift();
    if (next) next.give(text);
    else this.free.add(text);
  }
}
