/**
 * What the page and the worker that holds the model say to each other. Functions and signals stay on their side; errors
 * cross with their codes.
 */
import { MoecError } from "../../compiler/errors/moec-error.js";
import type { MoecErrorPlace } from "../../compiler/errors/moec-error.js";
import type { Manifest } from "../../compiler/6-bundle/manifest.js";
import type { DeviceReport } from "../device.js";
import type { GenerateOptions, GenerationStep } from "../generate/generate.js";
import type { TextChoice } from "../model/model.js";
import type { DeviceOptions } from "../model/open-device.js";
import type { LoadProgress } from "../model/open.js";

/** Both ends of the line: a `Worker`, the worker's own scope, or a `MessagePort`. */
export interface Line {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** Where a bundle lies. */
export interface RemoteBundle {
  /** URL of the folder, with a slash at the end. */
  readonly base: string;
  /** URLs of files that a bundler has moved, by their paths in the bundle. */
  readonly moved: Readonly<Record<string, string>>;
  /** Keep weights for the next visit. */
  readonly keep: boolean;
}

/** Methods of `Model` that are one question and one answer. */
export type RemoteMethod = "call" | "extend" | "read" | "reset" | "save" | "restore" | "setKnob";

/** Those whose last argument is options with a signal, which is not sent. */
export const TAKE_OPTIONS: ReadonlySet<RemoteMethod> = new Set(["call", "extend", "read"]);

/** `id` numbers questions; each gets one answer. `task` numbers what a signal may abort. */
export type Question = { readonly id: number } & (
  | {
      readonly kind: "load";
      readonly task: number;
      readonly bundle: RemoteBundle;
      readonly options: DeviceOptions;
    }
  | {
      readonly kind: "method";
      readonly task: number;
      readonly method: RemoteMethod;
      readonly args: readonly unknown[];
    }
  | {
      readonly kind: "generate";
      readonly task: number;
      readonly prompt: string | readonly number[];
      readonly options: Omit<GenerateOptions & TextChoice, "signal" | "onStep">;
      /** Tell each step. */
      readonly steps: boolean;
    }
  /** The next piece of a text. */
  | { readonly kind: "next"; readonly task: number }
  /** No more pieces are wanted. */
  | { readonly kind: "return"; readonly task: number }
);

export type ToWorker = Question | { readonly kind: "abort"; readonly task: number } | { readonly kind: "dispose" };

/** How the ids of a text in the caches have changed: so many stay, these follow. */
export interface TokenChange {
  readonly kept: number;
  readonly added: readonly number[];
}

export type ToPage =
  | { readonly kind: "progress"; readonly progress: LoadProgress }
  | { readonly kind: "step"; readonly task: number; readonly step: GenerationStep }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown; readonly texts: readonly TokenChange[] }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly error: CarriedError;
      readonly texts: readonly TokenChange[];
    };

/** What the page knows of a model once it is loaded. */
export interface Loaded {
  readonly manifest: Manifest;
  readonly report: DeviceReport;
  /** Texts side by side. */
  readonly textCount: number;
  /** Most of them that go on in one call. */
  readonly textsTogether: number;
  /** Most positions of a text; Infinity without an end. */
  readonly longest: number;
  /** JSON text of what `loadTokenizer` takes. */
  readonly tokenizer: string | undefined;
}

/** One piece of a text, or its end. */
export interface Piece {
  readonly done: boolean;
  readonly text: string;
}

export interface CarriedError {
  readonly code?: string;
  readonly name: string;
  readonly message: string;
  readonly place?: MoecErrorPlace;
  readonly help?: string;
}

export function carryError(error: unknown): CarriedError {
  if (error instanceof MoecError) {
    const { code, name, message, place, help } = error;
    return { code, name, message, ...(place ? { place } : {}), ...(help === undefined ? {} : { help }) };
  }
  if (error instanceof Error || error instanceof DOMException) return { name: error.name, message: error.message };
  return { name: "Error", message: String(error) };
}

export function raiseCarried({ code, name, message, place, help }: CarriedError): Error {
  if (code !== undefined) return new MoecError(code, message, place, help);
  return Object.assign(new Error(message), { name });
}

/** The memory of the arrays in a message, which moves to the other side instead of being copied. */
export function movable(value: unknown, found = new Set<ArrayBuffer>()): readonly ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) if (typeof inner === "object") movable(inner, found);
  }
  return [...found];
}
