// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Price, toPrice, MAX_PRICE_WAD} from "../types/Price.sol";
import {LastPrices} from "./LastPrices.sol";

/// @title Feed whose prices are pushed by a trusted role
/// @notice For the local chain and tests, and for venues that run their own publisher.
abstract contract PushFeed is LastPrices {
    /// @notice Gives an asset the push feed, or changes its settings; its last price stays. From an aggregator that was read until now
    /// the last price is taken over, with its date, so that no older one can be pushed; one that gives none leaves the last good
    /// price, which is not fresh until the first push.
    /// @param toleranceWad largest relative error of an honest price, at most 10%
    /// @param maxAge seconds until a price is stale, 1 to 30 days
    function setFeed(uint256 asset, uint256 toleranceWad, uint256 maxAge) external restricted {
        _requireBounded(asset, toleranceWad, maxAge);
        Price last = _lastPrice[asset];
        if (last.isFallback()) last = _leaveAggregator(asset, last);
        Price price = toPrice(last.value(), toleranceWad, last.publishedAt(), maxAge);
        _lastPrice[asset] = last.isFallback() ? price.asFallback() : price;
        emit FeedSet(asset, toleranceWad, maxAge);
    }

    /// @notice Publishes prices. All or none are taken.
    /// @param assets numbers of push-fed assets
    /// @param pricesWad wad, above zero
    /// @param publishedAt Unix seconds: not after the block, not before the last price of any of the assets
    function push(uint256[] calldata assets, int256[] calldata pricesWad, uint256 publishedAt) external restricted {
        require(assets.length == pricesWad.length, LengthMismatch(assets.length, pricesWad.length));
        for (uint256 i; i < assets.length; ++i) _publish(assets[i], pricesWad[i], publishedAt);
    }

    function _publish(uint256 asset, int256 priceWad, uint256 publishedAt) private {
        Price last = _lastPrice[asset];
        require(last.maxAge() != 0, PriceMissing(asset));
        require(!last.isFallback() || !_isReadLive(asset), NotPushFed(asset));
        require(priceWad > 0, PriceNotPositive(asset, priceWad));
        require(uint256(priceWad) <= MAX_PRICE_WAD, PriceTooLarge(asset, priceWad, MAX_PRICE_WAD));
        require(publishedAt <= block.timestamp, PriceFromFuture(asset, publishedAt, block.timestamp));
        require(publishedAt >= last.publishedAt(), PriceOlderThanUsed(asset, publishedAt, last.publishedAt()));
        _store(asset, toPrice(uint256(priceWad), last.tolerance(), publishedAt, last.maxAge()));
    }
}
