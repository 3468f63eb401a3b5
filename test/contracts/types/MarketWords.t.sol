// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    CLOSING,
    DELISTED,
    DiscountTerms,
    EpochsWord,
    MICRO,
    MarketParameters,
    MarketRisk,
    MarketState,
    MarketTerms,
    MarketTotals,
    NANO,
    PPM,
    SIDES_TOUCHED,
    SideWord,
    toDiscountTerms,
    toMarketRisk,
    toMarketState,
    toMarketTerms,
    toMarketTotals,
    toSideWord
} from "../../../contracts/types/MarketWords.sol";
import {NotRepresentable, ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

/// @dev A parameter's place: which word (0 risk, 1 terms, 2 discount), its unit, offset and length.
struct Place {
    uint256 word;
    uint256 unit;
    uint256 offset;
    uint256 bits;
}

contract MarketWordsTest is Test {
    uint256 private constant PARAMETERS = 18;

    function test_StateStandsAsDocumented() external pure {
        assertEq(MarketState.unwrap(toMarketState(-1, 0, 0, 0, 0)), (1 << 96) - 1, "funding index");
        assertEq(MarketState.unwrap(toMarketState(0, -1, 0, 0, 0)), ((1 << 64) - 1) << 96, "funding rate");
        assertEq(MarketState.unwrap(toMarketState(0, 0, -1, 0, 0)), ((1 << 56) - 1) << 160, "funding drift");
        assertEq(MarketState.unwrap(toMarketState(0, 0, 0, (1 << 32) - 1, 0)), ((1 << 32) - 1) << 216, "touched at");
        assertEq(MarketState.unwrap(toMarketState(0, 0, 0, 0, 255)), 255 << 248, "flags");
    }

    function testFuzz_ReadsBackTheState(int96 index, int64 rate, int56 drift, uint32 time, uint8 flags) external pure {
        _checkState(index, rate, drift, time, flags);
    }

    function test_ReadsBackTheEndsOfTheState() external pure {
        _checkState(type(int96).min, type(int64).max, type(int56).min, type(uint32).max, 0);
        _checkState(type(int96).max, type(int64).min, type(int56).max, 0, 255);
    }

    function test_RefusesAStateThatDoesNotFit() external {
        uint8[5] memory bits = [96, 64, 56, 32, 8];
        for (uint256 i = 0; i < 5; i++) {
            int256 end = int256(1) << (i < 3 ? bits[i] - 1 : bits[i]);
            int256[5] memory v;
            v[i] = end;
            vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, bits[i]));
            this.packState(v);
            if (i >= 3) continue;
            v[i] = -end - 1;
            vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -end - 1, bits[i]));
            this.packState(v);
        }
    }

    function test_ItsFlagsAreThreeBits() external pure {
        assertEq(SIDES_TOUCHED, 1, "a side has left its start");
        assertEq(CLOSING, 2, "no position grows");
        assertEq(DELISTED, 4, "delisted");
    }

    function testFuzz_AFlagIsRaisedAlone(uint256 bits, uint256 flag) external pure {
        flag = 1 << bound(flag, 0, 7);
        MarketState state = MarketState.wrap(bits);
        assertTrue(state.withFlag(flag).has(flag), "raised");
        assertEq(MarketState.unwrap(state.withFlag(flag)), bits | (flag << 248), "the rest of the word");
        assertTrue(!MarketState.wrap(bits & ~(flag << 248)).has(flag), "not raised");
        assertTrue(MarketState.wrap(flag << 248).has(flag), "raised alone");
        assertTrue(!MarketState.wrap(~(flag << 248)).has(flag), "all others raised");
    }

    // ------------------------------------------------------------------ sides and epochs

    function test_ASideStandsAsDocumented() external pure {
        assertEq(SideWord.unwrap(toSideWord((1 << 96) - 1, 0)), (1 << 96) - 1, "scale");
        assertEq(SideWord.unwrap(toSideWord(0, -1)), ((1 << 160) - 1) << 96, "carry");
        assertEq(SideWord.unwrap(toSideWord(0, 1)), 1 << 96, "a carry above zero");
    }

    function testFuzz_ReadsBackASide(uint96 scale, int160 carry) external pure {
        _checkSide(scale, carry);
    }

    function test_ReadsBackTheEndsOfASide() external pure {
        _checkSide(0, type(int160).min);
        _checkSide(type(uint96).max, type(int160).min);
        _checkSide(type(uint96).max, -1);
        _checkSide(0, type(int160).max);
    }

    function test_RefusesASideThatDoesNotFit() external {
        int256 end = 1 << 159;
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 96), 96));
        this.packSide(1 << 96, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 160));
        this.packSide(0, end);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -end - 1, 160));
        this.packSide(0, -end - 1);
    }

    function test_EpochsStandAsDocumented() external pure {
        EpochsWord ones = EpochsWord.wrap(type(uint256).max);
        assertEq(ones.epochOf(true), 0xffff, "all of the long side's epoch");
        assertEq(ones.epochOf(false), 0xffff, "all of the short side's epoch");
        assertEq(EpochsWord.wrap(1).epochOf(true), 1, "long epoch");
        assertEq(EpochsWord.wrap(1).epochOf(false), 0, "short epoch beside it");
        assertEq(EpochsWord.wrap(1 << 16).epochOf(false), 1, "short epoch");
        assertEq(EpochsWord.wrap(1 << 16).epochOf(true), 0, "long epoch beside it");
        assertEq(EpochsWord.wrap(1 << 32).delistAt(), 1, "time of the end");
        assertEq(EpochsWord.wrap(1 << 72).finalPrice(), 1, "final price");
        assertEq(ones.delistAt(), (1 << 40) - 1, "all of the time of the end");
        assertEq(ones.finalPrice(), (1 << 96) - 1, "all of the final price");
    }

    function testFuzz_ANextEpochLeavesTheRestAlone(uint256 bits, bool long) external pure {
        uint256 offset = long ? 0 : 16;
        bits &= ~(uint256(1) << (offset + 15)); // not the last epoch
        EpochsWord next = EpochsWord.wrap(bits).withNextEpoch(long);
        uint256 rest = ~(uint256(0xffff) << offset);
        assertEq(next.epochOf(long), EpochsWord.wrap(bits).epochOf(long) + 1, "epoch");
        assertEq(EpochsWord.unwrap(next) & rest, bits & rest, "the rest");
    }

    function test_RefusesAnEpochBeyondTheLast() external {
        uint8[2] memory offsets = [0, 16];
        for (uint256 i = 0; i < 2; i++) {
            vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(65536), 16));
            this.nextEpoch(EpochsWord.wrap(uint256(0xffff) << offsets[i]), i == 0);
        }
    }

    function testFuzz_ADelistingLeavesTheEpochsAlone(uint256 bits, uint40 due, uint96 finalPrice) external pure {
        EpochsWord word = EpochsWord.wrap(bits).withDelisting(due, finalPrice);
        assertEq(word.delistAt(), due, "time of the end");
        assertEq(word.finalPrice(), finalPrice, "final price");
        assertEq(word.epochOf(true), bits & 0xffff, "long epoch");
        assertEq(word.epochOf(false), (bits >> 16) & 0xffff, "short epoch");
        assertEq(EpochsWord.unwrap(word) >> 168, 0, "nothing beyond");
    }

    function test_RefusesADelistingThatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 40), 40));
        this.packDelisting(1 << 40, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 96), 96));
        this.packDelisting(0, 1 << 96);
    }

    // ------------------------------------------------------------------ totals and parameters

    function test_TotalsStandAsDocumented() external pure {
        uint256 ones = (1 << 104) - 1;
        assertEq(MarketTotals.unwrap(toMarketTotals(ones, 0, 0)), ones, "long shares");
        assertEq(MarketTotals.unwrap(toMarketTotals(0, ones, 0)), ones << 104, "short shares");
        assertEq(MarketTotals.unwrap(toMarketTotals(0, 0, (1 << 48) - 1)), ((1 << 48) - 1) << 208, "fees");
    }

    function testFuzz_ReadsBackTheTotals(uint104 long, uint104 short, uint48 fees) external pure {
        MarketTotals totals = toMarketTotals(long, short, fees);
        assertEq(totals.longShares(), long, "long shares");
        assertEq(totals.shortShares(), short, "short shares");
        assertEq(totals.feesUnswept(), fees, "fees");
        assertEq(totals.feesUnsweptWad(), uint256(fees) * MICRO, "fees as a wad");
    }

    function test_RefusesTotalsThatDoNotFit() external {
        int256 end = 1 << 104;
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 104));
        this.packTotals(uint256(end), 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, end, 104));
        this.packTotals(0, uint256(end), 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 48), 48));
        this.packTotals(0, 0, 1 << 48);
    }

    function test_EachParameterStandsAloneWhereDocumented() external pure {
        for (uint256 i = 0; i < PARAMETERS; i++) {
            Place memory spot = _place(i);
            uint256 most = (1 << spot.bits) - 1;
            uint256[3] memory words = _pack(_single(i, most * spot.unit));
            for (uint256 w = 0; w < 3; w++) {
                assertEq(words[w], w == spot.word ? most << spot.offset : 0, _named("word", i));
            }
            uint256[PARAMETERS] memory read = _read(words);
            for (uint256 j = 0; j < PARAMETERS; j++) {
                assertEq(read[j], j == i ? _asRead(i, most * spot.unit) : 0, _named("read", j));
            }
        }
    }

    function testFuzz_ReadsBackEveryParameter(uint256 seed) external pure {
        uint256[PARAMETERS] memory values;
        for (uint256 i = 0; i < PARAMETERS; i++) {
            Place memory spot = _place(i);
            values[i] = (uint256(keccak256(abi.encode(seed, i))) & ((1 << spot.bits) - 1)) * spot.unit;
        }
        uint256[PARAMETERS] memory read = _read(_pack(_parameters(values)));
        for (uint256 i = 0; i < PARAMETERS; i++) {
            assertEq(read[i], _asRead(i, values[i]), _named("parameter", i));
        }
    }

    function test_RefusesAParameterThatDoesNotFit() external {
        for (uint256 i = 0; i < PARAMETERS; i++) {
            Place memory spot = _place(i);
            int256 units = int256(1 << spot.bits);
            vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, units, spot.bits));
            this.packParameters(_single(i, uint256(units) * spot.unit));
        }
    }

    function test_RefusesAParameterBetweenTwoUnits() external {
        for (uint256 i = 0; i < PARAMETERS; i++) {
            Place memory spot = _place(i);
            if (spot.unit == 1) continue;
            vm.expectRevert(abi.encodeWithSelector(NotRepresentable.selector, spot.unit + 1, spot.unit));
            this.packParameters(_single(i, spot.unit + 1));
        }
    }

    function test_TheFundingRateIsRoundedDownToASecond() external pure {
        MarketRisk risk = MarketRisk.wrap(_pack(_single(5, 0.1e18))[0]);
        assertEq(risk.maxFundingRate(), int256(uint256(0.1e24) / 86400), "10% a day");
    }

    function packState(int256[5] calldata v) external pure returns (MarketState) {
        return toMarketState(v[0], v[1], v[2], uint256(v[3]), uint256(v[4]));
    }

    function packSide(uint256 scale, int256 carry) external pure returns (SideWord) {
        return toSideWord(scale, carry);
    }

    function nextEpoch(EpochsWord word, bool long) external pure returns (EpochsWord) {
        return word.withNextEpoch(long);
    }

    function packDelisting(uint256 due, uint256 finalPrice) external pure returns (EpochsWord) {
        return EpochsWord.wrap(0).withDelisting(due, finalPrice);
    }

    function packTotals(uint256 long, uint256 short, uint256 fees) external pure returns (MarketTotals) {
        return toMarketTotals(long, short, fees);
    }

    function packParameters(MarketParameters calldata p) external pure returns (uint256[3] memory) {
        return _pack(p);
    }

    function _checkState(int256 index, int256 rate, int256 drift, uint256 time, uint256 flags) private pure {
        MarketState state = toMarketState(index, rate, drift, time, flags);
        assertEq(state.fundingIndex(), index, "funding index");
        assertEq(state.fundingRate(), rate, "funding rate");
        assertEq(state.fundingDrift(), drift, "funding drift");
        assertEq(state.touchedAt(), time, "touched at");
        assertEq(state.flags(), flags, "flags");
    }

    function _checkSide(uint256 scale, int256 carry) private pure {
        SideWord side = toSideWord(scale, carry);
        assertEq(side.sideScale(), scale, "scale");
        assertEq(side.sideCarry(), carry, "carry");
    }

    /// @dev The place of each parameter, in the order of MarketParameters.
    function _place(uint256 i) private pure returns (Place memory) {
        if (i == 0) return Place(0, PPM, 0, 20); // initial base
        if (i == 1) return Place(0, PPM, 20, 20); // maintenance base
        if (i == 2) return Place(0, PPM, 40, 20); // profit weight
        if (i == 3) return Place(0, PPM, 60, 24); // lambda initial
        if (i == 4) return Place(0, PPM, 84, 24); // lambda maintenance
        if (i == 5) return Place(0, PPM, 132, 24); // funding rate a day
        if (i == 6) return Place(1, PPM, 220, 24); // funding velocity
        if (i == 7) return Place(0, 1, 156, 20); // funding gap
        if (i == 8) return Place(0, NANO, 176, 80); // skew scale
        if (i == 9) return Place(1, NANO, 0, 80); // open-interest cap
        if (i == 10) return Place(1, NANO, 80, 80); // minimum size
        if (i == 11) return Place(1, PPM, 160, 20); // taker rate
        if (i == 12) return Place(1, PPM, 180, 20); // maker rate
        if (i == 13) return Place(1, PPM, 200, 20); // capital share
        if (i == 14) return Place(0, PPM, 108, 24); // open-interest slope
        if (i == 15) return Place(2, PPM, 0, 20); // discount base
        if (i == 16) return Place(2, PPM, 20, 24); // discount slope
        return Place(2, PPM, 44, 20); // discount cap
    }

    /// @dev MarketParameters is eighteen words of memory.
    function _parameters(uint256[PARAMETERS] memory values) private pure returns (MarketParameters memory p) {
        for (uint256 i = 0; i < PARAMETERS; i++) {
            uint256 value = values[i];
            assembly ("memory-safe") {
                mstore(add(p, mul(i, 32)), value)
            }
        }
    }

    function _single(uint256 i, uint256 value) private pure returns (MarketParameters memory) {
        uint256[PARAMETERS] memory values;
        values[i] = value;
        return _parameters(values);
    }

    function _pack(MarketParameters memory p) private pure returns (uint256[3] memory words) {
        words[0] = MarketRisk.unwrap(toMarketRisk(p));
        words[1] = MarketTerms.unwrap(toMarketTerms(p));
        words[2] = DiscountTerms.unwrap(toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad));
    }

    function _read(uint256[3] memory words) private pure returns (uint256[PARAMETERS] memory v) {
        MarketRisk risk = MarketRisk.wrap(words[0]);
        MarketTerms terms = MarketTerms.wrap(words[1]);
        DiscountTerms discount = DiscountTerms.wrap(words[2]);
        (v[0], v[1], v[2]) = (risk.initialBase(), risk.maintenanceBase(), risk.profitWeight());
        (v[3], v[4]) = (risk.lambdaInitial(), risk.lambdaMaintenance());
        (v[5], v[6]) = (uint256(risk.maxFundingRate()), terms.maxFundingVelocity());
        (v[7], v[8]) = (risk.maxFundingGap(), risk.skewScale());
        (v[9], v[10]) = (terms.openInterestCap(), terms.minimumSize());
        (v[11], v[12], v[13]) = (terms.takerRate(), terms.makerRate(), terms.capitalShare());
        v[14] = risk.openInterestSlope();
        (v[15], v[16], v[17]) = (discount.discountBase(), discount.discountSlope(), discount.discountCap());
    }

    /// @dev The funding rate is written a day and read a second (1e-24).
    function _asRead(uint256 i, uint256 value) private pure returns (uint256) {
        return i == 5 ? (value * 1e6) / 86400 : value;
    }

    function _named(string memory what, uint256 i) private pure returns (string memory) {
        return string.concat(what, " of parameter ", string(abi.encodePacked(bytes1(uint8(65 + i)))));
    }
}
