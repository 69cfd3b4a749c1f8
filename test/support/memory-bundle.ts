/** Bundles in memory. */
export * from "../../cli/memory-bundle.js";
