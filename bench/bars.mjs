/** What the project promises about speed, and whether a run holds it. */

/** Times of the best other engine over ours, at least. */
const BARS = [
  { what: "layer", storage: ["q8_0", "q4_0"], against: "onnxruntime-web", tokens: [1, 16, 128], times: 5 },
  { what: "layer", storage: ["f32"], against: "onnxruntime-web", tokens: [1], times: 1 },
  { what: "layer", storage: ["f32"], against: "onnxruntime-web", tokens: [128, 512], times: 1.4 },
  { what: "layer in a model", storage: ["q8_0", "q4_0"], against: "wllama", tokens: [1, 16, 128], times: 5 },
  { what: "small model", storage: ["q8_0", "q4_0"], against: "wllama", tokens: [1, 16, 128], times: 5 },
];
/** Share of the multiply-add peak of the same run. */
const MATMUL_SHARE = 0.8;

/** One line for each bar of what was to be measured (`whats`) and each thread count; what has no figure is said. */
export function judge(report, whats, threadCounts) {
  const lines = [];
  for (const threads of threadCounts) {
    for (const bar of BARS.filter(({ what }) => whats.includes(what))) {
      for (const storage of bar.storage) {
        for (const tokens of bar.tokens) {
          const row = report.find(
            (one) =>
              one.what === bar.what && one.threads === threads && one.storage === storage && one.tokens === tokens,
          );
          const name = `${bar.what} ${storage}, ${tokens} token${tokens > 1 ? "s" : ""}, ${threads} thread${threads > 1 ? "s" : ""}`;
          const { moec, others = {} } = row ?? {};
          const theirs = Object.entries(others).filter(([other]) => other.startsWith(bar.against));
          const before = lines.length;
          for (const [host, own] of [
            ["Node", moec],
            ["Chromium", others["moec (Chromium)"]],
          ]) {
            // wllama runs in Chromium only; others are compared in the host that ran both.
            const beside = theirs.filter(
              ([other]) => other === "wllama" || other.endsWith("(Chromium)") === (host === "Chromium"),
            );
            if (own === undefined || beside.length === 0) continue;
            const times = Math.min(...beside.map(([, milliseconds]) => milliseconds)) / own;
            const verdict = times >= bar.times ? "holds" : "MISSED";
            const text = `${times.toFixed(2)} x ${bar.against}, wanted ${bar.times} x`;
            lines.push({ name: `${name}, ours in ${host}`, verdict, text });
          }
          // Also where one host has ours only, and another theirs.
          if (lines.length === before) lines.push({ name, verdict: "not measured" });
        }
      }
    }
    if (!whats.includes("matmul")) continue;
    const name = `f32 product 512 x 2048 x 2048, ${threads} thread${threads > 1 ? "s" : ""}`;
    const matmul = report.find((row) => row.what === "matmul" && row.threads === threads);
    if (matmul) {
      const verdict = matmul.peak >= MATMUL_SHARE ? "holds" : "MISSED";
      const text = `${(100 * matmul.peak).toFixed(0)}% of the multiply-add peak, wanted ${100 * MATMUL_SHARE}%`;
      lines.push({ name, verdict, text });
    } else lines.push({ name, verdict: "not measured" });
  }
  return lines;
}
