// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CashBook} from "./CashBook.sol";
import {Deferral} from "./Deferral.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Prices} from "./Prices.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {Account, MODE_CROSS, MODE_ISOLATED} from "../types/Account.sol";
import {AccountId} from "../types/AccountId.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {collateralAsset} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk, Collateral} from "../types/VaultWords.sol";

/// @title The books of custody: what a deposit, a withdrawal and a transfer change of accounts
/// @notice The vault has checked who may act, and moves the tokens afterwards.
library Custody {
    using FixedPoint for int256;
    using Margin for Sums;

    /// In the place of a collateral's index: the settlement token.
    uint256 private constant CASH = type(uint256).max;

    function deposit(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        address token,
        uint256 amount
    ) internal {
        require(amount != 0, IMarginVault.ZeroAmount());
        uint256 index = _indexOf($, context, token);
        if (index == CASH) {
            $.cashHeld += _toUint128(amount);
            context.cash.moved = true;
        } else {
            Collateral word = $.collaterals[index];
            uint256 total = word.held() + _toUint128(amount);
            uint256 cap = word.depositCap();
            require(total <= cap, IMarginVault.DepositCapExceeded(token, total, cap));
            $.collaterals[index] = word.withHeld(total);
        }
        _credit($, context, account, token, index, amount);
        CashBook.save($, context);
        emit IMarginVault.Deposited(account, token, msg.sender, amount);
    }

    function withdraw(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        address token,
        uint256 amount,
        address to
    ) internal {
        require(amount != 0, IMarginVault.ZeroAmount());
        uint256 index = _indexOf($, context, token);
        if (index == CASH) {
            uint256 held = $.cashHeld;
            require(amount <= held, IMarginVault.InsufficientCashHeld(amount, held));
            $.cashHeld = uint128(held - amount);
            context.cash.moved = true;
            _debit($, context, account, token, index, amount);
        } else {
            _debit($, context, account, token, index, amount); // refuses more than the account holds, and with it more than is held
            Collateral word = $.collaterals[index];
            $.collaterals[index] = word.withHeld(word.held() - amount);
        }
        CashBook.save($, context);
        emit IMarginVault.Withdrawn(account, token, to, amount);
    }

    function transfer(
        VaultStorage storage $,
        Context memory context,
        AccountId from,
        AccountId to,
        address token,
        uint256 amount
    ) internal {
        require(amount != 0, IMarginVault.ZeroAmount());
        uint256 index = _indexOf($, context, token);
        AccountWord before = $.accounts[from];
        _debit($, context, from, token, index, amount);
        _credit($, context, to, token, index, amount);
        if (from == to) Ledger.restore($, context, from, before); // rounding twice would cost a wei
        CashBook.save($, context);
        emit IMarginVault.Transferred(from, to, token, amount);
    }

    function setMode(VaultStorage storage $, Context memory context, AccountId account, uint256 mode) internal {
        require(mode == MODE_CROSS || mode == MODE_ISOLATED, IMarginVault.UnknownMode(mode));
        Account word = Ledger.load($, context, account);
        require(word.marketBits() == 0, IMarginVault.ModeNeedsNoPosition(account));
        Ledger.save($, context, account, word.withMode(mode));
    }

    /// @dev Adds an amount (raw) of a token, given with its index, to an account's books.
    function _credit(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        address token,
        uint256 index,
        uint256 amount
    ) private {
        Account word = Ledger.load($, context, account);
        if (msg.sender != account.owner()) _requireStrangerMayDeposit($, context, account, word, token, index, amount);
        if (index == CASH) {
            word = word.plusCash(_cashWad(context, amount));
        } else {
            // At maintenance what an account holds counts at its last good price: a dead one must not be brought in to shield it.
            Price price = Prices.one(context.oracle, collateralAsset(index));
            require(price.isUsable(), IMarginVault.StaleCollateralPrice(token, price.publishedAt(), price.maxAge()));
            word = Ledger.saveToken($, account, word, token, index, $.collateralOf[account][index] + amount);
            if (account != context.pool) Ledger.requireFewAssets(account, word);
        }
        Ledger.saveLast($, context, account, word);
    }

    /// @dev Takes an amount (raw) of a token, given with its index, off an account's books, as far as its free margin goes.
    function _debit(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        address token,
        uint256 index,
        uint256 amount
    ) private {
        Account word = Ledger.load($, context, account);
        if (index == CASH) {
            word = word.plusCash(-_cashWad(context, amount));
            int256 cash = word.cash();
            require(cash >= 0 || !$.borrowingHalted, IMarginVault.BorrowingHalted(account, cash.abs()));
        } else {
            uint256 balance = $.collateralOf[account][index];
            require(amount <= balance, IMarginVault.InsufficientBalance(account, token, amount, balance));
            word = Ledger.saveToken($, account, word, token, index, balance - amount);
        }
        Ledger.save($, context, account, word);
        bool borrows = index == CASH;
        if (!Deferral.put(account, borrows)) _requireMargin($, context, account, word, borrows);
    }

    /// @notice Checks the accounts whose risk the calls of a multicall have raised so far.
    function checkDeferred(VaultStorage storage $, Context memory context) internal {
        while (Deferral.count() != 0) {
            (AccountId account, bool borrowed) = Deferral.take();
            _requireMargin($, context, account, Ledger.load($, context, account), borrowed);
        }
    }

    /// @dev Free margin must not be below zero, and a debt that has grown not below its minimum.
    function _requireMargin(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Account word,
        bool borrowed
    ) private view {
        bool free = word.marketBits() == 0 && word.cash() >= 0; // neither position nor debt
        if (free) return;
        AccountRisk risk = $.accountRisk;
        if (borrowed && account != context.pool) Ledger.requireDebtAboveMinimum(account, word, risk);
        Margin.collectAll($, context, account, word).requireCovered(word.cash(), risk, account);
    }

    /// @dev A stranger's deposit must be worth something and bring no new kind of asset, or it could be used to burden the account. The
    /// pool takes none: it is entered through its shares.
    function _requireStrangerMayDeposit(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Account word,
        address token,
        uint256 index,
        uint256 amount
    ) private view {
        uint256 value = amount * context.cashUnit;
        bool held = true;
        if (index != CASH) {
            uint256 asset = collateralAsset(index);
            held = word.assets().contains(asset);
            Price price = Prices.one(context.oracle, asset);
            value = Margin.collateralValueDown($.collaterals[index], amount, price);
        }
        uint256 minimum = $.accountRisk.minimumDebt();
        bool welcome = held && value >= minimum && account != context.pool;
        require(welcome, IMarginVault.StrangerDeposit(account, token, value, minimum));
    }

    /// @dev The index of a collateral, or CASH.
    function _indexOf(VaultStorage storage $, Context memory context, address token) private view returns (uint256) {
        if (token == context.settlementToken) return CASH;
        uint256 indexPlusOne = $.collateralIndexes[token];
        require(indexPlusOne != 0, IMarginVault.UnknownToken(token));
        return indexPlusOne - 1;
    }

    /// @dev An amount (raw) of cash in wad. Within 128 bits before the cast: beyond it would turn its sign, and a transfer take from its
    /// receiver.
    function _cashWad(Context memory context, uint256 amount) private pure returns (int256) {
        return int256(_toUint128(amount) * context.cashUnit);
    }

    function _toUint128(uint256 amount) private pure returns (uint128) {
        require(amount >> 128 == 0, IMarginVault.AmountTooLarge(amount));
        return uint128(amount);
    }
}
