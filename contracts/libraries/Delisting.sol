// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Funding} from "./Funding.sol";
import {Prices} from "./Prices.sol";
import {Side, Sides} from "./Sides.sol";
import {RAY, WAD} from "./FixedPoint.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {MarketId, marketAsset} from "../types/AssetSet.sol";
import {
    CLOSING,
    DELISTED,
    MarketState,
    SIDES_TOUCHED,
    SideWord,
    toMarketState,
    toMarketTotals,
    toSideWord
} from "../types/MarketWords.sol";
import {Position, toPosition} from "../types/Position.sol";
import {MAX_PRICE_WAD, Price} from "../types/Price.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";

/// @title The end of a market
/// @notice Announced at least a day ahead; from then on no position grows. Then both sides are closed at one price by the end of their
/// epochs, whatever the number of accounts: what is left of each position is its result, which settling pays.
library Delisting {
    using Sides for Side;

    uint256 private constant LEAST_NOTICE = 1 days;
    uint256 private constant LEAST_SILENCE = 1 days;

    function announce(
        VaultStorage storage $,
        Context memory context,
        MarketId id,
        uint256 due,
        uint256 finalPriceWad
    ) public {
        Market storage market = $.markets[id];
        MarketState state = market.state;
        require(!state.has(DELISTED), IMarginVault.MarketDelisted(id));
        require(due >= block.timestamp + LEAST_NOTICE, IMarginVault.ParameterOutOfBounds("due >= now + 1 day"));
        require(finalPriceWad <= MAX_PRICE_WAD, IMarginVault.ParameterOutOfBounds("finalPrice <= 1e9"));
        if (!state.has(SIDES_TOUCHED)) {
            SideWord start = toSideWord(Sides.START_SCALE, 0);
            (market.longSide, market.shortSide) = (start, start);
        }
        market.epochs = market.epochs.withDelisting(due, finalPriceWad);
        market.state = state.withFlag(SIDES_TOUCHED | CLOSING);
        emit IMarginVault.DelistingAnnounced(id, due, finalPriceWad);
        _tell($, context, id);
    }

    function delist(VaultStorage storage $, Context memory context, MarketId id) public {
        Market storage market = $.markets[id];
        MarketState state = market.state;
        uint256 due = market.epochs.delistAt();
        require(!state.has(DELISTED), IMarginVault.MarketDelisted(id));
        require(due != 0 && block.timestamp >= due, IMarginVault.DelistingNotDue(id, due, block.timestamp));

        Price price = Prices.one(context.oracle, marketAsset(id));
        uint256 priceWad = _finalPrice(market, id, price);
        (int256 index, ) = Funding.accrued(state, market.risk, priceWad, block.timestamp);

        (Side memory long, Side memory short) = Sides.read(market, index);
        Position pool = $.positions[context.pool][id];
        pool = _end(market, id, true, long, priceWad, pool);
        pool = _end(market, id, false, short, priceWad, pool);
        $.positions[context.pool][id] = pool;
        Side memory start = Side(Sides.START_SCALE, 0);
        (market.longSide, market.shortSide) = (start.toWord(1, index), start.toWord(-1, index));
        market.state = toMarketState(index, 0, 0, block.timestamp, state.flags() | DELISTED);
        market.totals = toMarketTotals(0, 0, market.totals.feesUnswept());
        emit IMarginVault.Delisted(id, priceWad);
        _tell($, context, id);
    }

    /// @dev The oracle's price. The announced one, or the last good one, only where the feed has been silent for a day beyond its time,
    /// so that nobody can pick a moment at which a price is merely late.
    function _finalPrice(Market storage market, MarketId id, Price price) private view returns (uint256) {
        if (price.isUsable()) return price.value();
        bool dead = block.timestamp >= price.publishedAt() + price.maxAge() + LEAST_SILENCE;
        require(dead, IMarginVault.StaleMarketPrice(id, price.publishedAt(), price.maxAge()));
        uint256 announced = market.epochs.finalPrice();
        return announced == 0 ? price.value() : announced;
    }

    /// @dev Ends a side's epoch with nothing of its size left and the price in its carry; the pool's position converts at once.
    function _end(
        Market storage market,
        MarketId id,
        bool long,
        Side memory side,
        uint256 priceWad,
        Position pool
    ) private returns (Position) {
        int256 sign = long ? int256(1) : int256(-1);
        SideWord end = toSideWord(0, side.sharePriceFloor(sign, priceWad * (RAY / WAD)));
        uint256 epoch = market.epochs.epochOf(long);
        market.ends[Sides.endKey(long, epoch)] = end;
        market.epochs = market.epochs.withNextEpoch(long);
        emit IMarginVault.EpochEnded(id, long, epoch, end);
        if (pool.shares() == 0 || long != pool.shares() > 0) return pool;
        (, int256 costWad) = Sides.convertedBy(end, pool.shares(), pool.cost());
        return toPosition(0, costWad, 0);
    }

    function _tell(VaultStorage storage $, Context memory context, MarketId id) private {
        Market storage market = $.markets[id];
        emit IMarginVault.SidesChanged(id, market.longSide, market.shortSide, market.epochs);
        emit IMarginVault.MarketChanged(id, market.state, market.totals, $.positions[context.pool][id]);
    }
}
