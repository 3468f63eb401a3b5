import type { AccountId } from "../../sdk/index.js";
import { WAD, max, min } from "../../sdk/risk/libraries/FixedPoint.js";
import type { AccountWord } from "../../sdk/risk/types/AccountWord.js";
import * as AssetSet from "../../sdk/risk/types/AssetSet.js";
import { toDiscountTerms } from "../../sdk/risk/types/MarketWords.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { now } from "../house.js";
import type { Draws } from "./draws.js";
import { collateralParameters } from "./parameters.js";
import { drawCollateralRamp } from "./ramps.js";
import type { World } from "./world.js";

const mostHeld = (1n << 96n) - 1n;

/** A collateral, and what accounts hold of it. */
export function drawCollateral(
  { d, house, vault, answers, wishes }: World,
  index: number,
  holders: ReadonlySet<AccountId>,
): void {
  const asset = AssetSet.collateralAsset(index);
  const price = answers.of(asset);
  const decimals = d.pick([18n, 18n, 6n, 8n, 0n, BigInt(d.integer(0, 18))]);
  let held = d.chance(0.2) ? d.wide(1n, mostHeld / 16n) : 0n;
  for (const account of holders) {
    const amount = drawAmount(d, decimals, Price.value(price));
    held += amount;
    vault.collateralOf.set(account, index, amount);
    vault.accounts.set(account, (vault.accounts.get(account) | (1n << BigInt(120 + asset))) as AccountWord);
    if (account === house.pool) vault.stockSince.set(index, now - (d.chance(0.3) ? 0n : d.wide(1n, 100_000n)));
  }
  const p = collateralParameters(d, Price.tolerance(price));
  if (d.chance(0.7)) p.depositCap = max(p.depositCap, held);
  vault.setCollateralToken(index, house.tokens[index]?.address ?? "");
  vault.collaterals.set(index, VaultWords.toCollateral(p, decimals, held));
  vault.collateralDiscounts.set(index, toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad));
  if (d.chance(wishes.ramps ?? 0.2)) drawCollateralRamp(d, vault, index);
}

/** Worth from a millionth of a quote unit to a billion of them, as far as the field goes. */
function drawAmount(d: Draws, decimals: bigint, priceWad: bigint): bigint {
  const valueWad = d.chance(0.9) ? d.wide(WAD, 10n ** 7n * WAD) : d.wide(WAD / 10n ** 6n, 10n ** 9n * WAD);
  const amount = priceWad === 0n ? d.wide(1n, 1n << 64n) : (valueWad * 10n ** decimals) / priceWad;
  return max(1n, min(amount, mostHeld / 16n));
}
