// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint} from "./FixedPoint.sol";
import {MarketState, MarketRisk} from "../types/MarketWords.sol";

/// @title Funding: velocity of skew, clamped
/// @notice The rate moves by maxVelocity * skew / skewScale per second, within plus and minus the maximum rate; above zero longs pay
/// shorts. Rates in 1e-24 a second: a wad would lose the rate of a small skew to rounding. (The velocity form is Synthetix's, SIP-279.)
library Funding {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    uint256 internal constant RATE_UNIT = 1e24;

    /// @notice What the funding index and rate have become by `nowSeconds`. Over T = min(time since the last touch, maximum gap),
    /// with r0 the rate at the touch and r1 the clamped end rate, the integral of the rate is exactly
    /// r1 * T - (r1 - r0)^2 / (2 * drift), wherever the clamp binds; so touching more often changes nothing but rounding.
    /// @return indexWad quote per unit of long size, rounded down
    /// @return rateE24 1e-24 a second
    function accrued(
        MarketState state,
        MarketRisk risk,
        uint256 priceWad,
        uint256 nowSeconds
    ) internal pure returns (int256 indexWad, int256 rateE24) {
        indexWad = state.fundingIndex();
        int256 maxRate = risk.maxFundingRate();
        int256 startRate = state.fundingRate().clamp(maxRate);
        // Rates have 63 bits, the drift 56, the gap 20, a price 90: no product has more than 180.
        unchecked {
            uint256 elapsed = nowSeconds - state.touchedAt();
            if (elapsed == 0) return (indexWad, startRate);
            if (elapsed > risk.maxFundingGap()) elapsed = risk.maxFundingGap();

            int256 drift = state.fundingDrift();
            rateE24 = (startRate + drift * int256(elapsed)).clamp(maxRate);
            int256 integral = rateE24 * int256(elapsed);
            if (drift != 0) {
                int256 climbed = rateE24 - startRate;
                integral -= (climbed * climbed) / (2 * drift); // of the sign of the drift
            }
            indexWad += (int256(priceWad) * integral).divFloor(int256(RATE_UNIT));
        }
    }

    /// @notice By how much the rate moves a second while the skew stays: 1e-24 a second and second, rounded down, held within its
    /// field of the market's word (reached at 269 a day and day).
    /// @param maxVelocityWad a day and day
    function driftOf(int256 skewWad, uint256 maxVelocityWad, uint256 skewScaleWad) internal pure returns (int256) {
        unchecked {
            // a velocity has 84 bits, a skew 120, a scale 110
            int256 velocityE24 = int256(maxVelocityWad * (RATE_UNIT / 1e18));
            int256 perSecond2 = (velocityE24 * skewWad).divFloor(int256(skewScaleWad * 1 days * 1 days));
            return perSecond2.clamp(type(int56).max);
        }
    }
}
