/**
 * A real VS Code workbench in a browser: its own server serves the page and runs extensions, Playwright drives it.
 * Everything lies in a new folder that is gone afterwards.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { root } from "../editor/client.js";

const packages = join(root, "editor/workbench/node_modules");
const code = join(packages, "code-server/lib/vscode");
const main = join(code, "out/server-main.js");
export const vsix = join(root, "editor/vscode/moec.vsix");

/** Why the workbench cannot be started here, if so. */
export function missing(): string | undefined {
  if (!existsSync(main)) return "`npm run workbench:install` installs the workbench";
  return existsSync(vsix) ? undefined : "`npm run package:vscode` makes the extension";
}

/** Tasks run in terminals, which take a library that is compiled when the workbench is installed. */
export const hasTerminals = existsSync(join(packages, "node-pty/build/Release/pty.node"));

/** Milliseconds that a step may take on a busy machine. */
const TIMEOUT = 90_000;

export interface WorkbenchOptions {
  /** Files of the opened folder, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Settings of the folder beside those that keep the workbench quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The extension runs in the browser itself, its server in a worker. */
  readonly web?: boolean;
  readonly dark?: boolean;
}

export class Workbench {
  private constructor(
    readonly folder: string,
    private readonly home: string,
    private readonly url: string,
    private readonly server: ChildProcess,
    private readonly log: readonly string[],
  ) {}

  static async start({ files, settings: own = {}, web = false, dark = false }: WorkbenchOptions): Promise<Workbench> {
    const home = mkdtempSync(join(tmpdir(), "moec-vscode-"));
    const folder = join(home, "models");
    const data = join(home, "data");
    const extensions = join(home, "extensions");
    for (const each of [folder, extensions]) mkdirSync(each);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const settings = {
      "workbench.colorTheme": dark ? "Default Dark Modern" : "Default Light Modern",
      "workbench.startupEditor": "none",
      "workbench.tips.enabled": false,
      "security.workspace.trust.enabled": false,
      "telemetry.telemetryLevel": "off",
      "extensions.ignoreRecommendations": true,
      "git.enabled": false,
      "files.autoSave": "off",
      "editor.minimap.enabled": false,
      ...own,
    };
    mkdirSync(join(folder, ".vscode"));
    writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify(settings));
    // The workbench looks for its packages beside itself.
    const beside = join(code, "node_modules");
    if (!existsSync(beside)) symlinkSync(packages, beside, "dir");
    const common = ["--accept-server-license-terms", "--extensions-dir", extensions, "--server-data-dir", data];
    execFileSync(process.execPath, [main, "--install-extension", vsix, ...common], { stdio: "pipe" });
    if (web) withoutProcess(extensions);
    const port = await freePort();
    const log: string[] = [];
    const server = spawn(
      process.execPath,
      [
        main,
        ...common,
        "--host",
        "127.0.0.1",
        "--port",
        String(port),
        "--without-connection-token",
        "--disable-workspace-trust",
        "--telemetry-level",
        "off",
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (text: Buffer) => log.push(text.toString()));
    const url = `http://127.0.0.1:${port}/`;
    const workbench = new Workbench(folder, home, url, server, log);
    await workbench.answers();
    return workbench;
  }

  private async answers(): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(this.url).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the workbench does not answer\n${this.log.join("")}`);
  }

  /** The page with a file of the folder open. */
  async open(browser: Browser, file: string): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const address = `vscode-remote://${new URL(this.url).host}${join(this.folder, file)}`;
    page.setDefaultTimeout(TIMEOUT);
    const payload = encodeURIComponent(JSON.stringify([["openFile", address]]));
    await page.goto(`${this.url}?folder=${this.folder}&payload=${payload}`);
    await page.waitForSelector(".monaco-editor .view-line");
    return page;
  }

  close(): void {
    this.server.kill();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Without an entry for processes an extension can run in the browser only, as all do on vscode.dev. */
function withoutProcess(extensions: string): void {
  const [name] = readdirSync(extensions).filter((each) => each.startsWith("moec."));
  const file = join(extensions, name!, "package.json");
  const { main: _main, ...manifest } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify(manifest));
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Runs a command of the palette by its title. */
export async function command(page: Page, title: string): Promise<void> {
  await page.keyboard.press("F1");
  await page.waitForSelector(".quick-input-widget:visible input");
  await page.keyboard.type(title);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
}

/** Opens another file of the folder, alone. */
export async function openFile(page: Page, name: string): Promise<void> {
  await command(page, "View: Close All Editors");
  const row = page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first();
  for (;;) {
    await page.keyboard.press("Control+p");
    await page.locator(".quick-input-widget input:visible").fill(name);
    // A list that was made before the file was there stays as it is until it is closed; the test's own time ends this.
    const isListed = await row.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
    if (isListed) break;
    await page.keyboard.press("Escape");
  }
  await row.click();
  await page.waitForSelector(`.tab.active:has-text('${name}')`);
}
