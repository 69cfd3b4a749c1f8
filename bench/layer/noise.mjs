/** Deterministic values in about [-scale, scale]: the same inputs for every engine. */
export function noise(length, scale, seed) {
  const data = new Float32Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = (state / 2147483648 - 1) * scale;
  }
  return data;
}
