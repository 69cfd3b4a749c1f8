/** The `test` declarations of a file, run on the reference evaluator. */
import { assertedValue, testPlace } from "../../1-check/check-test.js";
import type { CheckedFile, CheckedProject } from "../../1-check/index.js";
import { at, newWalk, type Comparison, type Walk } from "../../1-check/context.js";
import { evaluate as evaluateExpression } from "../../1-check/elaborate/evaluate.js";
import { runStatements } from "../../1-check/elaborate/statements.js";
import { asTensor } from "../../1-check/elaborate/tensors.js";
import type { Emitted, StoredValue } from "../../1-check/emitter.js";
import { Reporter } from "../../1-check/reporter.js";
import type { TestDecl } from "../../../grammar/tree.js";
import type { Diagnostic, SourceSpan } from "../../errors/diagnostic.js";
import { MoecError } from "../../errors/moec-error.js";
import { hashText } from "../../ops/text-hash.js";
import { countElements, makeTensor } from "../../ops/reference-tensor.js";
import { randomNumber } from "../../ops/random.js";
import { threefry } from "../../ops/threefry.js";
import type { ReferenceTensor } from "../../ops/types.js";
import { evaluate, NodeError } from "../evaluate.js";
import type { Program, ValueId } from "../ir.js";
import { collectNodes } from "../walk.js";
import { asserted, differenceOf, differenceText, type Difference } from "./comparisons.js";
import { GraphEmitter, ProgramRecord } from "./graph-emitter.js";
import { programOf } from "./program.js";

export interface TestFailure {
  readonly span: SourceSpan;
  readonly message: string;
  /** Set where a statement could not be run, so that nothing is known of the assertions behind it. */
  readonly isRefused?: true;
  /** Of `close(a, b)` and `a == b`: where the two differ. */
  readonly difference?: Difference;
}
export interface TestResult {
  readonly name: string;
  readonly span: SourceSpan;
  readonly passed: boolean;
  readonly assertions: number;
  /** Assertions that did not hold. */
  readonly failures: readonly TestFailure[];
  /** What kept the test from running. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface TestOptions {
  /** Changes the program of a test before it runs: optimizes it, for example. */
  readonly prepare?: (program: Program) => Program;
}

/** A test as a program whose outputs are its assertions, for any device. */
export interface PreparedTest {
  readonly name: string;
  readonly span: SourceSpan;
  /** Entry `test`, without inputs; undefined when the test has errors or everything in it is known without running. */
  readonly program?: Program;
  /** Numbers for its parameters. */
  readonly params: (path: string) => ReferenceTensor;
  /** The outcome, from the outputs of the program by name; none when it did not have to run. */
  readonly judge: (outputs: Outputs) => TestResult;
  /** The outcome when it could not be run. */
  readonly broken: (error: MoecError) => TestResult;
  /** How to find out by what the operands of assertions that did not hold differ; undefined where there is nothing to ask. */
  readonly inquiry: (result: TestResult) => Inquiry | undefined;
}

/** A program like the test's whose outputs are operands of comparisons; `explain` adds what they say to the failures. */
export interface Inquiry {
  readonly program: Program;
  readonly explain: (outputs: Outputs) => TestResult;
}

/** Data of outputs by name. */
type Outputs = Readonly<Record<string, ArrayLike<number>>>;

/** Runs all tests of one file. The project may have errors elsewhere; a test that meets one reports it. */
export function runTests(
  project: CheckedProject,
  file: string = project.root,
  { prepare = (program) => program }: TestOptions = {},
): readonly TestResult[] {
  return prepareTests(project, file).map((test) => {
    if (!test.program) return test.judge({});
    try {
      const result = test.judge(outputsOf(test, prepare(test.program)));
      const inquiry = test.inquiry(result);
      return inquiry ? inquiry.explain(outputsOf(test, prepare(inquiry.program))) : result;
    } catch (error) {
      if (!(error instanceof MoecError)) throw error;
      return test.broken(error);
    }
  });
}

