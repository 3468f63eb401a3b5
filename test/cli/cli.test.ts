import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { type AccountId, accountId, formatWad } from "../../sdk/index.js";
import { type ServedWorld, serveWorld } from "../examples/servedWorld.js";
import { start, tsx } from "../helpers/processes.js";

describe("cli: the command ballast", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "ballast-cli-"));
  let served: ServedWorld;
  let owner: string;
  let account: AccountId;

  before(async () => {
    served = await serveWorld();
    const [signer] = served.world.signers;
    owner = signer!.address;
    account = await served.world.fund(signer!, { USDC: "1000", WETH: "2" });
    const client = await served.world.as(signer!);
    await client.trade(account, "BTC", "0.5");
    await client.trade(account, "ETH", "-2");
  });

  after(async () => {
    await served?.close();
    rmSync(folder, { recursive: true });
  });

  async function ballast(...args: string[]) {
    const { ended, output } = start([...tsx, "cli/main.ts", ...args]);
    return { code: await ended(), ...output };
  }

  /** What a command prints that succeeds: its lines, with times masked. */
  async function shown(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await ballast(...args, "--rpc", served.url, "--deployment", served.deploymentFile);
    expect([code, stderr]).to.deep.equal([0, ""]);
    return masked(stdout).trimEnd().split("\n");
  }
  const masked = (text: string) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "<time>")
      .replaceAll(/\bblock \d+/g, "block <n>")
      .replaceAll(/\d+ (s|min) old/g, "<age>");

  describe("account show", () => {
    it("shows cash, collateral, positions, health, and what liquidates it", async () => {
      const lines = await shown("account", "show", account);
      expect(lines.slice(0, 14)).to.deep.equal([
        `account ${account}`,
        `number 0 of ${owner}, cross`,
        "block <n>, <time>",
        "",
        "token    amount   price     value",
        "USDC   1,000.00          1,000.00  cash",
        "WETH          2  200.00    400.00  collateral",
        "",
        "market  side   size     price  notional  profit  liquidatable at",
        "BTC     long    0.5  8,000.00  4,000.00   -6.01  <= 5,511.64 (-31.10%)",
        "ETH     short     2    200.00    400.00   -0.60  >= 787.53 (+293.76%)",
        "",
        "health 10.0995",
        "liquidatable if all prices move together by -31.66%",
      ]);
      expect(
        lines.filter((line) => /^(equity|required|free)/.test(line)).map((line) => line.replaceAll(/ +/g, " ")),
      ).to.deep.equal(["equity 1,353.39 1,333.39", "required 134.01 222.01", "free 1,219.39 1,111.39"]);
    });

    it("takes the owner's address too, and tells programs the same in exact figures", async () => {
      const { world } = served;
      const [line = "", ...rest] = await shown("account", "show", owner.toLowerCase(), "--json");
      expect(rest).to.deep.equal([]);
      const { block, timestamp, ...told } = JSON.parse(line) as Record<string, unknown>;
      const head = await world.ballast.provider.getBlock("latest");
      expect([block, timestamp]).to.deep.equal([head?.number, head?.timestamp]);
      const [health, positions, state] = await Promise.all([
        world.ballast.health(account),
        world.ballast.positions(account),
        world.ballast.readState([account]),
      ]);
      const turnOf = async (market: string) => {
        const { below, above } = await world.ballast.liquidationPrice(account, market, { state });
        return {
          below: below === undefined ? null : formatWad(below),
          above: above === undefined ? null : formatWad(above),
        };
      };
      const { move, ...figures } = told;
      expect(figures).to.deep.equal({
        account,
        owner,
        index: "0",
        mode: "cross",
        cash: "1000",
        collaterals: [{ token: "WETH", amount: "2", price: "200", isFresh: true, value: "400" }],
        positions: await Promise.all(
          positions.map(async ({ market, sizeWad, notionalWad, costWad, valueWad }, at) => ({
            market,
            size: formatWad(sizeWad),
            price: ["8000", "200"][at],
            notional: formatWad(notionalWad),
            cost: formatWad(costWad),
            profit: formatWad(valueWad),
            turn: await turnOf(market),
          })),
        ),
        health: formatWad(health.healthWad!),
        isLiquidatable: false,
        pricesFresh: true,
        equityMaintenance: formatWad(health.equityMaintenanceWad),
        requirementMaintenance: formatWad(health.requirementMaintenanceWad),
        equityInitial: formatWad(health.equityInitialWad),
        requirementInitial: formatWad(health.requirementInitialWad),
        freeMargin: formatWad(health.freeMarginWad),
      });
      expect(move).to.deep.equal({ below: "0.68336795441727041", above: null });
    });

    it("shows an account that has nothing", async () => {
      const lines = await shown("account", "show", owner, "--index", "7");
      expect(lines.slice(0, 8)).to.deep.equal([
        `account ${accountId(owner, 7)}`,
        `number 7 of ${owner}, cross`,
        "block <n>, <time>",
        "",
        "token  amount  price  value",
        "USDC     0.00          0.00  cash",
        "",
        "no position",
      ]);
      expect(lines).to.include("nothing is required of it: it cannot be liquidated");
    });

    it("says so where anyone may liquidate it, and until which price", async () => {
      await served.world.push({ BTC: "5500", ETH: "200" });
      const lines = await shown("account", "show", account);
      expect(lines.filter((line) => /^(BTC|health|no more)/.test(line))).to.deep.equal([
        "BTC     long    0.5  5,500.00  2,750.00  -1,256.01  the present price, not >= 5,511.64 (+0.21%)",
        "health 0.9456: anyone may LIQUIDATE it",
        "no more liquidatable if all prices move together by +0.22%",
      ]);
      await served.world.push({ BTC: "8000", ETH: "200" });
    });
  });

  describe("markets", () => {
    it("shows prices, open interest, funding, caps and halts", async () => {
      await served.world.refresh();
      await (await served.world.ballast.vault.haltMarket(2)).wait();
      const lines = await shown("markets");
      expect(lines.map((line) => line.replaceAll(/ {2,}/g, "  "))).to.deep.equal([
        "block <n>, <time>",
        "",
        "market  price  published  long  short  skew  of cap  funding a day  notional  status",
        "BTC  8,000.00  fresh, <age>  0.5  0  0.5  0.0%  0.0000%  4,000.00  open",
        "ETH  200.00  fresh, <age>  0  2  -2  0.0%  0.0000%  400.00  open",
        "LINK  4.0000  fresh, <age>  0  0  0  0.0%  0.0000%  0.00  halted",
      ]);
    });

    it("tells programs the same, and which prices are stale", async () => {
      await served.world.passTime(7 * 86_400);
      await (await served.world.ballast.vault.haltBorrowing()).wait();
      const [line = ""] = await shown("markets", "--json");
      const { markets, borrowingHalted } = JSON.parse(line) as {
        markets: Record<string, unknown>[];
        borrowingHalted: boolean;
      };
      expect(borrowingHalted).to.equal(true);
      expect(markets.map(({ publishedAt, ...market }) => [Number.isSafeInteger(publishedAt), market])).to.deep.equal([
        [
          true,
          {
            market: "BTC",
            price: "8000",
            freshness: "stale",
            long: "0.5",
            short: "0",
            skew: "0.5",
            cap: "5000",
            fundingPerDay: "0",
            status: "open",
            delistAt: null,
          },
        ],
        [
          true,
          {
            market: "ETH",
            price: "200",
            freshness: "stale",
            long: "0",
            short: "2",
            skew: "-2",
            cap: "200000",
            fundingPerDay: "0",
            status: "open",
            delistAt: null,
          },
        ],
        [
          true,
          {
            market: "LINK",
            price: "4",
            freshness: "stale",
            long: "0",
            short: "0",
            skew: "0",
            cap: "10000000",
            fundingPerDay: "0",
            status: "halted",
            delistAt: null,
          },
        ],
      ]);
    });
  });

  describe("says in one line what is wrong", () => {
    const usage: [what: string, args: string[], says: RegExp][] = [
      ["an unknown command", ["acount"], /^error: unknown command 'acount'/],
      ["an unknown option", ["markets", "--jsn"], /^error: unknown option '--jsn'/],
      ["no account", ["account", "show"], /^error: missing required argument 'account'/],
      [
        "a bad account",
        ["account", "show", "0x12"],
        /^UsageError: 0x12 is neither an account \(.*\) nor an address \(.*\)\n$/,
      ],
      ["a bad index", ["account", "show", `0x${"1".repeat(40)}`, "--index", "-1"], /give a whole number from 0 on\n$/],
      [
        "a file that is not there",
        ["markets", "--deployment", "nowhere.json"],
        /^UsageError: cannot read nowhere\.json: give the addresses\.json .*\n$/,
      ],
    ];
    for (const [what, args, says] of usage) {
      it(`for ${what}, with exit code 2`, async () => {
        const { code, stdout, stderr } = await ballast(...args);
        expect([code, stdout]).to.deep.equal([2, ""]);
        expect(stderr).to.match(says);
      });
    }

    it("for a bad address of a node, with exit code 2", async () => {
      const { code, stderr } = await ballast(
        "markets",
        "--deployment",
        served.deploymentFile,
        "--rpc",
        "localhost:8545",
      );
      expect([code, stderr]).to.deep.equal([
        2,
        'UsageError: --rpc must be an http or https address of a node, such as "http://127.0.0.1:8545"\n',
      ]);
    });

    it("for a node that does not answer, with exit code 1", async () => {
      const { code, stderr } = await ballast(
        "markets",
        "--deployment",
        served.deploymentFile,
        "--rpc",
        "http://127.0.0.1:9/key",
      );
      expect([code, stderr]).to.deep.equal([
        1,
        'NodeUnreachableError: no node answers at 127.0.0.1:9: start one there ("npx hardhat node") or give another one with --rpc\n',
      ]);
    });

    it("for a node of another chain, with exit code 1", async () => {
      const file = join(folder, "addresses.json");
      writeFileSync(file, JSON.stringify({ ...served.world.deployment, chainId: 1 }));
      const { code, stderr } = await ballast("markets", "--deployment", file, "--rpc", served.url);
      expect(code).to.equal(1);
      expect(stderr).to.match(/^WrongChainError: the deployment is on chain 1, the provider on chain 31337: .*\n$/);
    });
  });
});
