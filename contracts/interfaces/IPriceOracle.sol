// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";

/// @title Prices of the vault's assets
/// @notice An asset is a bit's number in an AssetSet: markets 0 to 95, collaterals 96 to 127. Answers stand in ascending order
/// of assets. One call serves all assets of an operation.
interface IPriceOracle {
    /// @notice Thrown when an asset has no feed, or its feed has never published.
    error PriceMissing(uint256 asset);
    /// @notice Thrown when the last price is too old to be used: publish a new one.
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

    /// @notice An asset's feed was set.
    event FeedSet(uint256 indexed asset, uint256 toleranceWad, uint256 maxAge);
    /// @notice An asset has a new price (wad), with its tolerance (wad), as of `publishedAt`.
    event PricePublished(uint256 indexed asset, uint256 priceWad, uint256 toleranceWad, uint256 publishedAt);

    /// @notice The prices of these assets, all fresh. Throws PriceMissing or PriceStale with the asset otherwise.
    function prices(AssetSet assets) external view returns (Price[] memory);

    /// @notice The last good prices of these assets, each marked fresh or not; never throws. An asset without a price is zero.
    function lastPrices(AssetSet assets) external view returns (Price[] memory);
}
