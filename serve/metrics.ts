/** Counters and histograms in the text form that Prometheus reads. */

const TEXTS = [1, 2, 4, 8, 16, 32];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

type Labels = Readonly<Record<string, string>>;

class Counter {
  private readonly values = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly help: string,
  ) {}

  add(amount = 1, labels: Labels = {}): void {
    const key = labelText(labels);
    this.values.set(key, (this.values.get(key) ?? 0) + amount);
  }

  lines(): readonly string[] {
    const values = this.values.size === 0 ? [["", 0] as const] : [...this.values];
    return [
      ...head(this.name, this.help, "counter"),
      ...values.map(([labels, value]) => `${this.name}${labels} ${value}`),
    ];
  }
}

class Histogram {
  private readonly counts: number[];
  private count = 0;
  private sum = 0;

  /** @param limits Upper ends of the buckets, smallest first. */
  constructor(
    readonly name: string,
    readonly help: string,
    private readonly limits: readonly number[] = SECONDS,
  ) {
    this.counts = limits.map(() => 0);
  }

  observe(value: number): void {
    this.count++;
    this.sum += value;
    this.limits.forEach((limit, at) => {
      if (value <= limit) this.counts[at]!++;
    });
  }

  lines(): readonly string[] {
    return [
      ...head(this.name, this.help, "histogram"),
      ...this.limits.map((limit, at) => `${this.name}_bucket{le="${limit}"} ${this.counts[at]}`),
      `${this.name}_bucket{le="+Inf"} ${this.count}`,
      `${this.name}_sum ${this.sum}`,
      `${this.name}_count ${this.count}`,
    ];
  }
}

/** What one server counts. */
export class Metrics {
  readonly requests = new Counter("moec_requests_total", "Requests answered, by route and status.");
  readonly aborted = new Counter("moec_aborted_requests_total", "Requests whose client went away before the end.");
  readonly promptTokens = new Counter("moec_prompt_tokens_total", "Tokens of prompts, those found in the caches too.");
  readonly readTokens = new Counter("moec_read_tokens_total", "Tokens of prompts that the model read.");
  readonly writtenTokens = new Counter("moec_written_tokens_total", "Tokens written.");
  readonly duration = new Histogram("moec_request_seconds", "From the request to the end of its answer.");
  readonly firstToken = new Histogram("moec_first_token_seconds", "From the request to the first token.");

  readonly together = new Histogram(
    "moec_texts_per_step",
    "For each token written, how many texts went on by the same call of the device.",
    TEXTS,
  );

  /** @param gauges Numbers as of now. */
  text(gauges: Readonly<Record<string, readonly [help: string, value: number]>>): string {
    const counted = [this.requests, this.aborted, this.promptTokens, this.readTokens, this.writtenTokens];
    const lines = [...counted, this.duration, this.firstToken, this.together].flatMap((one) => one.lines());
    for (const [name, [help, value]] of Object.entries(gauges))
      lines.push(...head(name, help, "gauge"), `${name} ${value}`);
    return `${lines.join("\n")}\n`;
  }
}

function head(name: string, help: string, type: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/["\\\n]/g, "_")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
