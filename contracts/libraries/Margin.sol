// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint, WAD, WAD_SIGNED, RAY_SIGNED, RAY} from "./FixedPoint.sol";
import {Funding} from "./Funding.sol";
import {Prices} from "./Prices.sol";
import {Side, Sides} from "./Sides.sol";
import {AccountId} from "../types/AccountId.sol";
import {Account} from "../types/Account.sol";
import {AssetSet, MarketId} from "../types/AssetSet.sol";
import {MarketRisk, MarketState, SIDES_TOUCHED} from "../types/MarketWords.sol";
import {Position} from "../types/Position.sol";
import {Price} from "../types/Price.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk, Collateral} from "../types/VaultWords.sol";
import {IMarginVault, Health} from "../interfaces/IMarginVault.sol";

/// @notice What an account's assets add to its margin; cash comes last, in `total`. Wad.
struct Sums {
    int256 equityMaintenance;
    int256 equityInitial;
    /// Unrealised profit and loss at full weight.
    int256 unrealized;
    uint256 requirementMaintenance;
    uint256 requirementInitial;
    bool hasPosition;
    bool marketsFresh;
}

/// @title Margin of an account
/// @notice
///     equity(kind)      = cash + sum(collateral value * weight) + sum(position value; for initial, gains count * profitWeight)
///     requirement(kind) = sum of n * (base + lambda * |size| / (2 * skewScale)) + rho * max(0, -net cash) + keeper floor
///     net cash          = cash + sum(position values)
/// Equity is rounded down, requirements up. The pool's gains count in full.
library Margin {
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Sides for Side;

    /// @notice `except` for sums over all markets.
    uint256 internal constant NO_ASSET = type(uint256).max;

    /// @notice The sums over an account's collaterals and positions.
    /// @param prices last prices of the assets in `priced`, which must contain the account's
    /// @param except a market's asset, whose position the caller adds as it was or as it will be; or NO_ASSET
    function collect(
        VaultStorage storage $,
        AccountId account,
        Account word,
        AssetSet priced,
        Price[] memory prices,
        bool fullGains,
        uint256 except
    ) internal view returns (Sums memory sums) {
        sums.marketsFresh = true;
        uint256 held = word.marketBits();
        uint256 next; // prices stand in the order of the set: markets, then collaterals
        Side memory side; // one for all positions in turn
        // Only counters, below 128.
        unchecked {
            uint256 bits = priced.markets();
            for (uint256 id; bits != 0; (++id, bits >>= 1, held >>= 1)) {
                if (bits & 1 == 0) continue;
                if (held & 1 == 1 && id != except) {
                    _addPosition($, sums, side, account, MarketId.wrap(uint8(id)), prices[next], fullGains);
                }
                ++next;
            }
            bits = priced.collaterals();
            held = word.collateralBits();
            for (uint256 i; bits != 0; (++i, bits >>= 1, held >>= 1)) {
                if (bits & 1 == 0) continue;
                if (held & 1 == 1) _addCollateral(sums, $.collaterals[i], $.collateralOf[account][i], prices[next]);
                ++next;
            }
        }
    }

    /// @notice The sums over all that an account has, at the last prices. The pool's gains count in full.
    function collectAll(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Account word
    ) internal view returns (Sums memory) {
        AssetSet assets = word.assets();
        Price[] memory prices = Prices.all(context.oracle, assets);
        return collect($, account, word, assets, prices, account == context.pool, NO_ASSET);
    }

    function _addPosition(
        VaultStorage storage $,
        Sums memory sums,
        Side memory side,
        AccountId account,
        MarketId id,
        Price price,
        bool fullGains
    ) private view {
        Market storage market = $.markets[id];
        Position position = $.positions[account][id];
        MarketRisk risk = market.risk;
        MarketState state = market.state;
        (int256 index, ) = Funding.accrued(state, risk, price.value(), block.timestamp);
        (int256 sharesWad, int256 costWad) = (position.shares(), position.cost());
        if (state.has(SIDES_TOUCHED)) {
            (sharesWad, costWad) = Sides.converted(market, position);
            (Side memory long, Side memory short) = Sides.read(market, index);
            side = sharesWad < 0 ? short : long;
        } else {
            side.setUntouched(sharesWad < 0 ? int256(-1) : int256(1), index);
        }
        addLeg(sums, side, sharesWad, costWad, risk, _initialBase(market, risk, index), price, fullGains);
    }

    /// @dev The market's initial base. Its totals are read only where open interest raises it.
    function _initialBase(Market storage market, MarketRisk risk, int256 index) private view returns (uint256) {
        if (risk.openInterestSlope() == 0) return risk.initialBase();
        return initialBaseUp(risk, Sides.openInterest(market, index));
    }

    /// @notice min(1, initial base + slope * open interest / skewScale), rounded up: a position split over many accounts gains nothing.
    /// @param openInterestWad size of the market's larger side, the pool included
    function initialBaseUp(MarketRisk risk, uint256 openInterestWad) internal pure returns (uint256) {
        uint256 raised = risk.initialBase() + risk.openInterestSlope().mulDivUp(openInterestWad, risk.skewScale());
        return raised < WAD ? raised : WAD;
    }

    /// @notice A copy that can be added to while the original stays.
    function copy(Sums memory sums) internal pure returns (Sums memory) {
        return
            Sums(
                sums.equityMaintenance,
                sums.equityInitial,
                sums.unrealized,
                sums.requirementMaintenance,
                sums.requirementInitial,
                sums.hasPosition,
                sums.marketsFresh
            );
    }

    /// @notice Turns a leg into the rest of the sums that it was added to. Whether any position is left the caller says.
    function toRest(Sums memory leg, Sums memory sums) internal pure {
        // Each field of a leg is part of the sum that it was added to.
        unchecked {
            leg.equityMaintenance = sums.equityMaintenance - leg.equityMaintenance;
            leg.equityInitial = sums.equityInitial - leg.equityInitial;
            leg.unrealized = sums.unrealized - leg.unrealized;
            leg.requirementMaintenance = sums.requirementMaintenance - leg.requirementMaintenance;
            leg.requirementInitial = sums.requirementInitial - leg.requirementInitial;
        }
        leg.hasPosition = false;
        leg.marketsFresh = sums.marketsFresh;
    }

    /// @notice Adds other sums.
    function plus(Sums memory sums, Sums memory others) internal pure {
        unchecked {
            sums.equityMaintenance += others.equityMaintenance;
            sums.equityInitial += others.equityInitial;
            sums.unrealized += others.unrealized;
            sums.requirementMaintenance += others.requirementMaintenance;
            sums.requirementInitial += others.requirementInitial;
            sums.hasPosition = sums.hasPosition || others.hasPosition;
        }
    }

    /// @notice Adds one position given its side as it stands now.
    /// @param initialBaseWad the market's, as open interest has raised it
    function addLeg(
        Sums memory sums,
        Side memory side,
        int256 sharesWad,
        int256 costWad,
        MarketRisk risk,
        uint256 initialBaseWad,
        Price price,
        bool fullGains
    ) internal pure {
        int256 value = valueFloor(side, sharesWad, costWad, price.value());
        // Sums of at most 96 values of 157 bits, and products of fields: size 120 bits, price 90, lambda 64; a size is at most
        // skewScale (open interest <= maintenanceBase * skewScale), so a ratio has at most 65 bits.
        unchecked {
            sums.unrealized += value;
            sums.equityMaintenance += value;
            sums.equityInitial += value > 0 && !fullGains ? (value * int256(risk.profitWeight())) / WAD_SIGNED : value;
            if (sharesWad == 0) {
                // No price moves it. An account's keeper floor stays until it is settled: a loss may leave a debt, and settling must not
                // lower health. The pool's profit in a market that everybody left is never settled.
                if (!fullGains) sums.hasPosition = true;
                return;
            }
            if (!price.isFresh()) sums.marketsFresh = false;
            sums.hasPosition = true;
            uint256 size = side.sizeUp(sharesWad.abs());
            uint256 notional = (size * price.value()).divUp(WAD);
            uint256 depth = 2 * risk.skewScale();
            sums.requirementMaintenance += legRequirementUp(
                notional,
                size,
                risk.maintenanceBase(),
                risk.lambdaMaintenance(),
                depth
            );
            sums.requirementInitial += legRequirementUp(notional, size, initialBaseWad, risk.lambdaInitial(), depth);
        }
    }

    /// @notice n * (base + lambda * |size| / depth), rounded up; depth = 2 * skewScale. For operands within the bounds of `addLeg`.
    function legRequirementUp(
        uint256 notionalWad,
        uint256 sizeWad,
        uint256 baseWad,
        uint256 lambdaWad,
        uint256 depthWad
    ) internal pure returns (uint256) {
        unchecked {
            return (notionalWad * (baseWad + (lambdaWad * sizeWad).divUp(depthWad))).divUp(WAD);
        }
    }

    /// @notice Unrealised profit and loss of a position: floor(shares * share price) - cost.
    function valueFloor(
        Side memory side,
        int256 sharesWad,
        int256 costWad,
        uint256 priceWad
    ) internal pure returns (int256) {
        // shares 120 bits, price (ray) 120, carry 126: the product has at most 247
        unchecked {
            int256 sign = sharesWad < 0 ? int256(-1) : int256(1);
            int256 sharePrice = side.sharePriceFloor(sign, priceWad * (RAY / WAD));
            return (int256(sharesWad.abs()) * sharePrice).divFloor(RAY_SIGNED) - costWad;
        }
    }

    function _addCollateral(Sums memory sums, Collateral collateral, uint256 amount, Price price) private pure {
        // A stored amount is within the field of the deposit cap, 96 bits; a price has 90, a weight 60.
        unchecked {
            uint256 value = collateralValueDown(collateral, amount, price);
            sums.equityMaintenance += int256((value * collateral.maintenanceWeight()) / WAD); // 246 bits
            // Without a fresh price it counts nothing for what increases risk; for maintenance its last good price goes on.
            if (price.isFresh()) sums.equityInitial += int256((value * _initialWeightDown(collateral)) / WAD);
        }
    }

    /// @dev The initial weight: what the vault holds of a collateral beyond the start of concentration counts nothing, shared by all.
    function _initialWeightDown(Collateral collateral) private pure returns (uint256) {
        unchecked {
            // the start in raw units: 96 bits times 60; times a weight: 60 more
            if (collateral.concentrationStart() == WAD) return collateral.initialWeight(); // never, whatever the cap
            uint256 start = (collateral.depositCap() * collateral.concentrationStart()) / WAD;
            uint256 held = collateral.held();
            return held > start ? (collateral.initialWeight() * start) / held : collateral.initialWeight();
        }
    }

    /// @notice Value (wad) of an amount (raw) of a collateral at its last price, before weights.
    function collateralValueDown(Collateral collateral, uint256 amount, Price price) internal pure returns (uint256) {
        unchecked {
            // amount 96 bits (more is refused when it is stored), price 90, decimals at most 18
            return (amount * price.value()) / 10 ** collateral.decimals();
        }
    }

    /// @notice What an amount (raw) of a collateral counts for at maintenance, wad.
    function weightedDown(Collateral collateral, uint256 amount, Price price) internal pure returns (uint256) {
        unchecked {
            return (collateralValueDown(collateral, amount, price) * collateral.maintenanceWeight()) / WAD; // 246 bits
        }
    }

    /// @notice The account's margin: the sums, and its cash (wad).
    function total(Sums memory sums, int256 cashWad, AccountRisk risk) internal pure returns (Health memory health) {
        // Sums have 190 bits (addLeg, collateralValueDown), cash 120.
        unchecked {
            health.equityMaintenanceWad = sums.equityMaintenance + cashWad;
            health.equityInitialWad = sums.equityInitial + cashWad;
            health.netCashWad = sums.unrealized + cashWad;
            uint256 general = generalRequirement(health.netCashWad, sums.hasPosition || cashWad < 0, risk);
            health.requirementMaintenanceWad = sums.requirementMaintenance + general;
            health.requirementInitialWad = sums.requirementInitial + general;
            health.healthWad = ratioDown(health.equityMaintenanceWad, health.requirementMaintenanceWad);
            health.pricesFresh = sums.marketsFresh;
        }
    }

    /// @notice The part of the requirement that belongs to no position: debt margin and keeper floor.
    function generalRequirement(
        int256 netCashWad,
        bool positionOrDebt,
        AccountRisk risk
    ) internal pure returns (uint256 required) {
        unchecked {
            // net cash has 165 bits, fields of the risk word 96
            if (netCashWad < 0) required = (netCashWad.abs() * risk.debtMargin()).divUp(WAD);
            if (positionOrDebt) required += risk.keeperFloor();
        }
    }

    /// @notice Equity over requirement, rounded down: without requirement the largest uint256, zero when equity is below zero.
    function ratioDown(int256 equityWad, uint256 requirementWad) internal pure returns (uint256) {
        if (requirementWad == 0) return type(uint256).max;
        unchecked {
            return equityWad < 0 ? 0 : (uint256(equityWad) * WAD) / requirementWad; // 192 and 60 bits
        }
    }

    /// @notice Whether anyone may liquidate: maintenance equity below the requirement.
    function isLiquidatable(Health memory health) internal pure returns (bool) {
        return health.equityMaintenanceWad < int256(health.requirementMaintenanceWad);
    }

    /// @notice Refuses what increases risk where initial equity does not cover the requirement, or a market's price is stale.
    function requireInitialMargin(Health memory health, AccountId account) internal pure {
        require(health.pricesFresh, IMarginVault.StalePrices(account));
        require(
            hasInitialMargin(health),
            IMarginVault.InsufficientMargin(account, health.equityInitialWad, health.requirementInitialWad)
        );
    }

    /// @notice The same of an account's sums and its cash (wad), without the figures that nothing here asks for.
    function requireCovered(Sums memory sums, int256 cashWad, AccountRisk risk, AccountId account) internal pure {
        require(sums.marketsFresh, IMarginVault.StalePrices(account));
        int256 equityWad;
        uint256 requiredWad;
        // Bounds as in `total`.
        unchecked {
            equityWad = sums.equityInitial + cashWad;
            requiredWad =
                sums.requirementInitial +
                generalRequirement(sums.unrealized + cashWad, sums.hasPosition || cashWad < 0, risk);
        }
        require(equityWad >= int256(requiredWad), IMarginVault.InsufficientMargin(account, equityWad, requiredWad));
    }

    /// @notice Whether initial equity covers the initial requirement.
    function hasInitialMargin(Health memory health) internal pure returns (bool) {
        return health.equityInitialWad >= int256(health.requirementInitialWad);
    }
}
