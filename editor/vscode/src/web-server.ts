/** The language server as a worker: the library is inside, the user's files are told by the extension. */
import library from "moec:library";
import type { Workspace } from "../../server/workspace.js";
import { BrowserMessageReader, BrowserMessageWriter, createConnection, LIBRARY, memoryHost, start } from "./core.js";
import { LIBRARY_SCHEME, type FileText } from "./web-files.js";

const own = new Map<string, string>();
const files = memoryHost(new Map(Object.entries(library)), own);
const scheme = `${LIBRARY_SCHEME}:/`;

/** A user's file is called by its address, whatever that looks like; a file of the library by its own scheme. */
const host: typeof files = {
  ...files,
  toUri: (file) => (file.startsWith(LIBRARY) ? scheme + file.slice(LIBRARY.length) : file),
  fromUri: (uri) => (uri.startsWith(scheme) ? LIBRARY + uri.slice(scheme.length) : uri),
};

const thread = self as unknown as Worker;
const connection = createConnection(new BrowserMessageReader(thread), new BrowserMessageWriter(thread));
let workspace: Workspace | undefined;
connection.onNotification("moec/files", ({ files: told }: { readonly files: readonly FileText[] }) => {
  for (const { uri, text } of told) {
    if (text === undefined) own.delete(uri);
    else own.set(uri, text);
  }
  workspace?.changed();
});
const TOO_LARGE = "What writes WebAssembly is too large for an editor in a browser: the desktop's extension has it.\n";
start(connection, host, {
  wasm: () => Promise.resolve(TOO_LARGE),
  onWorkspace: (made) => (workspace = made),
});
