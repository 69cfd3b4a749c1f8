/**
 * The coded errors of the checkpoint readers and writers, one constructor for each code: what a message shows, where it
 * points, what it advises. The sentences themselves are in the Markdown files of `compiler/errors/`.
 */
import { moecError } from "../errors/index.js";
import { MoecError, type MoecErrorPlace } from "../errors/moec-error.js";

/** Text from a file for a message: control characters escaped, and cut, because a name may be megabytes long. */
export function show(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  // Quotes mean no harm, and values are shown in their own.
  return JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"');
}

const list = (items: readonly (string | number)[]): string => items.join(", ");

/** Place from an optional file name, without an explicit `undefined`. */
export function place(file: string | undefined, rest: MoecErrorPlace = {}): MoecErrorPlace {
  return file === undefined ? rest : { file, ...rest };
}

const CUT_OFF = "The file was probably cut off while it was copied or downloaded: fetch it again and compare its size.";

/** @param isPointer The file is what Git LFS leaves in place of one that was not fetched. */
export function notACheckpoint(file: string | undefined, isPointer = false): MoecError {
  const help = isPointer
    ? "It is a pointer of Git LFS, a few lines in place of the file: `git lfs pull` fetches the file itself."
    : "A GGUF file begins with the letters GGUF; a safetensors file with the length of its JSON header.";
  return moecError("MOE5101", {}, place(file, { offset: 0 }), help);
}

export function truncated(what: string, needed: number, offset: number, size: number, file?: string): MoecError {
  return moecError("MOE5102", { what: show(what), needed, offset, size }, place(file, { offset }), CUT_OFF);
}

/**
 * One file of several, where the others cannot be opened.
 *
 * @param number of the part, from 1 on.
 */
export function partOfModel(number: number, count: number, file: string | undefined): MoecError {
  const reason = `it is part ${number} of the ${count} parts of a model, and it was given alone`;
  return moecError("MOE5123", { path: file ?? "the file", reason }, place(file), "Name the file where the others lie.");
}

/** @param error Why a part can't be opened. */
export function withoutPart(error: unknown, count: number): unknown {
  if (!(error instanceof MoecError) || error.code !== "MOE5123") return error;
  const help = `The model is in ${count} files; all of them belong into one folder.`;
  return new MoecError(error.code, error.message, error.place, help);
}

/** GGUF files that are not the parts of one model. */
export function partsDiffer(part: string | undefined, reason: string): MoecError {
  const help = "The parts are those of one download: `<name>-00001-of-00003.gguf` and so on, in one folder.";
  return moecError("MOE5127", { part: show(part ?? "the file"), reason }, place(part), help);
}

export function badVersion(version: number, file?: string): MoecError {
  const help = "Convert the model again with a current `convert_hf_to_gguf.py` of llama.cpp.";
  return moecError("MOE5103", { version }, place(file, { offset: 4 }), help);
}

export function countTooLarge(what: string, count: number | bigint, limit: number, at: MoecErrorPlace): MoecError {
  return moecError("MOE5104", { what: show(what), count: String(count), limit }, at);
}

export function integerOverflow(what: string, value: bigint, at: MoecErrorPlace): MoecError {
  return moecError("MOE5105", { what: show(what), value: String(value) }, at);
}

export function badUtf8(what: string, at: MoecErrorPlace): MoecError {
  return moecError("MOE5106", { what: show(what) }, at);
}

export function duplicateName(what: string, name: string, at: MoecErrorPlace = {}): MoecError {
  return moecError("MOE5107", { what, name: show(name) }, { ...at, path: name });
}

export function unknownTensorType(name: string, type: string, known: readonly string[], file?: string): MoecError {
  const help = `Supported: ${list(known)}.`;
  return moecError("MOE5108", { name: show(name), type: show(type) }, place(file, { path: name }), help);
}

export function tensorOutOfRange(name: string, start: number, end: number, size: number, file?: string): MoecError {
  return moecError("MOE5109", { name: show(name), start, end, size }, place(file, { path: name }), CUT_OFF);
}