/** What the reference evaluator gives. */
function outputsOf({ params }: PreparedTest, program: Program): Outputs {
  const { outputs } = evaluate(program, "test", { inputs: {}, params, sizes: { past: 0 } });
  return Object.fromEntries(
    Object.entries(outputs).flatMap(([name, value]) => (value.kind === "tensor" ? [[name, value.data]] : [])),
  );
}

/** The tests of a file as programs. */
export function prepareTests(project: CheckedProject, file: string = project.root): readonly PreparedTest[] {
  const checked = project.files.get(file);
  return checked ? checked.tests.map((test) => prepareTest(checked, test)) : [];
}

interface Assertion {
  readonly span: SourceSpan;
  readonly message: string;
  /** Known without running. */
  readonly known?: boolean;
  readonly value?: Emitted;
  readonly comparison?: Comparison | undefined;
}

function prepareTest(file: CheckedFile, test: TestDecl): PreparedTest {
  const span = { file: file.file, start: test.span.start, end: test.span.end };
  const record = new ProgramRecord();
  const emitter = new GraphEmitter(record);
  const assertions: Assertion[] = [];
  const walk = testWalk(emitter, new Reporter(span));
  /** The statements of the test and the first value that each could make. */
  const statements: { readonly from: ValueId; readonly span: SourceSpan }[] = [];
  walk.onStatement = (statement) => {
    if (!test.body.statements.includes(statement)) return;
    const { start, end } = statement.span;
    statements.push({ from: emitter.made, span: { file: file.file, start, end } });
  };
  walk.onAssert = (statement, place) => {
    const where = at(place, statement.value);
    const inner = at(place, asserted(statement.value));
    let comparison: Comparison | undefined;
    walk.onCompare = (made) => {
      if (made.span.start === inner.start && made.span.end === inner.end) comparison = made;
    };
    const value = assertedValue(walk, evaluateExpression(walk, statement.value, place), where);
    const message = statement.message?.value ?? file.text.slice(where.start, where.end).replace(/\s+/g, " ");
    if (value?.kind === "boolean") assertions.push({ span: where, message, known: value.value === true });
    else {
      const tensor = value && asTensor(walk, value, where);
      if (tensor) assertions.push({ span: where, message, value: tensor, comparison });
    }
    delete walk.onCompare;
  };
  const place = testPlace(file);
  runStatements(walk, test.body.statements, place);
  if (test.body.result) evaluateExpression(walk, test.body.result, place);
  const diagnostics = walk.reporter.findings.map((finding) => finding.diagnostic);
  const base = { name: test.name.value, span, assertions: assertions.length };
  const params = (path: string): ReferenceTensor => randomParam(record, path);
  const known = assertions.filter((assertion) => assertion.known === false).map(failure);
  const outcome = (failures: readonly TestFailure[]): TestResult => ({
    ...base,
    passed: diagnostics.length === 0 && failures.length === 0,
    failures: [...failures].sort((one, other) => one.span.start - other.span.start),
    diagnostics,
  });
  const asked = diagnostics.length > 0 ? [] : assertions.filter((assertion) => assertion.value);
  const outputs = asked.map((_, index) => `assertion${index}`);
  const judge: PreparedTest["judge"] = (found) =>
    outcome([
      ...(diagnostics.length > 0 ? [] : known),
      ...asked.filter((_, index) => !holds(found[outputs[index]!])).map(failure),
    ]);
  const program = (names: readonly string[], values: readonly Emitted[]): Program =>
    programOf("test", record, [{ name: "test", inputs: [], outputs: names, body: emitter.finish(values) }], []);
  const values = asked.map((assertion) => assertion.value!);
  const whole = asked.length === 0 ? undefined : program(outputs, values);
  /** The statement that a node came from, wherever the node itself is written; the test for a node of another program. */
  const statementOf = (error: MoecError): SourceSpan => {
    if (!(error instanceof NodeError)) return span;
    const { node } = error;
    if (!whole?.entries.some(({ body }) => collectNodes(body, (one) => one === node).length > 0)) return span;
    return statements.findLast(({ from }) => from <= node.results[0]!.id)?.span ?? span;
  };
  const broken = (error: MoecError): TestResult =>
    outcome([{ span: statementOf(error), message: `${error.code}: ${error.message}`, isRefused: true }]);
  const inquiry: PreparedTest["inquiry"] = (result) => {
    const compared = asked.flatMap(({ span: where, comparison }) => {
      const place = result.failures.findIndex((one) => one.span === where);
      return comparison && place >= 0 ? [{ place, comparison }] : [];
    });
    if (compared.length === 0) return undefined;
    const names = compared.flatMap(({ place }) => [`left${place}`, `right${place}`]);
    const values = compared.flatMap(({ comparison: { left, right } }) => [left, right]);
    const explain: Inquiry["explain"] = (found) => {
      const failures = [...result.failures];
      for (const { place, comparison } of compared) {
        const [left, right] = [found[`left${place}`], found[`right${place}`]];
        const difference = left && right && compare(comparison, left, right);
        if (!difference) continue;
        const { span: where, message } = failures[place]!;
        failures[place] = { span: where, message: `${message}: ${differenceText(difference)}`, difference };
      }
      return { ...result, failures };
    };
    return { program: program(names, values), explain };
  };
  const common = { name: base.name, span, params, judge, broken, inquiry };
  return whole ? { ...common, program: whole } : common;
}

