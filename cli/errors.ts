import { BallastError } from "../sdk/index.js";

/** An argument that cannot be used. */
export class UsageError extends BallastError {
  override readonly name = "UsageError";
}
