/** The worker that holds a page's model. */
import { webHost } from "./host.js";
import { serveModel } from "./inference.js";
import type { Line } from "./protocol.js";

serveModel(globalThis as unknown as Line, webHost());
