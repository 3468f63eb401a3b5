/** Every error of the SDK, so that one `instanceof` finds them all. */
export class BallastError extends Error {
  override readonly name: string = "BallastError";
}

/** An error that a contract raised, or would raise, by its name and arguments. */
export class ContractError extends BallastError {
  override readonly name = "ContractError";
  /** Name of the custom error as declared in Solidity; "Panic" for the compiler's own. */
  readonly errorName: string;
  /** Its arguments by name, in their order. */
  readonly args: Readonly<Record<string, unknown>>;

  constructor(errorName: string, args: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    const list = Object.entries(args).map(([name, value]) => `${name}: ${String(value)}`);
    super(`${errorName}(${list.join(", ")})`, { cause });
    this.errorName = errorName;
    this.args = args;
  }
}

/** Arithmetic that the compiler refuses: 0x11 out of the type's range, 0x12 division by zero. */
export function panic(code: 0x11 | 0x12): ContractError {
  return new ContractError("Panic", { code: BigInt(code) });
}
