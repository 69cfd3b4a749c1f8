/**
 * Errors: what moec says when something is wrong.
 *
 * A person writes one Markdown file per code; constructors, the catalog and the reference page are generated from it.
 * See `docs/add-an-error.md`.
 */
export { catalog } from "./catalog.generated.js";
export { explain, explanationText } from "./catalog.js";
export { closest } from "./closest.js";
export { errors, messages } from "./errors.generated.js";
export { locateDiagnostics } from "./located.js";
export { MoecError } from "./moec-error.js";
export { ansiPalette, plainPalette } from "./palette.js";
export { moecError } from "./raise.js";
export { renderDiagnostic, renderDiagnostics } from "./render.js";
export type { CatalogEntry, CatalogExample, Explanation } from "./catalog.js";
export type { DiagnosticParts, Slot } from "./construct.js";
export type { Diagnostic, Fix, Label, Severity, SourceSpan, TextEdit } from "./diagnostic.js";
export type { ErrorCode, MessageSlots } from "./errors.generated.js";
export type { LocatedDiagnostic } from "./located.js";
export type { MoecErrorPlace } from "./moec-error.js";
export type { Palette } from "./palette.js";
export type { RenderOptions, SourceReader } from "./render.js";
