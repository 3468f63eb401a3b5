import { nameOfMarket } from "../client/symbols.js";
import type { Deployment } from "../deployment.js";
import { displayTokenAmount, displayWad, formatTokenAmount } from "../units/index.js";

/** How the parts of a sentence are written: symbols for ids and addresses, and amounts with their unit. */
export class Names {
  readonly #deployment: Deployment;

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  market(id: number): string {
    return nameOfMarket(this.#deployment, id);
  }

  markets(): string {
    return this.#deployment.markets.map(({ symbol }) => symbol).join(", ");
  }

  token(address: string): string {
    return this.#tokenOf(address)?.symbol ?? address;
  }

  tokens(): string {
    const { settlementToken, collaterals } = this.#deployment;
    return [settlementToken, ...collaterals].map(({ symbol }) => symbol).join(", ");
  }

  /** Raw, exact. */
  amount(token: string, raw: bigint): string {
    const known = this.#tokenOf(token);
    return known === undefined
      ? `${raw} units of ${token}`
      : `${formatTokenAmount(raw, known.decimals)} ${known.symbol}`;
  }

  /** Wad of size, exact. */
  size(market: number, sizeWad: bigint): string {
    return `${formatTokenAmount(sizeWad, 18)} ${this.market(market)}`;
  }

  /** Wad of quote, to the cent; what is missing is rounded up, what there is down. */
  money(wad: bigint, rounding: "floor" | "ceil" = "floor"): string {
    return `${displayWad(wad, { rounding })} ${this.#deployment.settlementToken.symbol}`;
  }

  price(wad: bigint): string {
    return formatTokenAmount(wad, 18);
  }

  ratio(wad: bigint): string {
    return displayTokenAmount(wad, 18, { places: 4 });
  }

  /** UTC, to the second. */
  time(seconds: bigint): string {
    const latest = 253_402_300_799n; // the last second of the year 9999
    if (seconds > latest) return `${seconds} (Unix seconds)`;
    return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  }

  #tokenOf(address: string) {
    const { settlementToken, collaterals } = this.#deployment;
    return [settlementToken, ...collaterals].find((token) => token.address.toLowerCase() === address.toLowerCase());
  }
}
