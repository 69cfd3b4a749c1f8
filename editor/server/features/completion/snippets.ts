/** Starts of declarations, each a whole that checks once its names are filled in. */
import type { CompletionItem } from "vscode-languageserver";
import { snippetItem } from "./items.js";

export const declarationSnippets: readonly CompletionItem[] = [
  snippetItem(
    "expert",
    "expert ${1:Name}[${2:D}, ${3:F}] {\n  param up: [$2, $3]\n  param down: [$3, $2]\n  (x: [$2]) => ${0:silu(x @ up) @ down}\n}",
    "A per-token map `[D] -> [D2]`.",
  ),
  snippetItem(
    "router",
    "router ${1:Name}[${2:D}, ${3:E}](k: int = 2) {\n  param w: [$2, $3]\n  (x: [$2]) => ${0:choose(softmax(x @ w, over: $3), top: k, renormalize: true)}\n}",
    "Says which experts a token goes to.",
  ),
  snippetItem("mask", "mask ${1:Name} = (q, k) => ${0:k <= q}", "Says which query may see which key."),
  snippetItem(
    "block",
    "block ${1:Name}[${2:D}] {\n  (x: [T, $2]) => ${0:x}\n}",
    "A module `[T, D] -> [T, D]` with modules of its own.",
  ),
  snippetItem(
    "model",
    "model ${1:Name}[V = ${2:512}, D = ${3:128}] {\n  param tok: [V, D]\n  forward(tokens: int[T]) -> f32[T, V] => ${0:tok[V: tokens]} @ tok\n}",
    "Entry points, weight names and generation defaults.",
  ),
  snippetItem(
    "test",
    'test "${1:what holds}" {\n  let x = random([T = 4, D = 8], seed: 1)\n  assert ${0:close(x, x)}\n}',
    "A statement about this file that `moec test` runs.",
  ),
];
