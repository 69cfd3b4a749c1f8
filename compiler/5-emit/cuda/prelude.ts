/** What every printed CUDA file starts with. */
import { warpThreads } from "../../4-schedule/kernel-fragments.js";
import { fragmentFunctions, matrixInstructions } from "./fragments-prelude.js";

/** A macro of several lines: all but the last end with a backslash, which stands in this column. */
function macro(column: number, text: string): string {
  return text.replaceAll(/^.+(?=\n)/gm, (line) => `${line.padEnd(column)}\\`);
}

/** How far apart threads are that join their values first: by half a warp. */
const farthest = warpThreads / 2;

/** Over all threads of a block. */
const foldMacro = macro(
  110,
  `#define MOEC_FOLD(name, join)
  template <int threads, typename T>
  __device__ static __forceinline__ T moec_fold_##name(T* folded, T value, const int thread) {
    constexpr bool warps = threads % ${warpThreads} == 0;
    if (warps)
      for (int lanes = ${farthest}; lanes > 0; lanes /= 2) value = join(value, __shfl_xor_sync(~0u, value, lanes));
    if (!warps || thread % ${warpThreads} == 0) folded[warps ? thread / ${warpThreads} : thread] = value;
    __syncthreads();
    value = folded[0];
    for (int i = 1; i < (warps ? threads / ${warpThreads} : threads); i++) value = join(value, folded[i]);
    __syncthreads();
    return value;
  }`,
);

/** Over threads of a warp. */
const foldAcrossMacro = macro(
  108,
  `#define MOEC_FOLD_ACROSS(name, join)
  template <int mask, typename T>
  __device__ static __forceinline__ T moec_fold_##name##_across(T value) {
    for (int lanes = ${farthest}; lanes > 0; lanes /= 2)
      if (mask & lanes) value = join(value, __shfl_xor_sync(~0u, value, lanes));
    return value;
  }`,
);

/**
 * `MOEC_CPU` is defined where a host compiler builds the file with a header that plays the GPU; then the header brings
 * the types, and memory of the block comes from it.
 */
export const cudaPrelude = `#ifdef MOEC_CPU
#include MOEC_CPU
#else
#define MOEC_SHARED(type, name, length) __shared__ __align__(16) type name[length]
// 16-bit floats are their bits here: so no header is needed, and NVRTC compiles the file without a toolkit beside it.
__device__ static __forceinline__ float moec_from_f16(unsigned short bits) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
  return value;
}
__device__ static __forceinline__ unsigned short moec_to_f16(float value) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}
${matrixInstructions}
#endif

// i32 arithmetic wraps.
__device__ static __forceinline__ int moec_add(int a, int b) { return (int)((unsigned)a + (unsigned)b); }
__device__ static __forceinline__ int moec_sub(int a, int b) { return (int)((unsigned)a - (unsigned)b); }
__device__ static __forceinline__ int moec_mul(int a, int b) { return (int)((unsigned)a * (unsigned)b); }
__device__ static __forceinline__ int moec_abs(int a) { return a < 0 ? moec_sub(0, a) : a; }
__device__ static __forceinline__ int moec_min(int a, int b) { return a < b ? a : b; }
__device__ static __forceinline__ int moec_max(int a, int b) { return a > b ? a : b; }
__device__ static __forceinline__ float moec_float(unsigned bits) { return __int_as_float((int)bits); }
// NaN when either is NaN, and -0 before 0.
__device__ static __forceinline__ float moec_min(float a, float b) {
  if (a < b) return a;
  if (b < a) return b;
  return a == b ? __int_as_float(__float_as_int(a) | __float_as_int(b)) : a + b;
}
__device__ static __forceinline__ float moec_max(float a, float b) {
  if (a > b) return a;
  if (b > a) return b;
  return a == b ? __int_as_float(__float_as_int(a) & __float_as_int(b)) : a + b;
}

// What all threads of a block bring, folded into one: within warps by shuffles, then over warps. The same bits come out
// in all threads, because both sides of a shuffle join the same two values.
${foldMacro}
__device__ static __forceinline__ float moec_add(float a, float b) { return a + b; }
MOEC_FOLD(add, moec_add)
MOEC_FOLD(min, moec_min)
MOEC_FOLD(max, moec_max)
// The same among threads of a warp whose numbers differ in the bits of a mask alone.
${foldAcrossMacro}
MOEC_FOLD_ACROSS(add, moec_add)
MOEC_FOLD_ACROSS(min, moec_min)
MOEC_FOLD_ACROSS(max, moec_max)
template <int mask, typename T>
__device__ static __forceinline__ T moec_fold_first_across(T value) {
  return __shfl_sync(~0u, value, (int)threadIdx.x % ${warpThreads} & ~mask);
}
template <int threads, typename T>
__device__ static __forceinline__ T moec_fold_first(T* folded, T value, const int thread) {
  if (thread == 0) folded[0] = value;
  __syncthreads();
  value = folded[0];
  __syncthreads();
  return value;
}
${fragmentFunctions}
`;
