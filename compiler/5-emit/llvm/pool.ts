/**
 * The threads of native code as LLVM IR: one call runs all launches of an entry point.
 *
 * The word `work` says which launch is open and how many of its chunks are left. A thread takes a chunk by one
 * compare-and-exchange; whoever finishes the last chunk of a launch opens the next one. Nobody waits for a thread that
 * sleeps or that the system has put aside, only for chunks that were taken. Numbers of launches run on through all calls,
 * so a thread that comes back late can't take a chunk with the arguments of another launch.
 *
 * A thread without work pauses for some tens of microseconds, then gives its core to others, then sleeps in a futex. The
 * thread that made the call never sleeps: it pauses, then yields.
 */
import { BUS, BUS_RANGES, CONTROL, FUTEX, PAGE_BYTES, POOL_SYMBOLS, ROW, ROW_BYTES, THREAD } from "./pool-layout.js";

/** What the text needs to know of the operating system and the processor. */
export interface PoolPlatform {
  /** Numbers of system calls. */
  readonly futex: number;
  readonly schedYield: number;
  readonly mmap: number;
  readonly rtSigaction: number;
  /** Instruction that tells the processor that a loop waits. */
  readonly pause: { readonly declaration: string; readonly call: string };
}

export const linuxX64: PoolPlatform = {
  futex: FUTEX.call["x86-64"],
  schedYield: 24,
  mmap: 9,
  rtSigaction: 13,
  pause: { declaration: "declare void @llvm.x86.sse2.pause()", call: "call void @llvm.x86.sse2.pause()" },
};

export const linuxArm64: PoolPlatform = {
  futex: FUTEX.call.aarch64,
  schedYield: 124,
  mmap: 222,
  rtSigaction: 134,
  // hint 1 is `yield`.
  pause: { declaration: "declare void @llvm.aarch64.hint(i32)", call: "call void @llvm.aarch64.hint(i32 1)" },
};

/** Turns of looking for work before a thread yields, and before it sleeps. A pause takes 15 to 60 nanoseconds. */
const PAUSES = 2000;
const YIELDS = 200;

const SIGBUS = 7;
/** PROT_READ, and MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS. */
const READABLE = 1;
const FRESH_PAGE = 0x32;
/** Offset of the address in Linux' siginfo_t. */
const FAULT_ADDRESS = 16;

const kernelType = "void (i8**, i32*, i8*, i32, i32)*";
const syscallType = "i64 (i64, ...)*";

/** A typed pointer to a field at a byte offset. */
function field(name: string, base: string, offset: number, type: string): string {
  return `  %${name}.at = getelementptr i8, i8* ${base}, i64 ${offset}
  %${name} = bitcast i8* %${name}.at to ${type}*`;
}

/** Loads the address of `syscall` under the name `%syscall`. */
const loadSyscall = (base: string, offset: number): string => `${field("syscall.p", base, offset, syscallType)}
  %syscall = load ${syscallType}, ${syscallType}* %syscall.p, align 8`;

