import { expect } from "chai";
import { AbiCoder, toQuantity } from "ethers";
import hre from "hardhat";

import { type Connection, cashParameters } from "../../ignition/deploy.js";
import { callersOf, functionsOf } from "../../sdk/access/index.js";
import {
  type Caller,
  ContractError,
  type ContractName,
  accountId,
  contractInterfaces,
  decodeCashTerms,
  decodeMarketState,
  decodeRevert,
  revertData,
  roleIds,
  selectorOf,
} from "../../sdk/index.js";
import { AccessManager__factory, MockPuppet__factory, MockToken__factory } from "../../typechain-types/index.js";
import {
  type Case,
  type Cast,
  type Delayed,
  type Person,
  day,
  deployCast,
  ripen,
  scheduleAll,
  targetAccount,
} from "../helpers/cast.js";
import { expectRevert } from "../helpers/revert.js";
import { wad } from "../helpers/world.js";

const puppet = MockPuppet__factory.createInterface();
const contracts = Object.keys(contractInterfaces) as ContractName[];
/** What a call came to: "done", the error's name and arguments, or "reverts" where it says nothing. */
type Outcome = "done" | "reverts" | { readonly errorName: string; readonly args: Readonly<Record<string, unknown>> };

const phrases = {
  anyone: "anyone",
  owner: "the account's owner",
  holder: "the shares' holder and spenders",
  spender: "spenders of the shares",
  admin: "admins",
  roleAdmin: "the role's admins",
  ofTarget: "whom the target lets",
  target: "contracts of the manager in such a call",
  authority: "the access manager",
  nobody: "nobody",
} satisfies Record<Exclude<Caller["kind"], "operator" | "role">, string>;

const delayed: readonly Delayed[] = contracts.flatMap((contract) =>
  [...callersOf(contract)].flatMap(([name, { kind, ...rest }]): Delayed[] => {
    if (kind === "admin" || kind === "roleAdmin") return [{ contract, name, by: "admin" }];
    return kind === "role" && "role" in rest && rest.role === "risk" ? [{ contract, name, by: "risk" }] : [];
  }),
);

