/** Sizes as their author would write them: `H.by.G * G` is H again. */
import type { Size } from "../../../compiler/axes/size.js";

/** A sum of products as text, with the checker's quotients multiplied out where the divisor stands beside them. */
export function formulaText(size: Size): string {
  const { key } = size;
  // Minima, roundings and powers are shown as they are.
  if (/[(^]/.test(key)) return key.replace(/(\w+)\.by\.(\w+)/g, "($1 / $2)");
  return key
    .split(/(?= [+-] )/)
    .map((term) => {
      const [, sign, product] = /^( [+-] )?(.*)$/s.exec(term)!;
      return `${sign ?? ""}${productText(product!)}`;
    })
    .join("");
}

function productText(product: string): string {
  const factors = product.split("*").map((factor) => factor.trim());
  let coefficient = 1;
  const names: string[] = [];
  for (const factor of factors) {
    if (/^\d+$/.test(factor)) coefficient *= Number(factor);
    else names.push(factor);
  }
  const shown: string[] = [];
  for (const name of [...names]) {
    const [, whole, divisor] = /^(\w+)\.by\.(\w+)$/.exec(name) ?? [];
    if (whole === undefined || divisor === undefined) continue;
    names.splice(names.indexOf(name), 1);
    const number = Number(divisor);
    const beside = names.indexOf(divisor);
    if (Number.isInteger(number) && coefficient % number === 0) {
      coefficient /= number;
      shown.push(whole);
    } else if (beside >= 0) {
      names.splice(beside, 1);
      shown.push(whole);
    } else shown.push(`(${whole} / ${divisor})`);
  }
  const all = [...names, ...shown].sort();
  return [...(coefficient === 1 && all.length > 0 ? [] : [String(coefficient)]), ...all].join(" * ");
}
