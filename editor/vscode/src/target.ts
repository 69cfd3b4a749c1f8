/** The target in the status bar: what kernels are shown for, and what a build makes. */
import * as vscode from "vscode";
import { isMoe, type KernelForm } from "./server-requests.js";

export const TARGETS = ["webgpu", "cuda", "native", "wasm"] as const;
export type TargetName = (typeof TARGETS)[number];

const ABOUT: Readonly<Record<TargetName, string>> = {
  webgpu: "WGSL, for GPUs in browsers and in Node",
  cuda: "CUDA C++, for NVIDIA GPUs",
  native: "LLVM IR, for the processor of this machine",
  wasm: "WebAssembly with SIMD, for browsers and everywhere else",
};

export const FORM_OF: Readonly<Record<TargetName, KernelForm>> = {
  webgpu: "wgsl",
  cuda: "cuda",
  native: "llvm",
  wasm: "wasm",
};

export interface TargetChoice {
  readonly name: TargetName;
  readonly onChange: vscode.Event<TargetName>;
}

export function registerTarget(context: vscode.ExtensionContext): TargetChoice {
  const changed = new vscode.EventEmitter<TargetName>();
  const current = (): TargetName => vscode.workspace.getConfiguration("moec").get<TargetName>("target", "webgpu");
  const item = vscode.window.createStatusBarItem("moec.target", vscode.StatusBarAlignment.Right, 90);
  item.name = "moec target";
  item.command = "moec.selectTarget";
  const show = (): void => {
    item.text = `$(circuit-board) moec: ${current()}`;
    item.tooltip = `${ABOUT[current()]}. Click to choose another target.`;
    if (vscode.window.visibleTextEditors.some(({ document }) => isMoe(document))) item.show();
    else item.hide();
  };
  const select = async (): Promise<void> => {
    const items = TARGETS.map((label) => ({ label, description: ABOUT[label], picked: label === current() }));
    const chosen = await vscode.window.showQuickPick(items, { title: "Target of kernels and builds" });
    if (!chosen) return;
    const place = vscode.workspace.workspaceFolders
      ? vscode.ConfigurationTarget.Workspace
      : vscode.ConfigurationTarget.Global;
    await vscode.workspace.getConfiguration("moec").update("target", chosen.label, place);
  };
  context.subscriptions.push(
    item,
    changed,
    vscode.window.onDidChangeVisibleTextEditors(show),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration("moec.target")) return;
      show();
      changed.fire(current());
    }),
    vscode.commands.registerCommand("moec.selectTarget", select),
  );
  show();
  return {
    get name() {
      return current();
    },
    onChange: changed.event,
  };
}