const take = `; Takes and runs chunks until none is open.
define internal void @moec_take(i8* %control, i8* %scratch) #1 {
entry:
${field("work", "%control", CONTROL.work, "i64")}
${field("done", "%control", CONTROL.done, "i64")}
${field("base.p", "%control", CONTROL.base, "i64")}
${field("table.p", "%control", CONTROL.table, "i8*")}
  br label %again
again:
  %word = load atomic i64, i64* %work acquire, align 8
  %left = and i64 %word, 4294967295
  %none = icmp eq i64 %left, 0
  br i1 %none, label %out, label %try
try:
  %less = sub i64 %word, 1
  %pair = cmpxchg i64* %work, i64 %word, i64 %less acq_rel acquire
  %won = extractvalue { i64, i1 } %pair, 1
  br i1 %won, label %run, label %again
run:
  %base = load i64, i64* %base.p, align 8
  %table = load i8*, i8** %table.p, align 8
  %number = lshr i64 %word, 32
  %behind = sub i64 %number, %base
  %index = and i64 %behind, 4294967295
  %place = mul i64 %index, ${ROW_BYTES}
  %row = getelementptr i8, i8* %table, i64 %place
${field("kernel.p", "%row", ROW.kernel, kernelType)}
${field("buffers.p", "%row", ROW.buffers, "i8**")}
${field("scalars.p", "%row", ROW.scalars, "i32*")}
${field("grid.p", "%row", ROW.grid, "i32")}
${field("chunks.p", "%row", ROW.chunks, "i32")}
${field("until.p", "%row", ROW.until, "i64")}
  %kernel = load ${kernelType}, ${kernelType}* %kernel.p, align 8
  %buffers = load i8**, i8*** %buffers.p, align 8
  %scalars = load i32*, i32** %scalars.p, align 8
  %grid32 = load i32, i32* %grid.p, align 4
  %chunks32 = load i32, i32* %chunks.p, align 4
  %until = load i64, i64* %until.p, align 8
  %grid = zext i32 %grid32 to i64
  %chunks = zext i32 %chunks32 to i64
  %chunk = sub i64 %chunks, %left
  %following = add i64 %chunk, 1
  %from.of = mul i64 %grid, %chunk
  %to.of = mul i64 %grid, %following
  %from64 = udiv i64 %from.of, %chunks
  %to64 = udiv i64 %to.of, %chunks
  %from = trunc i64 %from64 to i32
  %to = trunc i64 %to64 to i32
  call void %kernel(i8** %buffers, i32* %scalars, i8* %scratch, i32 %from, i32 %to)
  %before = atomicrmw add i64* %done, i64 1 acq_rel
  %after = add i64 %before, 1
  %last = icmp eq i64 %after, %until
  br i1 %last, label %next, label %again
next:
  %next.index = add i64 %index, 1
  call void @moec_open(i8* %control, i64 %next.index)
  br label %again
out:
  ret void
}`;

const open = `; Opens a launch of the table, or the first behind it that has chunks; behind the last one the call is finished.
define internal void @moec_open(i8* %control, i64 %first) #1 {
entry:
${field("work", "%control", CONTROL.work, "i64")}
${field("event", "%control", CONTROL.event, "i32")}
${field("sleepers", "%control", CONTROL.sleepers, "i32")}
${field("finished", "%control", CONTROL.finished, "i64")}
${field("base.p", "%control", CONTROL.base, "i64")}
${field("count.p", "%control", CONTROL.count, "i64")}
${field("table.p", "%control", CONTROL.table, "i8*")}
  %base = load i64, i64* %base.p, align 8
  %count = load i64, i64* %count.p, align 8
  %table = load i8*, i8** %table.p, align 8
  br label %look
look:
  %index = phi i64 [ %first, %entry ], [ %further, %skip ]
  %over = icmp uge i64 %index, %count
  br i1 %over, label %end, label %see
see:
  %place = mul i64 %index, ${ROW_BYTES}
  %row = getelementptr i8, i8* %table, i64 %place
${field("chunks.p", "%row", ROW.chunks, "i32")}
  %chunks = load i32, i32* %chunks.p, align 4
  %empty = icmp eq i32 %chunks, 0
  br i1 %empty, label %skip, label %show
skip:
  %further = add i64 %index, 1
  br label %look
show:
  %number = add i64 %base, %index
  %high = shl i64 %number, 32
  %low = zext i32 %chunks to i64
  %word = or i64 %high, %low
  store atomic i64 %word, i64* %work seq_cst, align 8
  %shared = icmp ugt i32 %chunks, 1
  br i1 %shared, label %call, label %out
call:
  %old = atomicrmw add i32* %event, i32 1 seq_cst
  %sleeping = load atomic i32, i32* %sleepers seq_cst, align 4
  %some = icmp ne i32 %sleeping, 0
  br i1 %some, label %wake, label %out
wake:
  call void @moec_wake(i8* %control)
  br label %out
end:
  %calls = atomicrmw add i64* %finished, i64 1 seq_cst
  br label %out
out:
  ret void
}`;

