/** Flags without which the printed file does not mean what its kernels say: no sum of products rounds once by itself. */
export const nvccFlags: readonly string[] = ["-std=c++17", "-fmad=false"];
