/** How each op is written as ONNX. The table is total: an op without a counterpart says so here. */
import type { OpName } from "../../ops/index.js";
import { regionLowering } from "./attend.js";
import { elementwiseLowering } from "./elementwise.js";
import { expertsLowering } from "./experts.js";
import { reduceLowering } from "./reduce.js";
import { routesLowering } from "./routes.js";
import { shapeLowering } from "./shapes.js";
import type { Lower } from "./use.js";

export const lowerings: Readonly<Record<OpName, Lower>> = {
  ...elementwiseLowering,
  ...shapeLowering,
  ...reduceLowering,
  ...routesLowering,
  ...expertsLowering,
  ...regionLowering,
  each_text: (use) => use.refuse("an ONNX model keeps the caches of one text"),
  random: (use) => use.refuse("ONNX has no random numbers that are the same everywhere"),
};
