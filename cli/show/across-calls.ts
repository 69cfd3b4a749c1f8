/** What the calls of a text have of one kind, call by call. */

/** One kind: the last that was met, and what each call has of it. */
export interface AcrossCalls<T> {
  readonly one: T;
  readonly parts: readonly (T | undefined)[];
}

/** A prompt and single tokens may have other mixtures (`prefill { … } decode { … }`): each is found again by its key. */
export function acrossCalls<T>(calls: readonly (readonly T[])[], key: (one: T) => string): readonly AcrossCalls<T>[] {
  const kinds = new Map(calls.flatMap((call) => call.map((one): [string, T] => [key(one), one])));
  return [...kinds].map(([wanted, one]) => ({
    one,
    parts: calls.map((call) => call.find((each) => key(each) === wanted)),
  }));
}
