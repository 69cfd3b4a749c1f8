// Runs CUDA C++ kernels on a CPU, for their numbers: g++ -std=c++17 -x c++ -DMOEC_CPU='"cuda-cpu.h"' kernels.cu
//
// Each CUDA thread of a block is a fiber with a stack of its own. Fibers run one after the other, each from barrier to
// barrier, so a missing barrier gives wrong numbers in some order of the threads: run forward, reverse and random. A
// thread that ends while others wait at a barrier stops the process. Shared memory starts as NaN.
#pragma once
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(threads)

namespace moec_cpu {

struct Index {
  unsigned x, y, z;
};

enum class State { ready, waiting, done };

struct Fiber {
#if defined(__x86_64__)
  void* top = nullptr;
#else
  ucontext_t context;
#endif
  std::vector<char> stack;
  State state = State::done;
  Index thread{0, 0, 0};
  // Shared buffers are declared in one order by all threads: each finds them by walking the same way.
  size_t declared = 0;
};

enum Order { forward, reverse, shuffled };

struct Block {
#if defined(__x86_64__)
  void* scheduler = nullptr;
#else
  ucontext_t scheduler;
#endif
  std::vector<Fiber> fibers;
  std::vector<char> shared;
  // What threads hand each other in a shuffle.
  std::vector<uint32_t> exchange;
  void (*call)(const void*);
  const void* kernel;
  Fiber* current = nullptr;
  Index block{0, 0, 0};
};

inline Block* active = nullptr;
constexpr size_t stackBytes = 128 * 1024, sharedLimit = 256 * 1024;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "cuda-cpu: %s in block %u\n", what, active->block.x);
  std::abort();
}

#if defined(__x86_64__)
// Keeps what a function must keep, exchanges the stacks, and returns on the other one.
extern "C" void moec_cpu_switch(void** save, void* load);
__asm__(
    ".text\n.weak moec_cpu_switch\n.type moec_cpu_switch,@function\nmoec_cpu_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp,(%rdi)\nmovq %rsi,%rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
    ".size moec_cpu_switch,.-moec_cpu_switch\n");
inline void leave() { moec_cpu_switch(&active->current->top, active->scheduler); }
inline void resume(Fiber& fiber) { moec_cpu_switch(&active->scheduler, fiber.top); }
#else
inline void leave() { swapcontext(&active->current->context, &active->scheduler); }
inline void resume(Fiber& fiber) { swapcontext(&active->scheduler, &fiber.context); }
#endif

inline void enter() {
  active->call(active->kernel);
  active->current->state = State::done;
  for (;;) leave();
}

inline void prepare(Fiber& fiber) {
#if defined(__x86_64__)
  const uintptr_t end = reinterpret_cast<uintptr_t>(fiber.stack.data() + fiber.stack.size()) & ~uintptr_t(15);
  void** top = reinterpret_cast<void**>(end);
  // The stack of a function begins eight bytes below a multiple of 16; then where to go, and six registers.
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&enter);
  for (int i = 0; i < 6; i++) *--top = nullptr;
  fiber.top = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.data();
  fiber.context.uc_stack.ss_size = fiber.stack.size();
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, enter, 0);
#endif
}

inline void barrier() {
  active->current->state = State::waiting;
  leave();
}

template <class T>
T* shared(size_t length) {
  Fiber* self = active->current;
  const size_t start = self->declared;
  self->declared += (length * sizeof(T) + 15) / 16 * 16;
  if (self->declared > sharedLimit) fail("more shared memory than the harness has");
  return reinterpret_cast<T*>(active->shared.data() + start);
}

// All threads of the block shuffle together, which the kernels here do.
template <class T>
T shuffle(T value, unsigned from) {
  static_assert(sizeof(T) == 4);
  std::vector<uint32_t>& slots = active->exchange;
  if (from >= slots.size()) fail("a shuffle from a thread that is not there");
  std::memcpy(&slots[active->current->thread.x], &value, 4);
  barrier();
  T result;
  std::memcpy(&result, &slots[from], 4);
  barrier();
  return result;
}

