// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccountId} from "../types/AccountId.sol";
import {Account, MODE_ISOLATED, toAccount} from "../types/Account.sol";
import {AccountWord, toAccountWord} from "../types/AccountWord.sol";
import {AssetSet, MarketId, collateralAsset, bitCount} from "../types/AssetSet.sol";
import {Cash, Context, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk} from "../types/VaultWords.sol";
import {CashBook} from "./CashBook.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";

/// @title Writes to the account book
/// @notice Every write of an account's word or collateral goes through here and emits what was written.
library Ledger {
    using CashBook for Cash;
    using FixedPoint for int256;

    uint256 internal constant MAX_MARKETS_AN_ACCOUNT = 16;
    uint256 internal constant MAX_COLLATERALS_AN_ACCOUNT = 8;

    /// @dev Wei by which the principals of one operation's accounts may add up to less than they were: each is rounded down.
    uint256 private constant ROUNDING = 8;

    /// @notice An account as it stands now, interest included.
    function load(VaultStorage storage $, Context memory context, AccountId id) internal view returns (Account) {
        AccountWord word = $.accounts[id];
        return toAccount(word, context.cash.valueOf(word.principal()));
    }

    /// @notice Writes an account. Its principal stays if its cash has; else it is rounded toward minus infinity.
    function save(VaultStorage storage $, Context memory context, AccountId id, Account account) internal {
        int256 before = $.accounts[id].principal();
        int256 principal = _principalOf(context.cash, before, account);
        context.cash.count(before, principal);
        _write($, id, account, principal);
    }

    /// @notice Writes the last of the accounts between which an operation has moved cash. Where it has gained what the others have lost,
    /// but for a few wei of rounding, it takes these too: then the totals are what they were, and need not be written.
    function saveLast(VaultStorage storage $, Context memory context, AccountId id, Account account) internal {
        Cash memory cash = context.cash;
        int256 before = $.accounts[id].principal();
        int256 principal = _principalOf(cash, before, account);
        unchecked {
            // principals have 120 bits
            int256 balancing = before - cash.supplied;
            bool rounding = cash.supplied != 0 && cash.borrowed == 0 && (balancing - principal).abs() <= ROUNDING;
            if (rounding && before >= 0 && balancing >= 0) principal = balancing;
        }
        cash.count(before, principal);
        _write($, id, account, principal);
    }

    /// @notice Writes an account's word as it was.
    function restore(VaultStorage storage $, Context memory context, AccountId id, AccountWord word) internal {
        int256 principal = word.principal();
        context.cash.count($.accounts[id].principal(), principal);
        _write($, id, toAccount(word, 0), principal);
    }

    function _principalOf(Cash memory cash, int256 before, Account account) private pure returns (int256) {
        return account.cash() == cash.valueOf(before) ? before : cash.principalOf(account.cash());
    }

    function _write(VaultStorage storage $, AccountId id, Account account, int256 principal) private {
        AccountWord word = toAccountWord(Account.unwrap(account), principal);
        $.accounts[id] = word;
        emit IMarginVault.AccountChanged(id, word);
    }

    /// @notice Moves cash (wad) into an account, or out of it when below zero.
    function addCash(VaultStorage storage $, Context memory context, AccountId id, int256 amountWad) internal {
        save($, context, id, load($, context, id).plusCash(amountWad));
    }

    /// @notice Writes an account's amount of a collateral.
    /// @return the account's word, its bit of the collateral set or cleared; the caller saves it if it differs
    function saveCollateral(
        VaultStorage storage $,
        AccountId account,
        Account word,
        uint256 index,
        uint256 amount
    ) internal returns (Account) {
        return saveToken($, account, word, $.collateralTokens[index], index, amount);
    }

    /// @notice The same for who knows the token.
    function saveToken(
        VaultStorage storage $,
        AccountId account,
        Account word,
        address token,
        uint256 index,
        uint256 amount
    ) internal returns (Account) {
        $.collateralOf[account][index] = amount;
        emit IMarginVault.CollateralChanged(account, token, amount);
        return amount == 0 ? word.withoutAsset(collateralAsset(index)) : word.withAsset(collateralAsset(index));
    }

    /// @notice Refuses an account with more assets than can be liquidated cheaply, or an isolated one with a second position.
    function requireFewAssets(AccountId account, Account word) internal pure {
        uint256 most = word.mode() == MODE_ISOLATED ? 1 : MAX_MARKETS_AN_ACCOUNT;
        require(bitCount(word.marketBits()) <= most, IMarginVault.TooManyAssets(account, most));
        require(
            bitCount(word.collateralBits()) <= MAX_COLLATERALS_AN_ACCOUNT,
            IMarginVault.TooManyAssets(account, MAX_COLLATERALS_AN_ACCOUNT)
        );
    }

    /// @notice Refuses a debt too small to be worth liquidating.
    function requireDebtAboveMinimum(AccountId account, Account word, AccountRisk risk) internal pure {
        int256 cash = word.cash();
        uint256 minimum = risk.minimumDebt();
        bool allowed = cash >= 0 || cash.abs() >= minimum;
        require(allowed, IMarginVault.DebtBelowMinimum(account, cash.abs(), minimum));
    }

    /// @notice The assets whose prices an operation on this account and market needs.
    function assetsWith(Account word, MarketId market) internal pure returns (AssetSet) {
        return word.withAsset(MarketId.unwrap(market)).assets();
    }
}
