// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deal, Deals} from "./Deals.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Health, PositionView} from "../interfaces/IMarginVault.sol";
import {Account} from "../types/Account.sol";
import {AccountId} from "../types/AccountId.sol";
import {AssetSet, MarketId, marketAsset, onlyAsset} from "../types/AssetSet.sol";
import {Position} from "../types/Position.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";

/// @title What accounts are worth now, for readers
library Views {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;

    function health(
        VaultStorage storage $,
        Context memory context,
        AccountId account
    ) public view returns (Health memory) {
        Account word = Ledger.load($, context, account);
        return _healthAt($, context, account, word, word.assets(), context.oracle.lastPrices(word.assets()));
    }

    function healths(
        VaultStorage storage $,
        Context memory context,
        AccountId[] calldata accounts
    ) public view returns (Health[] memory answer) {
        AssetSet assets;
        for (uint256 i; i < accounts.length; ++i) assets = assets | $.accounts[accounts[i]].assets();
        Price[] memory prices = context.oracle.lastPrices(assets);
        answer = new Health[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            Account word = Ledger.load($, context, accounts[i]);
            answer[i] = _healthAt($, context, accounts[i], word, assets, prices);
        }
    }

    function _healthAt(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Account word,
        AssetSet assets,
        Price[] memory prices
    ) private view returns (Health memory) {
        bool isPool = account == context.pool;
        Sums memory sums = Margin.collect($, account, word, assets, prices, isPool, Margin.NO_ASSET);
        return Margin.total(sums, word.cash(), $.accountRisk);
    }

    function position(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        MarketId market
    ) public view returns (PositionView memory) {
        Price price = context.oracle.lastPrices(onlyAsset(marketAsset(market)))[0];
        Account none;
        Deal memory deal;
        deal.load($, context, account, none, none, market, price);
        int256 sizeWad = deal.size();
        Position stored = $.positions[account][market];
        return
            PositionView(
                deal.book.accountSharesWad,
                deal.book.accountCostWad,
                sizeWad,
                deal.value(),
                sizeWad.abs().mulDivUp(price.value(), WAD),
                deal.epochOf(deal.book.accountSharesWad),
                stored.shares(),
                stored.epoch()
            );
    }
}
