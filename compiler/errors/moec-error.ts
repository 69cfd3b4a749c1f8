/**
 * The one exception that moec throws on purpose. Everything a user can cause (a damaged file, an unknown model family,
 * a bad manifest) arrives as a `MoecError` with a code that `moec explain` knows; any other exception is a bug in moec.
 */

/** Where in the input the error lies; every part is optional because not every input has files, bytes or keys. */
export interface MoecErrorPlace {
  /** File name as the caller gave it. */
  readonly file?: string;
  /** Byte offset in the file. */
  readonly offset?: number;
  /** Key, tensor name or JSON path inside the file. */
  readonly path?: string;
}

/**
 * A coded error.
 *
 * @example throw new MoecError("MOE5101", "`x.bin` is neither a GGUF nor a safetensors file", { file: "x.bin" });
 */
export class MoecError extends Error {
  override readonly name = "MoecError";

  /**
   * @param code `MOE` and four digits; `compiler/errors/<code>-<name>.md` explains it.
   * @param message One sentence in the user's words, without the code.
   * @param place Where the error lies.
   * @param help What to do about it.
   */
  constructor(
    readonly code: string,
    message: string,
    readonly place?: MoecErrorPlace,
    readonly help?: string,
  ) {
    super(message);
  }
}
