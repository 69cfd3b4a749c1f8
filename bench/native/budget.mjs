/** Time that may be spent: shared out among things to do, so that none takes what the others need. */
export class Budget {
  #end;
  #shares;

  /**
   * @param seconds All together; Infinity for no bound.
   * @param shares How the time is shared out: a weight for each thing, in their order.
   */
  constructor(seconds, shares) {
    this.#end = performance.now() + 1000 * seconds;
    this.#shares = [...shares];
  }

  /** Seconds that are left. */
  get left() {
    return (this.#end - performance.now()) / 1000;
  }

  /** Seconds for the next thing: its share of what is left. */
  next() {
    const all = this.#shares.reduce((sum, share) => sum + share, 0);
    return (this.left * this.#shares.shift()) / all;
  }
}
