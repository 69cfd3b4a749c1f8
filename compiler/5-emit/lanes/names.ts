/**
 * Names of registers and buffers as identifiers of another language. They end in an underscore, which no keyword and no
 * builtin of WGSL or CUDA C++ does, so neither needs a list of words to avoid.
 */
export class Names {
  private readonly given = new Map<string, string>();
  private readonly used = new Set<string>();

  /** The identifier of a name, the same each time. Lanes of a vector have identifiers of their own. */
  of(name: string, lane = 0, lanes = 1): string {
    const key = lanes === 1 ? name : `${name} ${lane}`;
    let identifier = this.given.get(key);
    if (identifier === undefined) {
      // Two underscores at the start are reserved in both languages.
      const base = `${name.replace(/^_+/, "u_")}_${lanes === 1 ? "" : `l${lane}_`}`;
      identifier = base;
      for (let n = 2; this.used.has(identifier); n++) identifier = `${base}${n}_`;
      this.used.add(identifier);
      this.given.set(key, identifier);
    }
    return identifier;
  }
}
