// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {PoolValue} from "./PoolValue.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {HourBudget, toHourBudget} from "../types/CashWords.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";

/// @title Who bears a loss, and how much of it in an hour
/// @notice Insurance pays first what it has; the pool up to a share of its value an hour; suppliers of cash up to a share of what they
/// have an hour, through the supply index; what is left is bad debt, which insurance pays before anything else. One budget for all
/// accounts: a batch of split ones gains nothing.
library Losses {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// @notice What insurance can pay (wad).
    function insuranceCash(VaultStorage storage $, Context memory context) internal view returns (uint256) {
        return Ledger.load($, context, context.insurance).cash().positivePart();
    }

    /// @notice The pool's budget as it stands now: of a new hour, if the last has ended.
    function poolBudget(VaultStorage storage $, Context memory context) internal view returns (HourBudget budget) {
        budget = $.poolLosses;
        if (!_ended(budget)) return budget;
        (int256 valueWad, , , ) = PoolValue.read($, context);
        return toHourBudget(_shareOf(valueWad.positivePart(), $.cashTerms.poolLossPerHour()), 0, block.timestamp);
    }

    /// @notice What is left of a budget.
    function left(HourBudget budget) internal pure returns (uint256) {
        return budget.allowed() > budget.spent() ? budget.allowed() - budget.spent() : 0;
    }

    /// @notice Books what the pool has paid.
    function spendPool(VaultStorage storage $, HourBudget budget, uint256 paidWad) internal {
        $.poolLosses = toHourBudget(budget.allowed(), budget.spent() + paidWad, budget.since());
        _tell($);
    }

    /// @notice Takes a loss off suppliers of cash, as far as their budget goes; the rest becomes bad debt. Every account in memory must be
    /// saved before.
    /// @return writtenOffWad what suppliers bore
    function writeOff(
        VaultStorage storage $,
        Context memory context,
        uint256 lossWad
    ) internal returns (uint256 writtenOffWad) {
        HourBudget budget = $.writeOffs;
        if (_ended(budget)) {
            uint256 supplied = CashBook.suppliedWad($, context);
            budget = toHourBudget(_shareOf(supplied, $.cashTerms.writeOffPerHour()), 0, block.timestamp);
        }
        writtenOffWad = CashBook.writeOff($, context, Math.min(lossWad, left(budget)));
        $.writeOffs = toHourBudget(budget.allowed(), budget.spent() + writtenOffWad, budget.since());
        _tell($);
    }

    /// @notice Books a loss that nobody has borne.
    function addBadDebt(VaultStorage storage $, uint256 amountWad) internal {
        if (amountWad == 0) return;
        $.badDebt += amountWad;
        _tell($);
    }

    /// @notice Lets insurance pay bad debt.
    /// @return paidWad zero where there is none, or nothing to pay it with
    function cover(VaultStorage storage $, Context memory context) internal returns (uint256 paidWad) {
        uint256 owed = $.badDebt;
        if (owed == 0) return 0;
        paidWad = Math.min(owed, insuranceCash($, context));
        if (paidWad == 0) return 0;
        Ledger.addCash($, context, context.insurance, -int256(paidWad));
        $.badDebt = owed - paidWad;
        emit IMarginVault.BadDebtCovered(paidWad, owed - paidWad);
        _tell($);
    }

    /// @notice Moves the insurance account's share of interest, up to now, to its cash.
    /// @return sweptWad
    function sweepInterest(VaultStorage storage $, Context memory context) internal returns (uint256 sweptWad) {
        CashBook.write($, context); // what has accrued
        sweptWad = $.interestUnswept;
        if (sweptWad == 0) return 0;
        $.interestUnswept = 0;
        Ledger.addCash($, context, context.insurance, int256(sweptWad));
        CashBook.write($, context);
        emit IMarginVault.InterestSwept(sweptWad);
    }

    function _ended(HourBudget budget) private view returns (bool) {
        return block.timestamp >= budget.since() + 1 hours;
    }

    function _shareOf(uint256 amountWad, uint256 shareWad) private pure returns (uint256) {
        return Math.min(amountWad.mulDivDown(shareWad, WAD), type(uint104).max);
    }

    function _tell(VaultStorage storage $) private {
        emit IMarginVault.LossesChanged($.poolLosses, $.writeOffs, $.badDebt);
    }
}
