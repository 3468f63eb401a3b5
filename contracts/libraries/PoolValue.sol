// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Funding} from "./Funding.sol";
import {Margin, Sums} from "./Margin.sol";
import {AccountWord} from "../types/AccountWord.sol";
import {AssetSet, MarketId, lowestBit} from "../types/AssetSet.sol";
import {Position} from "../types/Position.sol";
import {Price} from "../types/Price.sol";
import {Constants, Market, VaultStorage} from "../types/VaultStorage.sol";
import {toCapital} from "../types/VaultWords.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";

/// @title What the liquidity pool is worth
/// @notice NAV = equity of its account - sum(price * skew^2 / (2 * skewScale)): the premium that it will repay as the skew unwinds is not
/// profit yet. Band = sum(|notional| * tolerance): what an honest error of the prices could make of it.
library PoolValue {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// @return valueWad rounded down
    /// @return bandWad rounded up
    /// @return fresh whether every price that it rests on is fresh
    function read(
        VaultStorage storage $,
        Constants memory constants
    ) public view returns (int256 valueWad, uint256 bandWad, bool fresh) {
        AccountWord word = $.accounts[constants.pool];
        AssetSet assets = word.assets();
        Price[] memory prices = constants.oracle.lastPrices(assets);
        Sums memory sums = Margin.collect($, constants.pool, word, assets, prices, true);
        valueWad = sums.equityMaintenance + word.principal();
        fresh = sums.marketsFresh;

        uint256 i;
        for (uint256 bits = word.marketBits(); bits != 0; bits &= bits - 1) {
            MarketId id = MarketId.wrap(uint8(lowestBit(bits)));
            Market storage market = $.markets[id];
            Price price = prices[i++]; // markets come first in an asset set
            (int256 indexWad, ) = Funding.accrued(market.state, market.risk, price.value(), block.timestamp);
            int256 shares = $.positions[constants.pool][id].shares();
            uint256 skew = Margin.sideOf(market, shares < 0 ? int256(-1) : int256(1), indexWad).scaleRay.mulDivUp(
                shares.abs(),
                1e27
            );
            uint256 notional = skew.mulDivUp(price.value(), WAD);
            valueWad -= int256(notional.mulDivUp(skew, 2 * market.risk.skewScale()));
            bandWad += notional.mulDivUp(price.tolerance(), WAD);
        }
        for (; i < prices.length; ++i) fresh = fresh && prices[i].isFresh();
    }

    /// @notice Takes a new checkpoint of the pool's value, which openings are measured against.
    function refreshCapital(VaultStorage storage $, Constants memory constants) public {
        (int256 valueWad, , bool fresh) = read($, constants);
        require(fresh, IMarginVault.StalePrices(constants.pool));
        $.capital = toCapital(valueWad > 0 ? uint256(valueWad) : 0, block.timestamp, $.capital.maxAge());
        emit IMarginVault.CapitalChanged($.capital);
    }
}
