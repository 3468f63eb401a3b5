// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {Deal, Deals, Parcel} from "./Deals.sol";
import {Fill} from "./Fill.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {ForcedLeg, Liquidation} from "./Liquidation.sol";
import {Margin, Sums} from "./Margin.sol";
import {Prices} from "./Prices.sol";
import {Target, Targets} from "./Targets.sol";
import {IMarginVault, Health, LiquidationPreview, Refusal} from "../interfaces/IMarginVault.sol";
import {AccountId, accountIdOf} from "../types/AccountId.sol";
import {Account} from "../types/Account.sol";
import {AssetSet, MarketId, lowestBit} from "../types/AssetSet.sol";
import {DiscountTerms} from "../types/MarketWords.sol";
import {Position} from "../types/Position.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";

/// @notice One leg's liquidation worked out in memory: nothing is stored yet.
struct ForcedTrade {
    Refusal refusal;
    Deal deal;
    int256 sizeDelta;
    uint256 fillPrice;
    uint256 fee;
    /// Into the pool only: what it does to |skew|.
    bool growsSkew;
    /// What the keeper has of the fee, or the taker: its discount.
    uint256 reward;
    /// What insurance has of it.
    uint256 toInsurance;
    /// Whether the taker is an account without a position on the other side: then what it takes changes hands as it is.
    bool handedOver;
    Parcel parcel;
    uint256 healthAfter;
}

