// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AssetSet} from "./AssetSet.sol";
import {field, signedField, placeSigned} from "./Packing.sol";

/// @notice An account in one storage word.
///
///     bits      field        unit
///     0-119     principal    int120 wad: times an index of CashIndices it is cash; below zero a debt
///     120-247   assets       AssetSet: markets with a position (96 bits), collaterals held (32 bits)
///     248-255   mode         MODE_CROSS or MODE_ISOLATED (2 is kept for portfolio margin)
type AccountWord is uint256;

using {principal, assets, marketBits} for AccountWord global;

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

/// @notice A word with this principal, and everything else as in `others`.
function toAccountWord(uint256 others, int256 principalWad) pure returns (AccountWord) {
    return AccountWord.wrap((others & ~PRINCIPAL_MASK) | placeSigned(principalWad, 0, 120));
}
