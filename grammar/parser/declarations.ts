/**
 * A file: imports, module declarations and tests.
 */
import type { ParserMethod } from "../chevrotain.js";
import { replace } from "../errors.js";
import { ContractWord, T } from "../lexer.js";
import { DECLARATION_WORDS, TOKENS } from "../tokens.js";
import {
  CONTRACTS,
  type AxisParam,
  type Contract,
  type Declaration,
  type Expression,
  type ImportDecl,
  type ImportName,
  type Making,
  type Member,
  type ModuleDecl,
  type Parameter,
  type TestDecl,
} from "../tree.js";
import { MemberParser } from "./members.js";
import type { ParseInput } from "./base.js";
import { turnedImport } from "./turned-import.js";
import type { Diagnostic } from "../../compiler/errors/diagnostic.js";

/** What may stand where a declaration begins, by its word. */
const ITEMS = new Map(
  TOKENS.filter(({ pattern }) => pattern === "import" || DECLARATION_WORDS.includes(pattern as string)).map(
    ({ name, pattern }) => [pattern as string, T[name]] as const,
  ),
);

interface FileParts {
  readonly imports: readonly ImportDecl[];
  readonly declarations: readonly Declaration[];
}

/** The whole grammar. One instance serves every parse; building it analyses the grammar once. */
export class MoeParser extends MemberParser {
  /** Imports that were written the other way around. */
  private turned: ImportDecl[] = [];

  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** Parses one file's tokens. */
  parseFile(
    source: ParseInput,
  ): FileParts & { readonly diagnostics: readonly Diagnostic[]; readonly longestRow: number } {
    this.begin(source);
    this.longestRow = 0;
    this.turned = [];
    const { imports, declarations } = this.file();
    const { diagnostics, longestRow, turned } = this;
    const all = [...imports, ...turned].sort((a, b) => a.span.start - b.span.start);
    const parts = { imports: all, declarations };
    // The tokens are let go: they are more than the tree.
    this.begin({ text: "", file: "", tokens: [], docs: new Map() });
    return { ...parts, diagnostics, longestRow };
  }

  private readonly file: ParserMethod<[], FileParts> = this.RULE("file", () => {
    const imports: ImportDecl[] = [];
    const declarations: Declaration[] = [];
    this.MANY({
      GATE: () => this.moreDeclarations(),
      DEF: () =>
        this.attempt(
          () => {
            this.OR({
              IGNORE_AMBIGUITIES: true,
              DEF: [
                { ALT: () => void imports.push(this.SUBRULE(this.importDecl)) },
                { GATE: () => this.is(T.Test), ALT: () => void declarations.push(this.SUBRULE(this.testDecl)) },
                { ALT: () => void declarations.push(this.SUBRULE(this.moduleDecl)) },
              ],
            });
            this.endOfItem(T.Semicolon);
          },
          () => undefined,
        ),
    });
    return { imports, declarations };
  });

  /** Skips what can open no declaration, with one error. */
  private moreDeclarations(): boolean {
    this.newRegion();
    while (!this.atEnd()) {
      this.correctWord(ITEMS, "declaration");
      if (this.is(ContractWord) || this.is(T.Import)) return true;
      if (this.readTurnedImport()) {
        this.newRegion();
        continue;
      }
      this.report(this.unexpected("a declaration such as `expert`, `router` or `model`").diagnostic);
      if (this.is(T.RBrace)) {
        this.SKIP_TOKEN();
        this.newRegion();
        continue;
      }
      this.skipGroup();
      while (!this.atEnd() && this.next().boundary !== true && !(this.is(T.Import) && this.next().first))
        this.skipGroup();
    }
    return false;
  }

  /** Reads `from std import A, B as C` for what it means, with one error. */
  private readTurnedImport(): boolean {
    const turned = this.is(T.From) && turnedImport(this.source, this.position());
    if (!turned) return false;
    const { wrong, right, span, end, decl } = turned;
    const slots = { right: right ?? 'import { Name } from "std"', wrong };
    const fixes = right === undefined ? [] : replace("Turn it around", span, right);
    this.report(this.failure("MOE1012", slots, { fixes }, turned.place).diagnostic);
    if (decl) this.turned.push(decl);
    while (this.position() < end) this.SKIP_TOKEN();
    return true;
  }

  private readonly importDecl = this.RULE("importDecl", (): ImportDecl => {
    const start = this.start();
    const names: ImportName[] = [];
    this.CONSUME(T.Import);
    const open = this.expect(1, T.LBrace, () => this.is(T.Identifier));
    this.within(open, true, () => {
      this.MANY({
        GATE: () => !this.is(T.RBrace) && !(this.is(T.From) && this.is(T.String, 2)),
        DEF: () => {
          names.push(this.SUBRULE(this.importName));
          this.separator(T.RBrace);
        },
      });
      this.expect(1, T.RBrace);
    });
    this.expect(1, T.From, () => this.is(T.String));
    const from = this.SUBRULE(this.string);
    return { kind: "import", names, from, span: this.span(start) };
  });

