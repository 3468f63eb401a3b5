import { Command, InvalidArgumentError } from "commander";

import { type AccountId, accountId, normalizeAccount } from "../sdk/index.js";
import { accountJson, accountLines, readAccount } from "./accountReport.js";
import { type ConnectionOptions, connected, withConnection } from "./connection.js";
import { UsageError } from "./errors.js";

type ShowOptions = ConnectionOptions & { readonly index: bigint };

export function accountCommand(): Command {
  const show = withConnection(new Command("show"))
    .description("Shows an account: cash, collateral, positions, health, and what would liquidate it")
    .argument("<account>", "its id (0x and 64 hex digits), or its owner's address")
    .option("--index <n>", "which account of the owner, where an address is given", toIndex, 0n)
    .exitOverride()
    .action(async (account: string, options: ShowOptions) => {
      const id = toAccount(account, options.index);
      const report = await connected(options, (ballast) => readAccount(ballast, id));
      console.log(options.json === true ? accountJson(report) : accountLines(report).join("\n"));
    });
  return new Command("account").description("About one account").addCommand(show);
}

function toIndex(text: string): bigint {
  if (!/^\d{1,29}$/.test(text)) throw new InvalidArgumentError("give a whole number from 0 on");
  return BigInt(text);
}

function toAccount(text: string, index: bigint): AccountId {
  try {
    return text.length === 42 ? accountId(text, index) : normalizeAccount(text);
  } catch (cause) {
    throw new UsageError(
      `${text} is neither an account (0x and 64 hex digits) nor an address (0x and 40, in lower case or with its checksum)`,
      { cause },
    );
  }
}
