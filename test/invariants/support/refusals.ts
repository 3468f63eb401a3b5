import { type ContractError, normalizeAccount } from "../../../sdk/index.js";
import type { Act } from "./act.js";
import type { Arena } from "./arena.js";
import type { Books } from "./books.js";
import { type Finding, type InvariantId, Judge } from "./judge.js";
import { marketsHeld } from "./situation.js";

/** A token's own errors reach only who moves it. */
export function checkTokenError(act: Act, { errorName }: ContractError, { hostile }: Arena): readonly Finding[] {
  const judge = new Judge("INV-19");
  const isNamed = act.data.toLowerCase().includes(hostile.address.slice(2).toLowerCase());
  const isOfToken = errorName === "NotNow" || errorName === "Insufficient" || errorName === "SafeERC20FailedOperation";
  judge.holds(!isOfToken || isNamed || act.to === hostile.address, () => `${act.what}: refused with ${errorName}`);
  return judge.findings;
}

/** INV-47: an act is refused for a price only where it needs one that is not fresh. */
export function checkRefusal(
  act: Act,
  { errorName, args, message }: ContractError,
  { accounts }: Books,
  { markets, collaterals }: Arena,
  isFresh: (symbol: string) => boolean,
  count: (id: InvariantId, looks: number) => void,
): readonly Finding[] {
  const judge = new Judge("INV-47");
  const needed = () => {
    if (errorName === "StaleMarketPrice") return [markets[Number(args["market"])]!.symbol];
    if (errorName === "StaleCollateralPrice") {
      const token = String(args["token"]).toLowerCase();
      return [collaterals.find(({ address }) => address.toLowerCase() === token)!.asset];
    }
    const account = accounts.get(normalizeAccount(String(args["account"])))!;
    return marketsHeld(account).map((market) => markets[market]!.symbol);
  };
  if (!priceErrors.has(errorName)) return [];
  const symbols = needed();
  judge.holds(
    symbols.some((symbol) => !isFresh(symbol)),
    () => `${act.what}: ${symbols.join(", ")} are fresh, and it is refused with ${message}`,
  );
  count("INV-47", judge.looks);
  return judge.findings;
}

const priceErrors = new Set(["StaleMarketPrice", "StaleCollateralPrice", "StalePrices"]);
