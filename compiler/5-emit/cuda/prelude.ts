/** What every printed CUDA file starts with. */

/** Flags without which the printed file does not mean what its kernels say: no sum of products rounds once by itself. */
export const nvccFlags: readonly string[] = ["-std=c++17", "-fmad=false"];

/**
 * `MOEC_CPU` is defined where a host compiler builds the file with a header that plays the GPU; then the header brings
 * the types, and memory of the block comes from it.
 */
export const cudaPrelude = `#ifdef MOEC_CPU
#include MOEC_CPU
#else
#include <cuda_fp16.h>
#define MOEC_SHARED(type, name, length) __shared__ type name[length]
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
`;
