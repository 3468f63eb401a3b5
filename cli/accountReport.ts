import {
  type AccountId,
  AccountView,
  type Ballast,
  type Deployment,
  type HealthExplanation,
  type LiquidationTurn,
  WAD,
  displayWad,
  explainHealth,
  formatDecimal,
  formatHealth,
  formatTokenAmount,
  indexOf,
  liquidationMove,
  ownerOf,
} from "../sdk/index.js";
import { money, percent, price, size, tableLines, time } from "./display.js";

interface HeldCollateral {
  readonly token: string;
  /** Raw. */
  readonly amount: bigint;
  readonly decimals: number;
  readonly priceWad: bigint;
  readonly isFresh: boolean;
  readonly valueWad: bigint;
}

interface HeldPosition {
  readonly market: string;
  /** Below zero: short. */
  readonly sizeWad: bigint;
  readonly priceWad: bigint;
  readonly notionalWad: bigint;
  readonly costWad: bigint;
  /** Unrealised. */
  readonly profitWad: bigint;
  /** At which prices of its market alone the account turns liquidatable, or no more; none for pool and insurance. */
  readonly turn: LiquidationTurn | undefined;
}

/** An account as of a block. */
export interface AccountReport {
  readonly block: number;
  readonly timestamp: number;
  readonly view: AccountView;
  readonly collaterals: readonly HeldCollateral[];
  readonly positions: readonly HeldPosition[];
  /** The same for a factor on all prices together. */
  readonly move: LiquidationTurn | undefined;
  readonly explanation: HealthExplanation;
  readonly deployment: Deployment;
}

/** Reads an account, all of one block. */
export async function readAccount(ballast: Ballast, account: AccountId): Promise<AccountReport> {
  const { deployment } = ballast;
  const state = await ballast.readState([account]);
  const view = new AccountView(state, state.at(), account);
  const explanation = explainHealth(state, account);
  const isTarget = account !== state.pool && account !== state.insurance;
  const turns = isTarget ? view.liquidationPrices : new Map<string, LiquidationTurn>();
  const collaterals = explanation.items.flatMap((item): HeldCollateral[] => {
    if (item.kind !== "collateral") return [];
    const { index, amount, decimals, priceWad, isFresh, valueWad } = item;
    return [
      { token: deployment.collaterals[index]?.symbol ?? item.token, amount, decimals, priceWad, isFresh, valueWad },
    ];
  });
  const priceOf = new Map(
    explanation.items.flatMap((item) =>
      item.kind === "profit"
        ? [[deployment.markets[item.market]?.symbol ?? `market ${item.market}`, item.priceWad] as const]
        : [],
    ),
  );
  const positions = view.positions.map(({ market, sizeWad, notionalWad, costWad, valueWad }) => ({
    market,
    sizeWad,
    priceWad: priceOf.get(market) ?? 0n,
    notionalWad,
    costWad,
    profitWad: valueWad,
    turn: turns.get(market),
  }));
  const { number: block, timestamp } = state.block;
  const move = isTarget ? liquidationMove(state, account) : undefined;
  return { block, timestamp, view, collaterals, positions, move, explanation, deployment };
}

/** For people. */
export function accountLines(report: AccountReport): string[] {
  const { view, explanation, deployment, block, timestamp } = report;
  const { account, mode } = view;
  const [, ...items] = formatHealth(explanation, deployment);
  return [
    `account ${account}`,
    `number ${indexOf(account)} of ${ownerOf(account)}, ${mode}`,
    `block ${block}, ${time(timestamp)}`,
    "",
    ...holdings(report),
    "",
    ...positionLines(report),
    ...summary(report),
    "",
    ...items,
  ];
}

function holdings({ view, collaterals, deployment }: AccountReport): string[] {
  const { symbol } = deployment.settlementToken;
  const cash = [symbol, money(view.cashWad), "", money(view.cashWad), view.cashWad < 0n ? "debt" : "cash"];
  const others = collaterals.map(({ token, amount, decimals, priceWad, isFresh, valueWad }) => [
    token,
    formatTokenAmount(amount, decimals),
    price(priceWad),
    money(valueWad),
    isFresh ? "collateral" : "collateral, price STALE",
  ]);
  return tableLines([["token", "amount", "price", "value", ""], cash, ...others]);
}