/// @title The waterfall's first step: part of one position (docs/protocol.md, "Liquidation")
/// @notice Closes as much as brings health to its target. Who takes it: the pool, at its fill price plus a fee, so that a keeper needs no
/// capital; or an account that the caller may act for, at the price less the discount, which must hold initial margin after it.
library PartialLiquidation {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;
    using Margin for Sums;
    using Targets for Target;

    /// @param taker the pool's account, or one that the caller may act for: the vault has checked that
    function liquidatePosition(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) public {
        require(maxSizeWad != 0, IMarginVault.ZeroAmount());
        bool intoPool = taker == context.pool;
        AccountId rewarded = intoPool ? accountIdOf(msg.sender, 0) : taker;
        require(rewarded != account, IMarginVault.RewardToTarget(account));

        Target memory target = Targets.read($, context, account, _besides($, context, market, taker));
        target.requireLiquidatable();
        target.requireNoGrace();
        ForcedTrade memory forced = _force($, context, target, market, maxSizeWad, taker);
        _askPool($, context, forced);
        uint256 healthBefore = target.health.healthWad;
        require(forced.refusal == Refusal.None, IMarginVault.LegRefused(account, market, forced.refusal));
        require(
            forced.healthAfter > healthBefore,
            IMarginVault.HealthNotRaised(account, healthBefore, forced.healthAfter)
        );

        if (intoPool) {
            Deals.store($, context, forced.deal);
            Ledger.save($, context, account, forced.deal.accountWord);
            if (forced.reward != 0) Ledger.addCash($, context, rewarded, int256(forced.reward));
            Deals.savePool($, context, forced.deal);
        } else {
            _give($, context, target, forced, taker);
        }
        CashBook.save($, context);
        emit IMarginVault.PositionLiquidated(
            account,
            market,
            taker,
            msg.sender,
            forced.sizeDelta,
            forced.fillPrice,
            forced.fee,
            forced.reward,
            healthBefore,
            forced.healthAfter
        );
    }

    function previewLiquidation(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) public view returns (LiquidationPreview memory) {
        Target memory target = Targets.read($, context, account, _besides($, context, market, taker));
        target.requireLiquidatable();
        ForcedTrade memory forced;
        if (target.inGrace()) {
            forced.refusal = Refusal.SequencerGrace;
        } else {
            forced = _force($, context, target, market, maxSizeWad, taker);
            _askPool($, context, forced);
        }
        return LiquidationPreview(forced.refusal, forced.sizeDelta, forced.fillPrice, forced.fee, forced.reward);
    }

    /// @notice Whether the pool serves an account that is liquidatable: it accepts one of its positions, or one waits for its price, and
    /// may yet restore the account at less loss than an absorb. The pool's margin is read once, however many positions ask for it.
    function serves(VaultStorage storage $, Context memory context, Target memory target) public view returns (bool) {
        bool isRead;
        Sums memory sums;
        for (uint256 bits = target.word.marketBits(); bits != 0; bits &= bits - 1) {
            MarketId market = MarketId.wrap(uint8(lowestBit(bits)));
            ForcedTrade memory forced = _force($, context, target, market, type(uint256).max, context.pool);
            if (forced.refusal == Refusal.PriceStale) return true;
            if (forced.refusal != Refusal.None) continue;
            if (!forced.growsSkew) return true;
            if (!isRead) sums = poolSums($, context);
            isRead = true;
            Position position = $.positions[context.pool][market];
            Sums memory others;
            forced.deal.addPoolLeg(others, position.shares(), position.cost());
            Margin.toRest(others, sums);
            if (_poolBears($, forced.deal, others)) return true;
        }
        return false;
    }

    /// @notice The sums of the pool's assets, at the last good prices.
    function poolSums(VaultStorage storage $, Context memory context) internal view returns (Sums memory) {
        return _poolSums($, context, Margin.NO_ASSET);
    }

    // ------------------------------------------------------------------ in memory

    /// @dev The assets whose prices the taker's margin needs.
    function _besides(
        VaultStorage storage $,
        Context memory context,
        MarketId market,
        AccountId taker
    ) private view returns (AssetSet assets) {
        if (taker != context.pool) assets = Ledger.assetsWith(Ledger.load($, context, taker), market);
    }

    /// @dev Closes as much of the position as brings health to its target, at a fee of d on the notional at the price.
    function _force(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) private view returns (ForcedTrade memory forced) {
        uint256 asset = MarketId.unwrap(market);
        if (!target.word.assets().contains(asset)) {
            forced.refusal = Refusal.NoPosition;
            return forced;
        }
        Price price = target.priceOf(asset);
        Deal memory deal = forced.deal;
        deal.load($, context, target.account, target.word, Ledger.load($, context, context.pool), market, price);
        if (deal.size() == 0) {
            // settling pays it, without a price
            forced.refusal = Refusal.NoPosition;
            return forced;
        }
        if (!price.isUsable()) {
            forced.refusal = Refusal.PriceStale;
            return forced;
        }

        bool intoPool = taker == context.pool;
        Sums memory others = deal.takeFrom(target.sums);
        uint256 positions = target.word.marketBits();
        others.hasPosition = positions & (positions - 1) != 0; // more than this one

        uint256 feeRate;
        int256 skew = Fill.skewOf(deal.book, deal.venue);
        (forced.refusal, forced.sizeDelta, feeRate) = _sizeAndFee($, target, deal, others, skew, maxSizeWad, intoPool);
        if (forced.refusal != Refusal.None) return forced;

        forced.fee = forced.sizeDelta.abs().mulDivUp(price.value(), WAD).mulDivUp(feeRate, WAD);
        forced.toInsurance = forced.fee.mulDivDown(target.risk.insuranceShare(), WAD);
        if (intoPool) {
            deal.settle();
            (forced.fillPrice, , ) = deal.fill(forced.sizeDelta, 0);
            forced.reward = forced.fee.mulDivDown(target.risk.keeperShare(), WAD);
            deal.chargeForcedFee(forced.fee, forced.reward, forced.toInsurance);
            forced.growsSkew = Fill.skewOf(deal.book, deal.venue).abs() >= skew.abs();
        } else {
            forced.fillPrice = price.value();
            forced.reward = forced.fee - forced.toInsurance;
            forced.handedOver = !$.positions[taker][market].shares().opposes(deal.size());
            if (forced.handedOver) forced.parcel = deal.handOut(forced.sizeDelta.abs());
            else deal.cross(forced.sizeDelta);
            deal.addCash(-int256(forced.fee));
        }
        deal.addTo(others);
        forced.healthAfter = Margin.total(others, deal.accountWord.cash(), target.risk).healthWad;
    }

    /// @dev How much to close, and the fee rate d. Into the pool, d is lowered so that impact and fee together stay within what health can
    /// bear; the size is then solved again. An account takes at the price, where d is within that by itself.
    function _sizeAndFee(
        VaultStorage storage $,
        Target memory target,
        Deal memory deal,
        Sums memory others,
        int256 skew,
        uint256 maxSizeWad,
        bool intoPool
    ) private view returns (Refusal, int256 sizeDelta, uint256 feeRate) {
        uint256 price = deal.price.value();
        int256 size = deal.size();
        uint256 whole = size.abs();
        uint256 base = deal.risk.maintenanceBase();
        uint256 rho = target.risk.debtMargin();
        DiscountTerms discount = $.markets[deal.market].discount;
        feeRate = Liquidation.discountDown(target.health.healthWad, discount, base, rho);
        // Never above the discount's base, or a tolerance raised later would leave only absorb.
        uint256 leastRate = deal.terms.takerRate() + deal.price.tolerance();
        if (feeRate < Math.min(leastRate, discount.discountBase())) {
            return (Refusal.DiscountTooSmall, 0, 0);
        }

        ForcedLeg memory leg;
        leg.atPrice = !intoPool;
        leg.notional = whole.mulDivDown(price, WAD);
        leg.base = base;
        leg.lambda = deal.risk.lambdaMaintenance();
        leg.depth = (2 * deal.venue.skewScaleWad).mulDivDown(price, WAD);
        leg.gradient = (size > 0 ? -skew : skew).mulDivCeil(int256(WAD), int256(deal.venue.skewScaleWad));
        leg.equity = target.health.equityMaintenanceWad;
        leg.netCash = target.health.netCashWad;
        leg.otherRequirement = others.requirementMaintenance + target.risk.keeperFloor();
        leg.debtMargin = rho;
        leg.target = target.risk.targetHealth();
        int256 bound = int256(Liquidation.costBound(target.health.healthWad, base, rho));

        uint256 closed = _closedUp(leg, feeRate, whole, maxSizeWad, price);
        int256 affordable = bound - Liquidation.impactUp(leg, closed.mulDivUp(price, WAD));
        if (affordable < 0) return (Refusal.ImpactTooLarge, 0, 0);
        if (affordable < int256(feeRate)) {
            feeRate = uint256(affordable);
            closed = _closedUp(leg, feeRate, whole, maxSizeWad, price);
        }
        if (closed != whole && whole - closed < deal.terms.minimumSize()) {
            if (maxSizeWad < whole) return (Refusal.RemainderBelowMinimum, 0, 0);
            closed = whole;
            affordable = bound - Liquidation.impactUp(leg, closed.mulDivUp(price, WAD));
            if (affordable < 0) return (Refusal.ImpactTooLarge, 0, 0);
            feeRate = Math.min(feeRate, uint256(affordable));
        }
        return (Refusal.None, size > 0 ? -int256(closed) : int256(closed), feeRate);
    }

    /// @dev The size to close at this fee rate, at most `maxSizeWad`.
    function _closedUp(
        ForcedLeg memory leg,
        uint256 feeRate,
        uint256 sizeWad,
        uint256 maxSizeWad,
        uint256 priceWad
    ) private pure returns (uint256 closed) {
        uint256 remainder = Liquidation.remainderDown(leg, feeRate).mulDivDown(WAD, priceWad);
        closed = remainder < sizeWad ? sizeWad - remainder : 0;
        if (closed > maxSizeWad) closed = maxSizeWad;
    }

    /// @dev The pool accepts what lowers |skew|, or leaves its own free margin at or above zero.
    function _askPool(VaultStorage storage $, Context memory context, ForcedTrade memory forced) private view {
        if (!forced.growsSkew) return;
        Sums memory others = _poolSums($, context, MarketId.unwrap(forced.deal.market));
        if (!_poolBears($, forced.deal, others)) forced.refusal = Refusal.PoolMargin;
    }

    function _poolSums(
        VaultStorage storage $,
        Context memory context,
        uint256 except
    ) private view returns (Sums memory) {
        Account word = Ledger.load($, context, context.pool);
        AssetSet assets = word.assets();
        Price[] memory prices = Prices.all(context.oracle, assets);
        return Margin.collect($, context.pool, word, assets, prices, true, except);
    }

    /// @dev Whether the pool has initial margin with its position as the deal has it, and its others.
    function _poolBears(VaultStorage storage $, Deal memory deal, Sums memory others) private view returns (bool) {
        deal.addPoolTo(others);
        return Margin.total(others, deal.poolWord.cash(), $.accountRisk).hasInitialMargin();
    }

    // ------------------------------------------------------------------ to an account

    /// @dev Stores what the target gave and what the taker has of it, and checks that the taker can bear it.
    function _give(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        ForcedTrade memory forced,
        AccountId taker
    ) private {
        Deal memory deal = forced.deal;
        Account takerWord = Ledger.load($, context, taker);
        // Not handed over, it goes through the pool, whose position is the same after both halves.
        if (forced.handedOver) Deals.storePosition($, deal);
        else Deals.store($, context, deal);

        Deal memory taking;
        taking.load($, context, taker, takerWord, deal.poolWord, deal.market, deal.price);
        bool unsettled = taking.size() == 0 && $.positions[taker][deal.market].shares() != 0;
        require(!unsettled, IMarginVault.UnsettledResult(taker, deal.market));
        if (forced.handedOver) {
            taking.takeOver(forced.parcel);
            Deals.storePosition($, taking);
        } else {
            taking.cross(-forced.sizeDelta);
            Deals.store($, context, taking);
            Ledger.save($, context, context.pool, taking.poolWord);
        }
        taking.addCash(int256(forced.reward));
        Ledger.save($, context, deal.account, deal.accountWord);
        Ledger.save($, context, taker, taking.accountWord);
        Account insurance = Ledger.load($, context, context.insurance).plusCash(int256(forced.toInsurance));
        if (forced.toInsurance != 0) Ledger.saveLast($, context, context.insurance, insurance);
        _requireTakerSound($, target, taking, takerWord);
    }

    function _requireTakerSound(
        VaultStorage storage $,
        Target memory target,
        Deal memory taking,
        Account wordBefore
    ) private view {
        taking.requireRoom();
        uint256 sizeAfter = taking.size().abs();
        uint256 minimum = taking.terms.minimumSize();
        require(
            sizeAfter == 0 || sizeAfter >= minimum,
            IMarginVault.PositionBelowMinimum(taking.market, sizeAfter, minimum)
        );
        Ledger.requireFewAssets(taking.account, taking.accountWord);
        Ledger.requireDebtAboveMinimum(taking.account, taking.accountWord, target.risk);
        uint256 asset = MarketId.unwrap(taking.market);
        Sums memory sums = Margin.collect($, taking.account, wordBefore, target.assets, target.prices, false, asset);
        taking.addTo(sums);
        sums.requireCovered(taking.accountWord.cash(), target.risk, taking.account);
    }
}
