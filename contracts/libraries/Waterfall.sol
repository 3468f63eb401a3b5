// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {CollateralSale} from "./CollateralSale.sol";
import {Deal, Deals} from "./Deals.sol";
import {Deleverage, Deleveraging} from "./Deleveraging.sol";
import {Fill} from "./Fill.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Losses} from "./Losses.sol";
import {Margin, Sums} from "./Margin.sol";
import {PartialLiquidation} from "./PartialLiquidation.sol";
import {PoolValue} from "./PoolValue.sol";
import {Target, Targets} from "./Targets.sol";
import {IMarginVault, AbsorbPreview, Health} from "../interfaces/IMarginVault.sol";
import {Account} from "../types/Account.sol";
import {AccountId} from "../types/AccountId.sol";
import {AssetSet, MarketId, bitCount, collateralAsset, lowestBit} from "../types/AssetSet.sol";
import {HourBudget} from "../types/CashWords.sol";
import {DELISTED, MICRO} from "../types/MarketWords.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk, RewardBudget, toRewardBudget} from "../types/VaultWords.sol";

/// @notice What becomes of one position of an absorbed account.
enum Fate {
    /// It waits for its price.
    Stays,
    /// It has no size left: its result is final.
    Finished,
    /// The pool takes it at its fill price.
    ToPool,
    /// It is closed against the other side of its market.
    Deleveraged
}

/// @notice A position of an absorbed account, worked out in memory: nothing is stored yet.
struct Leg {
    Fate fate;
    Deal deal;
    /// To the pool: what it does to the account's size, at which price, and what the account has realised by it. Wad.
    int256 sizeDelta;
    uint256 fillPrice;
    int256 realized;
    Deleverage deleverage;
}

/// @notice An absorb on its way. Wad.
struct Taking {
    Account word;
    Account poolWord;
    Leg[] legs;
    /// How many of them are worked out.
    uint256 planned;
    /// Notional of the positions and value of the collateral taken over, at the price.
    uint256 taken;
    /// What stays with the account for want of a usable price and is worth something, at its last good price. A stale loss is not
    /// counted: nobody makes it good before it is real.
    uint256 staying;
    /// What closing against the other sides can raise at most: sum of notional * maintenance base / (1 + rho).
    uint256 bearable;
    /// What the pool pays for collateral.
    uint256 collateralPaid;
}

/// @notice How an account is to be taken over.
struct Terms {
    /// Way B: nothing goes to the pool.
    bool wayB;
    /// What closing against the other sides must raise, of how much that it can.
    uint256 missing;
    uint256 bearable;
}

/// @notice The pool's margin while it is offered the positions of one account: its sums before, the legs that it gave for those that it has
/// now instead.
struct PoolMargin {
    bool isRead;
    Sums sums;
    Sums gone;
    Sums come;
}

