// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "./AssetSet.sol";
import {field, place, signedField, placeSigned} from "./Packing.sol";

/// @notice An account in one storage word.
///
///     bits      field        unit
///     0-119     principal    int120 wad: cash; below zero a debt. Times an index it is cash, once cash bears interest
///     120-247   assets       AssetSet: markets with a position (96 bits), collaterals held (32 bits)
///     248-255   mode         MODE_CROSS or MODE_ISOLATED (2 is kept for portfolio margin)
type AccountWord is uint256;

using {
    principal,
    assets,
    marketBits,
    collateralBits,
    mode,
    withMode,
    withPrincipal,
    withAsset,
    withoutAsset
} for AccountWord global;

// All positions share all collateral.
uint256 constant MODE_CROSS = 0;
// At most one position.
uint256 constant MODE_ISOLATED = 1;

uint256 constant PRINCIPAL_MASK = (1 << 120) - 1;

function principal(AccountWord word) pure returns (int256) {
    return signedField(AccountWord.unwrap(word), 0, 120);
}

function assets(AccountWord word) pure returns (AssetSet) {
    return AssetSet.wrap(uint128(AccountWord.unwrap(word) >> 120));
}

function marketBits(AccountWord word) pure returns (uint256) {
    return field(AccountWord.unwrap(word), 120, 96);
}

function collateralBits(AccountWord word) pure returns (uint256) {
    return field(AccountWord.unwrap(word), 216, 32);
}

function mode(AccountWord word) pure returns (uint256) {
    return field(AccountWord.unwrap(word), 248, 8);
}

function withMode(AccountWord word, uint256 mode_) pure returns (AccountWord) {
    uint256 others = AccountWord.unwrap(word) & ((1 << 248) - 1);
    return AccountWord.wrap(others | place(mode_, 248, 8));
}

function withPrincipal(AccountWord word, int256 principalWad) pure returns (AccountWord) {
    return AccountWord.wrap((AccountWord.unwrap(word) & ~PRINCIPAL_MASK) | placeSigned(principalWad, 0, 120));
}

function withAsset(AccountWord word, uint256 asset) pure returns (AccountWord) {
    return AccountWord.wrap(AccountWord.unwrap(word) | (1 << (120 + asset)));
}

function withoutAsset(AccountWord word, uint256 asset) pure returns (AccountWord) {
    return AccountWord.wrap(AccountWord.unwrap(word) & ~(uint256(1) << (120 + asset)));
}
