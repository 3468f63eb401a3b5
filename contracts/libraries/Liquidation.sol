// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPoint, WAD, WAD_SIGNED} from "./FixedPoint.sol";
import {DiscountTerms} from "../types/MarketWords.sol";

/// @notice The leg that a forced trade would close, and the account around it. Wad throughout.
struct ForcedLeg {
    /// Whether another account takes the leg, at the price: then closing has no impact. Else the pool takes it at its fill.
    bool atPrice;
    /// n: notional of the leg at the price.
    uint256 notional;
    /// base_maint and lambda_maint of the market.
    uint256 base;
    uint256 lambda;
    /// K = 2 * skewScale * price, the notional at which impact is 100%: slope = lambda / K, kappa = 1 / K.
    uint256 depth;
    /// g = -side * skew / skewScale: impact of an infinitely small close; below zero it earns.
    int256 gradient;
    /// E: maintenance equity of the account.
    int256 equity;
    /// R_o without debt margin: the requirement of everything but this leg.
    uint256 otherRequirement;
    /// Cash and all unrealised profit and loss.
    int256 netCash;
    /// rho and T.
    uint256 debtMargin;
    uint256 target;
}

/// @title The arithmetic of a forced trade (docs/protocol.md, "Partial liquidation")
/// @notice Sizes stand as notionals at the price: m is what remains of n. The pool's fill stands inside the closed form: closing c costs
/// (d + g) * c + c^2 / K, so the account ends on its target health and not beside it. Where another account takes the leg there is no
/// impact: g = 0, and what stands with 1 / K but without lambda falls away.
library Liquidation {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// @notice d(h) = min(base + slope * (1 - h), cap, h * base_maint / (1 + rho)), rounded down. The last term lets every step
    /// raise health and leaves equity at or above zero.
    /// @param healthWad below 1
    function discountDown(
        uint256 healthWad,
        DiscountTerms terms,
        uint256 maintenanceBaseWad,
        uint256 debtMarginWad
    ) internal pure returns (uint256) {
        return Math.min(offeredDown(healthWad, terms), costBound(healthWad, maintenanceBaseWad, debtMarginWad));
    }

    /// @notice min(base + slope * (1 - h), cap), rounded down: the discount on a collateral. There selling raises health at any discount
    /// below 1 - weight, and every listing keeps to that, so no bound by health is needed.
    /// @param healthWad below 1
    function offeredDown(uint256 healthWad, DiscountTerms terms) internal pure returns (uint256) {
        uint256 offered = terms.discountBase() + terms.discountSlope().mulDivDown(WAD - healthWad, WAD);
        return Math.min(offered, terms.discountCap());
    }

    /// @notice h * base_maint / (1 + rho): the most that closing one unit of notional may cost an account of this health. Rounded down.
    function costBound(uint256 healthWad, uint256 baseWad, uint256 debtMarginWad) internal pure returns (uint256) {
        return healthWad.mulDivDown(baseWad, WAD + debtMarginWad);
    }

    /// @notice Cost of closing `closed` of the leg, per unit, before the fee: g + closed / K, or nothing at the price. Rounded up.
    function impactUp(ForcedLeg memory leg, uint256 closed) internal pure returns (int256) {
        if (leg.atPrice) return 0;
        return leg.gradient + int256(closed.mulDivUp(WAD, leg.depth));
    }

    /// @notice What remains (notional, rounded down) of the leg when health comes to its target at fee d; zero: close it whole.
    function remainderDown(ForcedLeg memory leg, uint256 feeWad) internal pure returns (uint256 remainder) {
        bool inDebt = leg.netCash < 0;
        remainder = _solve(leg, feeWad, inDebt);
        // If closing turns the sign of net cash on the way, debt margin falls due, or falls away: solve again for the other case.
        uint256 closed = leg.notional - remainder;
        int256 cost = int256(closed).mulDivCeil(impactUp(leg, closed) + int256(feeWad), WAD_SIGNED);
        bool endsInDebt = cost > leg.netCash;
        if (endsInDebt != inDebt) remainder = _solve(leg, feeWad, endsInDebt);
    }

    /// @dev The one root of a * m^2 + c1 * m + c0 = 0 with
    ///     a  = (T * lambda + M) / K          c1 = T * base - M * (d + g) - 2 * M * n / K
    ///     c0 = T * R_o + M * (d + g) * n + M * n^2 / K - E          M = 1, or 1 + T * rho in debt (where R_o holds -rho * net cash)
    /// or, at the price,  a = T * lambda / K,  c1 = T * base - M * d,  c0 = T * R_o + M * d * n - E
    /// m = -2 * c0 / (c1 + sqrt(c1^2 - 4 * a * c0)), or zero where c0 >= 0. Roundings all lower m.
    function _solve(ForcedLeg memory leg, uint256 feeWad, bool inDebt) private pure returns (uint256) {
        int256 target = int256(leg.target);
        int256 notional = int256(leg.notional);
        int256 multiplier = WAD_SIGNED;
        int256 otherRequired = int256(leg.otherRequirement);
        // Ratios have at most 70 bits (n / K at most 1, because a size is at most skewScale), amounts at most 160.
        unchecked {
            if (inDebt) {
                multiplier += int256((leg.target * leg.debtMargin).divUp(WAD));
                otherRequired -= (leg.netCash * int256(leg.debtMargin)).divFloor(WAD_SIGNED);
            }
            int256 impact = leg.atPrice ? int256(0) : multiplier;
            int256 rate = multiplier * int256(feeWad) + impact * leg.gradient;
            int256 wholeImpact = impact * notional;

            int256 c0 =
                (target * otherRequired).divCeil(WAD_SIGNED) +
                    (rate.divCeil(WAD_SIGNED) * notional).divCeil(WAD_SIGNED) +
                    (wholeImpact.divCeil(int256(leg.depth)) * notional).divCeil(WAD_SIGNED) -
                    leg.equity;
            if (c0 >= 0) return 0;
            // Rounded up although it is subtracted: a larger c1 gives a smaller m.
            int256 c1 =
                (target * int256(leg.base)).divCeil(WAD_SIGNED) -
                    rate.divFloor(WAD_SIGNED) -
                    2 * wholeImpact.divFloor(int256(leg.depth));
            uint256 curvature = (leg.target * leg.lambda).divUp(WAD) + uint256(impact);

            uint256 gap = uint256(-c0);
            uint256 product = (4 * curvature * gap).mulDivUp(WAD, leg.depth); // checked: the one that could overflow
            uint256 root = Math.sqrt(c1.abs() * c1.abs() + product, Math.Rounding.Ceil);
            // A root above |c1|, because the gap is above zero: the divisor is above zero.
            return Math.min(leg.notional, (2 * gap * WAD) / uint256(c1 + int256(root)));
        }
    }
}
