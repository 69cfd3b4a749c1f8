/** Text in single quotes, as all three shells read it: an apostrophe would end it, so it is the printed one. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
