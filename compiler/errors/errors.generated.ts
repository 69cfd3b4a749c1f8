// Written by scripts/generate-errors.mjs from compiler/errors/*.md. Do not edit.
import { makeDiagnostic, type DiagnosticParts, type Message, type Slot } from "./construct.js";
import type { Diagnostic, SourceSpan } from "./diagnostic.js";

/** The sentence of each code, with its slots in braces. */
export const messages = {
  MOE5101: { severity: "error", title: "not a checkpoint", message: "the file is neither GGUF nor safetensors" },
  MOE5102: { severity: "error", title: "file is cut off", message: "{what} needs {needed} bytes at offset {offset}, but the file has {size}" },
  MOE5103: { severity: "error", title: "unsupported GGUF version", message: "GGUF version {version} is not supported, only version 3" },
  MOE5104: { severity: "error", title: "impossible count", message: "{what} says {count}, more than the {limit} that can be there" },
  MOE5105: { severity: "error", title: "number too large", message: "{what} is {value}, beyond the exact range of 2^53" },
  MOE5106: { severity: "error", title: "text is not UTF-8", message: "{what} is not valid UTF-8" },
  MOE5107: { severity: "error", title: "name appears twice", message: "{what} `{name}` appears twice" },
  MOE5108: { severity: "error", title: "unsupported tensor type", message: "tensor `{name}` is stored as {type}, which is not supported" },
  MOE5109: { severity: "error", title: "tensor outside the file", message: "tensor `{name}` lies at bytes {start} to {end}, outside the {size} bytes of the file" },
  MOE5110: { severity: "error", title: "tensors share bytes", message: "tensors `{first}` and `{second}` share bytes of the file" },
  MOE5111: { severity: "error", title: "impossible shape", message: "tensor `{name}` has shape [{shape}], but {reason}" },
  MOE5112: { severity: "error", title: "bad metadata", message: "metadata `{key}`: {reason}" },
  MOE5113: { severity: "error", title: "bad alignment", message: "{what} is {value}, but {reason}" },
  MOE5114: { severity: "error", title: "damaged safetensors header", message: "the safetensors header is damaged: {reason}" },
  MOE5115: { severity: "error", title: "damaged shard index", message: "the index of the sharded checkpoint is damaged: {reason}" },
  MOE5116: { severity: "error", title: "no such tensor", message: "the checkpoint has no tensor `{name}`" },
  MOE5117: { severity: "error", title: "tensor cannot be written", message: "tensor `{name}` can't be written: {reason}" },
  MOE5118: { severity: "error", title: "value cannot be quantized", message: "value {value} in the block at index {index} can't be quantized" },
  MOE5119: { severity: "error", title: "unknown model family", message: "{where} `{name}` is not a model family that moec knows" },
  MOE5120: { severity: "error", title: "bad model config", message: "config `{key}` {reason}" },
  MOE5121: { severity: "error", title: "unsupported model option", message: "config `{key}` is {value}, which is not supported" },
  MOE5122: { severity: "error", title: "tensor of another shape", message: "tensor `{name}` has shape [{shape}], the config asks for [{expected}]" },
  MOE5123: { severity: "error", title: "file cannot be read", message: "can't read `{path}`: {reason}" },
  MOE5201: { severity: "error", title: "tokenizer file is not JSON", message: "{file} is not JSON: {reason}" },
  MOE5202: { severity: "error", title: "tokenizer file has another form", message: "{file}, at {path}: {reason}" },
  MOE5203: { severity: "error", title: "unsupported tokenizer part", message: "the tokenizer uses {part}, which is not supported" },
  MOE5204: { severity: "error", title: "damaged vocabulary", message: "the vocabulary is damaged: {reason}" },
  MOE5205: { severity: "error", title: "no embedded tokenizer", message: "the GGUF file has no usable tokenizer: {reason}" },
  MOE5206: { severity: "error", title: "unsupported embedded tokenizer", message: "the GGUF tokenizer has {key} `{value}`, which is not supported" },
  MOE5207: { severity: "error", title: "token id out of range", message: "token id {id} is not in the vocabulary of {size} tokens" },
  MOE5208: { severity: "error", title: "unknown special token", message: "{file} names `{token}` as {role}, but the vocabulary has no such token" },
} as const satisfies Readonly<Record<string, Message>>;

