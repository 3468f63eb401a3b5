import { BallastError } from "../../sdk/index.js";

/** A state file that the keeper cannot work with. */
export class StateFileError extends BallastError {
  override readonly name: string = "StateFileError";
  readonly file: string;

  constructor(file: string, problem: string, cause?: unknown) {
    super(`the state file ${file} ${problem}`, { cause });
    this.file = file;
  }
}

/** Written by another version of the keeper. */
export class StateVersionError extends StateFileError {
  override readonly name = "StateVersionError";
  readonly version: string;
  readonly expected: string;

  constructor(file: string, version: string, expected: string) {
    super(
      file,
      `is of version ${version}, this keeper's is ${expected}: let the keeper that wrote it finish what is open, then move the ` +
        `file away, or set "state" to another path`,
    );
    this.version = version;
    this.expected = expected;
  }
}

/** Of another chain, or of another vault. */
export class ForeignStateError extends StateFileError {
  override readonly name = "ForeignStateError";
  readonly of: string;
  readonly expected: string;

  constructor(file: string, of: string, expected: string) {
    super(file, `is of ${of}, the deployment is ${expected}: set "state" to a path of its own for each deployment`);
    this.of = of;
    this.expected = expected;
  }
}

/** Another process has it open. */
export class StateInUseError extends StateFileError {
  override readonly name = "StateInUseError";

  constructor(file: string, cause: unknown) {
    super(file, `is in use by another process: stop that keeper, or set "state" to another path`, cause);
  }
}

/** Something could not be written down. */
export class StateWriteError extends StateFileError {
  override readonly name = "StateWriteError";
  readonly isFull: boolean;

  constructor(file: string, isFull: boolean, cause: unknown) {
    super(file, isFull ? "cannot grow: make room on its disk" : "cannot be written: look after its disk", cause);
    this.isFull = isFull;
  }
}
