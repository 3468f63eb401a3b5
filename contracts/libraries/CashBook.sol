// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Interest} from "./Interest.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {CashTerms, CashTotals, INDEX_ONE, toCashIndices, toCashTotals} from "../types/CashWords.sol";
import {Cash, Context, VaultStorage} from "../types/VaultStorage.sol";

/// @title The book of cash: what all principals add up to, and what they are worth
/// @notice An operation opens it, counts every principal that changes, and saves it once. An operation that leaves the totals as they are
/// (a trade between accounts with cash) reads one word and writes none.
library CashBook {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// A supply index below a thousandth is not cut further: principals would outgrow their fields.
    uint256 private constant LEAST_SUPPLY_INDEX = INDEX_ONE / 1000;

    function open(VaultStorage storage $) internal view returns (Cash memory cash) {
        read($, cash);
    }

    /// @notice Opens it in place.
    function read(VaultStorage storage $, Cash memory cash) internal view {
        cash.stored = $.cashIndices;
        (cash.supplyIndex, cash.borrowIndex) = Interest.accrued(cash.stored, block.timestamp);
    }

    /// @notice Cash (wad) of a principal now.
    function valueOf(Cash memory cash, int256 principalWad) internal pure returns (int256) {
        return Interest.cashFloor(principalWad, cash.supplyIndex, cash.borrowIndex);
    }

    /// @notice The principal of an amount of cash (wad) now.
    function principalOf(Cash memory cash, int256 cashWad) internal pure returns (int256) {
        return Interest.principalFloor(cashWad, cash.supplyIndex, cash.borrowIndex);
    }

    /// @notice Counts the change of an account's principal.
    function count(Cash memory cash, int256 before, int256 afterwards) internal pure {
        unchecked {
            // principals have 120 bits
            cash.supplied += int256(afterwards.positivePart()) - int256(before.positivePart());
            cash.borrowed += int256((-afterwards).positivePart()) - int256((-before).positivePart());
        }
    }

    /// @notice Writes what the operation has changed: totals, interest up to now, and the rates from now on.
    function save(VaultStorage storage $, Context memory context) internal {
        Cash memory cash = context.cash;
        if (cash.supplied == 0 && cash.borrowed == 0 && !cash.moved) return;
        write($, context);
    }

    /// @notice The same, whether anything has changed or not.
    function write(VaultStorage storage $, Context memory context) internal {
        Cash memory cash = context.cash;
        CashTotals totals = $.cashTotals;
        uint256 margin = _margin(cash, totals);
        if (margin != 0) $.interestUnswept = uint112(Math.min($.interestUnswept + margin, type(uint112).max));
        uint256 supplied;
        uint256 borrowed;
        unchecked {
            // 128 bits, and changes of a few times 120; below zero they do not fit their fields
            supplied = uint256(int256(totals.supplied()) + cash.supplied);
            borrowed = uint256(int256(totals.borrowed()) + cash.borrowed);
        }
        totals = toCashTotals(supplied, borrowed);
        $.cashTotals = totals;
        (cash.supplied, cash.borrowed, cash.moved) = (0, 0, false);

        CashTerms terms = $.cashTerms;
        uint256 supplyRate;
        uint256 borrowRate;
        unchecked {
            // principals have 128 bits, as tokens held have, indices 72, the unit 60
            uint256 supply = (supplied * cash.supplyIndex) / INDEX_ONE;
            uint256 debts = (borrowed * cash.borrowIndex).divUp(INDEX_ONE);
            uint256 held = $.cashHeld * context.cashUnit;
            borrowRate = Interest.borrowRate(terms, Interest.utilisation(supply, debts, held));
            supplyRate = Interest.supplyRate(terms, borrowRate, supply, debts);
        }
        cash.stored = toCashIndices(cash.supplyIndex, cash.borrowIndex, supplyRate, borrowRate, block.timestamp);
        $.cashIndices = cash.stored;
        emit IMarginVault.CashChanged(cash.stored, totals, $.interestUnswept);
    }

    /// @dev What borrowers were charged since the indices were stored, less what suppliers were credited. Rounded down.
    function _margin(Cash memory cash, CashTotals totals) private pure returns (uint256) {
        // principals have 128 bits, indices 72
        unchecked {
            uint256 charged = (totals.borrowed() * (cash.borrowIndex - cash.stored.borrowIndex())) / INDEX_ONE;
            uint256 credited = (totals.supplied() * (cash.supplyIndex - cash.stored.supplyIndex())).divUp(INDEX_ONE);
            return charged > credited ? charged - credited : 0;
        }
    }

    /// @notice All that accounts have in cash (wad), debts not counted, rounded down.
    function suppliedWad(VaultStorage storage $, Context memory context) internal view returns (uint256) {
        uint256 principal = uint256(int256($.cashTotals.supplied()) + context.cash.supplied);
        return principal.mulDivDown(context.cash.supplyIndex, INDEX_ONE);
    }

    /// @notice Takes an amount (wad) off everybody's cash, in proportion, through the supply index: as much of it as the index bears.
    /// Accounts in memory must be saved before, or they would escape it. What the index takes beyond the amount, because it has no more
    /// digits, goes where interest goes that nobody is credited with.
    /// @return takenWad at most the amount
    function writeOff(
        VaultStorage storage $,
        Context memory context,
        uint256 amountWad
    ) internal returns (uint256 takenWad) {
        write($, context);
        Cash memory cash = context.cash;
        uint256 before = suppliedWad($, context);
        if (before == 0 || amountWad == 0) return 0;
        uint256 index = amountWad >= before ? 0 : cash.supplyIndex.mulDivDown(before - amountWad, before);
        cash.supplyIndex = Math.max(Math.min(LEAST_SUPPLY_INDEX, cash.supplyIndex), index);
        uint256 afterwards = $.cashTotals.supplied().mulDivUp(cash.supplyIndex, INDEX_ONE);
        uint256 lost = before > afterwards ? before - afterwards : 0;
        takenWad = Math.min(lost, amountWad);
        $.interestUnswept += uint112(lost - takenWad);
        cash.stored = toCashIndices(cash.supplyIndex, cash.borrowIndex, 0, 0, block.timestamp);
        write($, context); // with the rates of the new supply
    }
}
