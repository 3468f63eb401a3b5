import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";

/** What a child process came to. */
export interface Ended {
  /** Undefined when it was stopped because its time was over. */
  readonly status: number | null | undefined;
  readonly output: string;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** A temporary folder that goes when this process does. */
export function remember(folder: string): void {
  folders.add(folder);
}

/** Stops every child with all of its own, and removes every temporary folder. */
export function stopEverything(): void {
  for (const child of running) stop(child);
  running.clear();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  folders.clear();
}

function stop({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL"); // its process group: it was started as the leader of one
  } catch {
    // It has ended by itself.
  }
}

/** Runs a Node program of this repository in a folder, with nothing of the developer's settings in its environment. */
export async function runNode(folder: string, args: readonly string[], timeoutSeconds: number): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(
    ([key]) => !/^(BALLAST_|HARDHAT_|NODE_OPTIONS$|NODE_ENV$|HH_)/.test(key),
  );
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: Object.fromEntries(inherited),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop(child);
  }, timeoutSeconds * 1000);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  stop(child); // what it may have left behind
  running.delete(child);
  return { status: late ? undefined : status, output };
}
