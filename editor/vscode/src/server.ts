/**
 * The language server inside the extension, as a process: messages come from the extension, the standard library and the
 * explanations lie beside it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import type { DataCallback, Message } from "vscode-languageserver";
import { diskWorkspace } from "../../server/disk.js";
import type { WasmPrinter } from "../../server/kernels/forms.js";
import { AbstractMessageReader, AbstractMessageWriter, createConnection, start } from "./core.js";

/** Messages of the process that started this one; the protocol's last one ends it. */
class ProcessReader extends AbstractMessageReader {
  listen(callback: DataCallback): { dispose(): void } {
    const received = (message: Message & { readonly method?: string }): void => {
      callback(message);
      if (message.method === "exit") process.exit();
    };
    process.on("message", received);
    process.on("disconnect", () => process.exit());
    return { dispose: () => process.off("message", received) };
  }
}

class ProcessWriter extends AbstractMessageWriter {
  write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      process.send!(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
    });
  }
  end(): void {}
}

let printer: Promise<WasmPrinter> | undefined;

/** The printer of WebAssembly is 14 MB and lies beside the server in an eighth of that: it is unpacked when asked for. */
async function loadPrinter(): Promise<WasmPrinter> {
  const folder = mkdtempSync(join(tmpdir(), "moec-"));
  try {
    const file = join(folder, "wasm-text.mjs");
    writeFileSync(file, brotliDecompressSync(readFileSync(join(__dirname, "wasm-text.mjs.br"))));
    const { wasmText } = (await import(pathToFileURL(file).href)) as {
      readonly wasmText: (...kernels: Parameters<WasmPrinter>) => string;
    };
    return (kernels) => Promise.resolve(wasmText(kernels));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const extension = join(__dirname, "..");
const host = diskWorkspace({ library: join(extension, "stdlib"), errorsPage: join(extension, "docs/errors.md") });
start(createConnection(new ProcessReader(), new ProcessWriter()), host, {
  openFolders: host.openFolders,
  wasm: async (kernels) => (await (printer ??= loadPrinter()))(kernels),
});
