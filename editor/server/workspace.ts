/**
 * What the editor has open, and what the compiler knows about it.
 *
 * Everything is made when it is asked for and kept until a text changes; the checker keeps files that did not change, so
 * an edit costs one parse and one check of the edited file and of the files that import it.
 */
import { check, type CheckedProject, type SourceHost } from "../../compiler/1-check/index.js";
import { Loader, type LoadedFile } from "../../compiler/1-check/project.js";
import type { SourceSpan } from "../../compiler/errors/diagnostic.js";
import type { Location } from "vscode-languageserver";
import { NameTable } from "./names/index.js";
import { Text } from "./text.js";

/** Files by name, and how the editor calls them. */
export interface WorkspaceHost extends SourceHost {
  /** Every `.moe` file of the opened folders. */
  readonly list: () => readonly string[];
  readonly toUri: (file: string) => string;
  readonly fromUri: (uri: string) => string;
  /** True for files that belong to moec itself and are not the user's to change. */
  readonly isLibrary: (file: string) => boolean;
  /** Where a person can read about an error code. */
  readonly explanationUri: (code: string) => string | undefined;
}

export class Workspace {
  private readonly opened = new Map<string, string>();
  private readonly texts = new Map<string, Text>();
  private readonly projects = new Map<string, { readonly generation: number; readonly project: CheckedProject }>();
  private files: ReadonlyMap<string, LoadedFile> = new Map();
  private loader: Loader | undefined;
  private generation = 0;
  readonly names: NameTable;

  constructor(readonly host: WorkspaceHost) {
    this.names = new NameTable(
      (file) => this.load(file),
      (from, specifier) => host.resolve(from, specifier),
    );
  }

  /** Sets the text of an open file. */
  open(file: string, text: string): void {
    this.opened.set(file, text);
    this.changed();
  }

  close(file: string): void {
    this.opened.delete(file);
    this.projects.delete(file);
    this.changed();
  }

  /** Something may have changed on the disk. */
  changed(): void {
    this.generation++;
    this.loader = undefined;
    this.texts.clear();
  }

  isOpen(file: string): boolean {
    return this.opened.has(file);
  }

  get openFiles(): readonly string[] {
    return [...this.opened.keys()];
  }

  /** Open files and those of the folders. */
  allFiles(): readonly string[] {
    return [...new Set([...this.opened.keys(), ...this.host.list()])];
  }

  readonly read = (file: string): string | undefined => this.opened.get(file) ?? this.host.read(file);

  /** The text of a file with its lines; empty for a file that is gone. */
  text(file: string): Text {
    const known = this.texts.get(file);
    if (known) return known;
    const made = new Text(this.read(file) ?? "");
    this.texts.set(file, made);
    return made;
  }

  private get source(): SourceHost {
    return { read: this.read, resolve: (from, specifier) => this.host.resolve(from, specifier) };
  }

  /** The file checked with all that it imports. */
  project(file: string): CheckedProject {
    const before = this.projects.get(file);
    if (before?.generation === this.generation) return before.project;
    const project = check(file, this.source, before ? { previous: before.project } : {});
    this.projects.set(file, { generation: this.generation, project });
    return project;
  }

  /** The file parsed, with the names of what it imports. */
  load(file: string): LoadedFile | undefined {
    if (!this.loader) {
      // What was checked already is not parsed a second time.
      const checked = [...this.projects.values()].flatMap(({ project }) => [...project.files]);
      this.loader = new Loader(this.source, new Map<string, LoadedFile>([...this.files, ...checked]));
      this.files = this.loader.files;
    }
    return this.loader.load(file, false);
  }

  location(span: SourceSpan): Location {
    return { uri: this.host.toUri(span.file), range: this.text(span.file).range(span) };
  }
}
