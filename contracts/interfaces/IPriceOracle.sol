// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";

/// @notice What is wrong with an answer of an asset's aggregator.
enum FeedFault {
    None,
    /// There is no code at its address.
    NoCode,
    /// It reverts, needs more gas than it is given, or returns what is no answer.
    NoAnswer,
    /// Its round has no answer yet, or carries one over from an earlier round.
    RoundIncomplete,
    /// Zero or below.
    NotPositive,
    /// At or beyond the smallest or the largest price that its settings allow.
    OutOfBounds,
    /// Dated after the block.
    FromFuture,
    /// Dated before an answer that was already stored.
    OlderThanUsed
}

/// @notice Where the price of a Chainlink-fed asset is read, in two slots.
struct ChainlinkSource {
    address aggregator; // 0, bytes 0 to 19: zero where the asset is not Chainlink-fed
    uint96 minPriceWad; // 0, bytes 20 to 31: a price at or below it is refused
    uint96 maxPriceWad; // 1, bytes 0 to 11: a price at or above it is refused
    uint8 decimals; // 1, byte 12: of the aggregator's answers
}

/// @title Prices of the vault's assets
/// @notice An asset is a bit's number in an AssetSet: markets 0 to 95, collaterals 96 to 127. Answers stand in ascending order
/// of assets. One call serves all assets of an operation.
interface IPriceOracle {
    /// @notice Thrown when an asset has no feed, or its push feed has never published.
    error PriceMissing(uint256 asset);
    /// @notice Thrown when the last price is too old to be used, or stands in for that of a feed that was replaced while it gave none:
    /// publish a new one, or wait for the aggregator's next round.
    error PriceStale(uint256 asset, uint256 publishedAt, uint256 maxAge);
    /// @notice Thrown when a price to publish is zero or below.
    error PriceNotPositive(uint256 asset, int256 priceWad);
    /// @notice Thrown when a price to publish is above the largest that the vault's arithmetic is made for.
    error PriceTooLarge(uint256 asset, int256 priceWad, uint256 maximumWad);
    /// @notice Thrown when a price to publish is dated after the block.
    error PriceFromFuture(uint256 asset, uint256 publishedAt, uint256 blockTime);
    /// @notice Thrown when a price to publish is dated before one already used.
    error PriceOlderThanUsed(uint256 asset, uint256 publishedAt, uint256 usedPublishedAt);
    /// @notice Thrown when the lists of one publication differ in length.
    error LengthMismatch(uint256 assets, uint256 prices);
    /// @notice Thrown when a feed's settings are outside the bounds in code: tolerance at most 10%, age 1 s to 30 days.
    error FeedOutOfBounds(uint256 asset, uint256 toleranceWad, uint256 maxAge);

    /// @notice Thrown when the bounds of an aggregator's prices are not in order: `minPriceWad` below `maxPriceWad`, which is at most a
    /// billion.
    error PriceBoundsNotInOrder(uint256 asset, uint256 minPriceWad, uint256 maxPriceWad);
    /// @notice Thrown when an aggregator's answers have more decimals than a wad.
    error FeedDecimalsTooMany(uint256 asset, address aggregator, uint256 decimals);
    /// @notice Thrown when the answer that an asset's aggregator gives now cannot be used.
    /// @param answer as the aggregator gave it, in its own decimals; zero if it gave none
    /// @param updatedAt Unix seconds, as the aggregator gave it; zero if it gave none
    error FeedRefused(uint256 asset, address aggregator, FeedFault fault, int256 answer, uint256 updatedAt);
    /// @notice Thrown when a price is pushed to an asset whose price is read from an aggregator: set its push feed first.
    error NotPushFed(uint256 asset);
    /// @notice Thrown when the price of an asset without an aggregator is to be read from one.
    error NotChainlinkFed(uint256 asset);
    /// @notice Thrown when a caller leaves too little gas to ask an aggregator: with less, a good feed would look dead. Send more.
    error InsufficientGas(uint256 gasLeft, uint256 gasNeeded);

    /// @notice The asset is push-fed from now on, with these settings. If it was Chainlink-fed, a PricePublished just before tells the
    /// aggregator's last price; without one the aggregator gave none, and no price is fresh until the next is published.
    event FeedSet(uint256 indexed asset, uint256 toleranceWad, uint256 maxAge);
    /// @notice The asset is Chainlink-fed from now on: its price is read from this aggregator whenever it is needed, and refused at or
    /// below `minPriceWad` and at or above `maxPriceWad`. The PricePublished that follows tells the price.
    event ChainlinkFeedSet(
        uint256 indexed asset,
        address indexed aggregator,
        uint256 toleranceWad,
        uint256 maxAge,
        uint256 minPriceWad,
        uint256 maxPriceWad,
        uint256 decimals
    );
    /// @notice An asset has a new stored price (wad), with its tolerance (wad), as of `publishedAt`.
    event PricePublished(uint256 indexed asset, uint256 priceWad, uint256 toleranceWad, uint256 publishedAt);

    /// @notice The prices of these assets, all fresh. Throws with the first asset that has none: PriceMissing, PriceStale, or
    /// FeedRefused.
    function prices(AssetSet assets) external view returns (Price[] memory);

    /// @notice The last good prices of these assets, each marked fresh or not. No feed makes it throw; a caller that leaves too little
    /// gas to ask one does (InsufficientGas). An asset without a price is zero.
    function lastPrices(AssetSet assets) external view returns (Price[] memory);
}
