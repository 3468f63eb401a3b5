export { Book, undoableBlocks } from "./book.js";
export {
  BlockGapError,
  BookDiffersError,
  BookTooShallowError,
  ChainUnsettledError,
  ForeignLogsError,
  LogGapError,
  MalformedLogError,
  NodeAnswerError,
  NodeError,
  NodeLagsError,
  ParentHashError,
  SnapshotError,
  type WordDifference,
} from "./errors.js";
export { BookFollower, type FollowOptions, type FollowerOptions, type Turn } from "./follow.js";
export { LogReader, type VaultLog } from "./logs.js";
export type { RpcSender } from "./node.js";
export { type PlacedWord, accountWords, sharedWords } from "./places.js";
export type { BookBlock, BookDeployment, BookState } from "./snapshot.js";