function compare({ left, right, tolerance }: Comparison, a: ArrayLike<number>, b: ArrayLike<number>) {
  if (left.type.kind !== "tensor" || right.type.kind !== "tensor") return undefined;
  return differenceOf({ type: left.type, data: a }, { type: right.type, data: b }, tolerance);
}

/** Every entry is true. */
function holds(values: ArrayLike<number> | undefined): boolean {
  return values !== undefined && Array.from(values).every((value) => value !== 0);
}

function failure(assertion: Assertion): TestFailure {
  return { span: assertion.span, message: assertion.message };
}

function testWalk(emitter: GraphEmitter, reporter: Reporter): Walk {
  return newWalk(emitter, reporter, { mode: "infer", phase: "prefill", generic: false, checking: false });
}

/** Numbers for a parameter of a test: constants where declared, else normal ones that its path decides. */
export function randomParam(record: ProgramRecord, path: string): ReferenceTensor {
  const value = record.stored.get(path)!;
  const type = record.declarations.param(path)!;
  const axes = type.axes.map(({ name, size }) => ({ name, size: size.evaluate({}) }));
  const count = countElements(axes);
  if (value.init?.kind === "constant")
    return makeTensor(value.dtype, axes, new Float64Array(count).fill(value.init.value));
  const deviation = value.init?.deviation ?? fanIn(value, axes);
  const seed = hashText(path);
  // Whole numbers are codes or indices: small, and within the bits that they are stored in.
  const bits = Number(/^uint(\d+)$/.exec(value.storage ?? "")?.[1] ?? 3);
  const codes = Math.min(8, 2 ** bits);
  const data = Float64Array.from({ length: count }, (_, n) => {
    const [first, second] = threefry([seed, 0], [n, 0]);
    return value.dtype === "f32"
      ? Math.fround(randomNumber("normal", first, second) * deviation)
      : (first >>> 0) % codes;
  });
  return makeTensor(value.dtype, axes, data);
}

/** One over the square root of the first axis of its own, so that products keep their size. */
function fanIn(value: StoredValue, axes: ReferenceTensor["axes"]): number {
  const first = axes[axes.length - value.axes.length];
  return value.axes.length < 2 || !first ? 1 : 1 / Math.sqrt(Math.max(1, first.size));
}