const wake = (platform: PoolPlatform): string => `; Wakes all threads that sleep.
define internal void @moec_wake(i8* %control) #1 {
entry:
${field("event", "%control", CONTROL.event, "i32")}
${loadSyscall("%control", CONTROL.syscall)}
  %woken = call i64 (i64, ...) %syscall(i64 ${platform.futex}, i32* %event, i64 ${FUTEX.wakePrivate}, i64 ${FUTEX.all})
  ret void
}`;

const run = (platform: PoolPlatform): string => `; Runs all launches of the table; returns when all are finished.
define dso_local void @${POOL_SYMBOLS.run}(i8* %control, i8* %table, i64 %count, i8* %scratch) #1 {
entry:
${field("work", "%control", CONTROL.work, "i64")}
${field("done", "%control", CONTROL.done, "i64")}
${field("finished", "%control", CONTROL.finished, "i64")}
${field("base.p", "%control", CONTROL.base, "i64")}
${field("count.p", "%control", CONTROL.count, "i64")}
${field("table.p", "%control", CONTROL.table, "i8*")}
${loadSyscall("%control", CONTROL.syscall)}
  %word = load atomic i64, i64* %work acquire, align 8
  %last = lshr i64 %word, 32
  %next = add i64 %last, 1
  %base = and i64 %next, 4294967295
  store i64 %base, i64* %base.p, align 8
  store i64 %count, i64* %count.p, align 8
  store i8* %table, i8** %table.p, align 8
  store atomic i64 0, i64* %done seq_cst, align 8
  %before = load atomic i64, i64* %finished acquire, align 8
  call void @moec_open(i8* %control, i64 0)
  br label %help
help:
  %turn = phi i64 [ 0, %entry ], [ %turn.next, %rest ], [ %turn, %yield ]
  call void @moec_take(i8* %control, i8* %scratch)
  %now = load atomic i64, i64* %finished acquire, align 8
  %over = icmp ne i64 %now, %before
  br i1 %over, label %out, label %wait
wait:
  %long = icmp ugt i64 %turn, ${PAUSES}
  br i1 %long, label %yield, label %rest
rest:
  ${platform.pause.call}
  %turn.next = add i64 %turn, 1
  br label %help
yield:
  %yielded = call i64 (i64, ...) %syscall(i64 ${platform.schedYield})
  br label %help
out:
  ret void
}`;

const worker = (platform: PoolPlatform): string => `; Body of a thread: works until the pool stops.
define dso_local i8* @${POOL_SYMBOLS.worker}(i8* %thread) #1 {
entry:
${field("control.p", "%thread", THREAD.control, "i8*")}
${field("scratch.p", "%thread", THREAD.scratch, "i8*")}
  %control = load i8*, i8** %control.p, align 8
  %scratch = load i8*, i8** %scratch.p, align 8
${field("work", "%control", CONTROL.work, "i64")}
${field("event", "%control", CONTROL.event, "i32")}
${field("sleepers", "%control", CONTROL.sleepers, "i32")}
${field("stop", "%control", CONTROL.stop, "i64")}
${loadSyscall("%control", CONTROL.syscall)}
  br label %look
look:
  %turn = phi i64 [ 0, %entry ], [ 0, %busy ], [ 0, %woke ], [ %turn.next, %rest ], [ %turn.next, %yield ]
  %stopped = load atomic i64, i64* %stop acquire, align 8
  %ending = icmp ne i64 %stopped, 0
  br i1 %ending, label %out, label %see
see:
  %word = load atomic i64, i64* %work acquire, align 8
  %left = and i64 %word, 4294967295
  %none = icmp eq i64 %left, 0
  br i1 %none, label %idle, label %busy
busy:
  call void @moec_take(i8* %control, i8* %scratch)
  br label %look
idle:
  %turn.next = add i64 %turn, 1
  %short = icmp ult i64 %turn, ${PAUSES}
  br i1 %short, label %rest, label %tired
rest:
  ${platform.pause.call}
  br label %look
tired:
  %awake = icmp ult i64 %turn, ${PAUSES + YIELDS}
  br i1 %awake, label %yield, label %lie
yield:
  %yielded = call i64 (i64, ...) %syscall(i64 ${platform.schedYield})
  br label %look
lie:
  ; The event is read before the last look, so that none is missed.
  %more = atomicrmw add i32* %sleepers, i32 1 seq_cst
  %seen = load atomic i32, i32* %event seq_cst, align 4
  %word.again = load atomic i64, i64* %work seq_cst, align 8
  %left.again = and i64 %word.again, 4294967295
  %still = icmp eq i64 %left.again, 0
  %stopped.again = load atomic i64, i64* %stop seq_cst, align 8
  %going = icmp eq i64 %stopped.again, 0
  %sleeps = and i1 %still, %going
  br i1 %sleeps, label %sleep, label %woke
sleep:
  %wide = zext i32 %seen to i64
  %slept = call i64 (i64, ...) %syscall(i64 ${platform.futex}, i32* %event, i64 ${FUTEX.waitPrivate}, i64 %wide, i64 0)
  br label %woke
woke:
  %fewer = atomicrmw sub i32* %sleepers, i32 1 seq_cst
  br label %look
out:
  ret i8* null
}`;

