// Tensor cores on a CPU: `ldmatrix` and `mma.sync` with the lanes' registers as the PTX ISA lays them out ("Matrix
// fragments for mma.m16n8k16 with floating point type", "... for mma.m16n8k32", "ldmatrix").
//
// Sums of f32 are rounded as badly as any tensor core was measured to do (Fasi et al. 2021, "Numerical behavior of NVIDIA
// tensor cores"): products of eight columns and the sum so far are cut to the last place of the largest of them, and what
// comes out is cut again. A kernel whose bound holds here needs nothing better.
#pragma once

namespace moec_cpu {

inline void ldmatrix(unsigned (&to)[4], const void* line, bool turned) {
  const uint64_t own = reinterpret_cast<uint64_t>(line);
  const uint64_t start = reinterpret_cast<uint64_t>(active->shared);
  if (own % 16 != 0) fail("a line of a matrix is not aligned to 16 bytes");
  if (own < start || own + 16 > start + sharedLimit) fail("a line of a matrix outside of shared memory");
  hand(&own, 1);
  for (unsigned matrix = 0; matrix < 4; matrix++) {
    const auto lineOf = [&](unsigned number) {
      uint64_t address;
      memcpy(&address, handed(8 * matrix + number), 8);
      return reinterpret_cast<const char*>(address);
    };
    const unsigned group = lane() / 4, pair = lane() % 4 * 2;
    if (!turned) {
      memcpy(&to[matrix], lineOf(group) + 2 * pair, 4);
      continue;
    }
    uint16_t halves[2];
    for (unsigned i = 0; i < 2; i++) memcpy(&halves[i], lineOf(pair + i) + 2 * group, 2);
    memcpy(&to[matrix], halves, 4);
  }
  meet();
}

// Element `at` of the lines of 32 bytes that the registers of lanes hold: for the left factor four registers (upper and
// lower lines, then the second half of the columns), for a half of the right one two.
inline uint32_t registerOf(unsigned line, unsigned byte, bool left) {
  const unsigned half = byte / 16, from = line % 8 * 4 + byte % 16 / 4;
  return handed(from)[left ? line / 8 + 2 * half : 4 + half];
}

inline float halfAt(uint32_t word, unsigned i, bool isBrain) {
  const uint16_t bits = uint16_t(word >> (16 * i));
  if (isBrain) {
    const uint32_t wide = uint32_t(bits) << 16;
    float value;
    memcpy(&value, &wide, 4);
    return value;
  }
  _Float16 value;
  memcpy(&value, &bits, 2);
  return float(value);
}

// `terms` cut to 24 bits of the largest and added; the result cut to f32.
inline float cutSum(const double* terms, int count) {
  double largest = 0;
  for (int i = 0; i < count; i++) {
    if (!(fabs(terms[i]) <= 1.7e308)) largest = INFINITY;
    if (fabs(terms[i]) > largest) largest = fabs(terms[i]);
  }
  double sum = 0;
  if (largest == 0 || largest == INFINITY) {
    for (int i = 0; i < count; i++) sum += terms[i];
    return float(sum);
  }
  int exponent;
  frexp(largest, &exponent);
  const double unit = ldexp(1, exponent - 24);
  for (int i = 0; i < count; i++) sum += trunc(terms[i] / unit) * unit;
  const float nearest = float(sum);
  return fabs(double(nearest)) > fabs(sum) ? nextafterf(nearest, 0) : nearest;
}

inline void mma(float* c, const unsigned (&a)[4], unsigned b0, unsigned b1, bool isBrain) {
  const unsigned own[6] = {a[0], a[1], a[2], a[3], b0, b1};
  hand(own, 6);
  for (unsigned i = 0; i < 4; i++) {
    const unsigned row = lane() / 4 + i / 2 * 8, column = lane() % 4 * 2 + i % 2;
    for (unsigned k0 = 0; k0 < 16; k0 += 8) {
      double terms[9] = {double(c[i])};
      for (unsigned k = k0; k < k0 + 8; k++) {
        const float left = halfAt(registerOf(row, 2 * k, true), k % 2, isBrain);
        terms[1 + k - k0] = double(left) * double(halfAt(registerOf(column, 2 * k, false), k % 2, isBrain));
      }
      c[i] = cutSum(terms, 9);
    }
  }
  meet();
}

inline void mma(int* c, const unsigned (&a)[4], unsigned b0, unsigned b1) {
  const unsigned own[6] = {a[0], a[1], a[2], a[3], b0, b1};
  hand(own, 6);
  for (unsigned i = 0; i < 4; i++) {
    const unsigned row = lane() / 4 + i / 2 * 8, column = lane() % 4 * 2 + i % 2;
    for (unsigned k = 0; k < 32; k++) {
      const int8_t left = int8_t(registerOf(row, k, true) >> (8 * (k % 4)));
      c[i] += int(left) * int8_t(registerOf(column, k, false) >> (8 * (k % 4)));
    }
  }
  meet();
}

}  // namespace moec_cpu

inline void moec_ldmatrix(unsigned (&to)[4], const void* line) { moec_cpu::ldmatrix(to, line, false); }
inline void moec_ldmatrix_turned(unsigned (&to)[4], const void* line) { moec_cpu::ldmatrix(to, line, true); }
inline void moec_mma_f16(float* c, const unsigned (&a)[4], unsigned b0, unsigned b1) {
  moec_cpu::mma(c, a, b0, b1, false);
}
inline void moec_mma_bf16(float* c, const unsigned (&a)[4], unsigned b0, unsigned b1) {
  moec_cpu::mma(c, a, b0, b1, true);
}
inline void moec_mma_i8(int* c, const unsigned (&a)[4], unsigned b0, unsigned b1) { moec_cpu::mma(c, a, b0, b1); }
