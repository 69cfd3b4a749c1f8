/**
 * WebAssembly instructions as trees: an instruction holds those that make its operands. Numbers of instructions are those
 * of the WebAssembly specification 3.0, "Binary Format" (https://webassembly.github.io/spec/core/binary/instructions.html):
 * a byte, or a byte that says the group and a number in the group.
 */

/** Types by the byte that says them; `none` is the type of a block without a result. */
export const types = { none: 0x40, i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;
export type WasmType = (typeof types)[keyof typeof types];

export interface Coded {
  /** One byte, or that of the group times 2^16 and the number in the group. */
  readonly code: number;
  readonly operands: readonly Ref[];
}

/** An instruction, which stands in one place of one function. */
export type Ref =
  | (Coded & { readonly kind: "plain" })
  | (Coded & { readonly kind: "lane"; readonly lane: number })
  /** 16 bytes follow. */
  | (Coded & { readonly kind: "bytes"; readonly bytes: ArrayLike<number> })
  | (Coded & {
      readonly kind: "memory";
      /** Bytes that the address is said to be a multiple of. */
      readonly alignment: number;
      /** Bytes that are added to the address. */
      readonly offset: number;
      readonly lane?: number;
    })
  /** `local` counts the locals as they were made; they are written type by type. */
  | (Coded & { readonly kind: "local"; readonly local: number })
  | (Coded & { readonly kind: "call"; readonly name: string })
  | { readonly kind: "i32.const"; readonly value: number }
  | { readonly kind: "f32.const"; readonly value: number }
  | { readonly kind: "global"; readonly name: string }
  /** Instructions one after the other, the last of which may leave a value. */
  | { readonly kind: "block"; readonly list: readonly Ref[] }
  | { readonly kind: "loop"; readonly label: string; readonly body: Ref }
  | { readonly kind: "if"; readonly condition: Ref; readonly then: Ref; readonly otherwise: Ref | undefined }
  /** Begins the loop around it with this label again, when the condition is not 0. */
  | { readonly kind: "br_if"; readonly label: string; readonly condition: Ref };

const SIMD = 0xfd0000;
const SATURATING = 0xfc0000;
const ATOMIC = 0xfe0000;

export type One = (operand: Ref) => Ref;
export type Two = (left: Ref, right: Ref) => Ref;
type Three = (a: Ref, b: Ref, c: Ref) => Ref;
type Load = (offset: number, alignment: number, base: Ref) => Ref;
type Store = (offset: number, alignment: number, base: Ref, value: Ref) => Ref;
type StoreLane = (offset: number, alignment: number, lane: number, base: Ref, value: Ref) => Ref;
type Extract = (vector: Ref, lane: number) => Ref;
type Replace = (vector: Ref, lane: number, value: Ref) => Ref;

const plain = (code: number, ...operands: readonly Ref[]): Ref => ({ kind: "plain", code, operands });

const one =
  (code: number): One =>
  (operand) =>
    plain(code, operand);
const two =
  (code: number): Two =>
  (left, right) =>
    plain(code, left, right);
const three =
  (code: number): Three =>
  (a, b, c) =>
    plain(code, a, b, c);
const load =
  (code: number): Load =>
  (offset, alignment, base) => ({ kind: "memory", code, operands: [base], alignment, offset });
const store =
  (code: number): Store =>
  (offset, alignment, base, value) => ({ kind: "memory", code, operands: [base, value], alignment, offset });
const storeLane =
  (code: number): StoreLane =>
  (offset, alignment, lane, base, value) => ({
    ...{ kind: "memory", code: SIMD + code, operands: [base, value] },
    ...{ alignment, offset, lane },
  });
const extract =
  (code: number): Extract =>
  (vector, lane) => ({ kind: "lane", code: SIMD + code, operands: [vector], lane });
const replace =
  (code: number): Replace =>
  (vector, lane, value) => ({ kind: "lane", code: SIMD + code, operands: [vector, value], lane });
const simd1 = (code: number): One => one(SIMD + code);
const simd2 = (code: number): Two => two(SIMD + code);
const simd3 = (code: number): Three => three(SIMD + code);

export const i32 = {
  const: (value: number): Ref => ({ kind: "i32.const", value }),
  load: load(0x28),
  load8_s: load(0x2c),
  load8_u: load(0x2d),
  load16_s: load(0x2e),
  load16_u: load(0x2f),
  store: store(0x36),
  store8: store(0x3a),
  store16: store(0x3b),
  ...{ eqz: one(0x45), eq: two(0x46), ne: two(0x47) },
  ...{ lt_s: two(0x48), gt_s: two(0x4a), le_s: two(0x4c), ge_s: two(0x4e) },
  ...{ add: two(0x6a), sub: two(0x6b), mul: two(0x6c), div_s: two(0x6d), rem_s: two(0x6f) },
  ...{ and: two(0x71), or: two(0x72), xor: two(0x73), shl: two(0x74), shr_s: two(0x75), shr_u: two(0x76) },
  /** Toward zero; the nearest number that there is, 0 for NaN. */
  trunc_sat_f32_s: one(SATURATING),
  reinterpret_f32: one(0xbc),
  /** Gives the number that was there. */
  atomic_rmw_add: (offset: number, base: Ref, value: Ref): Ref => store(ATOMIC + 0x1e)(offset, 4, base, value),
};

export const f32 = {
  const: (value: number): Ref => ({ kind: "f32.const", value }),
  load: load(0x2a),
  store: store(0x38),
  ...{ eq: two(0x5b), ne: two(0x5c), lt: two(0x5d), gt: two(0x5e), le: two(0x5f), ge: two(0x60) },
  ...{ abs: one(0x8b), neg: one(0x8c), ceil: one(0x8d), floor: one(0x8e), nearest: one(0x90), sqrt: one(0x91) },
  ...{ add: two(0x92), sub: two(0x93), mul: two(0x94), div: two(0x95), min: two(0x96), max: two(0x97) },
  convert_i32_s: one(0xb2),
  reinterpret_i32: one(0xbe),
};

export const v128 = {
  const: (bytes: ArrayLike<number>): Ref => ({ kind: "bytes", code: SIMD + 12, operands: [], bytes }),
  load: load(SIMD),
  load8x8_s: load(SIMD + 1),
  load8x8_u: load(SIMD + 2),
  load16x4_s: load(SIMD + 3),
  load16x4_u: load(SIMD + 4),
  load32_splat: load(SIMD + 9),
  load32_zero: load(SIMD + 92),
  store: store(SIMD + 11),
  store32_lane: storeLane(90),
  store64_lane: storeLane(91),
  ...{ not: simd1(77), and: simd2(78), or: simd2(80), xor: simd2(81) },
  /** Bits of the first where the third has 1, else those of the second. */
  bitselect: simd3(82),
};

export const i8x16 = {
  /** Bytes by their number among those of both. */
  shuffle: (a: Ref, b: Ref, bytes: ArrayLike<number>): Ref => ({
    kind: "bytes",
    code: SIMD + 13,
    operands: [a, b],
    bytes,
  }),
  ...{ splat: simd1(15), extract_lane_s: extract(21), replace_lane: replace(23) },
  ...{ eq: simd2(35), ne: simd2(36), lt_s: simd2(37), gt_s: simd2(39), le_s: simd2(41), ge_s: simd2(43) },
  ...{ abs: simd1(96), neg: simd1(97), shl: simd2(107), shr_s: simd2(108), shr_u: simd2(109) },
  ...{ add: simd2(110), sub: simd2(113), min_s: simd2(118), max_s: simd2(120) },
};

export const i16x8 = {
  ...{ splat: simd1(16), extract_lane_s: extract(24), replace_lane: replace(26) },
  ...{ eq: simd2(45), ne: simd2(46), lt_s: simd2(47), gt_s: simd2(49), le_s: simd2(51), ge_s: simd2(53) },
  ...{ abs: simd1(128), neg: simd1(129), shl: simd2(139), shr_s: simd2(140), shr_u: simd2(141) },
  ...{ add: simd2(142), sub: simd2(145), mul: simd2(149), min_s: simd2(150), max_s: simd2(152) },
  extend_low_i8x16_s: simd1(135),
  extend_high_i8x16_s: simd1(136),
  extend_low_i8x16_u: simd1(137),
  extend_high_i8x16_u: simd1(138),
};

export const i32x4 = {
  ...{ splat: simd1(17), extract_lane: extract(27), replace_lane: replace(28) },
  ...{ eq: simd2(55), ne: simd2(56), lt_s: simd2(57), gt_s: simd2(59), le_s: simd2(61), ge_s: simd2(63) },
  ...{ abs: simd1(160), neg: simd1(161), shl: simd2(171), shr_s: simd2(172), shr_u: simd2(173) },
  ...{ add: simd2(174), sub: simd2(177), mul: simd2(181), min_s: simd2(182), max_s: simd2(184) },
  /** Products of pairs of neighbours, added. */
  dot_i16x8_s: simd2(186),
  /** Neighbours added. */
  extadd_pairwise_i16x8_s: simd1(126),
  extend_low_i16x8_s: simd1(167),
  extend_high_i16x8_s: simd1(168),
  extend_low_i16x8_u: simd1(169),
  extend_high_i16x8_u: simd1(170),
  trunc_sat_f32x4_s: simd1(248),
};

export const f32x4 = {
  ...{ splat: simd1(19), extract_lane: extract(31), replace_lane: replace(32) },
  ...{ eq: simd2(65), ne: simd2(66), lt: simd2(67), gt: simd2(68), le: simd2(69), ge: simd2(70) },
  ...{ ceil: simd1(103), floor: simd1(104), nearest: simd1(106), abs: simd1(224), neg: simd1(225), sqrt: simd1(227) },
  ...{ add: simd2(228), sub: simd2(229), mul: simd2(230), div: simd2(231), min: simd2(232), max: simd2(233) },
  convert_i32x4_s: simd1(250),
};

/** Instructions of relaxed SIMD. */
export const relaxed = {
  /** a * b + c */
  madd: simd3(0x105),
  /** Lanes of the first where the lane of the third has all bits set, of the second where it has none. */
  select32: simd3(0x10b),
  /** Signed i8 times 0..127, neighbours added. */
  dotPairs: simd2(0x112),
  /** Signed i8 times 0..127 (times more where the engine is exact), four neighbours added to a lane of the third. */
  dotQuads: simd3(0x113),
};

export const local = {
  get: (index: number): Ref => ({ kind: "local", code: 0x20, operands: [], local: index }),
  set: (index: number, value: Ref): Ref => ({ kind: "local", code: 0x21, operands: [value], local: index }),
  /** Sets it and leaves the value. */
  tee: (index: number, value: Ref): Ref => ({ kind: "local", code: 0x22, operands: [value], local: index }),
};

/** The immutable global of this name. */
export const global = (name: string): Ref => ({ kind: "global", name });
export const drop = one(0x1a);
export const select = (condition: Ref, yes: Ref, no: Ref): Ref => plain(0x1b, yes, no, condition);
export const call = (name: string, operands: readonly Ref[]): Ref => ({ kind: "call", code: 0x10, operands, name });
export const block = (list: readonly Ref[]): Ref => ({ kind: "block", list });
export const loop = (label: string, body: Ref): Ref => ({ kind: "loop", label, body });
export const ifThen = (condition: Ref, then: Ref, otherwise?: Ref): Ref => ({ kind: "if", condition, then, otherwise });
export const br_if = (label: string, condition: Ref): Ref => ({ kind: "br_if", label, condition });