/** Every code that moec can say. */
export type ErrorCode = keyof typeof messages;

/** What the braces in the message of a code must be filled with. */
export interface MessageSlots {
  readonly MOE5101: Readonly<Record<string, never>>;
  readonly MOE5102: { readonly what: Slot; readonly needed: Slot; readonly offset: Slot; readonly size: Slot };
  readonly MOE5103: { readonly version: Slot };
  readonly MOE5104: { readonly what: Slot; readonly count: Slot; readonly limit: Slot };
  readonly MOE5105: { readonly what: Slot; readonly value: Slot };
  readonly MOE5106: { readonly what: Slot };
  readonly MOE5107: { readonly what: Slot; readonly name: Slot };
  readonly MOE5108: { readonly name: Slot; readonly type: Slot };
  readonly MOE5109: { readonly name: Slot; readonly start: Slot; readonly end: Slot; readonly size: Slot };
  readonly MOE5110: { readonly first: Slot; readonly second: Slot };
  readonly MOE5111: { readonly name: Slot; readonly shape: Slot; readonly reason: Slot };
  readonly MOE5112: { readonly key: Slot; readonly reason: Slot };
  readonly MOE5113: { readonly what: Slot; readonly value: Slot; readonly reason: Slot };
  readonly MOE5114: { readonly reason: Slot };
  readonly MOE5115: { readonly reason: Slot };
  readonly MOE5116: { readonly name: Slot };
  readonly MOE5117: { readonly name: Slot; readonly reason: Slot };
  readonly MOE5118: { readonly value: Slot; readonly index: Slot };
  readonly MOE5119: { readonly where: Slot; readonly name: Slot };
  readonly MOE5120: { readonly key: Slot; readonly reason: Slot };
  readonly MOE5121: { readonly key: Slot; readonly value: Slot };
  readonly MOE5122: { readonly name: Slot; readonly shape: Slot; readonly expected: Slot };
  readonly MOE5123: { readonly path: Slot; readonly reason: Slot };
  readonly MOE5201: { readonly file: Slot; readonly reason: Slot };
  readonly MOE5202: { readonly file: Slot; readonly path: Slot; readonly reason: Slot };
  readonly MOE5203: { readonly part: Slot };
  readonly MOE5204: { readonly reason: Slot };
  readonly MOE5205: { readonly reason: Slot };
  readonly MOE5206: { readonly key: Slot; readonly value: Slot };
  readonly MOE5207: { readonly id: Slot; readonly size: Slot };
  readonly MOE5208: { readonly file: Slot; readonly token: Slot; readonly role: Slot };
}

