/** Tasks of the command line: check, test, build a bundle, serve a preview. */
import * as vscode from "vscode";

const TYPE = "moec";

/** What a task of `tasks.json` says: `{ "type": "moec", "command": "build", "project": "models/small" }`. */
interface MoecTask extends vscode.TaskDefinition {
  readonly command: "check" | "test" | "build" | "serve";
  /** A folder with a `moec.yaml`, that file, or a `.moe` file. */
  readonly project?: string;
  readonly args?: readonly string[];
}

const ABOUT: Readonly<Record<MoecTask["command"], string>> = {
  check: "check",
  test: "run the tests of",
  build: "build the bundle of",
  serve: "serve a preview of",
};
const MOST = 100;

export function registerTasks(context: vscode.ExtensionContext): void {
  const run = (command: MoecTask["command"]) => async (): Promise<void> => {
    const project = await projectOfEditor();
    if (project === undefined)
      return void vscode.window.showErrorMessage("moec: open a .moe file or a folder with a moec.yaml");
    await vscode.workspace.saveAll(false);
    await vscode.tasks.executeTask(taskOf({ type: TYPE, command, project }, vscode.TaskScope.Workspace)!);
  };
  context.subscriptions.push(
    vscode.tasks.registerTaskProvider(TYPE, {
      provideTasks: async () => {
        const projects = await vscode.workspace.findFiles("**/moec.yaml", "**/node_modules/**", MOST);
        return projects.flatMap((uri) => {
          const folder = vscode.workspace.asRelativePath(vscode.Uri.joinPath(uri, ".."), false);
          return (["build", "serve", "check", "test"] as const).flatMap(
            (command) => taskOf({ type: TYPE, command, project: folder }, vscode.TaskScope.Workspace) ?? [],
          );
        });
      },
      resolveTask: (task) => taskOf(task.definition as MoecTask, task.scope),
    }),
    vscode.commands.registerCommand("moec.build", run("build")),
    vscode.commands.registerCommand("moec.preview", async () => {
      await run("serve")();
      await openPreview();
    }),
  );
}

const TRIES = 300;
const PAUSE = 500;

/** Opens the page as soon as the server answers; a model is compiled first, which takes its time. */
async function openPreview(): Promise<void> {
  const address = `http://127.0.0.1:${previewPort()}/`;
  for (let tries = 0; tries < TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const isRunning = vscode.tasks.taskExecutions.some(({ task }) => task.definition["command"] === "serve");
    // The task ended: its terminal says why.
    if (!isRunning) return;
    const answer = await fetch(address).catch(() => undefined);
    if (answer?.ok) return void (await vscode.env.openExternal(vscode.Uri.parse(address)));
  }
}

function previewPort(): number {
  return vscode.workspace.getConfiguration("moec").get<number>("preview.port", 8080);
}

function taskOf(definition: MoecTask, scope: vscode.Task["scope"]): vscode.Task | undefined {
  const { command, project = ".", args = [] } = definition;
  if (!(command in ABOUT)) return undefined;
  const settings = vscode.workspace.getConfiguration("moec");
  const [program = "npx", ...first] = settings.get<string[]>("command", ["npx", "moec"]);
  const target = settings.get<string>("target", "webgpu");
  // wasm is what every bundle has.
  const targets = command === "build" && target !== "wasm" ? ["--target", `wasm,${target}`] : [];
  const port = command === "serve" && !args.includes("--port") ? ["--port", String(previewPort())] : [];
  const execution = new vscode.ProcessExecution(program, [...first, command, project, ...targets, ...port, ...args]);
  const task = new vscode.Task(
    definition,
    scope ?? vscode.TaskScope.Workspace,
    `${command} ${project}`,
    TYPE,
    execution,
    command === "serve" ? [] : ["$moec"],
  );
  task.detail = `${ABOUT[command]} ${project}`;
  if (command === "build") task.group = vscode.TaskGroup.Build;
  if (command === "test") task.group = vscode.TaskGroup.Test;
  task.isBackground = command === "serve";
  return task;
}

/** The folder of the nearest `moec.yaml` above the active file, the file itself without one. */
async function projectOfEditor(): Promise<string | undefined> {
  const uri = vscode.window.activeTextEditor?.document.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!uri) return undefined;
  const root = vscode.workspace.getWorkspaceFolder(uri)?.uri;
  for (let folder = uri; root && folder.path.startsWith(root.path); folder = vscode.Uri.joinPath(folder, "..")) {
    try {
      await vscode.workspace.fs.stat(vscode.Uri.joinPath(folder, "moec.yaml"));
      return vscode.workspace.asRelativePath(folder, false) || ".";
    } catch {
      // Not here: one folder up.
    }
    if (folder.path === root.path) break;
  }
  return uri.path.endsWith(".moe") ? vscode.workspace.asRelativePath(uri, false) : undefined;
}
