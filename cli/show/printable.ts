/** Text that others wrote, for terminals. */

/** Text without power over the terminal: control characters as the pictures that Unicode has for them. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  const pictured = text.replace(/[\0-\x08\x0b-\x1f]/g, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)));
  return pictured.replace(/\x7f/g, "\u2421").replace(/[\x80-\x9f]/g, "\ufffd");
}
