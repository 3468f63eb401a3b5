import { decodeMarketState, decodeMarketTotals } from "../../../sdk/index.js";
import { wordsOf } from "../../helpers/vaultStorage.js";
import { type Arena, vaultInterface } from "./arena.js";

/** What the vault's views tell of an account. Wad, collaterals raw. */
export interface AccountFigures {
  readonly cash: bigint;
  readonly equityMaintenance: bigint;
  readonly requirementMaintenance: bigint;
  readonly equityInitial: bigint;
  readonly requirementInitial: bigint;
  readonly netCash: bigint;
  readonly health: bigint;
  /** By market. */
  readonly positions: readonly { readonly size: bigint; readonly value: bigint }[];
  readonly collaterals: readonly bigint[];
}

export interface MarketFigures {
  readonly fundingIndex: bigint;
  /** 1e-24 a second. */
  readonly fundingRate: bigint;
  readonly touchedAt: bigint;
  readonly fees: bigint;
  readonly flags: number;
}

/** Interest: what an index of 1 is is 1e15; rates 1e-18 a second. */
export interface CashFigures {
  readonly supplyIndex: bigint;
  readonly borrowIndex: bigint;
  readonly supplyRate: bigint;
  readonly borrowRate: bigint;
  readonly accruedAt: bigint;
  readonly interestUnswept: bigint;
  readonly badDebt: bigint;
  /** Wad. */
  readonly poolLosses: BudgetFigures;
  readonly writeOffs: BudgetFigures;
}

export interface BudgetFigures {
  readonly allowed: bigint;
  readonly spent: bigint;
  readonly since: bigint;
}

export interface Figures {
  readonly accounts: ReadonlyMap<string, AccountFigures>;
  readonly markets: readonly MarketFigures[];
  readonly cash: CashFigures;
  readonly cashHeld: bigint;
  readonly capital: bigint;
  readonly capitalTakenAt: bigint;
  readonly poolValue: bigint;
  readonly poolBand: bigint;
  readonly poolHaircut: bigint;
}

/**
 * Code for an address that has none, in a call: makes many calls to one contract. The call data is the contract's address, then the call
 * data of each call in 68 bytes; the answer has 12 words of each.
 *
 *     PUSH1(96) PUSH1(32)  JUMPDEST(4)  CALLDATASIZE DUP2 LT ISZERO PUSH1(44) JUMPI
 *     PUSH1(68) DUP2 PUSH0 CALLDATACOPY
 *     PUSH2(384) DUP3 PUSH1(68) PUSH0 PUSH0 CALLDATALOAD GAS STATICCALL  ISZERO PUSH1(53) JUMPI
 *     PUSH1(68) ADD  SWAP1 PUSH2(384) ADD SWAP1  PUSH1(4) JUMP
 *     JUMPDEST(44)  POP PUSH1(96) SWAP1 SUB PUSH1(96) RETURN  JUMPDEST(53)  PUSH0 PUSH0 REVERT
 */
const manyCalls =
  "0x606060205b3681101560" +
  "2c576044815f37610180826044" +
  "5f5f355afa15603557604401906101800190600456" +
  "5b50606090036060f35b5f5ffd";
const nowhere = "0x00000000000000000000000000000000ca110000";
const wordsACall = 12;
const bytesACall = 68;
const callsABatch = 60;

/** Reads what the vault's views tell of everybody. */
export class FiguresReader {
  readonly #arena: Arena;
  /** Call data of a few calls each: one transaction's gas is not enough for all. */
  readonly #batches: readonly string[];

