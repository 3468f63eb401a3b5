// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {CashIndices, CashTerms, INDEX_ONE, MAX_INDEX} from "../types/CashWords.sol";

/// @title Interest on cash: two indices, one kinked rate (docs/protocol.md, "Cash")
/// @notice cash = principal * index. Indices grow linearly from the last write at the rates stored with them, so that a read needs one
/// word. Supply is rounded down, borrowing up. (The kinked rate as in Compound's Comet, whose examples are tests here.)
library Interest {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    uint256 internal constant YEAR = 365 days;

    /// @notice The indices by now, 1e-15. At the end of their field they stand still.
    function accrued(
        CashIndices word,
        uint256 nowSeconds
    ) internal pure returns (uint256 supplyIndex, uint256 borrowIndex) {
        (supplyIndex, borrowIndex) = (word.supplyIndex(), word.borrowIndex());
        // Indices have 72 bits, rates 40, times 40: no product has more than 152.
        unchecked {
            uint256 elapsed = nowSeconds - word.accruedAt();
            if (elapsed == 0) return (supplyIndex, borrowIndex);
            borrowIndex = Math.min(borrowIndex + (borrowIndex * word.borrowRate() * elapsed).divUp(WAD), MAX_INDEX);
            if (borrowIndex == MAX_INDEX) return (supplyIndex, borrowIndex); // nobody is credited what nobody is charged
            supplyIndex = Math.min(supplyIndex + (supplyIndex * word.supplyRate() * elapsed) / WAD, MAX_INDEX);
        }
    }

    /// @notice Cash (wad) of a principal, rounded toward minus infinity.
    function cashFloor(int256 principalWad, uint256 supplyIndex, uint256 borrowIndex) internal pure returns (int256) {
        unchecked {
            // a principal has 120 bits, an index 72
            if (principalWad >= 0) return int256((uint256(principalWad) * supplyIndex) / INDEX_ONE);
            return -int256((principalWad.abs() * borrowIndex).divUp(INDEX_ONE));
        }
    }

    /// @notice The principal (wad) of an amount of cash, rounded toward minus infinity.
    function principalFloor(int256 cashWad, uint256 supplyIndex, uint256 borrowIndex) internal pure returns (int256) {
        unchecked {
            // cash has 120 bits, the unit of an index 50
            if (cashWad >= 0) return int256((uint256(cashWad) * INDEX_ONE) / supplyIndex);
            return -int256((cashWad.abs() * INDEX_ONE).divUp(borrowIndex));
        }
    }

    /// @notice U = max(borrowed / supplied, 1 - held / supplied), at most 1, wad: cash that is not there has its price even where the debts
    /// are not yet realised.
    function utilisation(uint256 suppliedWad, uint256 borrowedWad, uint256 heldWad) internal pure returns (uint256) {
        unchecked {
            // sums of cash have 150 bits (128 of principal, 72 of an index, less the 50 of its unit)
            uint256 missing = suppliedWad > heldWad ? suppliedWad - heldWad : 0;
            uint256 used = Math.max(borrowedWad, missing);
            if (used >= suppliedWad) return used == 0 ? 0 : WAD;
            return (used * WAD).divUp(suppliedWad);
        }
    }

    /// @notice What borrowers pay at this utilisation, 1e-18 a second, rounded down.
    function borrowRate(CashTerms terms, uint256 utilisationWad) internal pure returns (uint256) {
        unchecked {
            // Rates have 64 bits and rise to the kink and beyond; utilisation and kink are at most a wad.
            uint256 turn = terms.kink();
            if (utilisationWad <= turn) {
                uint256 climb = terms.rateAtKink() - terms.rateAtZero();
                return (terms.rateAtZero() + (turn == 0 ? climb : (climb * utilisationWad) / turn)) / YEAR;
            }
            uint256 steep = terms.rateAtFull() - terms.rateAtKink();
            return (terms.rateAtKink() + (steep * (utilisationWad - turn)) / (WAD - turn)) / YEAR;
        }
    }

    /// @notice What suppliers earn: borrow rate * min(1, borrowed / supplied) * (1 - reserve factor), 1e-18 a second, rounded down.
    function supplyRate(
        CashTerms terms,
        uint256 borrowRate_,
        uint256 suppliedWad,
        uint256 borrowedWad
    ) internal pure returns (uint256) {
        if (suppliedWad == 0) return 0;
        uint256 lent = Math.min(borrowedWad, suppliedWad);
        unchecked {
            // a rate has 40 bits, cash 150, the factor at most a wad
            return (((borrowRate_ * lent) / suppliedWad) * (WAD - terms.reserveFactor())) / WAD;
        }
    }
}
