// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CashBook} from "./CashBook.sol";
import {Deal, Deals} from "./Deals.sol";
import {Ledger} from "./Ledger.sol";
import {Losses} from "./Losses.sol";
import {Prices} from "./Prices.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {Account} from "../types/Account.sol";
import {AccountId} from "../types/AccountId.sol";
import {MarketId, marketAsset} from "../types/AssetSet.sol";
import {MarketTotals, toMarketTotals} from "../types/MarketWords.sol";
import {Price} from "../types/Price.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";

/// @title What is due and not yet paid: losses and final results of positions, and what belongs to the insurance account
/// @notice By anyone, at any time: nobody's equity changes by it.
library Settlement {
    using Deals for Deal;

    function settle(VaultStorage storage $, Context memory context, AccountId account, MarketId market) internal {
        Account word = Ledger.load($, context, account);
        bool exists = word.assets().contains(marketAsset(market)) && account != context.pool;
        require(exists, IMarginVault.NoPosition(account, market));
        Price price = Prices.one(context.oracle, marketAsset(market));

        Deal memory deal;
        deal.load($, context, account, word, Ledger.load($, context, context.pool), market, price);
        bool isFinal = deal.size() == 0;
        require(
            price.isUsable() || isFinal,
            IMarginVault.StaleMarketPrice(market, price.publishedAt(), price.maxAge())
        );
        int256 realizedWad = isFinal ? deal.finish() : deal.settle();
        Deals.store($, context, deal);
        Deals.saveWords($, context, deal);
        CashBook.save($, context);
        emit IMarginVault.Settled(account, market, realizedWad);
    }

    function sweepFees(VaultStorage storage $, Context memory context, MarketId market) public {
        Market storage m = $.markets[market];
        MarketTotals swept = m.totals;
        uint256 amountWad = swept.feesUnsweptWad();
        require(amountWad != 0, IMarginVault.ZeroAmount());
        m.totals = toMarketTotals(swept.longShares(), swept.shortShares(), 0);
        Ledger.addCash($, context, context.insurance, int256(amountWad));
        CashBook.save($, context);
        emit IMarginVault.MarketChanged(market, m.state, m.totals, $.positions[context.pool][market]);
        emit IMarginVault.FeesSwept(market, amountWad);
    }

    function sweepInterest(VaultStorage storage $, Context memory context) public {
        require(Losses.sweepInterest($, context) != 0, IMarginVault.ZeroAmount());
    }

    function cover(VaultStorage storage $, Context memory context) public {
        Losses.sweepInterest($, context);
        uint256 paidWad = Losses.cover($, context);
        int256 cash = Ledger.load($, context, context.insurance).cash();
        require(paidWad != 0, IMarginVault.NothingToCover($.badDebt, cash));
        CashBook.save($, context);
    }
}