/** One constructor of a diagnostic for each code. */
export const errors = {
  /** MOE5101: not a checkpoint */
  notACheckpoint: (slots: MessageSlots["MOE5101"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5101", messages.MOE5101, slots, span, parts),
  /** MOE5102: file is cut off */
  fileIsCutOff: (slots: MessageSlots["MOE5102"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5102", messages.MOE5102, slots, span, parts),
  /** MOE5103: unsupported GGUF version */
  unsupportedGgufVersion: (slots: MessageSlots["MOE5103"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5103", messages.MOE5103, slots, span, parts),
  /** MOE5104: impossible count */
  impossibleCount: (slots: MessageSlots["MOE5104"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5104", messages.MOE5104, slots, span, parts),
  /** MOE5105: number too large */
  numberTooLarge: (slots: MessageSlots["MOE5105"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5105", messages.MOE5105, slots, span, parts),
  /** MOE5106: text is not UTF-8 */
  textIsNotUtf8: (slots: MessageSlots["MOE5106"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5106", messages.MOE5106, slots, span, parts),
  /** MOE5107: name appears twice */
  nameAppearsTwice: (slots: MessageSlots["MOE5107"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5107", messages.MOE5107, slots, span, parts),
  /** MOE5108: unsupported tensor type */
  unsupportedTensorType: (slots: MessageSlots["MOE5108"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5108", messages.MOE5108, slots, span, parts),
  /** MOE5109: tensor outside the file */
  tensorOutsideTheFile: (slots: MessageSlots["MOE5109"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5109", messages.MOE5109, slots, span, parts),
  /** MOE5110: tensors share bytes */
  tensorsShareBytes: (slots: MessageSlots["MOE5110"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5110", messages.MOE5110, slots, span, parts),
  /** MOE5111: impossible shape */
  impossibleShape: (slots: MessageSlots["MOE5111"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5111", messages.MOE5111, slots, span, parts),
  /** MOE5112: bad metadata */
  badMetadata: (slots: MessageSlots["MOE5112"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5112", messages.MOE5112, slots, span, parts),
  /** MOE5113: bad alignment */
  badAlignment: (slots: MessageSlots["MOE5113"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5113", messages.MOE5113, slots, span, parts),
  /** MOE5114: damaged safetensors header */
  damagedSafetensorsHeader: (slots: MessageSlots["MOE5114"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5114", messages.MOE5114, slots, span, parts),
  /** MOE5115: damaged shard index */
  damagedShardIndex: (slots: MessageSlots["MOE5115"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5115", messages.MOE5115, slots, span, parts),
  /** MOE5116: no such tensor */
  noSuchTensor: (slots: MessageSlots["MOE5116"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5116", messages.MOE5116, slots, span, parts),
  /** MOE5117: tensor cannot be written */
  tensorCannotBeWritten: (slots: MessageSlots["MOE5117"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5117", messages.MOE5117, slots, span, parts),
  /** MOE5118: value cannot be quantized */
  valueCannotBeQuantized: (slots: MessageSlots["MOE5118"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5118", messages.MOE5118, slots, span, parts),
  /** MOE5119: unknown model family */
  unknownModelFamily: (slots: MessageSlots["MOE5119"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5119", messages.MOE5119, slots, span, parts),
  /** MOE5120: bad model config */
  badModelConfig: (slots: MessageSlots["MOE5120"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5120", messages.MOE5120, slots, span, parts),
  /** MOE5121: unsupported model option */
  unsupportedModelOption: (slots: MessageSlots["MOE5121"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5121", messages.MOE5121, slots, span, parts),
  /** MOE5122: tensor of another shape */
  tensorOfAnotherShape: (slots: MessageSlots["MOE5122"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5122", messages.MOE5122, slots, span, parts),
  /** MOE5123: file cannot be read */
  fileCannotBeRead: (slots: MessageSlots["MOE5123"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5123", messages.MOE5123, slots, span, parts),
  /** MOE5201: tokenizer file is not JSON */
  tokenizerFileIsNotJson: (slots: MessageSlots["MOE5201"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5201", messages.MOE5201, slots, span, parts),
  /** MOE5202: tokenizer file has another form */
  tokenizerFileHasAnotherForm: (slots: MessageSlots["MOE5202"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5202", messages.MOE5202, slots, span, parts),
  /** MOE5203: unsupported tokenizer part */
  unsupportedTokenizerPart: (slots: MessageSlots["MOE5203"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5203", messages.MOE5203, slots, span, parts),
  /** MOE5204: damaged vocabulary */
  damagedVocabulary: (slots: MessageSlots["MOE5204"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5204", messages.MOE5204, slots, span, parts),
  /** MOE5205: no embedded tokenizer */
  noEmbeddedTokenizer: (slots: MessageSlots["MOE5205"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5205", messages.MOE5205, slots, span, parts),
  /** MOE5206: unsupported embedded tokenizer */
  unsupportedEmbeddedTokenizer: (slots: MessageSlots["MOE5206"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5206", messages.MOE5206, slots, span, parts),
  /** MOE5207: token id out of range */
  tokenIdOutOfRange: (slots: MessageSlots["MOE5207"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5207", messages.MOE5207, slots, span, parts),
  /** MOE5208: unknown special token */
  unknownSpecialToken: (slots: MessageSlots["MOE5208"], span: SourceSpan, parts: DiagnosticParts = {}): Diagnostic =>
    makeDiagnostic("MOE5208", messages.MOE5208, slots, span, parts),
} as const;
