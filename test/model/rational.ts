/**
 * An exact fraction of two integers. Nothing is ever rounded but by `floorTo`, `ceilTo` and `fine`, which say so. Fractions are not
 * reduced: what is kept from one act to the next goes through `fine`, so that digits do not grow without end.
 */
export class Rational {
  readonly numerator: bigint;
  /** Above zero. */
  readonly denominator: bigint;

  constructor(numerator: bigint, denominator = 1n) {
    if (denominator === 0n) throw new RangeError(`${numerator} over zero`);
    this.numerator = denominator < 0n ? -numerator : numerator;
    this.denominator = denominator < 0n ? -denominator : denominator;
  }

  plus(other: Rational): Rational {
    if (this.denominator === other.denominator) {
      return new Rational(this.numerator + other.numerator, this.denominator);
    }
    return new Rational(
      this.numerator * other.denominator + other.numerator * this.denominator,
      this.denominator * other.denominator,
    );
  }

  minus(other: Rational): Rational {
    return this.plus(other.negated());
  }

  times(other: Rational): Rational {
    return new Rational(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  over(other: Rational): Rational {
    return new Rational(this.numerator * other.denominator, this.denominator * other.numerator);
  }

  negated(): Rational {
    return new Rational(-this.numerator, this.denominator);
  }

  abs(): Rational {
    return this.numerator < 0n ? this.negated() : this;
  }

  /** Its part above zero. */
  positive(): Rational {
    return this.numerator > 0n ? this : zero;
  }

  sign(): -1 | 0 | 1 {
    if (this.numerator === 0n) return 0;
    return this.numerator < 0n ? -1 : 1;
  }

  isZero(): boolean {
    return this.numerator === 0n;
  }

  isBelow(other: Rational): boolean {
    return this.numerator * other.denominator < other.numerator * this.denominator;
  }

  isAtMost(other: Rational): boolean {
    return !other.isBelow(this);
  }

  equals(other: Rational): boolean {
    return this.numerator * other.denominator === other.numerator * this.denominator;
  }

  /** The greatest multiple of 1 / `parts` that is not above it, in such parts. */
  floorTo(parts: bigint): bigint {
    const scaled = this.numerator * parts;
    const quotient = scaled / this.denominator;
    return scaled < 0n && quotient * this.denominator !== scaled ? quotient - 1n : quotient;
  }

  /** The least multiple of 1 / `parts` that is not below it, in such parts. */
  ceilTo(parts: bigint): bigint {
    return -this.negated().floorTo(parts);
  }

  /** Rounded down to 60 decimals: 42 digits below a wei. */
  fine(): Rational {
    return this.denominator === fineParts ? this : new Rational(this.floorTo(fineParts), fineParts);
  }

  /** In units of 1e-18, rounded down: for display and bounds. */
  toWad(): bigint {
    return this.floorTo(wadParts);
  }

  toString(): string {
    const scaled = this.floorTo(wadParts);
    const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(19, "0");
    return `${scaled < 0n ? "-" : ""}${digits.slice(0, -18)}.${digits.slice(-18)}`;
  }
}

const fineParts = 10n ** 60n;
const wadParts = 10n ** 18n;

export const zero = new Rational(0n);
export const one = new Rational(1n);
export const two = new Rational(2n);

/** A whole number of wei of a wad. */
export function wei(amount: bigint): Rational {
  return new Rational(amount, wadParts);
}

/** A decimal fraction, as people write it. */
export function decimal(text: string): Rational {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new RangeError(`${text} is not a decimal`);
  const [, minus, whole, part = ""] = match;
  return new Rational(BigInt(`${minus}${whole}${part}`), 10n ** BigInt(part.length));
}

export function whole(count: bigint | number): Rational {
  return new Rational(BigInt(count));
}

export function sum(terms: Iterable<Rational>): Rational {
  let total = zero;
  for (const term of terms) total = total.plus(term);
  return total;
}

export function least(first: Rational, ...others: readonly Rational[]): Rational {
  return others.reduce((found, each) => (each.isBelow(found) ? each : found), first);
}

export function greatest(first: Rational, ...others: readonly Rational[]): Rational {
  return others.reduce((found, each) => (found.isBelow(each) ? each : found), first);
}

/** Where a function that is at or below zero at `low` and above it at `high` passes zero; from below, to 50 digits after the point. */
export function crossing(of: (at: Rational) => Rational, low: Rational, high: Rational): Rational {
  let [from, to] = [low.fine(), high.fine()];
  for (let i = 0; i < 400; i += 1) {
    const middle = from.plus(to).over(two).fine();
    if (to.minus(from).isBelow(crossingGap)) break;
    if (of(middle).sign() > 0) to = middle;
    else from = middle;
  }
  return from;
}

const crossingGap = new Rational(1n, 10n ** 50n);