inline void runBlock(Block& block, Order order, std::mt19937& random) {
  const size_t count = block.fibers.size();
  std::fill(block.shared.begin(), block.shared.end(), char(0xff));
  std::vector<size_t> turns(count);
  for (size_t i = 0; i < count; i++) turns[i] = order == reverse ? count - 1 - i : i;
  for (size_t i = 0; i < count; i++) {
    Fiber& fiber = block.fibers[i];
    fiber.thread = {unsigned(i), 0, 0};
    fiber.state = State::ready;
    fiber.declared = 0;
    prepare(fiber);
  }
  for (;;) {
    if (order == shuffled) std::shuffle(turns.begin(), turns.end(), random);
    for (size_t i : turns) {
      block.current = &block.fibers[i];
      resume(block.fibers[i]);
    }
    const size_t done = std::count_if(block.fibers.begin(), block.fibers.end(),
                                      [](const Fiber& fiber) { return fiber.state == State::done; });
    if (done == count) return;
    if (done > 0) fail("a thread has ended while others wait at a barrier");
    for (Fiber& fiber : block.fibers) fiber.state = State::ready;
  }
}

// Threads that never meet need no stacks of their own.
inline void runApart(Block& block, Order order, std::mt19937& random) {
  const size_t count = block.fibers.size();
  std::vector<size_t> turns(count);
  for (size_t i = 0; i < count; i++) turns[i] = order == reverse ? count - 1 - i : i;
  if (order == shuffled) std::shuffle(turns.begin(), turns.end(), random);
  for (size_t i : turns) {
    block.current = &block.fibers[i];
    block.current->thread = {unsigned(i), 0, 0};
    block.call(block.kernel);
  }
}

// Blocks are independent, so their order is varied like that of the threads.
template <class Kernel>
void launch(unsigned blocks, unsigned threads, bool meet, int order, unsigned seed, Kernel kernel) {
  Block block;
  block.kernel = &kernel;
  block.call = [](const void* body) { (*static_cast<const Kernel*>(body))(); };
  block.fibers.resize(threads);
  if (meet) {
    block.shared.resize(sharedLimit);
    block.exchange.resize(threads);
    for (Fiber& fiber : block.fibers) fiber.stack.resize(stackBytes);
  }
  std::mt19937 random(seed);
  std::vector<unsigned> turns(blocks);
  for (unsigned i = 0; i < blocks; i++) turns[i] = order == reverse ? blocks - 1 - i : i;
  if (order == shuffled) std::shuffle(turns.begin(), turns.end(), random);
  active = &block;
  for (unsigned i : turns) {
    block.block = {i, 0, 0};
    if (meet) runBlock(block, Order(order), random);
    else runApart(block, Order(order), random);
  }
  active = nullptr;
}

}  // namespace moec_cpu

#define threadIdx (moec_cpu::active->current->thread)
#define blockIdx (moec_cpu::active->block)
#define MOEC_SHARED(type, name, length) type* const name = moec_cpu::shared<type>(length)

inline void __syncthreads() { moec_cpu::barrier(); }
template <class T>
T __shfl_xor_sync(unsigned, T value, int lanes) {
  return moec_cpu::shuffle(value, moec_cpu::active->current->thread.x ^ unsigned(lanes));
}

inline float __int_as_float(int bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
inline int __float_as_int(float value) {
  int bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float __int2float_rn(int value) { return float(value); }
inline int __float2int_rz(float value) {
  if (std::isnan(value)) return 0;
  if (value >= 2147483648.0f) return INT32_MAX;
  return value <= -2147483648.0f ? INT32_MIN : int(value);
}
inline int __dp4a(int a, int b, int c) {
  unsigned sum = unsigned(c);
  for (int shift = 0; shift < 32; shift += 8) sum += unsigned(int(int8_t(a >> shift)) * int(int8_t(b >> shift)));
  return int(sum);
}
inline int atomicAdd(int* place, int value) {
  const int old = *place;
  *place = int(unsigned(old) + unsigned(value));
  return old;
}

// The 16-bit float of the compiler has the same bits and rounds to nearest even.
inline float moec_from_f16(unsigned short bits) {
  _Float16 value;
  std::memcpy(&value, &bits, 2);
  return float(value);
}
inline unsigned short moec_to_f16(float value) {
  const _Float16 half = _Float16(value);
  unsigned short bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}
