// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A market, by its place in the list of markets: 0 to 95.
type MarketId is uint8;

/// @notice A set of priced assets, one bit each: market i is bit i (0 to 95), collateral i is bit 96 + i (96 to 127). The bits
/// stand in this order in an account's word, so an account's assets are two shifts away.
type AssetSet is uint128;

using {marketEquals as ==} for MarketId global;
using {contains, rank, union as |, count, markets, collaterals} for AssetSet global;

uint256 constant MAX_MARKETS = 96;
uint256 constant MAX_COLLATERALS = 32;

/// @notice The asset (a bit's number in an AssetSet) that prices this market.
function marketAsset(MarketId market) pure returns (uint256) {
    return MarketId.unwrap(market);
}

/// @notice The asset (a bit's number in an AssetSet) that prices the collateral with this index.
function collateralAsset(uint256 collateralIndex) pure returns (uint256) {
    return MAX_MARKETS + collateralIndex;
}

function marketEquals(MarketId a, MarketId b) pure returns (bool) {
    return MarketId.unwrap(a) == MarketId.unwrap(b);
}

/// @notice The set that holds this asset alone.
function onlyAsset(uint256 asset) pure returns (AssetSet) {
    return AssetSet.wrap(uint128(1 << asset));
}

function contains(AssetSet set, uint256 asset) pure returns (bool) {
    return (AssetSet.unwrap(set) >> asset) & 1 == 1;
}

function union(AssetSet a, AssetSet b) pure returns (AssetSet) {
    return AssetSet.wrap(AssetSet.unwrap(a) | AssetSet.unwrap(b));
}

/// @notice The set's markets: bit i is market i.
function markets(AssetSet set) pure returns (uint256) {
    return AssetSet.unwrap(set) & ((1 << MAX_MARKETS) - 1);
}

/// @notice The set's collaterals: bit i is collateral i.
function collaterals(AssetSet set) pure returns (uint256) {
    return AssetSet.unwrap(set) >> MAX_MARKETS;
}

/// @notice How many assets of the set come before this one: the asset's place in an array that follows the set.
function rank(AssetSet set, uint256 asset) pure returns (uint256) {
    return bitCount(AssetSet.unwrap(set) & ((1 << asset) - 1));
}

function count(AssetSet set) pure returns (uint256) {
    return bitCount(AssetSet.unwrap(set));
}

/// @notice The number of ones in a word of 128 bits.
function bitCount(uint256 bits) pure returns (uint256) {
    // Pairs, nibbles, bytes, then one multiplication adds the sixteen bytes; nothing overflows below 2^128.
    unchecked {
        bits -= (bits >> 1) & 0x55555555555555555555555555555555;
        bits = (bits & 0x33333333333333333333333333333333) + ((bits >> 2) & 0x33333333333333333333333333333333);
        bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
        return ((bits * 0x01010101010101010101010101010101) >> 120) & 0xff;
    }
}

/// @notice The number of the lowest one in a word that is not zero and below 2^128.
function lowestBit(uint256 bits) pure returns (uint256) {
    unchecked {
        return bitCount((bits & (~bits + 1)) - 1);
    }
}
