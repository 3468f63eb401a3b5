import { type Logger, pino } from "pino";

/** An object with some methods in place of its own; the others run on the object itself. */
export function intercept<T extends object>(target: T, overrides: Partial<T>): T {
  return new Proxy(target, {
    get(object, key) {
      const own: unknown = Reflect.get(key in overrides ? overrides : object, key, object);
      return typeof own === "function" ? own.bind(key in overrides ? overrides : object) : own;
    },
  });
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger that keeps its lines. */
export function keptLog(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) });
  return { log, lines };
}
