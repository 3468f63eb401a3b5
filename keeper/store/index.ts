export { ForeignStateError, StateFileError, StateInUseError, StateVersionError, StateWriteError } from "./errors.js";
export { MemoryStore } from "./memory.js";
export { type SqliteOptions, SqliteStore } from "./sqlite.js";
