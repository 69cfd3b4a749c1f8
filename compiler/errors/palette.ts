/** Colours of rendered text, as functions, so that rendering stays pure and a host without colours passes none. */
export interface Palette {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  /** Line numbers, bars and other furniture. */
  readonly dim: (text: string) => string;
  /** Secondary marks, and names of things to look up. */
  readonly accent: (text: string) => string;
  /** The sentence of a diagnostic. */
  readonly strong: (text: string) => string;
  /** Text that a fix would put in. */
  readonly added: (text: string) => string;
}

const same = (text: string): string => text;

/** No colours: for pipes, files and `NO_COLOR`. */
export const plainPalette: Palette = {
  error: same,
  warning: same,
  dim: same,
  accent: same,
  strong: same,
  added: same,
};

const sgr =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[0m`;

/** The eight colours that every terminal has, in the user's own theme. */
export const ansiPalette: Palette = {
  error: sgr(31),
  warning: sgr(33),
  dim: sgr(2),
  accent: sgr(36),
  strong: sgr(1),
  added: sgr(32),
};
