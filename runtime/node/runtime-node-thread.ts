/** A worker thread of the WebAssembly device in Node. */
import { workerData } from "node:worker_threads";
import { startWorker, type WorkerStart } from "../wasm/work.js";

startWorker(workerData as WorkerStart);