// Every function that is no view is called as everybody, directly, in a multicall and through another contract.
describe("contracts: who may call what (INV-18)", () => {
  let connection: Connection;
  let cast: Cast;

  const assigned = () => deployCast(connection);
  async function scheduled() {
    const here = await deployCast(connection);
    await scheduleAll(here, delayed);
    return here;
  }
  async function ripe() {
    const here = await scheduled();
    await ripen(here);
    return here;
  }

  before(async () => {
    connection = await hre.network.create();
  });

  async function outcome(from: string, to: string, data: string): Promise<Outcome> {
    try {
      await connection.ethers.provider.call({ from, to, data });
      return "done";
    } catch (error) {
      const raised = revertData(error);
      if (raised === undefined || raised === "0x") return "reverts";
      const decoded = decodeRevert(raised);
      if (!(decoded instanceof ContractError)) throw new TypeError(`nobody declares ${raised}`, { cause: error });
      return { errorName: decoded.errorName, args: decoded.args };
    }
  }

  const inMulticall = (data: string) => contractInterfaces.MarginVault.encodeFunctionData("multicall", [[data]]);
  const managerOf = ({ world, person }: Cast, name: string) =>
    AccessManager__factory.connect(world.deployment.manager, person(name).signer);

  const asIfUnscheduled = async (here: Cast, { contract, name, by }: Delayed, errorName: string) => {
    const { address } = here.person(by).signer;
    const to = here.addresses[contract];
    for (const { data } of here.cases[contract][name] ?? []) {
      const operationId = await managerOf(here, by).hashOperation(address, to, data(address));
      const title = `${contract}.${name} by ${by}`;
      expect(await outcome(address, to, data(address)), title).to.deep.equal({ errorName, args: { operationId } });
      if (contract !== "MarginVault") continue;
      const within = await outcome(address, to, inMulticall(data(address)));
      expect(within, `${title}, in a multicall`).to.deep.equal({ errorName, args: { operationId } });
    }
  };

  it("lets risk and admin do nothing that they have not scheduled", async () => {
    const here = await connection.networkHelpers.loadFixture(assigned);
    expect(delayed.map(({ by }) => by)).to.include.members(["risk", "admin"]);
    for (const one of delayed) await asIfUnscheduled(here, one, "AccessManagerNotScheduled");
  });

  it("lets them do nothing that they have scheduled before two days have passed", async () => {
    const here = await connection.networkHelpers.loadFixture(scheduled);
    for (const one of delayed) await asIfUnscheduled(here, one, "AccessManagerNotReady");
  });

  describe("when what needs a delay has been scheduled, and is ripe", () => {
    before(async () => {
      cast = await connection.networkHelpers.loadFixture(ripe);
    });

    for (const contract of contracts.filter((one) => one !== "VaultExtension")) {
      it(`has a call for every function of ${contract}, and for no other`, () => {
        expect(Object.keys(cast.cases[contract]).toSorted()).to.deep.equal(
          functionsOf(contractInterfaces[contract]).writing,
        );
      });

      for (const [name, line] of callersOf(contract)) {
        it(`INV-18: ${contract}.${name} is for ${phrase(line)}, whichever way it is called`, async () => {
          for (const one of cast.cases[contract][name] ?? []) {
            for (const person of cast.people) {
              await expectAsStated(contract, name, one, one.caller ?? line, person);
            }
          }
        });
      }
    }

    it("executes through the access manager too what it lets the caller call, but for a listing, whose reserve would be the manager's", async () => {
      const manager = cast.addresses.AccessManager;
      const execute = (to: string, data: string) =>
        contractInterfaces.AccessManager.encodeFunctionData("execute", [to, data]);
      for (const { name: who, signer, role } of cast.people) {
        for (const contract of ["MarginVault", "PriceOracle", "LiquidityPool"] as const) {
          for (const [name, line] of callersOf(contract)) {
            const [first] = cast.cases[contract][name] ?? [];
            const [to, data] = [cast.addresses[contract], first?.data(signer.address) ?? "0x"];
            const title = `${contract}.${name} by ${who}`;
            const got = await outcome(signer.address, manager, execute(to, data));
            if (line.kind === "role" && line.role === role) {
              if (name === "listMarket") expect(got, title).to.have.property("errorName", "ERC20InsufficientAllowance");
              else expect(got, title).to.equal("done");
            } else if (role === "admin") {
              // What the manager gives to no role is its admins', and does not ask who calls: as an account without anything.
              expect(got, title)
                .to.have.property("errorName")
                .that.matches(/^AccessManager(NotScheduled|UnauthorizedCall)$/);
            } else {
              const args = { caller: signer.address, target: to, selector: selectorOf(contract, name) };
              expect(got, title).to.deep.equal({ errorName: "AccessManagerUnauthorizedCall", args });
            }
          }
        }
      }
    });

    it("answers views to everybody alike", async () => {
      for (const contract of contracts) {
        const coder = contractInterfaces[contract];
        for (const name of functionsOf(coder).reading) {
          const inputs = coder.getFunction(name)?.inputs ?? [];
          const data = coder.encodeFunctionData(name, [...AbiCoder.defaultAbiCoder().getDefaultValue(inputs)]);
          const answers = new Set<string>();
          for (const { signer } of cast.people) {
            const request = { from: signer.address, to: cast.addresses[contract], data };
            answers.add(
              await connection.ethers.provider.call(request).catch((error: unknown) => String(revertData(error))),
            );
          }
          expect(answers.size, `${contract}.${name}`).to.equal(1);
        }
      }
    });

    it("lets nobody change anything of the vault by calling its extension", async () => {
      const { VaultExtension: extension, MarginVault: vault } = cast.addresses;
      const took: string[] = [];
      const before = await storageOf(vault);
      for (const name of functionsOf(contractInterfaces.VaultExtension).writing) {
        for (const { data } of cast.cases.VaultExtension[name] ?? []) {
          for (const { signer } of cast.people) {
            if ((await outcome(signer.address, extension, data(signer.address))) !== "done") continue;
            await (await signer.sendTransaction({ to: extension, data: data(signer.address) })).wait();
            if (!took.includes(name)) took.push(name);
          }
        }
      }
      // Of its own storage it takes two, which nothing reads.
      expect(took.toSorted()).to.deep.equal(["revokeSignatures", "setOperator"]);
      expect(await storageOf(vault)).to.equal(before);
      expect(functionsOf(contractInterfaces.VaultExtension).writing).to.deep.equal(
        Object.keys(cast.cases.VaultExtension).toSorted(),
      );
      const token = MockToken__factory.connect(cast.world.deployment.settlementToken.address, cast.world.admin);
      expect(await token.balanceOf(extension)).to.equal(0n);
    });
  });

  describe("the roles", () => {
    const rates = (here: Cast) => here.world.ballast.vault.cashView().then(({ terms }) => decodeCashTerms(terms));
    const vaultOf = (here: Cast, name: string) => here.world.ballast.vault.connect(here.person(name).signer);

    it("risk waits two days between scheduling a change and making it, and anyone sees it coming", async () => {
      const here = await connection.networkHelpers.loadFixture(assigned);
      const { vault: target } = here.world.deployment;
      const [manager, vault] = [managerOf(here, "risk"), vaultOf(here, "risk")];
      const before = await rates(here);
      const dearer = { ...cashParameters(here.world.parameters), rateAtFullWad: wad("0.2") };
      const data = vault.interface.encodeFunctionData("setCashParameters", [dearer]);
      const operationId = await manager.hashOperation(here.person("risk").signer.address, target, data);
      await expectRevert(() => vault.setCashParameters(dearer), "AccessManagerNotScheduled", { operationId });

      const { timestamp } = (await (await manager.schedule(target, data, 0)).getBlock())!;
      const due = timestamp + 2 * day;
      const announced = await manager.queryFilter(manager.filters.OperationScheduled(), -1);
      expect(announced.map(({ args }) => [args.schedule, args.target, args.data])).to.deep.equal([
        [BigInt(due), target, data],
      ]);
      await connection.networkHelpers.time.setNextBlockTimestamp(due - 1);
      await expectRevert(() => vault.setCashParameters(dearer), "AccessManagerNotReady", { operationId });
      expect(await rates(here)).to.deep.equal(before);
      await connection.networkHelpers.time.increaseTo(due);
      await (await vault.setCashParameters(dearer)).wait();
      expect(await rates(here)).to.deep.equal({ ...before, rateAtFullWad: wad("0.2") });
      // Once scheduled is once done.
      await expectRevert(() => vault.setCashParameters(dearer), "AccessManagerNotScheduled", { operationId });
    });

    it("risk cannot schedule for less than its delay, nor make a change a week after it was due", async () => {
      const here = await connection.networkHelpers.loadFixture(assigned);
      const { vault: target } = here.world.deployment;
      const [manager, vault] = [managerOf(here, "risk"), vaultOf(here, "risk")];
      const { address } = here.person("risk").signer;
      const data = vault.interface.encodeFunctionData("resumeBorrowing");
      const operationId = await manager.hashOperation(address, target, data);
      const now = await connection.networkHelpers.time.latest();
      await expectRevert(() => manager.schedule(target, data, now + 2 * day), "AccessManagerUnauthorizedCall", {
        caller: address,
        target,
        selector: data,
      });
      await (await manager.schedule(target, data, 0)).wait();
      await connection.networkHelpers.time.increase(9 * day);
      await expectRevert(() => vault.resumeBorrowing(), "AccessManagerExpired", { operationId });
    });

    it("the guardian cancels what risk has scheduled, even when it is due", async () => {
      const here = await connection.networkHelpers.loadFixture(assigned);
      const { vault: target } = here.world.deployment;
      const [manager, vault] = [managerOf(here, "risk"), vaultOf(here, "risk")];
      const { address } = here.person("risk").signer;
      const data = vault.interface.encodeFunctionData("resumeBorrowing");
      const operationId = await manager.hashOperation(address, target, data);
      await (await manager.schedule(target, data, 0)).wait();
      await connection.networkHelpers.time.increase(2 * day);
      await (await managerOf(here, "guardian").cancel(address, target, data)).wait();
      await expectRevert(() => vault.resumeBorrowing(), "AccessManagerNotScheduled", { operationId });
    });

    it("the guardian halts at once, and can neither resume nor change a member of any role", async () => {
      const here = await connection.networkHelpers.loadFixture(assigned);
      const { address } = here.person("guardian").signer;
      const [manager, vault] = [managerOf(here, "guardian"), vaultOf(here, "guardian")];
      await (await vault.haltMarket(1)).wait();
      await (await vault.haltBorrowing()).wait();
      expect(decodeMarketState((await vault.market(1)).state).flags).to.not.equal(0);
      expect(await vault.borrowingHalted()).to.equal(true);
      const refused = { caller: address };
      await expectRevert(() => vault.resumeMarket(1), "AccessManagedUnauthorized", refused);
      await expectRevert(() => vault.resumeBorrowing(), "AccessManagedUnauthorized", refused);
      await expectRevert(() => manager.grantRole(roleIds.guardian, address, 0), "AccessManagerUnauthorizedAccount", {
        msgsender: address,
        roleId: roleIds.admin,
      });
    });

    it("the guardian has what halts, the pusher what publishes, and risk the rest", () => {
      const given = Object.fromEntries(
        (["guardian", "pusher"] as const).map((role) => [
          role,
          contracts.flatMap((contract) =>
            [...callersOf(contract)].flatMap(([name, line]) =>
              line.kind === "role" && line.role === role ? [`${contract}.${name}`] : [],
            ),
          ),
        ]),
      );
      expect(given).to.deep.equal({
        guardian: ["MarginVault.haltMarket", "MarginVault.haltBorrowing"],
        pusher: ["PriceOracle.push"],
      });
    });

    it("an admin waits two days to give a role, and its new member of risk two more", async () => {
      const here = await connection.networkHelpers.loadFixture(assigned);
      const { manager: target } = here.world.deployment;
      const manager = managerOf(here, "admin");
      const { address } = here.person("stranger").signer;
      const data = manager.interface.encodeFunctionData("grantRole", [roleIds.risk, address, 0]);
      // By then the grant delay, which takes five days to begin, counts.
      await connection.networkHelpers.time.increase(5 * day);
      await (await manager.schedule(target, data, 0)).wait();
      await connection.networkHelpers.time.increase(2 * day);
      await (await manager.grantRole(roleIds.risk, address, 0)).wait();
      expect(await manager.hasRole(roleIds.risk, address)).to.deep.equal([false, 0n]);
      await connection.networkHelpers.time.increase(2 * day);
      expect(await manager.hasRole(roleIds.risk, address)).to.deep.equal([true, 0n]);
    });
  });

  it("INV-14: under every halt whoever has initial margin closes, repays and withdraws, and who has not is liquidated", async () => {
    const here = await connection.networkHelpers.loadFixture(ripe);
    const { world, person } = here;
    const guardian = world.ballast.vault.connect(person("guardian").signer);
    const owner = person("owner").signer;
    const [asOwner, account] = [await world.as(owner), accountId(owner.address)];
    const debtor = await world.fund(owner, { WETH: "10" }, 5);
    await asOwner.withdraw(debtor, "USDC", "500");
    for (const market of [0, 1, 2]) await (await guardian.haltMarket(market)).wait();
    await (await guardian.haltBorrowing()).wait();

    // Nothing grows, and nobody borrows.
    await expectRevert(() => asOwner.trade(account, "ETH", "0.1"), "MarketHalted", { market: 1n });
    await expectRevert(() => asOwner.withdraw(debtor, "USDC", "10"), "BorrowingHalted", {
      account: debtor,
      debtWad: (debt: unknown) => (debt as bigint) >= wad("510"),
    });

    await asOwner.trade(account, "ETH", "-1");
    expect((await asOwner.position(account, "ETH")).sizeWad).to.equal(0n);
    await asOwner.withdraw(account, "WETH", "1");
    await asOwner.withdraw(account, "USDC", "5000");
    // What was lent out, and its interest, which is a few cents.
    await world.mint("USDC", owner.address, "501");
    await asOwner.deposit(debtor, "USDC", "501");
    await asOwner.withdraw(debtor, "WETH", "10");

    const { vault } = await world.as(owner);
    const [weth] = world.deployment.collaterals;
    await (await vault.liquidatePosition(targetAccount(here, "partial"), 1, 2n ** 255n, asOwner.poolAccount)).wait();
    await (
      await vault.liquidateCollateral(targetAccount(here, "collateral"), weth!.address, 2n ** 255n, account)
    ).wait();
    await (await vault.absorb([targetAccount(here, "absorb")], account)).wait();
    for (const target of ["partial", "collateral", "absorb"] as const) {
      expect((await asOwner.health(targetAccount(here, target))).isLiquidatable, target).to.equal(false);
    }
  });

  async function storageOf(address: string): Promise<string> {
    const block = toQuantity(await connection.ethers.provider.getBlockNumber());
    const proof = (await connection.provider.request({ method: "eth_getProof", params: [address, [], block] })) as {
      storageHash: string;
    };
    return proof.storageHash;
  }

  async function expectAsStated(contract: ContractName, name: string, one: Case, line: Caller, person: Person) {
    const { forwarder } = cast;
    const to = cast.addresses[contract];
    const own = person.signer.address;
    const title = `${contract}.${name}${one.title === undefined ? "" : ` ${one.title}`} by ${person.name}`;

    const direct = await outcome(own, to, one.data(own));
    expectOutcome(direct, one, line, mayCall(one, line, person), own, title);

    if (contract === "MarginVault" && name !== "multicall") {
      const within = await outcome(own, to, inMulticall(one.data(own)));
      expect(within, `${title}, in a multicall`).to.deep.equal(direct);
    }
    // A contract that somebody calls has none of that somebody's rights.
    const through = await outcome(own, forwarder, puppet.encodeFunctionData("act", [to, one.data(forwarder)]));
    const nobody: Person = { name: "a contract", signer: person.signer };
    expectOutcome(through, one, line, mayCall(one, line, nobody), forwarder, `${title}, through a contract`);
  }

  function expectOutcome(got: Outcome, one: Case, line: Caller, may: boolean, caller: string, title: string) {
    if (!may) return expectRefusal(got, one, line, caller, title);
    if (one.outcome === undefined) expect(got, title).to.equal("done");
    else expect(got, title).to.have.property("errorName", one.outcome);
  }

  function expectRefusal(got: Outcome, one: Case, { kind }: Caller, caller: string, title: string) {
    if (kind === "target") {
      expect(["reverts", "FailedCall"], title).to.include(typeof got === "string" ? got : got.errorName);
      return;
    }
    if (kind === "holder" || kind === "spender") {
      expect(got, title).to.have.property("errorName", "ERC20InsufficientAllowance");
      expect(got, title).to.have.nested.property("args.spender", caller);
      return;
    }
    const refusals: Partial<Record<Caller["kind"], Outcome>> = {
      owner: { errorName: "NotAuthorized", args: { account: one.account, caller } },
      operator: { errorName: "NotAuthorized", args: { account: one.account, caller } },
      role: { errorName: "AccessManagedUnauthorized", args: { caller } },
      authority: { errorName: "AccessManagedUnauthorized", args: { caller } },
      admin: { errorName: "AccessManagerUnauthorizedAccount", args: { msgsender: caller, roleId: roleIds.admin } },
      roleAdmin: { errorName: "AccessManagerUnauthorizedAccount", args: { msgsender: caller, roleId: roleIds.admin } },
      ...(one.refusal === undefined ? {} : { ofTarget: one.refusal(caller) }),
    };
    expect(got, title).to.deep.equal(refusals[kind]);
  }
});

function mayCall({ only }: Case, line: Caller, { name, permission, role }: Person): boolean {
  switch (line.kind) {
    case "anyone":
      return true;
    case "owner":
      return name === "owner";
    case "operator":
      return name === "owner" || permission === line.permission;
    case "holder":
      return name === "deployer" || name === "spender";
    case "spender":
      return name === "spender";
    case "role":
      return role === line.role;
    case "admin":
    case "roleAdmin":
      return role === "admin";
    case "ofTarget":
      return only?.includes(name) === true;
    case "target":
    case "authority":
    case "nobody":
      return false;
  }
}

function phrase(line: Caller): string {
  switch (line.kind) {
    case "operator":
      return `the account's owner and operators that may ${line.permission}`;
    case "role":
      return `the role ${line.role}`;
    default:
      return phrases[line.kind];
  }
}
