// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Health} from "../../../contracts/interfaces/IMarginVault.sol";
import {Interest} from "../../../contracts/libraries/Interest.sol";
import {Margin, Sums} from "../../../contracts/libraries/Margin.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {AccountId} from "../../../contracts/types/AccountId.sol";
import {Account} from "../../../contracts/types/Account.sol";
import {collateralAsset} from "../../../contracts/types/AssetSet.sol";
import {CashParameters, CashTerms, toCashTerms} from "../../../contracts/types/CashWords.sol";
import {MarketParameters, toMarketRisk} from "../../../contracts/types/MarketWords.sol";
import {Price, toPrice} from "../../../contracts/types/Price.sol";
import {VaultStorage} from "../../../contracts/types/VaultStorage.sol";
import {
    AccountParameters,
    AccountRisk,
    CollateralParameters,
    toAccountRisk,
    toCollateral
} from "../../../contracts/types/VaultWords.sol";
import {usualAccounts, usualCollateral, usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

/// @dev One position, and the price at which its source liquidates it. Wad.
struct Example {
    /// Below zero: short.
    int256 size;
    uint256 entryPrice;
    /// What backs it. An amount that a source takes off the requirement stands here too: at health 1 that is the same.
    int256 cash;
    uint256 maintenanceBase;
    uint256 liquidationPrice;
    /// To which the source states it.
    uint256 tolerance;
}

/// @notice Figures that other protocols publish for their margin, where the model has the same in it. Sources, and the examples
/// that stand elsewhere or that the model does not have: docs/worked-examples.md. What those protocols do not have is zero here:
/// tiers (lambda), keeper floor and debt margin.
contract WorkedExamplesTest is Test {
    using Margin for Health;

    VaultStorage private $;

    // ------------------------------------------------------------------ liquidation prices

    function test_AShortIsLiquidatedWhereDydxDoes() external pure {
        Example memory e = Example(-3e18, 3000e18, 1000e18, 0.05e18, 3174.6e18, 0.01e18);
        _checkLiquidationPrice(e);
        assertNear(_health(e, e.liquidationPrice).equityMaintenanceWad, 476.2e18, 0.05e18, "equity left");
    }

    function test_ALongWithoutOtherPositionsIsLiquidatedWhereBinanceDoes() external pure {
        int256 maintenanceAmount = 16_300e18;
        _checkLiquidationPrice(
            Example(109.488e18, 32_481.98e18, 1_535_443.01e18 + maintenanceAmount, 0.025e18, 18_778.73e18, 0.01e18)
        );
    }

    function test_AnIsolatedShortOfFiveTimesItsMarginIsLiquidatedWhereFreqtradeDoes() external pure {
        _checkLiquidationPrice(Example(-1e18, 10e18, 2e18 + 0.01e18, 0.01e18, 11.89108910891089e18, 1e9));
    }

    function test_AnIsolatedLongOfFiveTimesItsMarginIsLiquidatedWhereFreqtradeDoes() external pure {
        _checkLiquidationPrice(Example(1e18, 10e18, 2e18 + 0.01e18, 0.01e18, 8.070707070707071e18, 1e9));
    }

    // ------------------------------------------------------------------ a debt against collateral

    /// @dev Aave divides weighted collateral by debt; here the debt is cash below zero, so their ratio of 1 is an equity of zero.
    function test_ADebtIsCoveredAsOftenAsAaveSays() external {
        int256 debt = 6000e18;
        int256 equity = _healthOfDebt(debt, 1000e18).equityMaintenanceWad;
        assertNear(((equity + debt) * 1e18) / debt, 1.333e18, 0.0005e18, "health factor");
        assertTrue(!_healthOfDebt(debt, 750e18).isLiquidatable(), "a collateral of 7500, at 80%");
        assertTrue(_healthOfDebt(debt, 750e18 - 1).isLiquidatable(), "a trace less");
    }

    // ------------------------------------------------------------------ mark to market

    function test_AMoveOfThePricePaysOneSideWhatTheOtherLoses() external pure {
        _checkMove(0.02e18, 100e18, 120e18, 0.4e18);
        _checkMove(2000e18, 0.1e18, 0.12e18, 40e18);
    }

    // ------------------------------------------------------------------ interest

    /// @dev Comet states a base and two slopes; here stand the rates at zero, at the kink and at full utilisation.
    function test_BorrowingCostsWhatCometSays() external pure {
        CashTerms terms = _comet(0.01e18, 0.05e18, 0.3e18);
        _checkRate(Interest.borrowRate(terms, 0.1e18), 0.015e18);
        _checkRate(Interest.borrowRate(terms, 0.9e18), 0.08e18);
    }

    function test_SupplyEarnsWhatCometSaidWhenItWasDerivedFromBorrowing() external pure {
        CashTerms terms = _comet(0.005e18, 0.1e18, 3e18);
        uint256 calm = Interest.borrowRate(terms, Interest.utilisation(1000e18, 100e18, 1000e18));
        uint256 tight = Interest.borrowRate(terms, Interest.utilisation(100e18, 90e18, 100e18));
        uint256 idle = Interest.borrowRate(terms, Interest.utilisation(100e18, 0, 100e18));
        _checkRate(calm, 0.015e18);
        _checkRate(tight, 0.385e18);
        _checkRate(idle, 0.005e18);
        _checkRate(Interest.supplyRate(terms, calm, 1000e18, 100e18), 0.00135e18);
        _checkRate(Interest.supplyRate(terms, tight, 100e18, 90e18), 0.31185e18);
        _checkRate(Interest.supplyRate(terms, idle, 100e18, 0), 0);
    }

    // ------------------------------------------------------------------ scene

    function _comet(uint256 base, uint256 slopeLow, uint256 slopeHigh) private pure returns (CashTerms) {
        CashParameters memory p;
        p.kinkWad = 0.8e18;
        p.rateAtZeroWad = base;
        p.rateAtKinkWad = base + (slopeLow * 4) / 5;
        p.rateAtFullWad = p.rateAtKinkWad + slopeHigh / 5;
        p.reserveFactorWad = 0.1e18;
        return toCashTerms(p);
    }

    /// @dev To 1e-10 a year, as Comet's tests.
    function _checkRate(uint256 aSecond, uint256 aYear) private pure {
        assertNear(int256(aSecond * 365 days), int256(aYear), 1e8, "rate a year");
    }

    /// @dev By more than the source's tolerance no further: it is safe on the one side of the stated price, liquidatable on the other.
    function _checkLiquidationPrice(Example memory e) private pure {
        bool long = e.size > 0;
        uint256 above = e.liquidationPrice + e.tolerance;
        uint256 below = e.liquidationPrice - e.tolerance;
        Health memory safe = _health(e, long ? above : below);
        Health memory poor = _health(e, long ? below : above);
        assertTrue(!safe.isLiquidatable() && safe.healthWad >= 1e18, "before its liquidation price");
        assertTrue(poor.isLiquidatable() && poor.healthWad < 1e18, "behind its liquidation price");
    }

    function _checkMove(int256 size, uint256 from, uint256 to, int256 gain) private pure {
        int256 paid = (size * int256(from)) / 1e18;
        assertEq(Margin.valueFloor(Sides.untouched(1, 0), size, paid, to), gain, "of the long");
        assertEq(Margin.valueFloor(Sides.untouched(-1, 0), -size, -paid, to), -gain, "of the short");
    }

    function _health(Example memory e, uint256 price) private pure returns (Health memory) {
        MarketParameters memory p = usualMarket();
        (p.maintenanceBaseWad, p.lambdaMaintenanceWad) = (e.maintenanceBase, 0);
        Sums memory sums;
        Side memory side = Sides.untouched(e.size < 0 ? int256(-1) : int256(1), 0);
        int256 cost = (e.size * int256(e.entryPrice)) / 1e18;
        Margin.addLeg(sums, side, e.size, cost, toMarketRisk(p), p.initialBaseWad, toPrice(price, 0, 0, 0), false);
        return Margin.total(sums, e.cash, _accounts());
    }

    /// @dev Ten of a collateral at this price, 80% of which counts.
    function _healthOfDebt(int256 debt, uint256 price) private returns (Health memory) {
        CollateralParameters memory p = usualCollateral();
        p.maintenanceWeightWad = 0.8e18;
        AccountId account;
        Account empty;
        Account word = empty.withAsset(collateralAsset(0));
        Price[] memory prices = new Price[](1);
        prices[0] = toPrice(price, 0, 0, 0);
        $.collaterals[0] = toCollateral(p, 18, 0);
        $.collateralOf[account][0] = 10e18;
        Sums memory sums = Margin.collect($, account, word, word.assets(), prices, false, Margin.NO_ASSET);
        return Margin.total(sums, -debt, _accounts());
    }

    function _accounts() private pure returns (AccountRisk) {
        AccountParameters memory p = usualAccounts();
        (p.keeperFloorWad, p.debtMarginWad) = (0, 0);
        return toAccountRisk(p);
    }
}