export function tensorsOverlap(first: string, second: string, file?: string): MoecError {
  return moecError("MOE5110", { first: show(first), second: show(second) }, place(file, { path: second }));
}

export function badShape(name: string, shape: readonly number[], reason: string): MoecError {
  return moecError("MOE5111", { name: show(name), shape: list(shape), reason }, { path: name });
}

export function badMetadata(key: string, reason: string, at: MoecErrorPlace = {}): MoecError {
  return moecError("MOE5112", { key: show(key), reason }, { ...at, path: key });
}

export function badAlignment(what: string, value: number, reason: string, file?: string): MoecError {
  return moecError("MOE5113", { what: show(what), value, reason }, place(file));
}

export function badHeader(reason: string, at: MoecErrorPlace = {}): MoecError {
  return moecError("MOE5114", { reason }, at);
}

export function badIndex(reason: string, at: MoecErrorPlace = {}): MoecError {
  return moecError("MOE5115", { reason }, at);
}

export function damagedOnnx(reason: string, file: string | undefined, offset: number): MoecError {
  return moecError("MOE5611", { reason, offset }, place(file, { offset }), CUT_OFF);
}

export function noSuchTensor(name: string, near: readonly string[], file?: string): MoecError {
  const nearest = near.length === 0 ? undefined : `Nearest names: ${list(near)}.`;
  return moecError("MOE5116", { name: show(name) }, place(file, { path: name }), nearest);
}

/**
 * The output projection is missing, and the config says that it is no copy of the embedding.
 *
 * @param tensors of the checkpoint: one may have it below another prefix.
 */
export function noOutputTensor(name: string, tensors: ReadonlyMap<string, unknown>): MoecError {
  const last = name.split(".").slice(-2).join(".");
  const near = [...tensors.keys()].filter((each) => each === last || each.endsWith(`.${last}`)).map(show);
  if (near.length > 0) return noSuchTensor(name, near.slice(0, 3));
  const help =
    "The config says that the output is no copy of the embedding. Where it is one, `tie_word_embeddings` is true.";
  return moecError("MOE5116", { name: show(name) }, { path: name }, help);
}

export function notWritable(name: string, reason: string): MoecError {
  return moecError("MOE5117", { name: show(name), reason }, { path: name });
}

export function notQuantizable(index: number, value: number): MoecError {
  const help = "Keep the tensor in f32, or find out where the NaN or the huge value comes from.";
  return moecError("MOE5118", { index, value }, undefined, help);
}

export function unknownFamily(where: string, name: string, known: readonly string[]): MoecError {
  return moecError("MOE5119", { where, name: show(name) }, { path: where }, `Known: ${list(known)}.`);
}

export function badConfig(key: string, reason: string): MoecError {
  return moecError("MOE5120", { key: show(key), reason }, { path: key });
}

export function unsupportedConfig(key: string, value: string, supported: string): MoecError {
  return moecError("MOE5121", { key: show(key), value: show(value) }, { path: key }, supported);
}

export function wrongTensorShape(name: string, shape: readonly number[], expected: readonly number[]): MoecError {
  return moecError("MOE5122", { name: show(name), shape: list(shape), expected: list(expected) }, { path: name });
}

export function unknownTensors(family: string, names: readonly string[]): MoecError {
  const first = names.slice(0, 3).map((name) => `\`${show(name)}\``);
  const rest = names.length > first.length ? ` and ${names.length - first.length} more` : "";
  return moecError("MOE5124", { family, names: `${list(first)}${rest}` }, { path: names[0]! });
}

/** @param possible Families that can be. */
export function noGgufOfFamily(family: string, possible: readonly string[]): MoecError {
  return moecError("MOE5125", { family: show(family) }, undefined, `Families that can be: ${list(possible)}.`);
}

/**
 * @param said A line of the checkpoint's math.
 * @param read The line that a reader has in its place; empty without one.
 */
export function notSaidInGguf(said: string, read: string): MoecError {
  const text = (line: string): string => (line === "" ? "nothing" : show(line));
  return moecError("MOE5128", { said: text(said), read: text(read) });
}
