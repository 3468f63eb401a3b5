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
///
/// Marks of an answer:
///
///     232       fresh          1 when it was not stale at the time of the answer, and nothing else spoke against it
///     234       reduceOnly     1 when it is good for what reduces risk, and for nothing else; then it is not fresh
///     235       grace          1 while the chain's sequencer is down, and for a time after: never a reason to liquidate who is above zero
///
/// Marks of an oracle's storage, each of which has the price worked out when it is asked for:
///
///     233       fallback       1 when it only stands in for a price that is read from a feed each time, or that a feed which was
///                              replaced did not give: never fresh
///     236       gated          1 on a chain with a sequencer
///     237       paired         1 when the asset has a second source
type Price is uint256;

// A billion quote units for one base unit. The funding index (int96 wad) then holds two years at the steepest rate allowed, 5% a day.
uint256 constant MAX_PRICE_WAD = 1e27;
uint256 constant FRESH_BIT = 1 << 232;
uint256 constant FALLBACK_BIT = 1 << 233;
uint256 constant REDUCE_ONLY_BIT = 1 << 234;
uint256 constant GRACE_BIT = 1 << 235;
uint256 constant GATED_BIT = 1 << 236;
uint256 constant PAIRED_BIT = 1 << 237;
uint256 constant WORKED_OUT = FALLBACK_BIT | GATED_BIT | PAIRED_BIT;
uint256 constant FIELDS = FRESH_BIT - 1;

using {
    value,
    tolerance,
    publishedAt,
    maxAge,
    isFresh,
    isUsable,
    inGrace,
    isWorkedOut,
    isFallback,
    isGated,
    isPaired,
    asOf,
    bare,
    asStored,
    withTolerance,
    asReduceOnly,
    duringGrace,
    asFallback,
    gated,
    paired
} for Price global;

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

/// @notice Whether the price is good for everything.
function isFresh(Price price) pure returns (bool) {
    return Price.unwrap(price) & FRESH_BIT != 0;
}

/// @notice Whether the price is good for what reduces risk: closing, settling, liquidating, delisting.
function isUsable(Price price) pure returns (bool) {
    return Price.unwrap(price) & (FRESH_BIT | REDUCE_ONLY_BIT) != 0;
}

/// @notice Whether it was told while the chain's sequencer was down, or had come back too short a time before.
function inGrace(Price price) pure returns (bool) {
    return Price.unwrap(price) & GRACE_BIT != 0;
}

/// @notice Whether a stored word is not the price itself: that has to be worked out.
function isWorkedOut(Price price) pure returns (bool) {
    return Price.unwrap(price) & WORKED_OUT != 0;
}

function isFallback(Price price) pure returns (bool) {
    return Price.unwrap(price) & FALLBACK_BIT != 0;
}

function isGated(Price price) pure returns (bool) {
    return Price.unwrap(price) & GATED_BIT != 0;
}

function isPaired(Price price) pure returns (bool) {
    return Price.unwrap(price) & PAIRED_BIT != 0;
}

/// @notice The price, which bears no mark that keeps it from being fresh, as an answer at this time: marked fresh unless it was never
/// published, is too old, or has value zero.
function asOf(Price price, uint256 nowSeconds) pure returns (Price) {
    unchecked {
        // publishedAt and maxAge have 40 and 32 bits
        bool fresh = value(price) != 0 && nowSeconds <= publishedAt(price) + maxAge(price);
        return fresh ? Price.wrap(Price.unwrap(price) | FRESH_BIT) : price;
    }
}

/// @notice The price without any mark.
function bare(Price price) pure returns (Price) {
    return Price.wrap(Price.unwrap(price) & FIELDS);
}

/// @notice The stored word that `asOf` was given.
function asStored(Price price) pure returns (Price) {
    return Price.wrap(Price.unwrap(price) & ~FRESH_BIT);
}

/// @notice The price with another tolerance (wad), marks as they are.
function withTolerance(Price price, uint256 toleranceWad) pure returns (Price) {
    uint256 mask = uint256(type(uint64).max) << 96;
    return Price.wrap((Price.unwrap(price) & ~mask) | place(toleranceWad, 96, 64));
}

/// @notice The price as one for reductions: fresh no more.
function asReduceOnly(Price price) pure returns (Price) {
    return Price.wrap((Price.unwrap(price) & ~FRESH_BIT) | REDUCE_ONLY_BIT);
}

/// @notice The price as one told during the sequencer's grace time.
function duringGrace(Price price) pure returns (Price) {
    return Price.wrap(Price.unwrap(price) | GRACE_BIT);
}

/// @notice The price, which is not marked fresh, as one that only stands in for another.
function asFallback(Price price) pure returns (Price) {
    return Price.wrap(Price.unwrap(price) | FALLBACK_BIT);
}

/// @notice The stored price, marked gated where that holds.
function gated(Price price, bool holds) pure returns (Price) {
    return holds ? Price.wrap(Price.unwrap(price) | GATED_BIT) : Price.wrap(Price.unwrap(price) & ~GATED_BIT);
}

/// @notice The stored price, marked paired where that holds.
function paired(Price price, bool holds) pure returns (Price) {
    return holds ? Price.wrap(Price.unwrap(price) | PAIRED_BIT) : Price.wrap(Price.unwrap(price) & ~PAIRED_BIT);
}
