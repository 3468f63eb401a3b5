import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { Figures } from "../../simulator/index.js";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the demo as `npm start` does after its set-up, and waits for its end. */
async function demo(...options: string[]): Promise<Ended> {
  const child = spawn("node_modules/.bin/tsx", ["scripts/demo.ts", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("scripts/demo", () => {
  const folder = mkdtempSync(join(tmpdir(), "ballast-demo-"));
  const gapFile = join(folder, "gap.csv");
  const slideFile = join(folder, "slide.csv");
  after(() => rmSync(folder, { recursive: true }));

  before(() => {
    // Two assets that no scenario has, one of them without a collateral; a calm hour, then a gap of 60%.
    const rows = ["timestamp_iso,ETH,PEPE", "2024-01-01T00:00:00Z,2300,0.0000013"];
    for (let hour = 1; hour < 6; hour += 1) rows.push(`2024-01-01T0${hour}:00:00Z,${2300 - hour},0.00000129`);
    rows.push("2024-01-01T06:00:00Z,920,0.00000052", "2024-01-01T07:00:00Z,900,0.0000006");
    writeFileSync(gapFile, `${rows.join("\n")}\n`);
    // The same assets, down by 4% an hour: slow enough for partial liquidations.
    const prices = Array.from({ length: 8 }, (_, hour) => [2300 * 0.96 ** hour, 0.0000013 * 0.96 ** hour] as const);
    const slide = prices.map(([eth, pepe], hour) => `2024-01-01T0${hour}:00:00Z,${eth.toFixed(2)},${pepe.toFixed(12)}`);
    writeFileSync(slideFile, `timestamp_iso,ETH,PEPE\n${slide.join("\n")}\n`);
  });

  it("runs a price file of its user's through a 60% gap, leaves nobody liquidatable, and tells of each account at risk", async () => {
    const logFile = join(folder, "keeper.log");
    const options = ["--accounts", "40", "--seed", "3", "--log", logFile, "--json"];
    const { code, stdout } = await demo("--prices", gapFile, ...options);
    const lines = stdout.trimEnd().split("\n");
    const figures = Figures.parse(JSON.parse(lines.at(-1) ?? ""));
    expect(lines).to.have.length(1);
    expect(figures).to.include({ steps: 8, accounts: 40, markets: 2, liquidatableLeft: 0, seed: 3 });
    expect(figures).to.include({ custodyOk: true, zeroSumOk: true });
    expect(figures.absorbed).to.be.greaterThan(0);
    expect(Number(figures.badDebt)).to.be.greaterThan(0);
    const log = readFileSync(logFile, "utf8").trimEnd().split("\n");
    const told = log.map((line) => JSON.parse(line) as { msg: string; account?: string; health?: string });
    const count = (of: string) => told.filter(({ msg, account, health }) => msg === of && account && health).length;
    expect([count("liquidated"), count("absorbed")]).to.deep.equal([figures.liquidations, figures.absorbed]);
    expect(code).to.equal(0);
  });

  it("walks down the whole waterfall in the scenario of a gap, and shows who leaves with what", async () => {
    const { code, stdout, stderr } = await demo("--scenario", "gap", "--accounts", "60", "--seed", "1", "--json");
    const { waterfall, bankRun, ...figures } = Figures.parse(JSON.parse(stdout));
    expect(figures).to.include({ scenario: "gap", liquidatableLeft: 0, custodyOk: true, zeroSumOk: true });
    for (const [step, figure] of Object.entries(waterfall)) expect(Number(figure), step).to.be.greaterThan(0);
    expect(waterfall.liquidated).to.equal(figures.liquidations);
    expect(waterfall.absorbedA + waterfall.absorbedB).to.equal(figures.absorbed);
    expect(Number(waterfall.insurancePaid)).to.be.at.most(Number(figures.badDebt));
    expect(bankRun?.left).to.be.greaterThan(50);
    expect(Number(bankRun?.withdrawn)).to.be.greaterThan(0);
    expect(Number(bankRun?.unpaid)).to.be.at.most(Number(bankRun?.booked));
    expect(stderr).to.match(/\n2 absorbed, way B +\d+ accounts.*\n3 insurance paid +[\d,]+\n4 the pool paid +[\d,]+\n/);
    expect(code).to.equal(0);
  });

  it("lets keepers with capital take positions beside the pool, and gives the same figures again", async () => {
    const runs = [];
    for (let run = 0; run < 2; run += 1) {
      const options = ["--prices", slideFile, "--accounts", "30", "--seed", "1", "--takers", "2", "--json"];
      const { code, stdout } = await demo(...options);
      expect(code).to.equal(0);
      const { wallSeconds: _, ...figures } = Figures.parse(JSON.parse(stdout));
      runs.push(figures);
    }
    const [figures] = runs;
    expect(figures).to.include({ accounts: 30, takers: 2, liquidatableLeft: 0, custodyOk: true, zeroSumOk: true });
    expect(figures?.taken).to.be.greaterThan(0);
    expect(figures?.liquidations).to.be.at.least(figures?.taken ?? 0);
    expect(Number(figures?.takerEquity)).to.be.greaterThan(0);
    expect(runs[1]).to.deep.equal(figures);
  });

  it("lets owners liquidate themselves through second accounts, and shows that they gain nothing by it", async () => {
    const options = ["--scenario", "self", "--accounts", "40", "--seed", "2", "--json"];
    const { code, stdout, stderr } = await demo(...options);
    const figures = Figures.parse(JSON.parse(stdout));
    expect(figures).to.include({
      scenario: "self",
      accounts: 40,
      liquidatableLeft: 0,
      custodyOk: true,
      zeroSumOk: true,
    });
    expect(figures.selfRounds).to.be.greaterThan(9);
    expect(figures.liquidations + figures.absorbed).to.be.at.least(10);
    const done = Object.entries(figures.selfActs ?? {}).flatMap(([name, count]) => (count.done > 0 ? [name] : []));
    for (const name of ["absorb", "buy back", "to the purse", "into the pool", "collateral to the purse"]) {
      expect(
        done.some((each) => each.startsWith(name)),
        `${name} in ${done.join(", ")}`,
      ).to.equal(true);
    }
    const { ownersBefore = "", ownersAfter = "", ownersLargestGain = "" } = figures;
    expect(Number(ownersAfter)).to.be.lessThan(Number(ownersBefore));
    expect(Number(ownersLargestGain)).to.be.lessThan(1e-12);
    expect(stderr).to.contain("self-liquidations");
    expect(code).to.equal(0);
  });

  it("gives the same figures for the same seed, and others for another", async () => {
    const runs = [];
    for (const seed of ["5", "5", "6"]) {
      const { stdout } = await demo("--prices", gapFile, "--accounts", "12", "--seed", seed, "--json");
      const { wallSeconds, ...figures } = Figures.parse(JSON.parse(stdout));
      expect(wallSeconds).to.be.greaterThan(0);
      runs.push(figures);
    }
    expect(runs[0]).to.deep.equal(runs[1]);
    expect(runs[0]?.userEquity).not.to.equal(runs[2]?.userEquity);
  });

  it("refuses a malformed price file by name, line and column", async () => {
    const file = join(folder, "bad.csv");
    writeFileSync(file, "timestamp_iso,ETH\n2024-01-01T00:00:00Z,2300\n2024-01-01T01:00:00Z,-5\n");
    const { code, stderr, stdout } = await demo("--prices", file, "--json");
    expect(code).to.equal(2);
    expect(stdout).to.equal("");
    expect(stderr).to.match(/^PriceFileError: .*bad\.csv.*3.*2/s);
  });

  it("refuses bad usage with exit code 2", async () => {
    for (const options of [
      ["--accounts", "0"],
      ["--seed", "-1"],
      ["--accounts", "many"],
      ["--scenario", "none"],
      ["--takers", "-1"],
      ["--takers", "1.5"],
      ["--takers", "21"],
      ["--log", "/nowhere/keeper.log"],
      ["--what"],
    ]) {
      const { code, stderr } = await demo(...options);
      expect(code, options.join(" ")).to.equal(2);
      expect(stderr, options.join(" ")).not.to.equal("");
    }
  });

  it("names a port in use, and how to take another", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { code, stderr } = await demo("--prices", gapFile, "--accounts", "1", "--port", String(port));
    server.close();
    expect(code).to.equal(2);
    expect(stderr).to.include(`PortInUseError: port ${port} of 127.0.0.1 is in use: give another with --port`);
  });
});
