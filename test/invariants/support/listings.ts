import { collateralParameters, marketParameters } from "../../../ignition/deploy.js";
import { WAD, collateralAsset, marketAsset } from "../../../sdk/index.js";
import type { Actor, Arena } from "./arena.js";
import { managerInterface, oracleInterface, vaultInterface } from "./interfaces.js";
import { type BookReader, type Books, cashUnit } from "./books.js";
import { type Finding, Judge } from "./judge.js";
import { type Situation, pick } from "./situation.js";

/**
 * What happens once in the life of a vault, and is taken back: a market and a collateral are listed, another manager is put over it. Nobody
 * but who may can; books of accounts, and of what was listed before, stay as they are.
 */
export async function administer(situation: Situation, reader: BookReader): Promise<readonly Finding[]> {
  const { arena, books } = situation;
  const { admin, chain, actors, deployment } = arena;
  const judge = new Judge("INV-18");
  await chain.tentatively(async () => {
    await openFeed(arena, marketAsset(arena.markets.length));
    await openFeed(arena, collateralAsset(arena.collaterals.length));
    const stranger = pick(situation, actors);
    for (const [name, data] of Object.entries(callsOf(arena))) {
      const refused = await attempt(situation, stranger, data);
      judge.holds(refused === "AccessManagedUnauthorized", () => `${stranger.name} calls ${name}: ${refused}`);
      const managed = managerInterface.encodeFunctionData("updateAuthority", [deployment.vault, deployment.manager]);
      const done =
        name === "setAuthority" ? await ask(situation, managed, data) : await attempt(situation, admin, data);
      judge.holds(done === "done", () => `${admin.name} calls ${name}: ${done}`);
    }
    checkListed(judge, arena, books, await reader.read());
  });
  return judge.findings;
}

/** A price for an asset that nobody has yet. */
async function openFeed({ admin, chain, deployment }: Arena, asset: number): Promise<void> {
  const calls = [
    oracleInterface.encodeFunctionData("setPushFeed", [asset, WAD / 1000n, 3600]),
    oracleInterface.encodeFunctionData("push", [[asset], [10n * WAD], chain.nowSeconds]),
  ];
  for (const data of calls) await chain.mustSend(admin.address, deployment.oracle, data);
}

function callsOf({ parameters, spare, deployment }: Arena) {
  const market = { ...marketParameters(parameters.markets.at(-1)!), minimumSizeWad: WAD };
  const collateral = collateralParameters(parameters.collaterals[0]!);
  return {
    listMarket: vaultInterface.encodeFunctionData("listMarket", [market]),
    listCollateral: vaultInterface.encodeFunctionData("listCollateral", [spare, collateral]),
    setAuthority: vaultInterface.encodeFunctionData("setAuthority", [deployment.manager]),
  };
}

/** What became of a call of the vault: "done", or the name of the error. */
async function attempt({ arena, count }: Situation, from: Actor, data: string): Promise<string> {
  const outcome = await arena.chain.send(from.address, arena.deployment.vault, data);
  count(arena.deployment.vault, data, outcome.ok);
  return outcome.ok ? "done" : outcome.error.errorName;
}

/** The same through the access manager, which makes the call of the vault. */
async function ask({ arena, count }: Situation, data: string, made: string): Promise<string> {
  const outcome = await arena.chain.send(arena.admin.address, arena.deployment.manager, data);
  count(arena.deployment.vault, made, outcome.ok);
  return outcome.ok ? "done" : outcome.error.errorName;
}

/** Of the words that were there only the counts differ: by the new market's reserve, and by one of each. */
function checkListed(judge: Judge, { cash }: Arena, before: Books, after: Books): void {
  for (const [name, word] of after.words) {
    const isCount = name === "cash held, interest and counts";
    const isSame = isCount || word === before.words.get(name);
    judge.holds(isSame, () => `something is listed, and ${name} changes`);
  }
  const reserve = (after.cashHeldWad - before.cashHeldWad) / cashUnit(cash.decimals);
  judge.holds(reserve === 10n ** BigInt(cash.decimals), () => `a market is listed for a reserve of ${reserve}`);
}
