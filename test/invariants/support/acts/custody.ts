import { WAD } from "../../../../sdk/index.js";
import type { Act, Row } from "../act.js";
import type { NamedAccount, Token } from "../arena.js";
import { tokenInterface, vaultInterface } from "../interfaces.js";
import {
  type Situation,
  bookOf,
  chance,
  freeMargin,
  isIsolated,
  marketsHeld,
  part,
  pick,
  toRaw,
  traders,
} from "../situation.js";
import { callerFor } from "./authority.js";

export function depositAct(situation: Situation): Act {
  const { arena, pricesWad } = situation;
  const account = pick(situation, chance(situation, 0.95) ? traders(situation) : arena.accounts);
  const collateral = pick(situation, arena.collaterals);
  const token: Token = chance(situation, 0.5) ? arena.cash : collateral;
  const price = token === collateral ? pricesWad.get(collateral.asset)! : WAD;
  // Strangers are turned away with little, or with a token that the account does not hold.
  const isSent = chance(situation, 0.2) || account.id === arena.pool || account.id === arena.insurance;
  const from = isSent ? pick(situation, arena.actors) : account.owner;
  const usual = chance(situation, 0.04) ? 0n : toRaw(part(situation, 8000n * WAD, 0, 1), token, price);
  const amount = isHostile(situation) ? hostile(situation, token) : usual;
  const row = `deposit ${token === arena.cash ? "cash" : token.symbol}` as Row;
  return {
    row,
    kind: "deposit",
    what: `${from.name} deposits ${amount} ${token.symbol} for ${account.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("deposit", [account.id, token.address, amount]),
    account: account.id,
  };
}

/** An amount at which arithmetic in a word of 256 bits could turn round, with a little of the token as what is left then. */
function hostile(situation: Situation, { decimals }: Token): bigint {
  const unit = 10n ** BigInt(18 - decimals);
  const little = part(situation, 8000n * WAD, 0, 1);
  return pick(situation, [2n ** 128n, 2n ** 255n / unit, 2n ** 255n, (2n ** 256n - little) / unit, 2n ** 256n - 1n]);
}

const isHostile = (situation: Situation) => chance(situation, 0.03);

/** An account with something to spare, a token and an amount of it that its margin lets go, or a little more. */
function spare(situation: Situation): { account: NamedAccount; token: Token; amount: bigint } {
  const { arena, pricesWad } = situation;
  const candidates = arena.accounts.filter(
    (account) => arena.actors.includes(account.owner) && freeMargin(bookOf(situation, account)) > 20n * WAD,
  );
  const account = candidates.length === 0 ? pick(situation, traders(situation)) : pick(situation, candidates);
  const book = bookOf(situation, account);
  const free = freeMargin(book) > 0n ? freeMargin(book) : WAD;
  const isBare = marketsHeld(book).length === 0;
  const greed = chance(situation, 0.15) ? 1.3 : 0.9;
  let token: Token = arena.cash;
  let amount: bigint;
  const index = pick(situation, [...arena.collaterals.keys()]);
  if (chance(situation, 0.4) && book.collaterals[index]! > 0n) {
    const collateral = arena.collaterals[index]!;
    token = collateral;
    amount = toRaw((part(situation, free, 0.02, greed) * 100n) / 85n, token, pricesWad.get(collateral.asset)!);
    if ((isBare && book.cashWad >= 0n) || amount > book.collaterals[index]!) amount = book.collaterals[index]!;
  } else {
    let cash = part(situation, free, 0.02, greed);
    if (isBare && chance(situation, 0.3) && book.cashWad > 0n) cash = book.cashWad;
    // Now and then to where net cash is about zero, and debt margin begins.
    const nearly = book.health.netCash - part(situation, 40n * WAD, -1, 1);
    if (!isBare && nearly > 0n && nearly < free && chance(situation, 0.5)) cash = nearly;
    const debt = cash - book.cashWad;
    if (debt > 0n && debt < 10n * WAD) cash = book.cashWad; // a debt has a minimum
    amount = toRaw(cash, token, WAD);
  }
  if (isHostile(situation)) amount = hostile(situation, token);
  return { account, token, amount };
}

export function withdrawAct(situation: Situation): Act {
  const { arena } = situation;
  const { account, token, amount } = spare(situation);
  const from = callerFor(situation, account, "withdraw");
  return {
    row: "withdraw",
    kind: "withdraw",
    what: `${from.name} withdraws ${amount} ${token.symbol} from ${account.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("withdraw", [account.id, token.address, amount, from.address]),
    account: account.id,
  };
}

export function transferAct(situation: Situation): Act {
  const { arena } = situation;
  const { account, token, amount } = spare(situation);
  const from = callerFor(situation, account, "transfer");
  // Mostly to where it is welcome: strangers take no token that they do not hold.
  const own = arena.accounts.filter(({ owner, id }) => owner === account.owner && id !== account.id);
  const index = arena.collaterals.findIndex(({ symbol }) => symbol === token.symbol);
  const welcoming = arena.accounts.filter(
    (each) => each.owner !== account.owner && (index < 0 || bookOf(situation, each).collaterals[index]! > 0n),
  );
  const dice = situation.random.uniform();
  let receiver = pick(situation, arena.accounts);
  if (dice < 0.1) receiver = account;
  else if (dice < 0.55 && own.length > 0) receiver = pick(situation, own);
  else if (dice < 0.93 && welcoming.length > 0) receiver = pick(situation, welcoming);
  return {
    row: "transfer",
    kind: "transfer",
    what: `${from.name} moves ${amount} ${token.symbol} from ${account.name} to ${receiver.name}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("transfer", [account.id, receiver.id, token.address, amount]),
    account: account.id,
    other: receiver.id,
  };
}

export function setModeAct(situation: Situation): Act {
  const { arena } = situation;
  const bare = traders(situation).filter((each) => marketsHeld(bookOf(situation, each)).length === 0);
  const account = pick(situation, bare.length > 0 && chance(situation, 0.85) ? bare : traders(situation));
  const from = callerFor(situation, account, "setMode");
  const becomesIsolated = isIsolated(bookOf(situation, account)) ? chance(situation, 0.45) : chance(situation, 0.9);
  let mode = becomesIsolated ? 1 : 0;
  if (chance(situation, 0.03)) mode = 2;
  return {
    row: becomesIsolated ? "setMode: isolated" : "setMode: cross",
    kind: "setMode",
    what: `${from.name} gives ${account.name} mode ${mode}`,
    from: from.address,
    to: arena.deployment.vault,
    data: vaultInterface.encodeFunctionData("setMode", [account.id, mode]),
    account: account.id,
  };
}

export function donateAct(situation: Situation): Act {
  const { arena } = situation;
  const token = pick(situation, [arena.cash, ...arena.collaterals]);
  const from = pick(situation, arena.actors);
  const amount = part(situation, 10n ** BigInt(token.decimals), 0, 100) + 1n;
  return {
    row: "tokens unasked for",
    kind: "donate",
    what: `${from.name} sends ${amount} ${token.symbol} to the vault, unasked`,
    from: from.address,
    to: token.address,
    data: tokenInterface.encodeFunctionData("transfer", [arena.deployment.vault, amount]),
  };
}
