/** What the options of benches choose by name: a word that names nothing is refused before anything is measured. */

/** Ends the process with code 2 and says which names there are. */
export function refuse(option, word, names) {
  console.error(`${option} ${JSON.stringify(word)} names nothing; there is: ${[...new Set(names)].join("; ")}`);
  process.exit(2);
}

/**
 * The names that some words choose, in the order of the names.
 *
 * @param option As it is typed, for the message.
 * @param fits Whether a word means a name: the same text when it is left out.
 */
export function chosen(option, words, names, fits = (name, word) => name === word) {
  for (const word of words) if (!names.some((name) => fits(name, word))) refuse(option, word, names);
  return names.filter((name) => words.some((word) => fits(name, word)));
}

/** The target for WebAssembly that `--target` names. */
export function chosenTarget(targets, word) {
  const names = Object.keys(targets).filter((name) => targets[name].family === "wasm");
  const [name] = chosen("--target", [word], names);
  return targets[name];
}
