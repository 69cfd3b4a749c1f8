/** Names of the files of a GGUF model in parts: `model-00002-of-00003.gguf`, as llama.cpp writes and looks for them. */

/** A file as one of several. */
export interface PartFile {
  /** What the names of all parts begin with. */
  readonly stem: string;
  /** From 1 on. */
  readonly number: number;
  readonly count: number;
  /** Name of another part. */
  nameOf(number: number): string;
}

/** @param name of the file, with or without folders in front; undefined for names of another form. */
export function partFile(name: string): PartFile | undefined {
  const [, stem, number, count] = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/.exec(name) ?? [];
  if (stem === undefined || Number(number) < 1 || Number(number) > Number(count)) return undefined;
  const nameOf = (other: number): string => `${stem}-${String(other).padStart(5, "0")}-of-${count!}.gguf`;
  return { stem, number: Number(number), count: Number(count), nameOf };
}
