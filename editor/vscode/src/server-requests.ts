/** What the extension asks the language server beside the protocol. */
import type { BaseLanguageClient } from "vscode-languageclient";
import type { KernelForm } from "../../server/kernels/forms.js";
import type { KernelView } from "../../server/kernels/kernel-view.js";
import type { Shown } from "../../server/kernels/refusal.js";
import type { TestOutcome } from "../../server/features/requests.js";
import type { ListedTest } from "../../server/features/test-list.js";
import type * as vscode from "vscode";

interface Requests {
  "moec/picture": [{ uri: string; model?: string }, Shown];
  "moec/graph": [{ uri: string; model?: string }, Shown];
  "moec/kernels": [{ uri: string; position: { line: number; character: number }; form: KernelForm }, KernelView];
  "moec/costReport": [{ uri: string }, string];
  "moec/tests": [{ uri: string }, readonly ListedTest[]];
  "moec/runTests": [{ uri: string; name?: string }, readonly TestOutcome[]];
  "moec/explain": [{ code: string }, string];
  "moec/checkWorkspace": [undefined, readonly { readonly uri: string; readonly problems: number }[]];
}

export type { KernelForm, KernelView, ListedTest, Shown, TestOutcome };

/** The language server, and what was built around it to ask it. */
export class Server {
  constructor(readonly client: BaseLanguageClient) {}

  ask<M extends keyof Requests>(method: M, params: Requests[M][0]): Promise<Requests[M][1]> {
    return this.client.sendRequest<Requests[M][1]>(method, params);
  }
}

export function isMoe(document: vscode.TextDocument | undefined): document is vscode.TextDocument {
  return document?.languageId === "moe";
}