/// @title The waterfall's further steps: an account taken over whole (docs/protocol.md, "Liquidation")
/// @notice Step 1 is PartialLiquidation. Step 2 takes over an account that it cannot serve. Way A, if the account can pay for it: the
/// pool takes each position that it can bear, at its fill price. Else way B: what is missing at the price is borne by insurance (3), the
/// pool (4), the other sides of the account's markets, against which everything is closed (5), and suppliers of cash (6). All in one
/// transaction, so that nobody can leave between a loss and its booking.
library Waterfall {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Losses for HourBudget;
    using Margin for Health;
    using Targets for Target;

    AssetSet private constant NOTHING = AssetSet.wrap(0);

    function absorb(
        VaultStorage storage $,
        Context memory context,
        AccountId[] calldata accounts,
        AccountId rewardTo
    ) public {
        bool any;
        bool poolLost;
        for (uint256 i; i < accounts.length; ++i) {
            require(accounts[i] != rewardTo, IMarginVault.RewardToTarget(rewardTo));
            Target memory target = Targets.read($, context, accounts[i], NOTHING);
            if (!_absorbOpen($, context, target)) continue;
            if (!any && $.badDebt != 0) {
                Losses.sweepInterest($, context);
                Losses.cover($, context);
            }
            if (_absorbOne($, context, target, rewardTo)) poolLost = true;
            any = true;
        }
        require(any, IMarginVault.NothingToAbsorb());
        CashBook.save($, context);
        // Openings are measured against what is left, without waiting for the next checkpoint.
        if (poolLost) PoolValue.refreshCapital($, context);
    }

    function previewAbsorb(
        VaultStorage storage $,
        Context memory context,
        AccountId account
    ) public view returns (AbsorbPreview memory) {
        Target memory target = Targets.read($, context, account, NOTHING);
        return AbsorbPreview(_absorbOpen($, context, target), target.health);
    }

    // ------------------------------------------------------------------ step 2

    /// @dev Open below the absorb health, or below 1 when step 1 accepts no leg; and only if there is something to take.
    function _absorbOpen(
        VaultStorage storage $,
        Context memory context,
        Target memory target
    ) private view returns (bool) {
        if (!target.health.isLiquidatable() || target.inGrace() || !_anythingToTake($, target)) return false;
        if (target.health.healthWad < target.risk.absorbHealth()) return true;
        return !PartialLiquidation.serves($, context, target);
    }

    /// @return poolLost whether the pool's value has fallen by it
    function _absorbOne(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        AccountId rewardTo
    ) private returns (bool poolLost) {
        Taking memory taking = _plan($, context, target, Terms(false, 0, 0));
        bool wayB = _missing(taking) != 0;
        if (wayB) (taking, poolLost) = _wayB($, context, target);
        else _take($, context, target, taking);

        uint256 penalty;
        uint256 reward;
        int256 toInsurance;
        if (taking.word.cash() + int256(taking.staying) > 0) {
            (penalty, reward, toInsurance) = _takePenalty($, target, taking, wayB);
        }
        uint256 insurance = (Ledger.load($, context, context.insurance).cash() + toInsurance).positivePart();
        uint256 topUp = _isWorthIt(target, taking) ? _topUp($, reward, insurance) : 0;

        Ledger.save($, context, target.account, taking.word);
        toInsurance -= int256(topUp);
        if (toInsurance != 0) Ledger.addCash($, context, context.insurance, toInsurance);
        if (rewardTo == context.pool) taking.poolWord = taking.poolWord.plusCash(int256(reward + topUp));
        else if (reward + topUp != 0) Ledger.addCash($, context, rewardTo, int256(reward + topUp));
        Ledger.saveLast($, context, context.pool, taking.poolWord);
        emit IMarginVault.Absorbed(target.account, rewardTo, wayB, penalty, reward + topUp, taking.word.cash());
    }

    // ------------------------------------------------------------------ in memory

    /// @dev Works out what becomes of everything that the account has. Way A: the pool takes each position that it accepts. The others,
    /// in way B all, are closed against the other side of their market.
    function _plan(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        Terms memory terms
    ) private view returns (Taking memory taking) {
        taking.word = target.word;
        taking.poolWord = Ledger.load($, context, context.pool);
        taking.legs = new Leg[](bitCount(target.word.marketBits()));
        PoolMargin memory pool;
        for (uint256 bits = target.word.marketBits(); bits != 0; bits &= bits - 1) {
            MarketId market = MarketId.wrap(uint8(lowestBit(bits)));
            Leg memory leg = taking.legs[taking.planned];
            _loadLeg($, context, target, taking, market, leg);
            if (leg.fate == Fate.Stays) {
                taking.staying += leg.deal.value().positivePart();
            } else if (leg.fate == Fate.Finished) {
                leg.deal.addPoolTo(pool.gone);
                leg.deal.finish(); // the pool mirrors it
                leg.deal.addPoolTo(pool.come);
            } else if (terms.wayB) {
                _close(leg, pool, taking, terms, target.risk);
            } else if (!_offerToPool($, context, leg, pool)) {
                _loadLeg($, context, target, taking, market, leg); // anew: the offer has filled it
                _close(leg, pool, taking, terms, target.risk);
            }
            if (leg.fate != Fate.Stays) taking.taken += leg.sizeDelta.abs().mulDivDown(leg.deal.price.value(), WAD);
            ++taking.planned;
            (taking.word, taking.poolWord) = (leg.deal.accountWord, leg.deal.poolWord);
        }
        _priceCollaterals($, target, taking);
    }

    /// @dev A position of the target as it stands, in place.
    function _loadLeg(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        Taking memory taking,
        MarketId market,
        Leg memory leg
    ) private view {
        Price price = target.prices[taking.planned]; // markets come first in an asset set
        Deal memory deal = leg.deal;
        deal.load($, context, target.account, taking.word, taking.poolWord, market, price);
        leg.sizeDelta = -deal.size();
        if (leg.sizeDelta == 0) leg.fate = Fate.Finished;
        else if (price.isUsable()) leg.fate = Fate.ToPool;
    }

    /// @dev Fills a position into the pool, in memory.
    /// @return accepted if |skew| falls by it or the pool has initial margin after it, together with what it took of this account before.
    /// Markets that it is in besides count at their last good prices.
    function _offerToPool(
        VaultStorage storage $,
        Context memory context,
        Leg memory leg,
        PoolMargin memory pool
    ) private view returns (bool accepted) {
        Deal memory deal = leg.deal;
        Sums memory gone = Margin.copy(pool.gone);
        Sums memory come = Margin.copy(pool.come);
        deal.addPoolTo(gone);
        uint256 skew = Fill.skewOf(deal.book, deal.venue).abs();
        (leg.fillPrice, , leg.realized) = deal.fill(leg.sizeDelta, 0);
        deal.addPoolTo(come);
        accepted = Fill.skewOf(deal.book, deal.venue).abs() < skew;
        if (!accepted) {
            if (!pool.isRead) pool.sums = PartialLiquidation.poolSums($, context);
            pool.isRead = true;
            Sums memory sums = Margin.copy(gone);
            Margin.toRest(sums, pool.sums);
            Margin.plus(sums, come);
            accepted = Margin.total(sums, deal.poolWord.cash(), $.accountRisk).hasInitialMargin();
        }
        if (accepted) (pool.gone, pool.come) = (gone, come);
    }

    /// @dev Closes a position against the other side, in memory. The pool's own position there changes with it: it mirrors what the account
    /// realises, and is part of the other side or not.
    function _close(
        Leg memory leg,
        PoolMargin memory pool,
        Taking memory taking,
        Terms memory terms,
        AccountRisk risk
    ) private pure {
        Deal memory deal = leg.deal;
        leg.fate = Fate.Deleveraged;
        taking.bearable += Deleveraging.bearableDown(deal, leg.sizeDelta.abs(), risk);
        bool long = leg.sizeDelta < 0;
        uint256 priceRay = Deleveraging.closingPriceRay(deal, long, terms.missing, terms.bearable, risk);
        deal.addPoolTo(pool.gone);
        leg.deleverage = Deleveraging.close(deal, priceRay);
        deal.addPoolTo(pool.come);
    }

    /// @dev What the pool will pay for collateral with a usable price; what has none stays.
    function _priceCollaterals(VaultStorage storage $, Target memory target, Taking memory taking) private view {
        for (uint256 bits = target.word.collateralBits(); bits != 0; bits &= bits - 1) {
            uint256 index = lowestBit(bits);
            Price price = target.priceOf(collateralAsset(index));
            uint256 amount = $.collateralOf[target.account][index];
            uint256 weighted = Margin.weightedDown($.collaterals[index], amount, price);
            if (price.isUsable()) taking.collateralPaid += weighted;
            else taking.staying += weighted;
        }
    }

    /// @dev What the account cannot pay (wad), if this is done.
    function _missing(Taking memory taking) private pure returns (uint256) {
        return (-taking.word.cash() - int256(taking.collateralPaid + taking.staying)).positivePart();
    }

    // ------------------------------------------------------------------ way B: steps 3 to 6

    /// @dev Insurance and the pool pay what is missing at the price; then positions are closed so far from it that they raise the rest;
    /// what that cannot is written off. The account ends at zero, what stays aside.
    /// @return taking what was done
    /// @return poolLost whether the pool may have lost by it, itself, as one of the other sides, or as a supplier
    function _wayB(
        VaultStorage storage $,
        Context memory context,
        Target memory target
    ) private returns (Taking memory taking, bool poolLost) {
        taking = _plan($, context, target, Terms(true, 0, 0));
        uint256 deficit = _missing(taking);
        if (deficit == 0) {
            _take($, context, target, taking);
            return (taking, false);
        }
        uint256 missing = deficit - _insurancePays($, context, target.account, deficit);
        poolLost = missing != 0;
        if (missing != 0) missing -= _poolPays($, context, target.account, missing);
        target.word = target.word.plusCash(int256(deficit - missing));
        taking = _plan($, context, target, Terms(true, missing, taking.bearable));
        _take($, context, target, taking);

        uint256 unpaid = (-taking.word.cash() - int256(taking.staying)).positivePart();
        if (unpaid == 0) return (taking, poolLost);
        // Saved before: the pool bears its part, and what the account had is no supply any more.
        Ledger.save($, context, target.account, taking.word);
        Ledger.save($, context, context.pool, taking.poolWord);
        uint256 writtenOff = Losses.writeOff($, context, unpaid);
        Losses.addBadDebt($, unpaid - writtenOff);
        taking.poolWord = Ledger.load($, context, context.pool);
        taking.word = taking.word.plusCash(int256(unpaid));
        emit IMarginVault.LossWrittenOff(target.account, writtenOff, unpaid - writtenOff);
        return (taking, true);
    }

    function _insurancePays(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        uint256 deficit
    ) private returns (uint256 paid) {
        Losses.sweepInterest($, context);
        paid = Math.min(deficit, Losses.insuranceCash($, context));
        if (paid != 0) Ledger.addCash($, context, context.insurance, -int256(paid));
        emit IMarginVault.InsurancePaid(account, deficit, paid);
    }

    function _poolPays(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        uint256 missing
    ) private returns (uint256 paid) {
        HourBudget budget = Losses.poolBudget($, context);
        paid = Math.min(missing, budget.left());
        if (paid == 0) return 0;
        Losses.spendPool($, budget, paid);
        Ledger.addCash($, context, context.pool, -int256(paid));
        emit IMarginVault.PoolPaid(account, paid);
    }

    // ------------------------------------------------------------------ in storage

    function _take(VaultStorage storage $, Context memory context, Target memory target, Taking memory taking) private {
        _storeLegs($, context, taking);
        _takeCollaterals($, context, target, taking);
    }

    /// @dev Writes what was worked out of the positions. Cash stands in the words of the taking.
    function _storeLegs(VaultStorage storage $, Context memory context, Taking memory taking) private {
        for (uint256 i; i < taking.legs.length; ++i) {
            Leg memory leg = taking.legs[i];
            if (leg.fate == Fate.Stays) continue;
            Deal memory deal = leg.deal;
            (deal.accountWord, deal.poolWord) = (taking.word, taking.poolWord);
            Deals.store($, context, deal);
            (taking.word, taking.poolWord) = (deal.accountWord, deal.poolWord);
            _tell($, leg);
        }
    }

    function _tell(VaultStorage storage $, Leg memory leg) private {
        Deal memory deal = leg.deal;
        AccountId account = deal.account;
        if (leg.fate == Fate.ToPool) {
            emit IMarginVault.PositionAbsorbed(account, deal.market, leg.sizeDelta, leg.fillPrice, leg.realized);
        } else if (leg.fate == Fate.Deleveraged) {
            Deleveraging.store($, deal, leg.deleverage);
            Deleverage memory done = leg.deleverage;
            emit IMarginVault.PositionDeleveraged(account, deal.market, done.sizeWad, done.priceRay, done.realizedWad);
        }
    }

    /// @dev Takes the penalty out of what the account has left, and the pool's share of it into the pool. A small account pays the keeper
    /// out of the margin that its keeper floor held for that, before insurance does. In way B insurance has what is left: the account could
    /// not have paid for being closed, and would else be the better for having it done to it.
    function _takePenalty(
        VaultStorage storage $,
        Target memory target,
        Taking memory taking,
        bool wayB
    ) private view returns (uint256 penalty, uint256 reward, int256 toInsurance) {
        // Taking next to nothing earns next to nothing, or owners would carry off, floor by floor, what backs a leg without a price.
        uint256 floor = _isWorthIt(target, taking) ? $.rewardBudget.rewardFloor() : 0;
        uint256 rated = taking.taken.mulDivDown(target.risk.absorbPenalty(), WAD);
        penalty = Math.min(taking.word.cash().positivePart(), rated > floor ? rated : floor);
        reward = penalty.mulDivDown(target.risk.keeperShare(), WAD);
        if (reward < floor) reward = Math.min(penalty, floor);
        uint256 insuranceShare = Math.min(penalty - reward, penalty.mulDivDown(target.risk.insuranceShare(), WAD));
        taking.word = taking.word.plusCash(-int256(penalty));
        taking.poolWord = taking.poolWord.plusCash(int256(penalty - reward - insuranceShare));
        if (wayB) {
            uint256 rest = taking.word.cash().positivePart();
            taking.word = taking.word.plusCash(-int256(rest));
            (penalty, insuranceShare) = (penalty + rest, insuranceShare + rest);
        }
        toInsurance = int256(insuranceShare);
    }

    /// @dev The pool buys every collateral with a usable price, at its weighted value.
    function _takeCollaterals(
        VaultStorage storage $,
        Context memory context,
        Target memory target,
        Taking memory taking
    ) private {
        for (uint256 bits = target.word.collateralBits(); bits != 0; bits &= bits - 1) {
            uint256 index = lowestBit(bits);
            Price price = target.priceOf(collateralAsset(index));
            if (price.isUsable()) _takeCollateral($, context, target.account, taking, index, price);
        }
    }

    function _takeCollateral(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Taking memory taking,
        uint256 index,
        Price price
    ) private {
        uint256 amount = $.collateralOf[account][index];
        uint256 paid = Margin.weightedDown($.collaterals[index], amount, price);
        taking.taken += Margin.collateralValueDown($.collaterals[index], amount, price);
        taking.word = Ledger.saveCollateral($, account, taking.word, index, 0).plusCash(int256(paid));
        uint256 poolAmount = CollateralSale.stock($, context, index, amount);
        taking.poolWord = Ledger.saveCollateral($, context.pool, taking.poolWord, index, poolAmount);
        taking.poolWord = taking.poolWord.plusCash(-int256(paid));
        emit IMarginVault.CollateralAbsorbed(account, $.collateralTokens[index], amount, paid, $.stockSince[index]);
    }

    /// @dev Whether enough was taken to earn the least reward, and not dust of an account whose other assets wait for their prices.
    function _isWorthIt(Target memory target, Taking memory taking) private pure returns (bool) {
        return taking.taken >= target.risk.minimumDebt();
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
        topUp = Math.min(Math.min(floor - reward, left), insuranceCash);
        uint256 booked = topUp.divUp(MICRO) * MICRO;
        $.rewardBudget = toRewardBudget(floor, budget.perHour(), spent + booked, since);
        emit IMarginVault.RewardBudgetChanged($.rewardBudget);
    }

    /// @dev Whether the account holds anything that can be taken now, or nothing at all but a debt.
    function _anythingToTake(VaultStorage storage $, Target memory target) private view returns (bool) {
        for (uint256 i; i < target.prices.length; ++i) if (target.prices[i].isUsable()) return true;
        for (uint256 bits = target.word.marketBits(); bits != 0; bits &= bits - 1) {
            if ($.markets[MarketId.wrap(uint8(lowestBit(bits)))].state.has(DELISTED)) return true;
        }
        return target.prices.length == 0;
    }
}
