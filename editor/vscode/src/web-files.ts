/** What the extension and its server tell each other about files when the server cannot read any. */

/** Files of the library are documents of this scheme: `moec-std:/norms.moe`. */
export const LIBRARY_SCHEME = "moec-std";

export interface FileText {
  readonly uri: string;
  /** Absent for a file that is gone. */
  readonly text?: string;
}