function positionLines({ positions }: AccountReport): string[] {
  if (positions.length === 0) return ["no position", ""];
  const head = ["market", "side", "size", "price", "notional", "profit", "liquidatable at"];
  const rows = positions.map(({ market, sizeWad, priceWad, notionalWad, profitWad, turn }) => [
    market,
    sizeWad < 0n ? "short" : "long",
    size(sizeWad < 0n ? -sizeWad : sizeWad),
    price(priceWad),
    money(notionalWad),
    money(profitWad),
    turn === undefined ? "" : turnText(turn, priceWad),
  ]);
  return [...tableLines([head, ...rows]), ""];
}

/** Of a price (wad) that moves: where the account turns. */
function turnText({ isLiquidatable, below, above }: LiquidationTurn, presentWad: bigint): string {
  const at = (sign: string, turnWad: bigint) =>
    `${sign} ${price(turnWad)} (${percent(presentWad === 0n ? 0n : ((turnWad - presentWad) * WAD) / presentWad, { signed: true })})`;
  const turns = [below === undefined ? [] : [at("<=", below)], above === undefined ? [] : [at(">=", above)]].flat();
  if (!isLiquidatable) return turns.length === 0 ? "no price" : turns.join(" or ");
  return turns.length === 0 ? "every price" : `the present price, not ${turns.join(" or ")}`;
}

function summary({ view: { health }, move }: AccountReport): string[] {
  const { healthWad, isLiquidatable, pricesFresh } = health;
  if (healthWad === undefined) return ["nothing is required of it: it cannot be liquidated"];
  const lines = [`health ${displayWad(healthWad, { places: 4 })}${isLiquidatable ? ": anyone may LIQUIDATE it" : ""}`];
  const by = (factorWad: bigint) => percent(factorWad - WAD, { signed: true });
  const factors = [move?.below, move?.above].flatMap((factor) => (factor === undefined ? [] : [by(factor)]));
  if (factors.length > 0) {
    const when = isLiquidatable ? "no more liquidatable" : "liquidatable";
    lines.push(`${when} if all prices move together by ${factors.join(" or ")}`);
  }
  if (!pricesFresh) lines.push("a price that it depends on is not fresh: figures are at the last good one");
  return lines;
}

/** On one line; amounts are decimal strings. */
export function accountJson({ view, collaterals, positions, move, block, timestamp }: AccountReport): string {
  const wad = (value: bigint) => formatDecimal(value, 18);
  const turnOf = (turn: LiquidationTurn | undefined) => ({
    below: turn?.below === undefined ? null : wad(turn.below),
    above: turn?.above === undefined ? null : wad(turn.above),
  });
  const { account, mode, cashWad, health } = view;
  return JSON.stringify({
    account,
    owner: ownerOf(account),
    index: indexOf(account).toString(),
    mode,
    block,
    timestamp,
    cash: wad(cashWad),
    collaterals: collaterals.map(({ token, amount, decimals, priceWad, isFresh, valueWad }) => ({
      token,
      amount: formatTokenAmount(amount, decimals),
      price: wad(priceWad),
      isFresh,
      value: wad(valueWad),
    })),
    positions: positions.map(({ market, sizeWad, priceWad, notionalWad, costWad, profitWad, turn }) => ({
      market,
      size: wad(sizeWad),
      price: wad(priceWad),
      notional: wad(notionalWad),
      cost: wad(costWad),
      profit: wad(profitWad),
      turn: turnOf(turn),
    })),
    health: health.healthWad === undefined ? null : wad(health.healthWad),
    isLiquidatable: health.isLiquidatable,
    pricesFresh: health.pricesFresh,
    equityMaintenance: wad(health.equityMaintenanceWad),
    requirementMaintenance: wad(health.requirementMaintenanceWad),
    equityInitial: wad(health.equityInitialWad),
    requirementInitial: wad(health.requirementInitialWad),
    freeMargin: wad(health.freeMarginWad),
    move: turnOf(move),
  });
}
