import { BallastError } from "../../sdk/index.js";

/** A key of the config file, or a variable of the environment, that the keeper cannot use. Its message never shows the value. */
export class KeeperConfigError extends BallastError {
  override readonly name = "KeeperConfigError";
  /** As it is written in the file, such as "rpc[0].url", or the variable's name. */
  readonly key: string;

  constructor(key: string, fix: string, cause?: unknown) {
    super(`${key} ${fix}`, { cause });
    this.key = key;
  }
}