  constructor(arena: Arena) {
    this.#arena = arena;
    const { accounts, deployment } = arena;
    const { markets, collaterals } = deployment;
    const calls = [
      vaultInterface.encodeFunctionData("totals"),
      vaultInterface.encodeFunctionData("capital"),
      vaultInterface.encodeFunctionData("poolValue"),
      vaultInterface.encodeFunctionData("cashView"),
      ...markets.map((_, id) => vaultInterface.encodeFunctionData("market", [id])),
      ...accounts.flatMap(({ id }) => [
        vaultInterface.encodeFunctionData("cash", [id]),
        vaultInterface.encodeFunctionData("health", [id]),
        ...markets.map((_, market) => vaultInterface.encodeFunctionData("position", [id, market])),
        ...collaterals.map(({ address }) => vaultInterface.encodeFunctionData("collateral", [id, address])),
      ]),
    ];
    const vault = deployment.vault.slice(2).toLowerCase().padStart(64, "0");
    const padded = calls.map((call) => call.slice(2).padEnd(2 * bytesACall, "0"));
    this.#batches = Array.from(
      { length: Math.ceil(padded.length / callsABatch) },
      (_, i) => `0x${vault}${padded.slice(i * callsABatch, (i + 1) * callsABatch).join("")}`,
    );
  }

  async read(): Promise<Figures> {
    const { chain, accounts, deployment } = this.#arena;
    const { markets, collaterals } = deployment;
    const overrides = { [nowhere]: { code: manyCalls } };
    const words: bigint[] = [];
    for (const data of this.#batches) {
      words.push(...wordsOf(await chain.request<string>("eth_call", { to: nowhere, data }, "latest", overrides)));
    }
    let at = 0;
    const next = (): bigint[] => {
      at += wordsACall;
      return words.slice(at - wordsACall, at);
    };
    const signed = (word: bigint | undefined) => BigInt.asIntN(256, word!);
    const [, , cashHeld] = next();
    const [capital] = next();
    const [poolValue, poolBand, poolHaircut] = next();
    const [indices, , , poolLosses, writeOffs, interestUnswept, badDebt] = next();
    const marketFigures = markets.map((): MarketFigures => {
      const [stateWord, totalsWord] = next();
      const state = decodeMarketState(stateWord!);
      return {
        fundingIndex: state.fundingIndexWad,
        fundingRate: state.fundingRateE24,
        touchedAt: BigInt(state.touchedAt),
        fees: decodeMarketTotals(totalsWord!).feesUnsweptWad,
        flags: state.flags,
      };
    });
    const accountFigures = accounts.map(({ id }): [string, AccountFigures] => {
      const [cash] = next();
      const [equityMaintenance, requirementMaintenance, equityInitial, requirementInitial, netCash, health] = next();
      return [
        id,
        {
          cash: signed(cash),
          equityMaintenance: signed(equityMaintenance),
          requirementMaintenance: requirementMaintenance!,
          equityInitial: signed(equityInitial),
          requirementInitial: requirementInitial!,
          netCash: signed(netCash),
          health: health!,
          positions: markets.map(() => {
            const [, , size, value] = next();
            return { size: signed(size), value: signed(value) };
          }),
          collaterals: collaterals.map(() => next()[0]!),
        },
      ];
    });
    return {
      accounts: new Map(accountFigures),
      markets: marketFigures,
      cash: {
        supplyIndex: field(indices!, 0, 72),
        borrowIndex: field(indices!, 72, 72),
        supplyRate: field(indices!, 144, 40),
        borrowRate: field(indices!, 184, 40),
        accruedAt: field(indices!, 224, 32),
        interestUnswept: interestUnswept!,
        badDebt: badDebt!,
        poolLosses: budgetOf(poolLosses!),
        writeOffs: budgetOf(writeOffs!),
      },
      cashHeld: cashHeld!,
      capital: BigInt.asUintN(128, capital!),
      capitalTakenAt: BigInt.asUintN(40, capital! >> 128n),
      poolValue: signed(poolValue),
      poolBand: poolBand!,
      poolHaircut: poolHaircut!,
    };
  }
}

function field(word: bigint, offset: number, bits: number): bigint {
  return BigInt.asUintN(bits, word >> BigInt(offset));
}

function budgetOf(word: bigint): BudgetFigures {
  return { allowed: field(word, 0, 104), spent: field(word, 104, 104), since: field(word, 208, 40) };
}
