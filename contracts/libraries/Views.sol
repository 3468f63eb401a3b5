// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deal, Deals} from "./Deals.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Prices} from "./Prices.sol";
import {Health, PositionView} from "../interfaces/IMarginVault.sol";
import {Account} from "../types/Account.sol";
import {AccountId} from "../types/AccountId.sol";
import {AssetSet, MarketId, marketAsset} from "../types/AssetSet.sol";
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
    ) internal view returns (Health memory) {
        Account word = Ledger.load($, context, account);
        return Margin.total(Margin.collectAll($, context, account, word), word.cash(), $.accountRisk);
    }

    function healths(
        VaultStorage storage $,
        Context memory context,
        AccountId[] calldata accounts
    ) public view returns (Health[] memory answer) {
        AssetSet assets;
        for (uint256 i; i < accounts.length; ++i) assets = assets | $.accounts[accounts[i]].assets();
        Price[] memory prices = Prices.all(context.oracle, assets);
        answer = new Health[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            Account word = Ledger.load($, context, accounts[i]);
            bool isPool = accounts[i] == context.pool;
            Sums memory sums = Margin.collect($, accounts[i], word, assets, prices, isPool, Margin.NO_ASSET);
            answer[i] = Margin.total(sums, word.cash(), $.accountRisk);
        }
    }

    function position(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        MarketId market
    ) public view returns (PositionView memory) {
        Price price = Prices.one(context.oracle, marketAsset(market));
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
