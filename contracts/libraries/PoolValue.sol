// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Account} from "../types/Account.sol";
import {AssetSet, MarketId, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";
import {Collateral, toCapital} from "../types/VaultWords.sol";
import {Prices} from "./Prices.sol";
import {Sides} from "./Sides.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";

/// @title What the liquidity pool is worth
/// @notice NAV = equity of its account - sum(price * skew^2 / (2 * skewScale)): the premium that it will repay as the skew unwinds is not
/// profit yet. Band = sum(|notional| * tolerance) + sum(collateral * weight * tolerance): what an honest error of the prices could make
/// of it. Haircut = sum(collateral * (1 - weight) * (1 + tolerance)): what selling the collateral may bring beyond its weight. A position
/// counts at its last good price, a collateral without a fresh one not at all.
library PoolValue {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// @return valueWad rounded down
    /// @return bandWad rounded up
    /// @return haircutWad rounded up
    /// @return fresh whether every price that it rests on is fresh
    function read(
        VaultStorage storage $,
        Context memory context
    ) public view returns (int256 valueWad, uint256 bandWad, uint256 haircutWad, bool fresh) {
        Account word = Ledger.load($, context, context.pool);
        AssetSet assets = word.assets();
        Price[] memory prices = Prices.all(context.oracle, assets);
        Sums memory sums = Margin.collect($, context.pool, word, assets, prices, true, Margin.NO_ASSET);
        valueWad = sums.unrealized + word.cash();
        fresh = sums.marketsFresh;

        uint256 i;
        for (uint256 bits = word.marketBits(); bits != 0; bits &= bits - 1) {
            MarketId id = MarketId.wrap(uint8(lowestBit(bits)));
            Price price = prices[i++]; // markets come first in an asset set
            uint256 skew = Sides.sizeOf($.markets[id], $.positions[context.pool][id].shares()).abs();
            uint256 notional = skew.mulDivUp(price.value(), WAD);
            valueWad -= int256(notional.mulDivUp(skew, 2 * $.markets[id].risk.skewScale()));
            bandWad += notional.mulDivUp(price.tolerance(), WAD);
        }
        for (uint256 bits = word.collateralBits(); bits != 0; bits &= bits - 1) {
            uint256 index = lowestBit(bits);
            Price price = prices[i++];
            if (!price.isFresh()) {
                fresh = false;
                continue;
            }
            Collateral collateral = $.collaterals[index];
            uint256 value = Margin.collateralValueDown(collateral, $.collateralOf[context.pool][index], price);
            uint256 weighted = value.mulDivDown(collateral.maintenanceWeight(), WAD);
            valueWad += int256(weighted);
            bandWad += weighted.mulDivUp(price.tolerance(), WAD);
            haircutWad += (value - weighted).mulDivUp(WAD + price.tolerance(), WAD);
        }
    }

    /// @notice Takes a new checkpoint of the pool's value, which openings are measured against. One dead feed does not stop it.
    function refreshCapital(VaultStorage storage $, Context memory context) public {
        (int256 valueWad, , , ) = read($, context);
        $.capital = toCapital(valueWad > 0 ? uint256(valueWad) : 0, block.timestamp, $.capital.maxAge());
        emit IMarginVault.CapitalChanged($.capital);
    }
}
