/** The runtime in browsers: bundles come from a web server, and a worker runs them. */
export * from "./exports.js";
export { loadModel, type LoadOptions, type ModelClass } from "./web/load.js";
export { Model } from "./web/model.js";
