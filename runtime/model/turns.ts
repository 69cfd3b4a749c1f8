/** One after the other: several texts share a device, and each step of one waits for its turn, first come, first served. */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Runs `action` when everything that asked before is done. */
  take<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.last.then(action);
    this.last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }
}
