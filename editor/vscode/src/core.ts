/**
 * The language server, as one script for both kinds of extension: a process loads it as a module, a worker has it in front
 * of its own text. What differs is how messages come and where files are.
 */
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
  type Connection,
} from "vscode-languageserver/browser";
import { projectFiles } from "../../../cli/project-schema.js";
import type { WasmPrinter } from "../../server/kernels/forms.js";
import { LIBRARY, memoryHost } from "../../server/memory.js";
import { serve } from "../../server/serve.js";
import { viewRequests } from "../../server/view-requests.js";
import type { Workspace, WorkspaceHost } from "../../server/workspace.js";
import manifest from "../package.json" with { type: "json" };

export {
  AbstractMessageReader,
  AbstractMessageWriter,
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
  LIBRARY,
  memoryHost,
};

export interface StartOptions {
  readonly wasm: WasmPrinter;
  readonly openFolders?: (uris: readonly string[]) => void;
  /** Told the workspace, for a host whose files change without a word of the protocol. */
  readonly onWorkspace?: (workspace: Workspace) => void;
}

/** Serves on the connection over the files of `host`. */
export function start(connection: Connection, host: WorkspaceHost, options: StartOptions): void {
  const { wasm, openFolders, onWorkspace } = options;
  serve(connection, host, {
    version: manifest.version,
    projectFiles: projectFiles(),
    ...(openFolders ? { openFolders } : {}),
    requests: (workspace) => {
      onWorkspace?.(workspace);
      return viewRequests(workspace, wasm);
    },
  });
}
