/** Seconds of chain time, and blocks, after which everything is checked again: funding moves without prices. */
export const fullPassSeconds = 60;
export const fullPassBlocks = 50;
/** By how many seconds the stored price of an asset may lag what its source tells before the keeper stores that. */
export const refreshSeconds = 900;
/** Of a ramp a step covers an hour at most: as long the keeper waits for the next; after one that failed, a quarter of it. */
export const rampSeconds = 3_600;
export const rampRetrySeconds = 900;
/** Blocks that one request for logs spans at most. */
export const logBlocks = 2_000;
/** Accounts whose liquidation one call works out at most: a node takes seconds for a hundred. */
export const riskChunk = 8;
/** Accounts that one absorb takes at most. */
export const absorbBatch = 8;
/** Rounds of reading, deciding and acting in one turn at most. */
export const maxRounds = 64;
/** Largest gas limit of a transaction: chains cap it at 2^24. */
export const gasCap = 2n ** 24n - 1n;
/** How long to wait for a transaction to be mined. */
export const receiptTimeoutMs = 120_000;
/** How long to wait for an answer of the node. */
export const requestTimeoutMs = 30_000;
/** Accounts that one call reads. */
export const lensChunk = 200;