  private readonly importName = this.RULE("importName", (): ImportName => {
    const start = this.start();
    const name = this.SUBRULE(this.identifier);
    const alias = this.OPTION(() => {
      this.CONSUME(T.As);
      return this.SUBRULE2(this.identifier);
    });
    return { kind: "import-name", name, ...(alias === undefined ? {} : { alias }), span: this.span(start) };
  });

  private readonly testDecl = this.RULE("testDecl", (): TestDecl => {
    const start = this.start();
    this.CONSUME(T.Test);
    const name = this.SUBRULE(this.string);
    const body = this.SUBRULE(this.testBody);
    return { kind: "test", name, body, span: this.span(start), ...this.doc(start) };
  });

  /** A block whose opening brace may have been forgotten. */
  private readonly testBody = this.RULE("testBody", () => {
    if (!this.RECORDING_PHASE && !this.is(T.LBrace) && !this.is(T.Let) && !this.is(T.Assert))
      throw this.failure("MOE1001", { expected: "`{`", found: this.found() });
    return this.SUBRULE(this.block);
  });

  private readonly moduleDecl = this.RULE("moduleDecl", (): ModuleDecl => {
    const start = this.start();
    const isRecipe = this.is(T.Recipe);
    const word = this.CONSUME(ContractWord);
    const name = this.SUBRULE(this.identifier);
    const axes: AxisParam[] | undefined = this.OPTION(() => this.SUBRULE(this.axisParams));
    const paramsStart = this.start();
    const written: Parameter[] | undefined = this.OPTION2(() => this.SUBRULE(this.parameterList));
    const batchDependent = this.OPTION3(() => {
      this.CONSUME(T.Batch);
      return this.expect(1, T.Dependent);
    });
    const params = written ?? [];
    const rest = this.SUBRULE(this.moduleRest, { ARGS: [params, paramsStart, isRecipe] });
    const contract = this.contract(word.image, word.tokenType.LABEL);
    return {
      kind: "module",
      contract,
      name,
      axes: axes ?? [],
      params,
      batchDependent: batchDependent !== undefined,
      ...rest,
      span: this.span(start),
      ...this.doc(start),
    };
  });

  /** The word as written, or the one it was corrected to. */
  private contract(image: string, label: string | undefined): Contract {
    return CONTRACTS.find((word) => word === image || `\`${word}\`` === label) ?? "fn";
  }

  private readonly moduleRest = this.RULE(
    "moduleRest",
    (params: Parameter[], start: number, isRecipe: boolean): Pick<ModuleDecl, "members" | "value" | "making"> => {
      if (isRecipe && !this.RECORDING_PHASE) return { making: this.SUBRULE(this.making) };
      this.ACTION(() => this.checkRest());
      const open = !this.RECORDING_PHASE && !this.is(T.Equal) && !this.is(T.FatArrow) && !this.is(T.Arrow);
      if (open) return { members: this.SUBRULE(this.members) };
      return this.OR<{ members?: Member[]; value?: Expression }>([
        { ALT: () => ({ members: this.SUBRULE2(this.members) }) },
        {
          ALT: () => {
            this.CONSUME(T.Equal);
            return { value: this.SUBRULE(this.value) };
          },
        },
        {
          ALT: () => {
            const result = this.OPTION(() => {
              this.CONSUME(T.Arrow);
              return this.SUBRULE(this.type);
            });
            this.expect(1, T.FatArrow, () => this.startsExpression());
            const body = this.SUBRULE(this.bodyValue);
            return {
              value: {
                kind: "lambda",
                params,
                ...(result === undefined ? {} : { result }),
                body,
                span: this.span(start),
              },
            };
          },
        },
      ]);
    },
  );

  /** `-> sparse: Sparse[D, F, E] { … }`. */
  private readonly making = this.RULE("making", (): Making => {
    const start = this.start();
    this.expect(1, T.Arrow, () => this.is(T.Identifier) && this.is(T.Colon, 2));
    const targetStart = this.start();
    const name = this.SUBRULE(this.identifier);
    this.expect(1, T.Colon, () => this.startsType());
    const type = this.SUBRULE(this.type);
    const target: Parameter = { kind: "parameter", knob: false, name, type, span: this.span(targetStart) };
    const body = this.SUBRULE(this.block);
    return { kind: "making", target, body, span: this.span(start) };
  });

  /** Only `{`, `=`, `=>` and `->` go on; members without their brace are read all the same. */
  private checkRest(): void {
    if (this.is(T.LBrace) || this.is(T.Equal) || this.is(T.FatArrow) || this.is(T.Arrow)) return;
    const colon = this.is(T.Colon);
    const failure = this.failure(
      "MOE1001",
      { expected: "`{`, `=` or `=>`", found: this.found() },
      colon ? { help: "members stand in braces: `block N[D] { … }`; line ends and spaces in front mean nothing" } : {},
    );
    if (colon) {
      while (!this.atEnd() && this.next().boundary !== true) this.skipGroup();
      throw failure;
    }
    const membersFollow = this.startsMember() || (this.is(T.LParen) && this.next().first);
    if (membersFollow) {
      const { span } = failure.diagnostic;
      const place = { file: span.file, start: this.lastEnd(), end: this.lastEnd() };
      this.report({ ...failure.diagnostic, fixes: replace("Insert `{`", place, " {") });
      return;
    }
    throw failure;
  }
}
