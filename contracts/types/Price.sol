// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, place} from "./Packing.sol";

/// @notice A price with its tolerance, in one word. Zero: never published.
///
///     bits      field          unit
///     0-95      price          uint96 wad: quote per whole base unit, at most MAX_PRICE_WAD
///     96-159    tolerance      uint64 wad: the largest relative error that an honest feed may have just now
///     160-199   publishedAt    Unix seconds
///     200-231   maxAge         seconds after `publishedAt` at which the price is stale
///     232       fresh          1 when it was not stale at the time of the answer (an oracle's storage keeps 0)
///     233       fallback       1 when it only stands in for a price that is read from a feed each time, or that a feed which was
///                              replaced did not give: never fresh
type Price is uint256;

// A billion quote units for one base unit. The funding index (int96 wad) then holds two years at the steepest rate allowed, 5% a day.
uint256 constant MAX_PRICE_WAD = 1e27;
uint256 constant FRESH_BIT = 1 << 232;
uint256 constant FALLBACK_BIT = 1 << 233;

using {value, tolerance, publishedAt, maxAge, isFresh, isFallback, asOf, asFallback} for Price global;

function toPrice(uint256 priceWad, uint256 toleranceWad, uint256 publishedAt_, uint256 maxAge_) pure returns (Price) {
    return
        Price.wrap(
            place(priceWad, 0, 96) |
                place(toleranceWad, 96, 64) |
                place(publishedAt_, 160, 40) |
                place(maxAge_, 200, 32)
        );
}

function value(Price price) pure returns (uint256) {
    return uint96(Price.unwrap(price));
}

function tolerance(Price price) pure returns (uint256) {
    return uint64(Price.unwrap(price) >> 96);
}

function publishedAt(Price price) pure returns (uint256) {
    return uint40(Price.unwrap(price) >> 160);
}

function maxAge(Price price) pure returns (uint256) {
    return field(Price.unwrap(price), 200, 32);
}

function isFresh(Price price) pure returns (bool) {
    return Price.unwrap(price) & FRESH_BIT != 0;
}

function isFallback(Price price) pure returns (bool) {
    return Price.unwrap(price) & FALLBACK_BIT != 0;
}

/// @notice The price, which is not marked fresh, as one that only stands in for another.
function asFallback(Price price) pure returns (Price) {
    return Price.wrap(Price.unwrap(price) | FALLBACK_BIT);
}

/// @notice The price, which is no fallback, as an answer at this time: marked fresh unless it was never published, is too old, or has
/// value zero.
function asOf(Price price, uint256 nowSeconds) pure returns (Price) {
    unchecked {
        // publishedAt and maxAge have 40 and 32 bits
        bool fresh = value(price) != 0 && nowSeconds <= publishedAt(price) + maxAge(price);
        return fresh ? Price.wrap(Price.unwrap(price) | FRESH_BIT) : price;
    }
}
