/** The server as a process: messages on standard input and output. */
import { createConnection, StreamMessageReader, StreamMessageWriter } from "vscode-languageserver/node";
import { diskWorkspace, type DiskOptions } from "./disk.js";
import type { WasmPrinter } from "./kernels/forms.js";
import type { ProjectFiles } from "./project-file.js";
import { serve } from "./serve.js";
import { viewRequests } from "./view-requests.js";

export interface StdioOptions extends DiskOptions {
  readonly version: string;
  readonly projectFiles?: ProjectFiles;
  /** Prints WebAssembly for the view of kernels. */
  readonly wasm: WasmPrinter;
}

/** Serves until the client says `exit` or closes the pipe; the connection then ends the process. */
export function serveStdio(
  { version, projectFiles, wasm, ...places }: StdioOptions,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stdout,
): Promise<void> {
  const host = diskWorkspace(places);
  const connection = createConnection(new StreamMessageReader(input), new StreamMessageWriter(output));
  serve(connection, host, {
    version,
    openFolders: host.openFolders,
    requests: (workspace) => viewRequests(workspace, wasm),
    ...(projectFiles ? { projectFiles } : {}),
  });
  return new Promise((resolve) => {
    input.on("end", resolve);
    input.on("close", resolve);
  });
}
