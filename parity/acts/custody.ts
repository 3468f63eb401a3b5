import { max, positivePart } from "../../sdk/risk/libraries/FixedPoint.js";
import * as AccountWord from "../../sdk/risk/types/AccountWord.js";
import * as Price from "../../sdk/risk/types/Price.js";
import * as VaultWords from "../../sdk/risk/types/VaultWords.js";
import { type World, pickAccount } from "../draw/world.js";
import { type Act, type Plot, act, callerFor } from "./act.js";
import { freeMargin, near, someToken } from "./choose.js";

/** The settlement token half of the time. */
function cashOrToken(world: World): string {
  return world.d.chance(0.5) ? world.house.settlementToken.address : someToken(world, world.subject);
}

function cashOf({ vault, subject }: World): bigint {
  return AccountWord.principal(vault.accounts.get(subject));
}

/** An amount (raw) to bring in. */
function amountIn(world: World, token: string): bigint {
  const { d, vault, code } = world;
  if (d.chance(0.02)) return 0n;
  if (d.chance(0.02)) return 1n << BigInt(d.integer(127, 255));
  if (token === code.settlementToken) {
    const least = VaultWords.minimumDebt(vault.accountRisk) / code.cashUnit;
    return d.chance(0.3) ? near(world, least) : d.wide(1n, 10n ** 25n / code.cashUnit + 1n);
  }
  const indexPlusOne = vault.collateralIndexes(token);
  const word = vault.collaterals.get(indexPlusOne - 1);
  const room = VaultWords.depositCap(word) - VaultWords.held(word);
  if (room > 0n && d.chance(0.25)) return near(world, room);
  const priceWad = max(1n, Price.value(world.answers.of(95 + indexPlusOne)));
  const least = (VaultWords.minimumDebt(vault.accountRisk) * 10n ** VaultWords.decimals(word)) / priceWad;
  return d.chance(0.2) ? near(world, least) : d.wide(1n, max(1n, room > 0n ? room : 1n << 90n));
}

/** An amount (raw) to take out: near what free margin lets be, near all, or any. */
function amountOut(world: World, token: string): bigint {
  const { d, vault, code, subject } = world;
  if (d.chance(0.02)) return 0n;
  if (d.chance(0.01)) return 1n << BigInt(d.integer(120, 255));
  if (token === code.settlementToken) {
    const free = positivePart(freeMargin(world, subject));
    const cash = positivePart(cashOf(world));
    const debt = VaultWords.minimumDebt(vault.accountRisk);
    return d.weighted<() => bigint>([
      [3, () => near(world, free / code.cashUnit)],
      [2, () => near(world, cash / code.cashUnit)],
      [2, () => near(world, (cash + debt) / code.cashUnit)],
      [3, () => d.wide(1n, max(1n, free / code.cashUnit))],
      [1, () => near(world, vault.cashHeld)],
      [1, () => d.wide(1n, 10n ** 24n / code.cashUnit + 1n)],
    ])();
  }
  const balance = vault.collateralOf.get(subject, vault.collateralIndexes(token) - 1);
  return d.weighted<() => bigint>([
    [3, () => balance],
    [1, () => near(world, balance)],
    [4, () => d.wide(1n, max(1n, balance))],
  ])();
}

const deposit: Plot = {
  name: "deposit",
  weight: 5,
  wishes: (d) => ({ prices: d.chance(0.7) ? "fresh" : "mixed", positions: [0, 2], collaterals: [0, 3] }),
  act(world) {
    const { d, subject, house } = world;
    const token = cashOrToken(world);
    const account = d.chance(0.03) ? house.pool : subject;
    const caller = d.chance(0.7) ? callerFor(world, account) : callerFor(world, pickAccount(world));
    const amount = amountIn(world, token);
    if (d.chance(0.9)) return act("deposit", caller, [account, token, amount]);
    // A permit that is worth nothing: the allowance is there.
    const zero = `0x${"0".repeat(64)}`;
    const permit = act("depositWithPermit", caller, [account, token, amount, 0n, 27n, zero, zero]);
    return {
      ...permit,
      run: (mirror, $, code) => act("depositWithPermit", caller, [account, token, amount]).run(mirror, $, code),
    };
  },
};

const withdraw: Plot = {
  name: "withdraw",
  weight: 7,
  wishes: (d) => ({ prices: d.chance(0.8) ? "fresh" : "mixed", positions: [0, 2], collaterals: [0, 3] }),
  *wants({ d, subject }) {
    if (d.chance(0.8)) yield [subject, { free: d.chance(0.1) ? 0n : d.wide(1n, 10n ** 25n) }];
  },
  act(world) {
    const { subject } = world;
    const token = cashOrToken(world);
    const to = pickAccount(world).slice(0, 42);
    return act("withdraw", callerFor(world, subject), [subject, token, amountOut(world, token), to]);
  },
};

const transfer: Plot = {
  name: "transfer",
  weight: 6,
  wishes: (d) => ({ prices: d.chance(0.8) ? "fresh" : "mixed", positions: [0, 2], collaterals: [0, 3] }),
  *wants({ d, subject }) {
    if (d.chance(0.8)) yield [subject, { free: d.chance(0.1) ? 0n : d.wide(1n, 10n ** 25n) }];
  },
  act(world) {
    const { d, subject, house } = world;
    const token = cashOrToken(world);
    const to = d.chance(0.1) ? subject : d.chance(0.03) ? house.pool : pickAccount(world);
    return act("transfer", callerFor(world, subject), [subject, to, token, amountOut(world, token)]);
  },
};

const setMode: Plot = {
  name: "setMode",
  weight: 1,
  wishes: (d) => ({ prices: "mixed", positions: d.chance(0.5) ? [0, 0] : [0, 2], collaterals: [0, 2] }),
  act: (world) =>
    act("setMode", callerFor(world, world.subject), [
      world.subject,
      BigInt(world.d.integer(0, world.d.chance(0.2) ? 3 : 1)),
    ]),
};

const setOperator: Plot = {
  name: "setOperator",
  weight: 1.5,
  wishes: () => ({ prices: "fresh", positions: [0, 1], collaterals: [0, 1] }),
  act(world): Act {
    const { d, subject, house, vault } = world;
    const operator = d.pick(house.callers as readonly [string, ...string[]]);
    const permissions = BigInt(d.integer(0, d.chance(0.2) ? 99 : 31));
    if (d.chance(0.3)) return act("revokeSignatures", callerFor(world, subject), []);
    if (d.chance(0.5)) return act("setOperator", callerFor(world, subject), [subject, operator, permissions]);
    const expected = vault.nonces.get(subject.slice(0, 42));
    const nonce = d.chance(0.6) ? expected : BigInt(d.integer(0, 9));
    const deadline = d.chance(0.8) ? vault.now + BigInt(d.integer(0, 99)) : vault.now - 1n;
    const same = d.chance(0.3) ? vault.permissionsOf.get(subject, operator) : permissions;
    // A ParityCaller signs by an empty signature's opposite.
    const isSigned = d.chance(0.7);
    const signature = isSigned ? "0x01" : "0x";
    const signed = act("setOperatorBySig", callerFor(world, subject), [
      subject,
      operator,
      same,
      nonce,
      deadline,
      signature,
    ]);
    const told = act("setOperatorBySig", signed.caller, [subject, operator, same, nonce, deadline, isSigned]);
    return { ...signed, run: told.run };
  },
};

export const custodyPlots: readonly Plot[] = [deposit, withdraw, transfer, setMode, setOperator];
