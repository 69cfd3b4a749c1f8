/** A client that talks to the server as an editor does: messages over streams. */
import { PassThrough } from "node:stream";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import {
  createConnection,
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type TextEdit,
} from "vscode-languageserver/node";
import { projectFiles } from "../../cli/project-schema.js";
import { diskWorkspace } from "../../editor/server/disk.js";
import { serve } from "../../editor/server/serve.js";

export const root = fileURLToPath(new URL("../..", import.meta.url));

interface Published {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly Diagnostic[];
}

export class Client {
  private readonly published = new Map<string, Published>();
  private readonly waiting = new Set<() => void>();
  private readonly versions = new Map<string, number>();
  capabilities: InitializeResult["capabilities"] = {};

  constructor(private readonly connection: ProtocolConnection) {
    connection.onNotification("textDocument/publishDiagnostics", (params: Published) => {
      this.published.set(params.uri, params);
      for (const wake of this.waiting) wake();
    });
    connection.listen();
  }

  /** A server in this process, with `folder` opened. */
  static async inProcess(folder?: string, delay = 1): Promise<Client> {
    const toServer = new PassThrough();
    const toClient = new PassThrough();
    const host = diskWorkspace({ library: join(root, "stdlib"), errorsPage: join(root, "docs/reference/errors.md") });
    const connection = createConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient));
    serve(connection, host, { version: "test", openFolders: host.openFolders, delay, projectFiles: projectFiles() });
    const client = new Client(
      createProtocolConnection(new StreamMessageReader(toClient), new StreamMessageWriter(toServer)),
    );
    await client.initialize(folder);
    return client;
  }

  async initialize(folder?: string): Promise<void> {
    const rootUri = folder === undefined ? null : pathToFileURL(folder).href;
    const workspaceFolders = rootUri === null ? null : [{ uri: rootUri, name: "workspace" }];
    const params = { processId: null, rootUri, workspaceFolders, capabilities: {} };
    const result = await this.request<InitializeResult>("initialize", params);
    this.capabilities = result.capabilities;
    await this.connection.sendNotification("initialized", {});
  }

  request<R>(method: string, params?: unknown): Promise<R> {
    return this.connection.sendRequest<R>(method, params);
  }

  /** A request about a place in a document. */
  at<R>(method: string, uri: string, position: Position, more: object = {}): Promise<R> {
    return this.request(`textDocument/${method}`, { textDocument: { uri }, position, ...more });
  }

  of<R>(method: string, uri: string, more: object = {}): Promise<R> {
    return this.request(`textDocument/${method}`, { textDocument: { uri }, ...more });
  }

  async open(uri: string, text: string): Promise<void> {
    const textDocument = { uri, languageId: "moe", version: this.next(uri), text };
    await this.connection.sendNotification("textDocument/didOpen", { textDocument });
  }

  /** Replaces a range, or everything. */
  async change(uri: string, text: string, range?: TextEdit["range"]): Promise<void> {
    const contentChanges = [range ? { range, text } : { text }];
    const textDocument = { uri, version: this.next(uri) };
    await this.connection.sendNotification("textDocument/didChange", { textDocument, contentChanges });
  }

  private next(uri: string): number {
    const version = (this.versions.get(uri) ?? 0) + 1;
    this.versions.set(uri, version);
    return version;
  }

  async close(uri: string): Promise<void> {
    await this.connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
    this.published.delete(uri);
  }

  /** Diagnostics of the newest version of a document. */
  async diagnostics(uri: string): Promise<readonly Diagnostic[]> {
    const version = this.versions.get(uri) ?? 0;
    const arrived = (): Published | undefined => {
      const found = this.published.get(uri);
      return found && (found.version ?? 0) >= version ? found : undefined;
    };
    while (!arrived()) {
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(() => reject(new Error(`no diagnostics of ${uri}`)), 20_000);
        this.waiting.add(wake);
      });
    }
    return arrived()!.diagnostics;
  }

  dispose(): void {
    this.connection.dispose();
  }
}

/** The text after edits. */
export function applied(text: string, edits: readonly TextEdit[]): string {
  const starts = [0];
  for (const match of text.matchAll(/\n/g)) starts.push(match.index + 1);
  const offset = ({ line, character }: Position): number => (starts[line] ?? text.length) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce(
      (current, { range, newText }) =>
        current.slice(0, offset(range.start)) + newText + current.slice(offset(range.end)),
      text,
    );
}
