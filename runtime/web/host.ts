/** The runtime's host in a browser, on its main thread or in a worker. */
import type { Host } from "../host.js";
import type { Gpu } from "../webgpu/gpu.js";
import type { WorkerStart } from "../wasm/work.js";

export function webHost(): Host {
  return {
    name: "web",
    parallelism: navigator.hardwareConcurrency || 1,
    canBlock: typeof document === "undefined",
    whyNoThreads:
      typeof SharedArrayBuffer === "undefined" || !crossOriginIsolated
        ? "the page is not cross-origin isolated (it needs the headers Cross-Origin-Opener-Policy: same-origin and " +
          "Cross-Origin-Embedder-Policy: require-corp)"
        : undefined,
    enableRelaxedSimd: () => undefined,
    startThread: (start: WorkerStart, onFailure) => {
      const thread = new Worker(new URL("./runtime-thread.js", import.meta.url), { type: "module" });
      thread.onerror = ({ message }) => onFailure(message || "its script could not be loaded");
      thread.postMessage(start);
      return () => thread.terminate();
    },
    gpu: () => Promise.resolve((navigator as { readonly gpu?: Gpu }).gpu),
    breathe: () =>
      new Promise((resolve) => {
        // A message comes without the 4 ms that browsers add to nested timers.
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
          channel.port1.close();
          resolve();
        };
        channel.port2.postMessage(undefined);
      }),
  };
}
