// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountId} from "../types/AccountId.sol";
import {AccountWord, MODE_ISOLATED} from "../types/AccountWord.sol";
import {AssetSet, MarketId, collateralAsset, bitCount} from "../types/AssetSet.sol";
import {VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk} from "../types/VaultWords.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";

/// @title Writes to the account book
/// @notice Every write of an account's word or collateral goes through here and emits what was written.
library Ledger {
    using FixedPoint for int256;

    uint256 internal constant MAX_MARKETS_AN_ACCOUNT = 16;
    uint256 internal constant MAX_COLLATERALS_AN_ACCOUNT = 8;

    function saveAccount(VaultStorage storage $, AccountId account, AccountWord word) internal {
        $.accounts[account] = word;
        emit IMarginVault.AccountChanged(account, word);
    }

    /// @notice Moves cash (wad) into an account, or out of it when below zero.
    function addCash(VaultStorage storage $, AccountId account, int256 amountWad) internal {
        AccountWord word = $.accounts[account];
        saveAccount($, account, word.withPrincipal(word.principal() + amountWad));
    }

    /// @notice Writes an account's amount of a collateral.
    /// @return the account's word, its bit of the collateral set or cleared; the caller saves it if it differs
    function saveCollateral(
        VaultStorage storage $,
        AccountId account,
        AccountWord word,
        uint256 index,
        uint256 amount
    ) internal returns (AccountWord) {
        $.collateralOf[account][index] = amount;
        emit IMarginVault.CollateralChanged(account, $.collateralTokens[index], amount);
        return amount == 0 ? word.withoutAsset(collateralAsset(index)) : word.withAsset(collateralAsset(index));
    }

    /// @notice Refuses an account with more assets than can be liquidated cheaply, or an isolated one with a second position.
    function requireFewAssets(AccountId account, AccountWord word) internal pure {
        uint256 most = word.mode() == MODE_ISOLATED ? 1 : MAX_MARKETS_AN_ACCOUNT;
        require(bitCount(word.marketBits()) <= most, IMarginVault.TooManyAssets(account, most));
        require(
            bitCount(word.collateralBits()) <= MAX_COLLATERALS_AN_ACCOUNT,
            IMarginVault.TooManyAssets(account, MAX_COLLATERALS_AN_ACCOUNT)
        );
    }

    /// @notice Refuses a debt too small to be worth liquidating.
    function requireDebtAboveMinimum(AccountId account, AccountWord word, AccountRisk risk) internal pure {
        int256 principal = word.principal();
        uint256 minimum = risk.minimumDebt();
        bool allowed = principal >= 0 || principal.abs() >= minimum;
        require(allowed, IMarginVault.DebtBelowMinimum(account, principal.abs(), minimum));
    }

    /// @notice The assets whose prices an operation on this account and market needs.
    function assetsWith(AccountWord word, MarketId market) internal pure returns (AssetSet) {
        return word.withAsset(MarketId.unwrap(market)).assets();
    }
}
