/** Messages to the language server in its worker, and its answers. */
import LanguageWorker from "./language-worker.ts?worker";

interface Answer {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** An answer that the server did not give: the request was out of date, or something is wrong. */
export class ServerError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export class ServerClient {
  private readonly worker = new LanguageWorker();
  private readonly open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  private readonly listeners = new Map<string, (params: unknown) => void>();
  private next = 1;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => this.received(data);
    this.worker.onerror = ({ message }) => {
      for (const { reject } of this.open.values()) reject(new Error(message));
      this.open.clear();
    };
  }

  private received({ id, method, params, result, error }: Answer): void {
    if (method !== undefined) {
      this.listeners.get(method)?.(params);
      // The server asks us nothing that has an answer.
      if (id !== undefined) this.worker.postMessage({ jsonrpc: "2.0", id, result: null });
      return;
    }
    const waiting = this.open.get(Number(id));
    this.open.delete(Number(id));
    if (error) waiting?.reject(new ServerError(error.code, error.message));
    else waiting?.resolve(result);
  }

  on<P>(method: string, listener: (params: P) => void): void {
    this.listeners.set(method, listener as (params: unknown) => void);
  }

  notify(method: string, params: unknown): void {
    this.worker.postMessage({ jsonrpc: "2.0", method, params });
  }

  request<R>(method: string, params: unknown): Promise<R> {
    const id = this.next++;
    return new Promise<R>((resolve, reject) => {
      this.open.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.worker.postMessage({ jsonrpc: "2.0", id, method, params });
    });
  }
}
