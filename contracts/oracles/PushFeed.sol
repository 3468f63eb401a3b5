// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IPriceOracle} from "../interfaces/IPriceOracle.sol";
import {MAX_MARKETS, MAX_COLLATERALS} from "../types/AssetSet.sol";
import {Price, toPrice, MAX_PRICE_WAD} from "../types/Price.sol";

/// @title Feed whose prices are pushed by a trusted role
/// @notice For the local chain and tests, and for venues that run their own publisher.
abstract contract PushFeed is IPriceOracle, AccessManaged {
    uint256 private constant MAX_TOLERANCE_WAD = 0.1e18;
    uint256 private constant MAX_AGE = 30 days;

    mapping(uint256 asset => Price) internal _lastPrice;

    /// @notice Gives an asset a feed, or changes its settings; its last price stays.
    /// @param toleranceWad largest relative error of an honest price, at most 10%
    /// @param maxAge seconds until a price is stale, 1 to 30 days
    function setFeed(uint256 asset, uint256 toleranceWad, uint256 maxAge) external restricted {
        bool bounded = toleranceWad <= MAX_TOLERANCE_WAD && maxAge != 0 && maxAge <= MAX_AGE;
        require(bounded && asset < MAX_MARKETS + MAX_COLLATERALS, FeedOutOfBounds(asset, toleranceWad, maxAge));
        Price last = _lastPrice[asset];
        _lastPrice[asset] = toPrice(last.value(), toleranceWad, last.publishedAt(), maxAge);
        emit FeedSet(asset, toleranceWad, maxAge);
    }

    /// @notice Publishes prices. All or none are taken.
    /// @param assets numbers of the assets
    /// @param pricesWad wad, above zero
    /// @param publishedAt Unix seconds: not after the block, not before the last price of any of the assets
    function push(uint256[] calldata assets, int256[] calldata pricesWad, uint256 publishedAt) external restricted {
        require(assets.length == pricesWad.length, LengthMismatch(assets.length, pricesWad.length));
        for (uint256 i; i < assets.length; ++i) _publish(assets[i], pricesWad[i], publishedAt);
    }

    function _publish(uint256 asset, int256 priceWad, uint256 publishedAt) private {
        Price last = _lastPrice[asset];
        require(last.maxAge() != 0, PriceMissing(asset));
        require(priceWad > 0, PriceNotPositive(asset, priceWad));
        require(uint256(priceWad) <= MAX_PRICE_WAD, PriceTooLarge(asset, priceWad, MAX_PRICE_WAD));
        require(publishedAt <= block.timestamp, PriceFromFuture(asset, publishedAt, block.timestamp));
        require(publishedAt >= last.publishedAt(), PriceOlderThanUsed(asset, publishedAt, last.publishedAt()));
        _lastPrice[asset] = toPrice(uint256(priceWad), last.tolerance(), publishedAt, last.maxAge());
        emit PricePublished(asset, uint256(priceWad), last.tolerance(), publishedAt);
    }
}
