/** A worker thread of the WebAssembly device in a browser. */
import { startWorker, type WorkerStart } from "../wasm/work.js";

addEventListener("message", (event: MessageEvent<WorkerStart>) => startWorker(event.data), { once: true });
