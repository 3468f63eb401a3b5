// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CollateralSale} from "./CollateralSale.sol";
import {Deal, Deals} from "./Deals.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Margin} from "./Margin.sol";
import {PartialLiquidation} from "./PartialLiquidation.sol";
import {Target, Targets} from "./Targets.sol";
import {IMarginVault, AbsorbPreview, Health} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {AssetSet, MarketId, collateralAsset, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Constants, VaultStorage} from "../types/VaultStorage.sol";
import {MICRO} from "../types/MarketWords.sol";
import {Capital, Collateral, RewardBudget, toCapital, toRewardBudget} from "../types/VaultWords.sol";

/// @notice An absorb on its way. Wad.
struct Taking {
    AccountWord word;
    AccountWord poolWord;
    /// Notional of the positions and value of the collateral taken over, at the price.
    uint256 taken;
    /// What stays with the account for want of a fresh price and is worth something, at its last good price. A stale loss is not
    /// counted: nobody makes it good before it is real.
    int256 staying;
    /// The stale losses that stay.
    uint256 waitingLoss;
}

/// @title The waterfall's further steps: an account taken over whole (docs/protocol.md, "Liquidation")
/// @notice Step 1 is PartialLiquidation. Step 2 takes over an account that it cannot serve; insurance (3) pays what was missing at the
/// price, and the pool (4) bears the rest.
library Waterfall {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;
    using Targets for Target;

    AssetSet private constant NOTHING = AssetSet.wrap(0);

    function absorb(
        VaultStorage storage $,
        Constants memory constants,
        AccountId[] calldata accounts,
        AccountId rewardTo
    ) public {
        bool any;
        for (uint256 i; i < accounts.length; ++i) {
            require(accounts[i] != rewardTo, IMarginVault.RewardToTarget(rewardTo));
            Target memory target = Targets.read($, constants, accounts[i], NOTHING);
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
        Target memory target = Targets.read($, constants, account, NOTHING);
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
        return !PartialLiquidation.serves($, constants, target);
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
        uint256 topUp = _isWorthIt(target, taking) ? _topUp($, reward, insuranceCash.positivePart()) : 0;

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
        uint256 deficit = (-target.health.equityMaintenanceWad - int256(taking.waitingLoss)).positivePart();
        insurancePaid = Math.min(
            Math.min(deficit, missing),
            $.accounts[constants.insurance].principal().positivePart()
        );
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
        // Taking next to nothing earns next to nothing, or owners would carry off, floor by floor, what backs a leg without a price.
        uint256 floor = _isWorthIt(target, taking) ? $.rewardBudget.rewardFloor() : 0;
        uint256 rated = taking.taken.mulDivDown(target.risk.absorbPenalty(), WAD);
        penalty = Math.min(taking.word.principal().positivePart(), rated > floor ? rated : floor);
        reward = penalty.mulDivDown(target.risk.keeperShare(), WAD);
        if (reward < floor) reward = Math.min(penalty, floor);
        uint256 insuranceShare = Math.min(penalty - reward, penalty.mulDivDown(target.risk.insuranceShare(), WAD));
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
                int256 value = deal.value();
                if (value > 0) taking.staying += value;
                else taking.waitingLoss += value.abs();
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
            Price price = target.priceOf(collateralAsset(index));
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
            uint256 poolAmount = CollateralSale.stock($, constants, index, amount);
            taking.poolWord = Ledger.saveCollateral($, constants.pool, taking.poolWord, index, poolAmount);
            taking.poolWord = taking.poolWord.withPrincipal(taking.poolWord.principal() - int256(paid));
            emit IMarginVault.CollateralAbsorbed(
                target.account,
                $.collateralTokens[index],
                amount,
                paid,
                $.stockSince[index]
            );
        }
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
    function _anyFresh(Target memory target) private pure returns (bool) {
        for (uint256 i; i < target.prices.length; ++i) if (target.prices[i].isFresh()) return true;
        return target.prices.length == 0;
    }
}
