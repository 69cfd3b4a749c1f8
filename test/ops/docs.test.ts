import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { opNames, ops } from "../../compiler/ops/index.js";
import { opsReferencePage } from "../../compiler/ops/reference-page.js";

const path = "docs/reference/ops.md";

it("docs/reference/ops.md is that of the table (UPDATE_DOCS=1 writes it)", () => {
  if (process.env.UPDATE_DOCS === "1") {
    mkdirSync("docs/reference", { recursive: true });
    writeFileSync(path, opsReferencePage());
  }
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toBe(opsReferencePage());
});

it("every record is complete", () => {
  for (const name of opNames) {
    const op = ops[name];
    expect(op.name).toBe(name);
    expect(op.doc.length, name).toBeGreaterThan(10);
    expect(op.example.length, name).toBeGreaterThan(10);
    expect(op.lowering.kind === "elementwise", name).toBe(op.scalar !== undefined);
  }
});

it("every code that the ops and the graph refuse with has a page", () => {
  const pages = new Set(readdirSync("compiler/errors").map((file) => file.slice(0, 7)));
  const folders = ["compiler/ops", "compiler/2-graph"];
  const codes = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => [...readFileSync(`${folder}/${file}`, "utf8").matchAll(/MOE2\d{3}/g)].map(([code]) => code)),
  );
  expect(codes.length).toBeGreaterThan(50);
  for (const code of codes) expect(pages.has(code), code).toBe(true);
});
