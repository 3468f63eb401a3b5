// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {MarketParameters, MarketRisk, MICRO, NANO, PPM} from "../types/MarketWords.sol";
import {RampClock, toRampClock} from "../types/RampWords.sol";
import {AccountParameters, AccountRisk, Collateral, CollateralParameters} from "../types/VaultWords.sol";

/// @title Ramps: what tightens maintenance moves in by small steps
/// @notice No step covers more than an hour, however long nobody took one: an owner has the time to act at every one of them.
/// A field on its way is start + (end - start) * time covered / DURATION (of the skew scale its reciprocal is), rounded to its unit toward
/// the looser; at the end it is the end, exactly. It depends on the time covered alone, so steps of a second come to the same as steps of
/// an hour.
library Ramps {
    using FixedPoint for uint256;

    uint256 internal constant DURATION = 3 days;
    uint256 internal constant LONGEST_STEP = 1 hours;

    function begun(uint256 nowSeconds) internal pure returns (RampClock) {
        return toRampClock(DURATION, nowSeconds);
    }

    /// @notice The clock after a step now.
    function stepped(RampClock clock, uint256 nowSeconds) internal pure returns (RampClock) {
        uint256 left = clock.secondsLeft();
        uint256 covered = Math.min(Math.min(nowSeconds - clock.steppedAt(), LONGEST_STEP), left);
        require(covered != 0, IMarginVault.NothingToRamp(left));
        return toRampClock(left - covered, nowSeconds);
    }

    // ------------------------------------------------------------------ what counts at once

    /// @notice Makes of parameters that are set those that count from now on: what would tighten maintenance stays as it is.
    function loosest(MarketParameters memory p, MarketRisk live) internal pure returns (MarketParameters memory) {
        p.maintenanceBaseWad = Math.min(p.maintenanceBaseWad, live.maintenanceBase());
        p.lambdaMaintenanceWad = Math.min(p.lambdaMaintenanceWad, live.lambdaMaintenance());
        p.skewScaleWad = Math.max(p.skewScaleWad, live.skewScale());
        return p;
    }

    function loosest(
        CollateralParameters memory p,
        Collateral live
    ) internal pure returns (CollateralParameters memory) {
        p.maintenanceWeightWad = Math.max(p.maintenanceWeightWad, live.maintenanceWeight());
        return p;
    }

    function loosest(AccountParameters memory p, AccountRisk live) internal pure returns (AccountParameters memory) {
        p.debtMarginWad = Math.min(p.debtMarginWad, live.debtMargin());
        p.keeperFloorWad = Math.min(p.keeperFloorWad, live.keeperFloor());
        p.absorbHealthWad = Math.min(p.absorbHealthWad, live.absorbHealth());
        return p;
    }

    // ------------------------------------------------------------------ what counts after a step

    /// @param mostSizeWad what maintenance base * skew scale must cover at every step: it does at both ends, and in between it does but for
    /// rounding, so that the scale waits where it would not
    function moved(
        MarketRisk from,
        MarketRisk to,
        uint256 left,
        uint256 mostSizeWad
    ) internal pure returns (MarketRisk) {
        if (left == 0) return to;
        uint256 base = _risen(from.maintenanceBase(), to.maintenanceBase(), left, PPM);
        uint256 lambda = _risen(from.lambdaMaintenance(), to.lambdaMaintenance(), left, PPM);
        uint256 scale = _scaleUp(from.skewScale(), to.skewScale(), left);
        uint256 least = mostSizeWad.mulDivUp(WAD, base).divUp(NANO) * NANO;
        if (scale < least) scale = Math.min(least, from.skewScale());
        return from.withMaintenance(base, lambda, scale);
    }

    /// @param live the collateral's word, whose `held` stays
    function moved(Collateral live, Collateral from, Collateral to, uint256 left) internal pure returns (Collateral) {
        return live.withMaintenanceWeight(_fallen(from.maintenanceWeight(), to.maintenanceWeight(), left, PPM));
    }

    function moved(AccountRisk from, AccountRisk to, uint256 left) internal pure returns (AccountRisk) {
        return
            from.withMaintenance(
                _risen(from.debtMargin(), to.debtMargin(), left, PPM),
                _risen(from.absorbHealth(), to.absorbHealth(), left, PPM),
                _risen(from.keeperFloor(), to.keeperFloor(), left, MICRO)
            );
    }

    /// @dev Margin and fills go by 1 / scale: that rises by equal steps, and not the scale.
    function _scaleUp(uint256 from, uint256 to, uint256 left) private pure returns (uint256) {
        // scales have 110 bits
        uint256 scale = (from * DURATION).mulDivUp(to, to * left + from * (DURATION - left));
        return scale.divUp(NANO) * NANO;
    }

    function _risen(uint256 from, uint256 to, uint256 left, uint256 unit) private pure returns (uint256) {
        uint256 risen = (to - from).mulDivDown(DURATION - left, DURATION);
        return from + risen - (risen % unit);
    }

    function _fallen(uint256 from, uint256 to, uint256 left, uint256 unit) private pure returns (uint256) {
        uint256 fallen = (from - to).mulDivDown(DURATION - left, DURATION);
        return from - fallen + (fallen % unit);
    }
}
