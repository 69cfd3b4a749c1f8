/** The playground as a folder of static files: no server, nothing from the network at run time. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  // Every address is relative, so that the folder can lie anywhere.
  base: "./",
  logLevel: "warn",
  build: { outDir: "dist", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 20_000 },
  worker: { format: "es" },
});
