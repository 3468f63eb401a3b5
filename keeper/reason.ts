import { NodeAnswerError } from "../sdk/book/index.js";
import { ContractError, decodeRevert, revertData } from "../sdk/index.js";

/** One word for why something failed: the contract's error, else the code or the class of whoever raised it. */
export function failureReason(error: unknown): string {
  if (error instanceof ContractError) return error.errorName;
  if (error instanceof NodeAnswerError && error.cause instanceof Error) return failureReason(error.cause);
  const data = revertData(error);
  const decoded = data === undefined ? undefined : decodeRevert(data);
  if (decoded !== undefined) return decoded.errorName;
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** What a log line tells of it: never a stack, and of several lines the first. */
export function failureDetail(error: unknown): string {
  const data = revertData(error);
  const decoded = data === undefined ? undefined : decodeRevert(data);
  const message = decoded?.message ?? (error instanceof Error ? error.message : String(error));
  return message.split("\n", 1)[0] ?? "";
}
