import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
/** Not through npx or npm: killing those would leave their child behind. */
export const hardhat = [join(root, "node_modules/hardhat/dist/src/cli.js")];
export const tsx = ["--import", "tsx"];

/** A Node process of this repository, and what it printed so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  /** Resolves when stdout has matched; rejects when the process ended without. */
  printed(pattern: RegExp): Promise<void>;
  /** Exit code, null after a signal. */
  ended(): Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Nothing of the surrounding test run or of the developer's own settings reaches the processes. */
function ownEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([key]) => !/^(BALLAST_|HARDHAT_|NODE_OPTIONS$)/.test(key));
  return { ...Object.fromEntries(inherited), ...env };
}

export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: ownEnvironment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const closed = once(child, "close");
  const ended = async () => {
    await closed;
    return child.exitCode;
  };
  return {
    child,
    output,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(output.stdout)) resolve();
        };
        child.stdout.on("data", look);
        void closed.then(() =>
          reject(new Error(`ended without printing ${pattern}:\n${output.stdout}${output.stderr}`)),
        );
        look();
      }),
    async stop(signal = "SIGTERM") {
      if (!isGone(child)) child.kill(signal);
      return ended();
    },
  };
}

/** Whether the operating system knows the process no more. */
export function isGone({ pid }: ChildProcess): boolean {
  if (pid === undefined) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return address.port;
}
