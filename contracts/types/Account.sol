// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountWord} from "./AccountWord.sol";
import {AssetSet} from "./AssetSet.sol";
import {field, place, signedField, placeSigned} from "./Packing.sol";

/// @notice An account as an operation has it in memory: the fields of an AccountWord, with cash (wad, interest included) in the place of
/// principal. Ledger alone turns one into the other.
type Account is uint256;

using {
    cash,
    assets,
    marketBits,
    collateralBits,
    mode,
    withMode,
    withCash,
    plusCash,
    withAsset,
    withoutAsset
} for Account global;

uint256 constant CASH_MASK = (1 << 120) - 1;

// All positions share all collateral.
uint256 constant MODE_CROSS = 0;
// At most one position.
uint256 constant MODE_ISOLATED = 1;

/// @notice The account with this much cash (wad).
function toAccount(AccountWord word, int256 cashWad) pure returns (Account) {
    return withCash(Account.wrap(AccountWord.unwrap(word)), cashWad);
}

/// @return wad, below zero a debt
function cash(Account account) pure returns (int256) {
    return signedField(Account.unwrap(account), 0, 120);
}

function assets(Account account) pure returns (AssetSet) {
    return AssetSet.wrap(uint128(Account.unwrap(account) >> 120));
}

function marketBits(Account account) pure returns (uint256) {
    return field(Account.unwrap(account), 120, 96);
}

function collateralBits(Account account) pure returns (uint256) {
    return field(Account.unwrap(account), 216, 32);
}

function mode(Account account) pure returns (uint256) {
    return field(Account.unwrap(account), 248, 8);
}

function withMode(Account account, uint256 mode_) pure returns (Account) {
    uint256 others = Account.unwrap(account) & ((1 << 248) - 1);
    return Account.wrap(others | place(mode_, 248, 8));
}

function withCash(Account account, int256 cashWad) pure returns (Account) {
    return Account.wrap((Account.unwrap(account) & ~CASH_MASK) | placeSigned(cashWad, 0, 120));
}

/// @notice The account with so much more cash (wad), or less where it is below zero.
function plusCash(Account account, int256 amountWad) pure returns (Account) {
    unchecked {
        return withCash(account, cash(account) + amountWad); // 120 bits, and amounts of at most 240
    }
}

function withAsset(Account account, uint256 asset) pure returns (Account) {
    return Account.wrap(Account.unwrap(account) | (1 << (120 + asset)));
}

function withoutAsset(Account account, uint256 asset) pure returns (Account) {
    return Account.wrap(Account.unwrap(account) & ~(uint256(1) << (120 + asset)));
}
