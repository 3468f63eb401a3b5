// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Deal, Deals} from "./Deals.sol";
import {Fill} from "./Fill.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {ForcedLeg, Liquidation} from "./Liquidation.sol";
import {Margin, Sums} from "./Margin.sol";
import {IMarginVault, AbsorbPreview, Health, LiquidationPreview, Refusal} from "../interfaces/IMarginVault.sol";
import {AccountId, accountIdOf} from "../types/AccountId.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {AssetSet, MarketId, bitCount, collateralAsset, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Constants, VaultStorage} from "../types/VaultStorage.sol";
import {MICRO} from "../types/MarketWords.sol";
import {AccountRisk, Capital, Collateral, RewardBudget, toCapital, toRewardBudget} from "../types/VaultWords.sol";

/// @notice An account under liquidation, as read at its start.
struct Target {
    AccountId account;
    AccountWord word;
    AssetSet assets;
    Price[] prices;
    Sums sums;
    Health health;
    AccountRisk risk;
}

/// @notice A forced trade worked out in memory: nothing is stored yet.
struct ForcedTrade {
    Refusal refusal;
    Deal deal;
    int256 sizeDelta;
    uint256 fillPrice;
    uint256 fee;
    uint256 keeperReward;
    uint256 healthAfter;
}

/// @notice An absorb on its way. Wad.
struct Taking {
    AccountWord word;
    AccountWord poolWord;
    /// Notional of the positions and value of the collateral taken over, at the price.
    uint256 taken;
    /// What stays with the account for want of a fresh price and is worth something, at its last good price. A stale loss is not
    /// counted: nobody makes it good before it is real.
    int256 staying;
}

