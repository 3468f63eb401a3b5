// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeedFault} from "../interfaces/IPriceOracle.sol";
import {Price, toPrice, MAX_PRICE_WAD} from "../types/Price.sol";
import {SecondSource} from "../types/PriceSource.sol";
import {Judgement, PriceSources, Reading} from "./PriceSources.sol";

/// @title Feed whose prices are pushed by a trusted role
/// @notice For the local chain and tests, and for venues that run their own publisher.
abstract contract PushFeed is PriceSources {
    /// @notice Gives an asset the push feed, or changes its settings; its last price and its second source stay. From a source that was
    /// read until now the last price is taken over, with its date, so that no older one can be pushed; one that gives none leaves the last
    /// good price, which is not fresh until the first push.
    /// @param toleranceWad largest relative error of an honest price, at most 10%
    /// @param maxAge seconds until a price is stale, 1 to 30 days
    function setPushFeed(uint256 asset, uint256 toleranceWad, uint256 maxAge) external restricted {
        _requireBounded(asset, toleranceWad, maxAge);
        Price last = _lastPrice[asset];
        Price good = last.bare();
        (bool isFallback, bool isPaired) = (last.isFallback(), last.isPaired());
        if (_isReadLive(asset, last)) {
            Reading memory told = _readFirst(asset, last);
            delete _firstSource[asset];
            if (told.fault == FeedFault.None) {
                _store(asset, told.price.bare());
                (last, isFallback) = (told.price, false);
            }
        } else if (isPaired) {
            good = _secondSource[asset].agreed;
        }
        Price price = toPrice(last.value(), toleranceWad, last.publishedAt(), maxAge);
        price = price.gated(_isGated()).paired(isPaired);
        _lastPrice[asset] = isFallback ? price.asFallback() : price;
        if (isPaired) {
            // What both sources agreed on is the last good price, and not what the one that was left told at the end.
            SecondSource storage second = _secondSource[asset];
            second.agreed = toPrice(good.value(), toleranceWad, good.publishedAt(), maxAge);
        }
        emit PushFeedSet(asset, toleranceWad, maxAge);
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
        require(!_isReadLive(asset, last), NotPushFed(asset));
        require(priceWad > 0, PriceNotPositive(asset, priceWad));
        require(uint256(priceWad) <= MAX_PRICE_WAD, PriceTooLarge(asset, priceWad, MAX_PRICE_WAD));
        require(publishedAt <= block.timestamp, PriceFromFuture(asset, publishedAt, block.timestamp));
        require(publishedAt >= last.publishedAt(), PriceOlderThanUsed(asset, publishedAt, last.publishedAt()));
        Price price = toPrice(uint256(priceWad), last.tolerance(), publishedAt, last.maxAge());
        price = price.gated(last.isGated()).paired(last.isPaired());
        _store(asset, price);
        if (!price.isPaired()) return;
        // It is the last good price only where the second source agrees: a bad pusher moves that no further than the bound.
        Judgement memory told = _judge(asset, price);
        if (told.price.isFresh()) _agree(asset, price, told);
    }
}
