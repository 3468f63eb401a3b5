// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Price} from "./Price.sol";

/// @notice What a price is read from.
enum SourceKind {
    /// Nothing: prices are pushed.
    None,
    /// A Chainlink aggregator.
    Chainlink,
    /// A price id of a Pyth contract.
    Pyth
}

/// @notice Where a price is read whenever it is needed, in three slots.
struct LiveSource {
    address feed; // 0, bytes 0 to 19: the aggregator or the Pyth contract; zero where nothing is read
    uint96 minPriceWad; // 0, bytes 20 to 31: a price at or below it is refused
    uint96 maxPriceWad; // 1, bytes 0 to 11: a price at or above it is refused
    SourceKind kind; // 1, byte 12
    uint8 decimals; // 1, byte 13: of an aggregator's answers
    uint64 toleranceWad; // 1, bytes 14 to 21: the asset's, to which a Pyth answer's confidence comes; of a first source
    uint64 maxConfidenceWad; // 1, bytes 22 to 29: a Pyth answer whose confidence is a larger part of its price is refused
    bytes32 priceId; // 2: of a Pyth price
}

/// @notice What an asset's price is checked against, in five slots.
struct SecondSource {
    LiveSource live; // 0 to 2
    uint64 maxDeviationWad; // 3, bytes 0 to 7: the largest part of the first price by which this one may differ from it
    uint32 maxAge; // 3, bytes 8 to 11: seconds until an answer is stale
    uint40 usedAt; // 3, bytes 12 to 16: Unix seconds, of its last answer that agreed with the first
    Price agreed; // 4: of a push-fed asset, the last price that both agreed on; of others that is the stored word
}