/// @title The liquidation waterfall (docs/protocol.md, "Liquidation")
/// @notice Step 1 forces a part of one position into the pool. Step 2 takes an account over whole; insurance (3) pays what was missing
/// at the price, and the pool (4) bears the rest.
library Waterfall {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;

    // ------------------------------------------------------------------ step 1: partial

    function liquidatePosition(
        VaultStorage storage $,
        Constants memory constants,
        AccountId account,
        MarketId market,
        uint256 maxSizeWad,
        AccountId taker
    ) public {
        require(taker == constants.pool, IMarginVault.TakerNotSupported(taker));
        require(maxSizeWad != 0, IMarginVault.ZeroAmount());
        AccountId keeper = accountIdOf(msg.sender, 0);
        require(keeper != account, IMarginVault.RewardToTarget(account));

        Target memory target = _read($, constants, account);
        _requireLiquidatable(target);
        ForcedTrade memory forced = _forceIntoPool($, constants, target, market, maxSizeWad);
        require(forced.refusal == Refusal.None, IMarginVault.LegRefused(account, market, forced.refusal));
        require(
            forced.healthAfter > target.health.healthWad,
            IMarginVault.HealthNotRaised(account, target.health.healthWad, forced.healthAfter)
        );

        Deals.store($, constants, forced.deal);
        Deals.saveWords($, constants, forced.deal);
        if (forced.keeperReward != 0) Ledger.addCash($, keeper, int256(forced.keeperReward));
        emit IMarginVault.PositionLiquidated(
            account,
            market,
            msg.sender,
            forced.sizeDelta,
            forced.fillPrice,
            forced.fee,
            forced.keeperReward,
            target.health.healthWad,
            forced.healthAfter
        );
    }

    function previewLiquidation(
        VaultStorage storage $,
        Constants memory constants,
        AccountId account,
        MarketId market,
        uint256 maxSizeWad
    ) public view returns (LiquidationPreview memory) {
        Target memory target = _read($, constants, account);
        _requireLiquidatable(target);
        ForcedTrade memory forced = _forceIntoPool($, constants, target, market, maxSizeWad);
        return LiquidationPreview(forced.refusal, forced.sizeDelta, forced.fillPrice, forced.fee, forced.keeperReward);
    }

    /// @dev Settles the market and closes as much of the position as brings health to its target, at the pool's fill and a fee of
    /// d on the notional at the price. All in memory.
    function _forceIntoPool(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target,
        MarketId market,
        uint256 maxSizeWad
    ) private view returns (ForcedTrade memory forced) {
        uint256 asset = MarketId.unwrap(market);
        if (!target.assets.contains(asset)) return _refused(forced, Refusal.NoPosition);
        Price price = target.prices[target.assets.rank(asset)];
        if (!price.isFresh()) return _refused(forced, Refusal.PriceStale);

        AccountWord poolWord = $.accounts[constants.pool];
        Deal memory deal = forced.deal;
        deal.load($, constants, target.account, target.word, poolWord, market, price);
        Sums memory others = deal.takeFrom(target.sums);
        others.hasPosition = bitCount(target.word.marketBits()) > 1;
        deal.settle();

        uint256 feeRate;
        (forced.refusal, forced.sizeDelta, feeRate) = _sizeAndFee($, target, deal, others, maxSizeWad);
        if (forced.refusal != Refusal.None) return forced;

        int256 skewBefore = Fill.skewOf(deal.book, deal.venue);
        forced.fee = forced.sizeDelta.abs().mulDivUp(price.value(), WAD).mulDivUp(feeRate, WAD);
        forced.keeperReward = forced.fee.mulDivDown(target.risk.keeperShare(), WAD);
        (forced.fillPrice, , ) = deal.fill(forced.sizeDelta, 0);
        deal.chargeForcedFee(forced.fee, forced.keeperReward, forced.fee.mulDivDown(target.risk.insuranceShare(), WAD));
        if (!_poolAccepts($, constants, deal, skewBefore)) return _refused(forced, Refusal.PoolMargin);

        deal.addTo(others);
        forced.healthAfter = Margin.total(others, deal.accountWord.principal(), target.risk).healthWad;
    }

    /// @dev How much to close, and the fee rate d. d is lowered so that impact and fee together stay within what health can bear;
    /// the size is then solved again.
    function _sizeAndFee(
        VaultStorage storage $,
        Target memory target,
        Deal memory deal,
        Sums memory others,
        uint256 maxSizeWad
    ) private view returns (Refusal, int256 sizeDelta, uint256 feeRate) {
        uint256 price = deal.price.value();
        int256 size = deal.size();
        uint256 base = deal.risk.maintenanceBase();
        uint256 rho = target.risk.debtMargin();
        feeRate = Liquidation.discountDown(target.health.healthWad, $.markets[deal.market].discount, base, rho);
        // Never above the discount's base, or a tolerance raised later would leave only absorb.
        uint256 leastRate = deal.terms.takerRate() + deal.price.tolerance();
        if (feeRate < _min(leastRate, $.markets[deal.market].discount.discountBase())) {
            return (Refusal.DiscountTooSmall, 0, 0);
        }

        ForcedLeg memory leg;
        leg.notional = size.abs().mulDivDown(price, WAD);
        leg.base = base;
        leg.lambda = deal.risk.lambdaMaintenance();
        leg.depth = (2 * deal.venue.skewScaleWad).mulDivDown(price, WAD);
        int256 skew = Fill.skewOf(deal.book, deal.venue);
        leg.gradient = (size > 0 ? -skew : skew).mulDivCeil(int256(WAD), int256(deal.venue.skewScaleWad));
        leg.equity = target.health.equityMaintenanceWad;
        leg.netCash = target.health.netCashWad;
        leg.otherRequirement = others.requirementMaintenance + target.risk.keeperFloor();
        leg.debtMargin = rho;
        leg.target = target.risk.targetHealth();
        int256 bound = int256(Liquidation.costBound(target.health.healthWad, base, rho));

        uint256 closed = _closedUp(leg, feeRate, size.abs(), maxSizeWad, price);
        int256 affordable = bound - Liquidation.impactUp(leg, closed.mulDivUp(price, WAD));
        if (affordable < 0) return (Refusal.ImpactTooLarge, 0, 0);
        if (affordable < int256(feeRate)) {
            feeRate = uint256(affordable);
            closed = _closedUp(leg, feeRate, size.abs(), maxSizeWad, price);
        }
        if (closed != size.abs() && size.abs() - closed < deal.terms.minimumSize()) {
            if (maxSizeWad < size.abs()) return (Refusal.RemainderBelowMinimum, 0, 0);
            closed = size.abs();
            affordable = bound - Liquidation.impactUp(leg, closed.mulDivUp(price, WAD));
            if (affordable < 0) return (Refusal.ImpactTooLarge, 0, 0);
            feeRate = _min(feeRate, uint256(affordable));
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
    function _poolAccepts(
        VaultStorage storage $,
        Constants memory constants,
        Deal memory deal,
        int256 skewBefore
    ) private view returns (bool) {
        if (Fill.skewOf(deal.book, deal.venue).abs() < skewBefore.abs()) return true;
        AssetSet assets = Ledger.assetsWith(deal.poolWord, deal.market);
        Price[] memory prices = constants.oracle.lastPrices(assets);
        Sums memory sums = Margin.collect(
            $,
            constants.pool,
            deal.poolWord,
            assets,
            prices,
            true,
            MarketId.unwrap(deal.market)
        );
        deal.addPoolTo(sums);
        return Margin.total(sums, deal.poolWord.principal(), $.accountRisk).hasInitialMargin();
    }

    function _refused(ForcedTrade memory forced, Refusal refusal) private pure returns (ForcedTrade memory) {
        forced.refusal = refusal;
        return forced;
    }

    // ------------------------------------------------------------------ steps 2 to 4: absorb

    function absorb(
        VaultStorage storage $,
        Constants memory constants,
        AccountId[] calldata accounts,
        AccountId rewardTo
    ) public {
        bool any;
        for (uint256 i; i < accounts.length; ++i) {
            require(accounts[i] != rewardTo, IMarginVault.RewardToTarget(rewardTo));
            Target memory target = _read($, constants, accounts[i]);
            if (!_absorbOpen($, constants, target)) continue;
            _absorbOne($, constants, target, rewardTo);
            any = true;
        }
        require(any, IMarginVault.NothingToAbsorb());
    }

    function previewAbsorb(
        VaultStorage storage $,
        Constants memory constants,
        AccountId account
    ) public view returns (AbsorbPreview memory) {
        Target memory target = _read($, constants, account);
        return AbsorbPreview(_absorbOpen($, constants, target), target.health);
    }

    /// @dev Open below the absorb health, or below 1 when step 1 accepts no leg; and only if there is something to take.
    function _absorbOpen(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target
    ) private view returns (bool) {
        if (!target.health.isLiquidatable() || !_anyFresh(target)) return false;
        if (target.health.healthWad < target.risk.absorbHealth()) return true;
        for (uint256 bits = target.word.marketBits(); bits != 0; bits &= bits - 1) {
            MarketId market = MarketId.wrap(uint8(lowestBit(bits)));
            Refusal refusal = _forceIntoPool($, constants, target, market, type(uint256).max).refusal;
            // A leg that waits for its price is not refused: it may yet restore the account at less loss.
            if (refusal == Refusal.None || refusal == Refusal.PriceStale) return false;
        }
        return true;
    }

    function _absorbOne(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target,
        AccountId rewardTo
    ) private {
        Taking memory taking;
        taking.word = target.word;
        taking.poolWord = $.accounts[constants.pool];
        _takePositions($, constants, target, taking);
        _takeCollaterals($, constants, target, taking);

        uint256 penalty;
        uint256 reward;
        int256 toInsurance;
        if (taking.word.principal() + taking.staying < 0) {
            toInsurance = -int256(_coverShortfall($, constants, target, taking));
        } else {
            (penalty, reward, toInsurance) = _takePenalty($, target, taking);
        }
        int256 insuranceCash = $.accounts[constants.insurance].principal() + toInsurance;
        // Taking next to nothing, from an account whose other assets wait for their prices, earns nothing.
        bool worthIt = taking.taken >= target.risk.minimumDebt();
        uint256 topUp = worthIt ? _topUp($, reward, _positive(insuranceCash)) : 0;

        Ledger.saveAccount($, target.account, taking.word);
        Ledger.saveAccount($, constants.pool, taking.poolWord);
        toInsurance -= int256(topUp);
        if (toInsurance != 0) Ledger.addCash($, constants.insurance, toInsurance);
        if (reward + topUp != 0) Ledger.addCash($, rewardTo, int256(reward + topUp));
        emit IMarginVault.Absorbed(target.account, rewardTo, penalty, reward + topUp, taking.word.principal());
    }

    /// @dev The account came out below zero. Insurance pays what was missing at the price; the pool bears its own impact, and what
    /// insurance cannot pay. What stays with the account counts at its last good price.
    /// @return insurancePaid what comes out of the insurance account's cash
    function _coverShortfall(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target,
        Taking memory taking
    ) private returns (uint256 insurancePaid) {
        uint256 missing = (taking.word.principal() + taking.staying).abs();
        uint256 deficit = _positive(-target.health.equityMaintenanceWad);
        insurancePaid = _min(_min(deficit, missing), _positive($.accounts[constants.insurance].principal()));
        uint256 poolPays = missing - insurancePaid;
        taking.word = taking.word.withPrincipal(taking.word.principal() + int256(missing));
        taking.poolWord = taking.poolWord.withPrincipal(taking.poolWord.principal() - int256(poolPays));
        if (deficit != 0) emit IMarginVault.InsurancePaid(target.account, deficit, insurancePaid);
        if (poolPays == 0) return insurancePaid;
        emit IMarginVault.PoolPaid(target.account, poolPays);
        // Openings are measured against what is left, without waiting for the next checkpoint.
        Capital capital = $.capital;
        uint256 left = capital.capitalValue() > poolPays ? capital.capitalValue() - poolPays : 0;
        $.capital = toCapital(left, capital.takenAt(), capital.maxAge());
        emit IMarginVault.CapitalChanged($.capital);
    }

    /// @dev Takes the penalty out of what the account has left, and the pool's share of it into the pool. A small account pays the keeper
    /// out of the margin that its keeper floor held for that, before insurance does.
    function _takePenalty(
        VaultStorage storage $,
        Target memory target,
        Taking memory taking
    ) private view returns (uint256 penalty, uint256 reward, int256 toInsurance) {
        uint256 floor = $.rewardBudget.rewardFloor();
        uint256 rated = taking.taken.mulDivDown(target.risk.absorbPenalty(), WAD);
        penalty = _min(_positive(taking.word.principal()), rated > floor ? rated : floor);
        reward = penalty.mulDivDown(target.risk.keeperShare(), WAD);
        if (reward < floor) reward = _min(penalty, floor);
        uint256 insuranceShare = _min(penalty - reward, penalty.mulDivDown(target.risk.insuranceShare(), WAD));
        taking.word = taking.word.withPrincipal(taking.word.principal() - int256(penalty));
        taking.poolWord = taking.poolWord.withPrincipal(
            taking.poolWord.principal() + int256(penalty - reward - insuranceShare)
        );
        toInsurance = int256(insuranceShare);
    }

    /// @dev The pool takes every position with a fresh price, at its fill price.
    function _takePositions(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target,
        Taking memory taking
    ) private {
        uint256 i;
        for (uint256 bits = target.word.marketBits(); bits != 0; bits &= bits - 1) {
            Price price = target.prices[i++]; // markets come first in an asset set
            MarketId market = MarketId.wrap(uint8(lowestBit(bits)));
            Deal memory deal;
            deal.load($, constants, target.account, taking.word, taking.poolWord, market, price);
            if (!price.isFresh()) {
                taking.staying += int256(_positive(deal.value()));
                continue;
            }
            int256 sizeDelta = -deal.size();
            taking.taken += sizeDelta.abs().mulDivDown(price.value(), WAD);
            (uint256 fillPrice, , int256 realized) = deal.fill(sizeDelta, 0);
            Deals.store($, constants, deal);
            taking.word = deal.accountWord;
            taking.poolWord = deal.poolWord;
            emit IMarginVault.PositionAbsorbed(target.account, market, sizeDelta, fillPrice, realized);
        }
    }

    /// @dev The pool buys every collateral with a fresh price, at its weighted value.
    function _takeCollaterals(
        VaultStorage storage $,
        Constants memory constants,
        Target memory target,
        Taking memory taking
    ) private {
        for (uint256 bits = target.word.collateralBits(); bits != 0; bits &= bits - 1) {
            uint256 index = lowestBit(bits);
            Price price = target.prices[target.assets.rank(collateralAsset(index))];
            Collateral collateral = $.collaterals[index];
            uint256 amount = $.collateralOf[target.account][index];
            uint256 value = Margin.collateralValueDown(collateral, amount, price);
            uint256 paid = value.mulDivDown(collateral.maintenanceWeight(), WAD);
            if (!price.isFresh()) {
                taking.staying += int256(paid);
                continue;
            }
            taking.taken += value;
            taking.word = Ledger.saveCollateral($, target.account, taking.word, index, 0);
            taking.word = taking.word.withPrincipal(taking.word.principal() + int256(paid));
            uint256 poolAmount = $.collateralOf[constants.pool][index] + amount;
            taking.poolWord = Ledger.saveCollateral($, constants.pool, taking.poolWord, index, poolAmount);
            taking.poolWord = taking.poolWord.withPrincipal(taking.poolWord.principal() - int256(paid));
            emit IMarginVault.CollateralAbsorbed(target.account, $.collateralTokens[index], amount, paid);
        }
    }

    /// @dev What insurance adds to a reward below the floor, within the hour's budget and its cash; books it against the budget.
    function _topUp(VaultStorage storage $, uint256 reward, uint256 insuranceCash) private returns (uint256 topUp) {
        RewardBudget budget = $.rewardBudget;
        uint256 floor = budget.rewardFloor();
        if (reward >= floor) return 0;
        bool newHour = block.timestamp >= budget.since() + 1 hours;
        uint256 spent = newHour ? 0 : budget.spent();
        uint256 since = newHour ? block.timestamp : budget.since();
        uint256 left = budget.perHour() > spent ? budget.perHour() - spent : 0;
        topUp = _min(_min(floor - reward, left), insuranceCash);
        uint256 booked = topUp.divUp(MICRO) * MICRO;
        $.rewardBudget = toRewardBudget(floor, budget.perHour(), spent + booked, since);
        emit IMarginVault.RewardBudgetChanged($.rewardBudget);
    }

    // ------------------------------------------------------------------ shared

    function _read(
        VaultStorage storage $,
        Constants memory constants,
        AccountId account
    ) private view returns (Target memory target) {
        require(account != constants.pool && account != constants.insurance, IMarginVault.NotATarget(account));
        target.account = account;
        target.word = $.accounts[account];
        target.assets = target.word.assets();
        target.risk = $.accountRisk;
        target.prices = constants.oracle.lastPrices(target.assets);
        target.sums = Margin.collect($, account, target.word, target.assets, target.prices, false, Margin.NO_ASSET);
        target.health = Margin.total(target.sums, target.word.principal(), target.risk);
    }

    function _requireLiquidatable(Target memory target) private pure {
        Health memory health = target.health;
        require(
            health.isLiquidatable(),
            IMarginVault.AccountHealthy(target.account, health.equityMaintenanceWad, health.requirementMaintenanceWad)
        );
    }

    /// @dev Whether the account holds anything that can be taken now, or nothing at all but a debt.
    function _anyFresh(Target memory target) private pure returns (bool) {
        for (uint256 i; i < target.prices.length; ++i) if (target.prices[i].isFresh()) return true;
        return target.prices.length == 0;
    }

    function _positive(int256 a) private pure returns (uint256) {
        return a > 0 ? uint256(a) : 0;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
