// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Prices} from "./Prices.sol";
import {IMarginVault, Health} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {Account} from "../types/Account.sol";
import {AssetSet} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk} from "../types/VaultWords.sol";

/// @notice An account under liquidation, as read at its start.
struct Target {
    AccountId account;
    Account word;
    /// What `prices` are of: the account's assets, and those that the caller asked for besides.
    AssetSet assets;
    Price[] prices;
    Sums sums;
    Health health;
    AccountRisk risk;
}

/// @title Reading an account under liquidation
library Targets {
    using Margin for Health;

    /// @notice Reads an account. Pool and insurance are never targets.
    /// @param besides assets whose prices are asked for in the same call
    function read(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        AssetSet besides
    ) internal view returns (Target memory target) {
        require(account != context.pool && account != context.insurance, IMarginVault.NotATarget(account));
        target.account = account;
        target.word = Ledger.load($, context, account);
        target.assets = target.word.assets() | besides;
        target.risk = $.accountRisk;
        target.prices = Prices.all(context.oracle, target.assets);
        target.sums = Margin.collect($, account, target.word, target.assets, target.prices, false, Margin.NO_ASSET);
        target.health = Margin.total(target.sums, target.word.cash(), target.risk);
    }

    /// @notice The price of an asset of the target's set.
    function priceOf(Target memory target, uint256 asset) internal pure returns (Price) {
        return target.prices[target.assets.rank(asset)];
    }

    /// @notice Whether the target is spared: what fell while nobody could act is no reason to liquidate who is above zero.
    function inGrace(Target memory target) internal pure returns (bool) {
        // An oracle marks all prices of an answer or none.
        return target.health.equityMaintenanceWad >= 0 && target.prices.length != 0 && target.prices[0].inGrace();
    }

    function requireNoGrace(Target memory target) internal pure {
        require(!inGrace(target), IMarginVault.SequencerGrace(target.account));
    }

    function requireLiquidatable(Target memory target) internal pure {
        Health memory health = target.health;
        require(
            health.isLiquidatable(),
            IMarginVault.AccountHealthy(target.account, health.equityMaintenanceWad, health.requirementMaintenanceWad)
        );
    }
}