const busWords = 2 + 2 * BUS_RANGES;

/**
 * A mapped file that became shorter answers a read with a bus error. Within the ranges of mapped files the page becomes
 * zeros and the error is counted, so that the call ends and the runtime can say what happened; elsewhere the system's own
 * action follows.
 */
const busHandler = (
  platform: PoolPlatform,
): string => `@${POOL_SYMBOLS.bus} = hidden global [${busWords} x i64] zeroinitializer, align 64
@moec_no_action = internal constant [4 x i64] zeroinitializer, align 8

define dso_local void @${POOL_SYMBOLS.onBusError}(i32 %signal, i8* %info, i8* %context) #1 {
entry:
  %bus = bitcast [${busWords} x i64]* @${POOL_SYMBOLS.bus} to i8*
${loadSyscall("%bus", BUS.syscall)}
${field("faults", "%bus", BUS.faults, "i64")}
${field("address.p", "%info", FAULT_ADDRESS, "i64")}
  %address = load i64, i64* %address.p, align 8
  br label %look
look:
  %index = phi i64 [ 0, %entry ], [ %further, %other ]
  %over = icmp uge i64 %index, ${BUS_RANGES}
  br i1 %over, label %foreign, label %compare
compare:
  %place = mul i64 %index, 16
  %pair = getelementptr i8, i8* %bus, i64 %place
${field("from.p", "%pair", BUS.ranges, "i64")}
${field("to.p", "%pair", BUS.ranges + 8, "i64")}
  %from = load i64, i64* %from.p, align 8
  %to = load i64, i64* %to.p, align 8
  %behind = icmp uge i64 %address, %from
  %before = icmp ult i64 %address, %to
  %inside = and i1 %behind, %before
  br i1 %inside, label %ours, label %other
other:
  %further = add i64 %index, 1
  br label %look
ours:
  %page = and i64 %address, -${PAGE_BYTES}
  %mapped = call i64 (i64, ...) %syscall(i64 ${platform.mmap}, i64 %page, i64 ${PAGE_BYTES}, i64 ${READABLE}, i64 ${FRESH_PAGE}, i64 -1, i64 0)
  %count = atomicrmw add i64* %faults, i64 1 seq_cst
  ret void
foreign:
  %none = bitcast [4 x i64]* @moec_no_action to i8*
  %restored = call i64 (i64, ...) %syscall(i64 ${platform.rtSigaction}, i64 ${SIGBUS}, i8* %none, i64 0, i64 8)
  ret void
}`;

/** All of it, to be put behind the kernels of a module whose attributes `#1` are those of ordinary functions. */
export function poolText(platform: PoolPlatform): string {
  const functions = [take, open, wake(platform), run(platform), worker(platform), busHandler(platform)];
  return [...functions, platform.pause.declaration].join("\n\n");
}
