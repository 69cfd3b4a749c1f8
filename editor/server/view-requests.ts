/** Requests for the views beside the text: the picture of the model, kernels, costs, tests. */
import type { Position } from "vscode-languageserver";
import { costReport } from "./features/cost-report.js";
import { graphView } from "./features/graph-view.js";
import { testList } from "./features/test-list.js";
import type { KernelForm, WasmPrinter } from "./kernels/forms.js";
import { kernelView } from "./kernels/kernel-view.js";
import type { Workspace } from "./workspace.js";

interface Asked {
  readonly uri: string;
}

/** @param wasm Prints WebAssembly; what can is large, so it is loaded at the first question. */
export function viewRequests(workspace: Workspace, wasm: WasmPrinter) {
  const file = ({ uri }: Asked): string => workspace.host.fromUri(uri);
  return {
    "moec/picture": (asked: Asked & { readonly model?: string }) => graphView(workspace, file(asked), asked.model),
    "moec/kernels": (asked: Asked & { readonly position: Position; readonly form: KernelForm }) =>
      kernelView(workspace, file(asked), asked.position, asked.form, wasm),
    "moec/costReport": (asked: Asked) => costReport(workspace, file(asked)),
    "moec/tests": (asked: Asked) => testList(workspace, file(asked)),
  };
}
