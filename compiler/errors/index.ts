/**
 * Errors: what moec says when something is wrong.
 *
 * A person writes one Markdown file per code; constructors, the catalog and the reference page are generated from it.
 * See `docs/add-an-error.md`.
 */
export { catalog } from "./catalog.generated.js";
export { explain } from "./catalog.js";
export { errors } from "./errors.generated.js";
export { moecError } from "./raise.js";
export type { CatalogEntry, Explanation } from "./catalog.js";
export type { DiagnosticParts, Slot } from "./construct.js";
export type { Diagnostic, Fix, Label, Severity, SourceSpan, TextEdit } from "./diagnostic.js";
export type { ErrorCode } from "./errors.generated.js";
