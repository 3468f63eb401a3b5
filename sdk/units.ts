export const WAD = 10n ** 18n;
export const RAY = 10n ** 27n;

const plainDecimal = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Exact: "1.5" with 6 decimals is 1500000n. Throws a RangeError for anything that is not a plain decimal of at most `decimals` places. */
export function parseDecimal(text: string, decimals: number): bigint {
  const [, sign = "", whole = "", fraction = ""] = plainDecimal.exec(text) ?? [];
  if (whole === "" || fraction.length > decimals) {
    throw new RangeError(`"${text}" is not a plain decimal with at most ${decimals} decimals`);
  }
  const magnitude = BigInt(whole + fraction.padEnd(decimals, "0"));
  return sign === "" ? magnitude : -magnitude;
}

/** The shortest decimal string that `parseDecimal` turns back into `value`. */
export function formatDecimal(value: bigint, decimals: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** a * b / divisor toward zero; for amounts that are not negative. */
export function mulDivDown(a: bigint, b: bigint, divisor: bigint): bigint {
  return (a * b) / divisor;
}

/** a * b / divisor away from zero; for amounts that are not negative. */
export function mulDivUp(a: bigint, b: bigint, divisor: bigint): bigint {
  return (a * b + divisor - 1n) / divisor;
}

/** a * b / divisor toward minus infinity; the divisor is above zero. */
export function mulDivFloor(a: bigint, b: bigint, divisor: bigint): bigint {
  const product = a * b;
  const quotient = product / divisor;
  return product < 0n && quotient * divisor !== product ? quotient - 1n : quotient;
}
