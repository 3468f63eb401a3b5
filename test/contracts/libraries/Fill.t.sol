// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Book, Fill, Venue} from "../../../contracts/libraries/Fill.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {Test} from "../support/Test.sol";

/// @dev One party of the market: shares and cost as Position has them, and what it has realised.
struct Party {
    int256 shares;
    int256 cost;
    int256 realized;
}

/// @dev The pool and three accounts in one market. Party 0 is the pool.
struct Scene {
    Party[4] parties;
    uint256 longShares;
    uint256 shortShares;
    uint256 fees;
    Venue venue;
}

contract FillTest is Test {
    using Fill for Book;
    using Sides for Side;

    uint256 private constant PRICE = 2000e18;
    uint256 private constant SCALE = 1e24;

    // ------------------------------------------------------------------ price

    /// @dev SIP-279: oracle 2000, skew 100, skew scale 1e6, 100 more: 2000.3.
    function test_FollowsTheWorkedExampleOfSip279() external pure {
        assertEq(Fill.priceWad(PRICE, 100e18, 100e18, SCALE), 2000.3e18, "fill price");
        assertEq(Fill.priceRay(PRICE, 100e18, 100e18, SCALE), 2000.3e27, "fill price in ray");
    }

    function test_ATradeThatReducesTheSkewGetsABetterPrice() external pure {
        assertEq(Fill.priceWad(PRICE, 100e18, -100e18, SCALE), 2000.1e18, "selling into a long skew");
        assertEq(Fill.priceWad(PRICE, -100e18, 100e18, SCALE), 1999.9e18, "buying into a short skew");
        assertEq(Fill.priceWad(PRICE, 0, -100e18, SCALE), 1999.9e18, "selling into no skew");
    }

    function test_RoundsTheFillPriceAgainstTheAccount() external pure {
        // impact of a third of the last place
        assertEq(Fill.priceRay(1e18, 0, 1, 3e27), 1e27 + 1, "buying");
        assertEq(Fill.priceRay(1e18, 0, -1, 3e27), 1e27 - 1, "selling");
        assertEq(Fill.priceWad(1e18, 0, 1, 3e27), 1e18 + 1, "buying, in wad");
        assertEq(Fill.priceWad(1e18, 0, -1, 3e27), 1e18 - 1, "selling, in wad");
        assertEq(Fill.priceRay(1e18, -1, 1, 3e27), 1e27, "buying at a discount");
        assertEq(Fill.priceRay(1e18, 1, -1, 3e27), 1e27, "selling at a premium");
    }

    function testFuzz_TheFillPriceIsTheExactOneRoundedAgainstTheAccount(
        uint256 mark,
        int256 skew,
        int256 delta,
        uint256 scale
    ) external pure {
        mark = bound(mark, 1, 1e27);
        scale = bound(scale, 1e18, 1e33);
        skew = bound(skew, -int256(scale) / 10, int256(scale) / 10);
        delta = bound(delta, -int256(scale) / 10, int256(scale) / 10);
        if (delta == 0) delta = 1;
        int256 divisor = 2 * int256(scale);
        int256 excess = int256(Fill.priceRay(mark, skew, delta, scale)) - int256(mark * 1e9);
        int256 beyond = excess * divisor - int256(mark * 1e9) * (2 * skew + delta);
        assertTrue(delta > 0 ? beyond >= 0 && beyond < divisor : beyond <= 0 && beyond > -divisor, "rounding");
    }

    // ------------------------------------------------------------------ one account and the pool

    function test_OpeningBooksCostAndFeeAndTheMirrorOfThePool() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        _trade(s, 1, 100e18); // at 2000.1
        assertEq(s.parties[1].shares, 100e18, "shares");
        assertEq(s.parties[1].cost, 200_010e18 + 200.01e18, "cost with the taker fee");
        assertEq(s.parties[1].realized, 0, "nothing realised");
        assertEq(s.parties[0].shares, -100e18, "shares of the pool");
        assertEq(s.parties[0].cost, -200_010e18, "cost of the pool");
        assertEq(s.fees, 200.01e18, "fee");
        assertEq(s.longShares, 100e18, "long side");
        assertEq(s.shortShares, 100e18, "short side");
    }

    function test_ClosingInFullLeavesNoCost() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        _trade(s, 1, -100e18); // at 1999.9, fee 199.99
        _trade(s, 1, 100e18); // at 1999.9 again, maker: 99.995
        assertEq(s.parties[1].shares, 0, "shares");
        assertEq(s.parties[1].cost, 0, "cost");
        assertEq(s.parties[1].realized, -199.99e18 - 99.995e18, "only the fees are lost");
        assertEq(s.parties[0].shares, 0, "shares of the pool");
        assertEq(s.longShares + s.shortShares, 0, "sides");
    }

    function test_ClosingAPartKeepsTheAverageCost() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0, 0);
        _trade(s, 1, 100e18); // cost 200,010
        s.venue.priceWad = 2200e18;
        _trade(s, 1, -25e18); // skew 100 falls to 75: at 2200 * (1 + 87.5e-6) = 2200.1925
        assertEq(s.parties[1].shares, 75e18, "shares");
        assertEq(s.parties[1].cost, 150_007.5e18, "three quarters of the cost");
        assertEq(s.parties[1].realized, 25 * 2200.1925e18 - 50_002.5e18, "gain on a quarter");
    }

    /// @dev Both cuts at one place: 100 at the maker rate, then 50 at the taker rate, each at its own fill price.
    function test_PassesThroughZeroOfPositionAndSkewAtOnce() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        _trade(s, 1, 100e18);
        int256 costBefore = s.parties[1].cost;
        uint256 feesBefore = s.fees;
        _trade(s, 1, -150e18);
        // closes 100 at 2000 * (1 + 50e-6) = 2000.1, opens 50 at 2000 * (1 - 25e-6) = 1999.95
        uint256 makerFee = 100.005e18;
        uint256 takerFee = 99.9975e18;
        assertEq(s.fees - feesBefore, makerFee + takerFee, "each rate on its part at its own price");
        assertEq(s.parties[1].shares, -50e18, "shares");
        assertEq(s.parties[1].cost, -99_997.5e18 + int256(takerFee), "cost of the new short");
        assertEq(s.parties[1].realized, 200_010e18 - costBefore - int256(makerFee), "realised on the old long");
        assertEq(s.parties[0].shares, 50e18, "shares of the pool");
        assertEq(s.longShares, 50e18, "long side");
        assertEq(s.shortShares, 50e18, "short side");
    }

    /// @dev The position passes zero while the skew stays long: two pieces, both at the maker rate.
    function test_PassesThroughZeroOfThePositionAlone() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        _trade(s, 1, 100e18);
        _trade(s, 2, 200e18);
        uint256 feesBefore = s.fees;
        _trade(s, 1, -150e18);
        // from skew 300: 100 at 2000 * (1 + 250e-6) = 2000.5, then 50 at 2000 * (1 + 175e-6) = 2000.35
        assertEq(s.fees - feesBefore, 100.025e18 + 50.00875e18, "maker fees");
        assertEq(s.parties[1].cost, -100_017.5e18 + 50.00875e18, "cost of the new short");
        assertEq(s.longShares, 200e18, "long side");
        assertEq(s.shortShares, 200e18, "short side: the account 50, the pool 150");
    }

    /// @dev The skew passes zero while the position only grows: cost is one sum, fees are two.
    function test_PassesThroughZeroOfTheSkewAlone() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        _trade(s, 2, 100e18);
        uint256 feesBefore = s.fees;
        _trade(s, 1, -300e18);
        // 100 at 2000 * (1 + 50e-6) = 2000.1 as maker, 200 at 2000 * (1 - 100e-6) = 1999.8 as taker
        uint256 fee = 100.005e18 + 399.96e18;
        assertEq(s.fees - feesBefore, fee, "each rate on its part");
        assertEq(s.parties[1].cost, -200_010e18 - 399_960e18 + int256(fee), "cost");
        assertEq(s.parties[1].realized, 0, "nothing realised");
    }

    function test_FundingAccruedIsPartOfTheSharePrice() external pure {
        Scene memory s = _scene(PRICE, SCALE, 0, 0);
        _trade(s, 1, 100e18);
        s.venue.long = Sides.untouched(1, 3e18);
        s.venue.short = Sides.untouched(-1, 3e18);
        _trade(s, 1, -100e18);
        assertEq(s.parties[1].realized, -300e18, "the long has paid funding");
        assertEq(s.parties[0].cost, -300e18, "the pool, short, has it: a cost below zero is worth something");
    }

    // ------------------------------------------------------------------ any trades

    function testFuzz_INV07_SplittingLeavesTheTotalAndNeverLowersFees(
        int256 position,
        int256 skew,
        int256 delta,
        uint256 price,
        uint256 seed,
        uint256 parts
    ) external pure {
        parts = bound(parts, 2, 5);
        Scene memory whole = _sceneWith(position, skew, price);
        Scene memory cut = _sceneWith(position, skew, price);
        delta = bound(delta, -1e22, 1e22);
        _trade(whole, 1, delta);
        int256 left = delta;
        for (uint256 i = 1; i < parts; i++) {
            int256 part = (left * int256(uint256(keccak256(abi.encode(seed, i))) % 1000)) / 1000;
            _trade(cut, 1, part);
            left -= part;
        }
        _trade(cut, 1, left);

        assertEq(cut.parties[1].shares, whole.parties[1].shares, "shares");
        assertEq(cut.parties[0].shares, whole.parties[0].shares, "shares of the pool");
        assertGe(cut.fees, whole.fees, "fees of the parts");
        assertNear(int256(cut.fees), int256(whole.fees), 3 * parts + 6, "fees");
        assertNear(_paid(cut), _paid(whole), parts + 6, "total without fees");
        assertNear(cut.parties[0].cost, whole.parties[0].cost, parts + 6, "cost of the pool");
    }

    function testFuzz_INV04_NothingIsMadeOutOfNothing(
        int256[6] calldata deltas,
        uint256 seed,
        uint256 price,
        uint256 mark,
        int96 index
    ) external pure {
        Scene memory s = _scene(bound(price, 1e9, 1e24), SCALE, 0.002e18, 0.001e18);
        mark = bound(mark, 1e9, 1e24);
        s.venue.long = Sides.untouched(1, index);
        s.venue.short = Sides.untouched(-1, index);
        for (uint256 i = 0; i < 6; i++) {
            uint256 who = 1 + ((seed >> (8 * i)) % 3);
            _trade(s, who, bound(deltas[i], -1e22, 1e22));
            _checkTotals(s);
            // All equity and all fees, at any price: what the roundings took, never more than that.
            int256 sum = int256(s.fees) * 1e27;
            for (uint256 j = 0; j < 4; j++) sum += _equityRay(s, j, mark);
            assertLe(sum, 0, "made out of nothing");
            assertGe(sum, -int256(20 * (i + 1)) * 1e27, "lost to more than rounding");
        }
    }

    function testFuzz_INV06_ARoundTripAtOnePriceGainsNothing(
        int256 position,
        int256 skew,
        int256 delta,
        uint256 price,
        uint256 parts
    ) external pure {
        Scene memory s = _sceneWith(position, skew, price);
        (s.venue.takerRateWad, s.venue.makerRateWad) = (0, 0);
        delta = bound(delta, -1e22, 1e22);
        parts = bound(parts, 1, 4);
        int256 before = _equityRay(s, 1, s.venue.priceWad) + _equityRay(s, 2, s.venue.priceWad);
        _trade(s, 1, delta);
        for (uint256 i = 1; i < parts; i++) _trade(s, 2, -delta / int256(parts));
        _trade(s, 1, -delta + (delta / int256(parts)) * int256(parts - 1));
        int256 afterwards = _equityRay(s, 1, s.venue.priceWad) + _equityRay(s, 2, s.venue.priceWad);
        assertLe(afterwards, before, "a round trip by two accounts");
    }

    function testFuzz_ClosingInFullLeavesNoCost(int256 position, int256 skew, uint256 price) external pure {
        Scene memory s = _sceneWith(position, skew, price);
        _trade(s, 1, -s.parties[1].shares);
        assertEq(s.parties[1].shares, 0, "shares");
        assertEq(s.parties[1].cost, 0, "cost");
    }

    function testFuzz_ClosingAPartKeepsTheAverageCost(
        int256 position,
        int256 skew,
        uint256 price,
        uint256 share
    ) external pure {
        Scene memory s = _sceneWith(position, skew, price);
        Party memory before = Party(s.parties[1].shares, s.parties[1].cost, 0);
        if (before.shares == 0) return;
        _trade(s, 1, (-before.shares * int256(bound(share, 1, 999))) / 1000);
        // A close that passes zero of the skew realises in two pieces, each rounded for the vault.
        int256 off = s.parties[1].cost * before.shares - before.cost * s.parties[1].shares;
        if (before.shares < 0) off = -off;
        assertLe(off, 0, "the cost that stays is rounded down");
        assertGe(off, -2 * (before.shares < 0 ? -before.shares : before.shares), "the cost that stays is pro rata");
    }

    // ------------------------------------------------------------------ sides that were deleveraged

    /// @dev A share of a long is a third of a unit, a share of a short two sevenths: no size is a whole number of shares.
    function test_SizesAreExactWhateverAShareIs() external pure {
        Scene memory s = _scaledScene(PRICE, 333_333_333_333_333_333_333_333_333, 285_714_285_714_285_714_285_714_285);
        _checkedTrade(s, 1, 100e18);
        assertEq(s.parties[1].shares, 300_000_000_000_000_000_001, "shares, rounded up");
        assertEq(s.parties[0].shares, -350_000_000_000_000_000_001, "shares of the pool, rounded up");
        _checkedTrade(s, 1, -1); // part of it
        _checkedTrade(s, 1, -30e18 + 1);
        _checkedTrade(s, 1, -75e18); // through zero of position and skew
        _checkedTrade(s, 2, 2e18); // the pool closes part of its long
        _checkedTrade(s, 2, 20e18); // through zero of the skew
        _checkedTrade(s, 3, -50e18); // and back
        _checkedTrade(s, 3, 50e18);
        _checkedTrade(s, 2, -22e18);
        _checkedTrade(s, 1, 5e18);
        assertEq(s.longShares + s.shortShares, 0, "nobody holds anything");
    }

    function test_FillsOfSharesCostWhatFillsOfSizesDo() external pure {
        Scene memory whole = _scene(PRICE, SCALE, 0.001e18, 0.0005e18);
        Scene memory scaled = _scaledScene(PRICE, 1e27 / 4, 1e27 / 5);
        (scaled.venue.takerRateWad, scaled.venue.makerRateWad) = (0.001e18, 0.0005e18);
        int72[5] memory deltas = [int72(100e18), -25e18, -150e18, 300e18, -225e18];
        for (uint256 i = 0; i < 5; i++) {
            _trade(whole, 1, deltas[i]);
            _trade(scaled, 1, deltas[i]);
            assertEq(scaled.parties[1].cost, whole.parties[1].cost, "cost");
            assertEq(scaled.parties[1].realized, whole.parties[1].realized, "realised");
            assertEq(scaled.parties[0].cost, whole.parties[0].cost, "cost of the pool");
            assertEq(scaled.fees, whole.fees, "fees");
        }
        assertEq(scaled.parties[1].shares, 0, "shares");
    }

    /// @dev Three shares of a long that make up no size: worth half a wei each at the price, and a wei of carry.
    function test_SharesOfThePoolWithoutSizeGoWithItsNextTrade() external pure {
        Scene memory s = _scaledScene(PRICE, 1e27 / 4000, 1e27);
        s.venue.long.carryRay = 1e27;
        (s.parties[0].shares, s.longShares) = (3, 3);
        _trade(s, 1, 10e18); // the pool sells
        assertEq(s.parties[0].shares, -10e18, "shares of the pool");
        assertEq(s.longShares, 40_000e18, "shares of the long side: the account's alone");
        assertEq(s.shortShares, 10e18, "shares of the short side");
        // 20,000.1 of a short, and 4.5 wei for the three shares
        assertEq(s.parties[0].cost, -20_000.1e18 - 4, "cost of the pool");
        _checkSums(s);
    }

    function test_SharesOfThePoolWithoutSizeCountWhenItsPositionGrows() external pure {
        Scene memory s = _scaledScene(PRICE, 1e27 / 4000, 1e27);
        (s.parties[0].shares, s.longShares) = (3, 3);
        _trade(s, 1, -10e18); // the pool buys
        assertEq(s.parties[0].shares, 40_000e18, "shares of the pool, those three among them");
        assertEq(s.longShares, 40_000e18, "shares of the long side");
        _checkSums(s);
    }

    function testFuzz_SizesAreExactOnAnySides(
        int256[6] calldata deltas,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 seed
    ) external pure {
        Scene memory s = _scaledScene(price, longScale, shortScale);
        for (uint256 i = 0; i < 6; i++) {
            uint256 who = 1 + ((seed >> (8 * i)) % 3);
            int256 delta = bound(deltas[i], -1e22, 1e22);
            uint256 kind = (seed >> (8 * i + 128)) % 8;
            if (kind == 0) delta %= 1000; // a few wei
            if (kind == 1) delta = -_sizeOf(s, who); // all
            if (kind == 2) delta = -_sizeOf(s, who) / 2;
            _checkedTrade(s, who, delta);
            if (kind == 1) assertEq(s.parties[who].cost, 0, "cost of nothing");
        }
    }

    /// @dev A piece of a fill may leave the two sides apart by less than a wei of size, which its impact is paid on or not.
    function testFuzz_INV04_DeleveragedSidesMakeNothingOutOfNothing(
        int256[5] calldata deltas,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 seed
    ) external pure {
        Scene memory s = _scaledScene(price, longScale, shortScale);
        (s.venue.takerRateWad, s.venue.makerRateWad) = (0.002e18, 0.001e18);
        (s.venue.long.carryRay, s.venue.short.carryRay) = (1e20, -1e20);
        for (uint256 i = 0; i < 5; i++) {
            uint256 who = 1 + ((seed >> (8 * i)) % 3);
            _trade(s, who, bound(deltas[i], -1e22, 1e22));
            _checkSums(s);
            int256 sum = int256(s.fees) * 1e27;
            for (uint256 j = 0; j < 4; j++) sum += _equityRay(s, j, s.venue.priceWad);
            uint256 pieces = 3 * (i + 1);
            assertLe(sum / 1e27, int256(pieces * _weiOfImpact(s)), "made out of nothing");
            assertGe(sum / 1e27, -int256(pieces * (_weiOfImpact(s) + 8)), "lost to more than rounding");
        }
    }

    /// @dev INV-06 on sides that were deleveraged.
    function testFuzz_INV06_ARoundTripOnDeleveragedSidesGainsNothing(
        int256 position,
        int256 delta,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 parts
    ) external pure {
        Scene memory s = _scaledScene(price, longScale, shortScale);
        _trade(s, 3, bound(position, -1e22, 1e22));
        _trade(s, 1, bound(position >> 1, -1e22, 1e22));
        delta = bound(delta, -1e22, 1e22);
        parts = bound(parts, 1, 4);
        int256 before = _equityRay(s, 1, s.venue.priceWad) + _equityRay(s, 2, s.venue.priceWad);
        _trade(s, 1, delta);
        for (uint256 i = 1; i < parts; i++) _trade(s, 2, -delta / int256(parts));
        _trade(s, 1, -delta + (delta / int256(parts)) * int256(parts - 1));
        int256 afterwards = _equityRay(s, 1, s.venue.priceWad) + _equityRay(s, 2, s.venue.priceWad);
        assertLe((afterwards - before) / 1e27, int256(6 * parts * _weiOfImpact(s)), "a round trip by two accounts");
    }

    /// @dev INV-07 on sides that were deleveraged: what was paid for what is held is the same however it was cut up.
    function testFuzz_INV07_SplittingOnDeleveragedSidesLeavesTheTotal(
        int256 position,
        int256 delta,
        uint256 longScale,
        uint256 shortScale,
        uint256 price,
        uint256 seed
    ) external pure {
        Scene memory whole = _scaledScene(price, longScale, shortScale);
        Scene memory cut = _scaledScene(price, longScale, shortScale);
        (whole.venue.takerRateWad, whole.venue.makerRateWad) = (0.002e18, 0.001e18);
        cut.venue = whole.venue;
        position = bound(position, -1e22, 1e22);
        _trade(whole, 1, position);
        _trade(cut, 1, position);
        delta = bound(delta, -1e22, 1e22);
        int256 part = (delta * int256(seed % 1000)) / 1000;
        _trade(whole, 1, delta);
        _trade(cut, 1, part);
        _trade(cut, 1, delta - part);
        assertEq(_sizeOf(cut, 1), _sizeOf(whole, 1), "size");
        assertEq(_sizeOf(cut, 0), _sizeOf(whole, 0), "size of the pool");
        assertGe(cut.fees, whole.fees, "fees of the parts");
        assertNear(int256(cut.fees), int256(whole.fees), 12, "fees");
        int256 apart = _equityRay(cut, 1, cut.venue.priceWad) - _equityRay(whole, 1, whole.venue.priceWad);
        assertNear(apart / 1e27, 0, 6 * _weiOfImpact(cut) + 24, "what is held, less what was paid");
        apart = _equityRay(cut, 0, cut.venue.priceWad) - _equityRay(whole, 0, whole.venue.priceWad);
        assertNear(apart / 1e27, 0, 6 * _weiOfImpact(cut) + 24, "the same of the pool");
    }

    /// @dev What a tenth of the price, more than any impact here, is on a wei of size. Wei, rounded up.
    function _weiOfImpact(Scene memory s) private pure returns (uint256) {
        return s.venue.priceWad / 1e19 + 1;
    }

    function _scaledScene(uint256 price, uint256 longScale, uint256 shortScale) private pure returns (Scene memory s) {
        s = _scene(bound(price, 1e12, 1e24), SCALE, 0, 0);
        s.venue.long = Side(bound(longScale, 1e23, 1e27), 0);
        s.venue.short = Side(bound(shortScale, 1e23, 1e27), 0);
    }

    /// @dev Trades, and checks that account and pool have moved by exactly the size.
    function _checkedTrade(Scene memory s, uint256 who, int256 delta) private pure {
        int256 account = _sizeOf(s, who);
        int256 pool = _sizeOf(s, 0);
        _trade(s, who, delta);
        assertEq(_sizeOf(s, who), account + delta, "size of the account");
        assertEq(_sizeOf(s, 0), pool - delta, "size of the pool");
        _checkSums(s);
    }

    function _sizeOf(Scene memory s, uint256 who) private pure returns (int256) {
        return Fill.sizeOf(s.parties[who].shares, s.venue);
    }

    // ------------------------------------------------------------------ scene

    function _scene(uint256 price, uint256 scale, uint256 taker, uint256 maker) private pure returns (Scene memory s) {
        s.venue.priceWad = price;
        s.venue.skewScaleWad = scale;
        s.venue.takerRateWad = taker;
        s.venue.makerRateWad = maker;
        s.venue.long = Sides.untouched(1, 0);
        s.venue.short = Sides.untouched(-1, 0);
    }

    /// @dev Party 1 holds `position`, party 2 what makes the skew.
    function _sceneWith(int256 position, int256 skew, uint256 price) private pure returns (Scene memory s) {
        s = _scene(bound(price, 1e12, 1e24), SCALE, 0.002e18, 0.001e18);
        position = bound(position, -1e22, 1e22);
        skew = bound(skew, -1e22, 1e22);
        _trade(s, 2, skew - position);
        _trade(s, 1, position);
        s.fees = 0;
    }

    function _trade(Scene memory s, uint256 who, int256 delta) private pure {
        Party memory account = s.parties[who];
        Party memory pool = s.parties[0];
        Book memory book;
        (book.accountSharesWad, book.accountCostWad) = (account.shares, account.cost);
        (book.poolSharesWad, book.poolCostWad) = (pool.shares, pool.cost);
        (book.longSharesWad, book.shortSharesWad) = (s.longShares, s.shortShares);
        book.execute(s.venue, delta);
        (account.shares, account.cost) = (book.accountSharesWad, book.accountCostWad);
        (pool.shares, pool.cost) = (book.poolSharesWad, book.poolCostWad);
        (s.longShares, s.shortShares) = (book.longSharesWad, book.shortSharesWad);
        account.realized += book.realizedWad;
        s.fees += book.feeWad;
    }

    function _checkTotals(Scene memory s) private pure {
        _checkSums(s);
        assertEq(s.longShares, s.shortShares, "the sides have one size");
    }

    function _checkSums(Scene memory s) private pure {
        int256 longs = 0;
        int256 shorts = 0;
        for (uint256 i = 0; i < 4; i++) {
            if (s.parties[i].shares > 0) longs += s.parties[i].shares;
            else shorts -= s.parties[i].shares;
        }
        assertEq(int256(s.longShares), longs, "shares of the long side");
        assertEq(int256(s.shortShares), shorts, "shares of the short side");
    }

    /// @dev Equity of a party times 1e27: nothing is rounded but the share price.
    function _equityRay(Scene memory s, uint256 i, uint256 mark) private pure returns (int256) {
        Party memory party = s.parties[i];
        int256 sign = party.shares < 0 ? int256(-1) : int256(1);
        Side memory side = sign < 0 ? s.venue.short : s.venue.long;
        int256 shares = party.shares * sign;
        return shares * side.sharePriceFloor(sign, mark * 1e9) + (party.realized - party.cost) * 1e27;
    }

    /// @dev What party 1 has paid so far, without fees.
    function _paid(Scene memory s) private pure returns (int256) {
        return s.parties[1].cost - s.parties[1].realized - int256(s.fees);
    }
}
